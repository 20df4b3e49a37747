"""A base for asynchronous stores that answers the operations of one loop tick with one batch."""

from __future__ import annotations

import asyncio
import functools
import weakref
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from typing import Any, Literal, TypeVar

from langgraph_rust.store.base import (
    NOT_PROVIDED,
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    NamespacePath,
    NotProvided,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    _ensure_ttl,
    _get_op,
    _list_op,
    _put_op,
    _search_op,
    _validate_namespace,
    _validate_namespace_labels,
)

F = TypeVar("F", bound=Callable)

_Queued = tuple["asyncio.Future[Result]", Op]


def _check_loop(func: F) -> F:
    """Refuse a synchronous method on the store's own loop, where waiting would never end."""
    name = func.__name__

    @functools.wraps(func)
    def wrapper(store: AsyncBatchedBaseStore, *args: Any, **kwargs: Any) -> Any:
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if running is not None and running is store._loop:
            raise asyncio.InvalidStateError(
                f"Synchronous calls to {type(store).__name__} detected in the main event loop. "
                "This can lead to deadlocks or performance issues. "
                "Please use the asynchronous interface for main thread operations. "
                f"Specifically, replace `store.{name}(...)` with `await store.a{name}(...)` "
            )
        return func(store, *args, **kwargs)

    return wrapper  # type: ignore[return-value]


class AsyncBatchedBaseStore(BaseStore):
    """A store whose asynchronous operations are collected and passed to `abatch` together.

    A subclass implements `abatch`. A task in the background collects what was asked for in one tick
    of the event loop, and drops duplicates. The synchronous methods may be called from other
    threads; on the store's own loop they raise `asyncio.InvalidStateError`.

    Must be created on a running event loop, which it then belongs to.
    """

    __slots__ = ("_aqueue", "_loop", "_task")

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._aqueue: asyncio.Queue[_Queued] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._ensure_task()

    def __del__(self) -> None:
        # The attribute is missing if there was no loop; the loop may be closed by now.
        task = getattr(self, "_task", None)
        if task is not None:
            try:
                task.cancel()
            except RuntimeError:
                pass

    def _ensure_task(self) -> None:
        if self._task is None or self._task.done():
            self._task = self._loop.create_task(_run(self._aqueue, weakref.ref(self)))

    def _enqueue(self, op: Op) -> asyncio.Future[Any]:
        self._ensure_task()
        future = self._loop.create_future()
        self._aqueue.put_nowait((future, op))
        return future

    def _wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def aget(
        self, namespace: tuple[str, ...], key: str, *, refresh_ttl: bool | None = None
    ) -> Item | None:
        """Return the item under `key`, or `None`; see `BaseStore.get`."""
        return await self._enqueue(_get_op(self, namespace, key, refresh_ttl))

    async def asearch(
        self,
        namespace_prefix: tuple[str, ...],
        /,
        *,
        query: str | None = None,
        filter: dict[str, Any] | None = None,
        limit: int = 10,
        offset: int = 0,
        refresh_ttl: bool | None = None,
    ) -> list[SearchItem]:
        """Return items in a namespace and everything below it; see `BaseStore.search`."""
        bounds = (filter, limit, offset, query)
        return await self._enqueue(_search_op(self, namespace_prefix, *bounds, refresh_ttl))

    async def aput(
        self,
        namespace: tuple[str, ...],
        key: str,
        value: Mapping[str, Any],
        index: Literal[False] | list[str] | None = None,
        *,
        ttl: float | NotProvided | None = NOT_PROVIDED,
    ) -> None:
        """Store an item; see `BaseStore.put`."""
        _validate_namespace(namespace)
        await self._enqueue(_put_op(self, namespace, key, value, index, ttl))

    async def adelete(self, namespace: tuple[str, ...], key: str) -> None:
        """Delete an item; see `BaseStore.delete`."""
        _validate_namespace_labels(namespace)
        await self._enqueue(PutOp(namespace, key, None))

    async def alist_namespaces(
        self,
        *,
        prefix: NamespacePath | None = None,
        suffix: NamespacePath | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[tuple[str, ...]]:
        """Return the namespaces that hold items; see `BaseStore.list_namespaces`."""
        return await self._enqueue(_list_op(prefix, suffix, max_depth, limit, offset))

    @_check_loop
    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out operations from another thread, without collecting."""
        return self._wait(self.abatch(ops))

    @_check_loop
    def get(
        self, namespace: tuple[str, ...], key: str, *, refresh_ttl: bool | None = None
    ) -> Item | None:
        """`aget`, from another thread."""
        return self._wait(self.aget(namespace, key, refresh_ttl=refresh_ttl))

    @_check_loop
    def search(
        self,
        namespace_prefix: tuple[str, ...],
        /,
        *,
        query: str | None = None,
        filter: dict[str, Any] | None = None,
        limit: int = 10,
        offset: int = 0,
        refresh_ttl: bool | None = None,
    ) -> list[SearchItem]:
        """`asearch`, from another thread."""
        return self._wait(
            self.asearch(
                namespace_prefix,
                query=query,
                filter=filter,
                limit=limit,
                offset=offset,
                refresh_ttl=refresh_ttl,
            )
        )

    @_check_loop
    def put(
        self,
        namespace: tuple[str, ...],
        key: str,
        value: Mapping[str, Any],
        index: Literal[False] | list[str] | None = None,
        *,
        ttl: float | NotProvided | None = NOT_PROVIDED,
    ) -> None:
        """`aput`, from another thread."""
        _validate_namespace(namespace)
        ttl = _ensure_ttl(self.ttl_config, ttl)
        self._wait(self.aput(namespace, key, value, index, ttl=ttl))

    @_check_loop
    def delete(self, namespace: tuple[str, ...], key: str) -> None:
        """`adelete`, from another thread."""
        self._wait(self.adelete(namespace, key))

    @_check_loop
    def list_namespaces(
        self,
        *,
        prefix: NamespacePath | None = None,
        suffix: NamespacePath | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[tuple[str, ...]]:
        """`alist_namespaces`, from another thread."""
        return self._wait(
            self.alist_namespaces(
                prefix=prefix, suffix=suffix, max_depth=max_depth, limit=limit, offset=offset
            )
        )


def _dedupe_ops(values: list[Op]) -> tuple[list[int] | None, list[Op]]:
    """Drop repeated reads and puts that a later put to the same key overtakes.

    Returns:
        For each of `values` the position of its result among those of the operations to run (`None`
        if the two lists are the same), and the operations to run.
    """
    if len(values) <= 1:
        return None, list(values)
    positions: list[int] = []
    unique: list[Op] = []
    puts: dict[tuple[tuple[str, ...], str], int] = {}
    reads: dict[Op, int] = {}
    for op in values:
        position = len(unique)
        if isinstance(op, PutOp):
            position = puts.setdefault((op.namespace, op.key), position)
        elif isinstance(op, (GetOp, SearchOp, ListNamespacesOp)):
            position = _first_position(op, reads, unique)
        if position == len(unique):
            unique.append(op)
        elif isinstance(op, PutOp):
            unique[position] = op
        positions.append(position)
    return positions, unique


def _first_position(op: Op, reads: dict[Op, int], unique: list[Op]) -> int:
    """Return where among `unique` a read equal to `op` stands, or would be appended."""
    try:
        return reads.setdefault(op, len(unique))
    except TypeError:
        # A filter is a dictionary, which makes the operation unhashable.
        return unique.index(op) if op in unique else len(unique)


async def _run(aqueue: asyncio.Queue[_Queued], store_ref: weakref.ref[BaseStore]) -> None:
    while True:
        first = await aqueue.get()
        if first[0].done():
            continue
        store = store_ref()
        if store is None:
            return
        await _answer(store, [first, *_same_tick(aqueue)])
        # Holding on to these while waiting would keep the store alive for ever.
        del store, first


def _same_tick(aqueue: asyncio.Queue[_Queued]) -> Iterator[_Queued]:
    while not aqueue.empty():
        queued = aqueue.get_nowait()
        # Whoever asked may have been cancelled meanwhile.
        if not queued[0].done():
            yield queued


async def _answer(store: BaseStore, queued: list[_Queued]) -> None:
    try:
        positions, ops = _dedupe_ops([op for _, op in queued])
        results = await store.abatch(ops)
        if positions is not None:
            results = [results[position] for position in positions]
        # strict=False: a store that returns too few results leaves the rest unanswered.
        for (future, _), result in zip(queued, results, strict=False):
            if not future.done():
                future.set_result(result)
    except Exception as exc:
        for future, _ in queued:
            if not future.done():
                future.set_exception(exc)
