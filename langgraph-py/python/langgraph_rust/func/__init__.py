"""The functional API: a workflow is a function (`entrypoint`), its steps are functions (`task`)."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, get_args, get_origin, overload

from langgraph_rust._engine import Callee
from langgraph_rust._internal import _serde
from langgraph_rust._internal._constants import CACHE_NS_WRITES, PREVIOUS
from langgraph_rust._internal._runnable import is_async_callable
from langgraph_rust._internal._timeout import coerce_timeout_policy, sync_timeout_unsupported
from langgraph_rust._internal._typing import MISSING
from langgraph_rust.channels.ephemeral_value import EphemeralValue
from langgraph_rust.channels.last_value import LastValue
from langgraph_rust.constants import END, START
from langgraph_rust.pregel._build.read import PregelNode
from langgraph_rust.pregel._build.write import ChannelWrite, ChannelWriteEntry
from langgraph_rust.pregel._run.call import (
    P,
    T,
    _call_with_options,
    get_runnable_for_entrypoint,
    identifier,
)
from langgraph_rust.pregel.main import Pregel
from langgraph_rust.types import _DC_KWARGS, CachePolicy, RetryPolicy, TimeoutPolicy
from langgraph_rust.typing import ContextT
from langgraph_rust.warnings import LangGraphDeprecatedSinceV05, LangGraphDeprecatedSinceV10

if TYPE_CHECKING:
    from datetime import timedelta

    from typing_extensions import Unpack

    from langgraph_rust._internal._typing import DeprecatedKwargs
    from langgraph_rust.cache.base import BaseCache
    from langgraph_rust.checkpoint.base import BaseCheckpointSaver
    from langgraph_rust.pregel._run.call import SyncAsyncFuture
    from langgraph_rust.store.base import BaseStore

__all__ = ("entrypoint", "task")

R = TypeVar("R")
S = TypeVar("S")


class _TaskFunction(Generic[P, T]):
    """A function that runs as a task when called, and returns the future of its result."""

    def __init__(
        self,
        func: Callable[P, Awaitable[T]] | Callable[P, T],
        *,
        retry_policy: Sequence[RetryPolicy],
        cache_policy: CachePolicy[Callable[P, str | bytes]] | None = None,
        timeout: TimeoutPolicy | None = None,
        name: str | None = None,
    ) -> None:
        self.func = func if name is None else _named(func, name)
        self.retry_policy = retry_policy
        self.cache_policy = cache_policy
        self.timeout = timeout
        functools.update_wrapper(self, self.func)
        _serde.remember_signature(self.func)

    _callee: Callee | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what is copied and pickled: all but what the engine knows of the function."""
        return {name: value for name, value in vars(self).items() if name != "_callee"}

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> SyncAsyncFuture[T]:
        """Start the task; outside of a run this raises `RuntimeError`."""
        callee = self._callee
        if callee is None:
            callee = self._callee = Callee(self.func)
        policies = self.retry_policy, self.cache_policy, self.timeout
        future = callee.start(args, kwargs, *policies)
        if future is not None:
            return cast("SyncAsyncFuture[T]", future)
        return _call_with_options(
            self.func,
            args,
            kwargs,
            retry_policy=self.retry_policy,
            cache_policy=self.cache_policy,
            timeout=self.timeout,
        )

    def clear_cache(self, cache: BaseCache) -> None:
        """Forget the task's cached results."""
        if self.cache_policy is not None:
            cache.clear((self._cache_namespace(),))

    async def aclear_cache(self, cache: BaseCache) -> None:
        """Async twin of `clear_cache`."""
        if self.cache_policy is not None:
            await cache.aclear((self._cache_namespace(),))

    def _cache_namespace(self) -> tuple[str, ...]:
        return (CACHE_NS_WRITES, identifier(self.func) or "__dynamic__")


@overload
def task(
    __func_or_none__: None = None,
    *,
    name: str | None = None,
    retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
    cache_policy: CachePolicy[Callable[P, str | bytes]] | None = None,
    timeout: float | timedelta | TimeoutPolicy | None = None,
    **kwargs: Unpack[DeprecatedKwargs],
) -> Callable[[Callable[P, Awaitable[T]] | Callable[P, T]], _TaskFunction[P, T]]: ...


@overload
def task(__func_or_none__: Callable[P, Awaitable[T]]) -> _TaskFunction[P, T]: ...


@overload
def task(__func_or_none__: Callable[P, T]) -> _TaskFunction[P, T]: ...


def task(
    __func_or_none__: Callable[P, Awaitable[T]] | Callable[P, T] | None = None,
    *,
    name: str | None = None,
    retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
    cache_policy: CachePolicy[Callable[P, str | bytes]] | None = None,
    timeout: float | timedelta | TimeoutPolicy | None = None,
    **kwargs: Unpack[DeprecatedKwargs],
) -> (
    Callable[[Callable[P, Awaitable[T]] | Callable[P, T]], _TaskFunction[P, T]]
    | _TaskFunction[P, T]
):
    """Decorate a function, sync or async, so that calling it starts a task of the running graph.

    The call returns at once with a future: `.result()` in sync code, `await` in async code. Tasks
    started one after the other run at the same time. With a checkpointer the result is stored (so
    it must be serializable) and the task does not run again when the run is resumed. Tasks can be
    called in entrypoints, in other tasks and in nodes of a `StateGraph`.

    ```python
    @task
    def double(n: int) -> int:
        return 2 * n

    @entrypoint()
    def workflow(numbers: list[int]) -> list[int]:
        return [future.result() for future in [double(n) for n in numbers]]

    workflow.invoke([1, 2, 3])  # [2, 4, 6]
    ```

    Args:
        name: The task's name, by default the function's.
        retry_policy: When to try again after an error; of several, the first that matches.
        cache_policy: Whether and how to cache results.
        timeout: Limits of one attempt, in seconds or as a policy, after which `NodeTimeoutError`
            is raised. Only for async functions.
        **kwargs: The deprecated name `retry` (for `retry_policy`).

    Raises:
        ValueError: `timeout` is given for a sync function.
    """
    retry_policy = _renamed(
        kwargs, "retry", "retry_policy", retry_policy, LangGraphDeprecatedSinceV05
    )
    limits = coerce_timeout_policy(timeout)
    policies = (retry_policy,) if isinstance(retry_policy, RetryPolicy) else retry_policy or ()

    def decorate(func: Callable[P, Awaitable[T]] | Callable[P, T]) -> _TaskFunction[P, T]:
        if limits is not None and not is_async_callable(func):
            shown = name or getattr(func, "__name__", type(func).__name__)
            raise sync_timeout_unsupported(str(shown), kind="Task")
        return _TaskFunction(
            func, retry_policy=policies, cache_policy=cache_policy, timeout=limits, name=name
        )

    return decorate if __func_or_none__ is None else decorate(__func_or_none__)


class entrypoint(Generic[ContextT]):
    """Decorate a function, sync or async, to make a graph of it that runs the function.

    The function takes one argument, the run's input, and may ask for `config`, `runtime` and
    `previous` by parameter name; the latter is what it returned the last time on the same thread
    (`None` the first time, and without a checkpointer). What it returns is the run's output. To
    keep something else for the next time, return `entrypoint.final(value=..., save=...)`.

    ```python
    @entrypoint(checkpointer=InMemorySaver())
    def count(step: int, *, previous: int | None = None) -> int:
        return (previous or 0) + step

    config = {"configurable": {"thread_id": "1"}}
    count.invoke(1, config)  # 1
    count.invoke(2, config)  # 3
    ```

    Args:
        checkpointer: Where to store runs, so that they can be interrupted, resumed and continued.
        store: Memory across threads.
        cache: Where to keep results of tasks that have a cache policy.
        context_schema: The run's context, available as `runtime.context`.
        cache_policy: Whether and how to cache the whole function.
        retry_policy: When to try the function again after an error.
        timeout: Limits of one attempt, in seconds or as a policy. Only for async functions.
        **kwargs: The deprecated names `config_schema` (for `context_schema`) and `retry` (for
            `retry_policy`).
    """

    def __init__(
        self,
        checkpointer: BaseCheckpointSaver | None = None,
        store: BaseStore | None = None,
        cache: BaseCache | None = None,
        context_schema: type[ContextT] | None = None,
        cache_policy: CachePolicy | None = None,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
        timeout: float | timedelta | TimeoutPolicy | None = None,
        **kwargs: Unpack[DeprecatedKwargs],
    ) -> None:
        """Keep the settings for the function to decorate."""
        self.context_schema = _renamed(
            kwargs, "config_schema", "context_schema", context_schema, LangGraphDeprecatedSinceV10
        )
        self.retry_policy = _renamed(
            kwargs, "retry", "retry_policy", retry_policy, LangGraphDeprecatedSinceV05
        )
        self.checkpointer = checkpointer
        self.store = store
        self.cache = cache
        self.cache_policy = cache_policy
        self.timeout = coerce_timeout_policy(timeout)

    @dataclass(**_DC_KWARGS)
    class final(Generic[R, S]):
        """Return this from an entrypoint to return one value and keep another for `previous`.

        As an annotation, `entrypoint.final[int, str]` says that an int is returned, a str kept.
        """

        value: R
        """What the run returns, even if it is `None`."""
        save: S
        """What the next run on the thread gets as `previous`, even if it is `None`."""

    def __call__(self, func: Callable[..., Any]) -> Pregel[Any, ContextT, Any, Any]:
        """Return the graph that runs `func`.

        Raises:
            NotImplementedError: `func` is a generator.
            ValueError: `func` takes no argument, or is sync and has a timeout.
            TypeError: The return annotation names `final` without both of its types.
        """
        if inspect.isgeneratorfunction(func) or inspect.isasyncgenfunction(func):
            raise NotImplementedError("Generators are not supported in the Functional API.")
        signature = inspect.signature(func)
        _serde.remember_signature(func)
        input_type = _input_type(signature)
        output_type, save_type = _output_types(signature)
        writer = ChannelWrite(
            [
                ChannelWriteEntry(END, mapper=_returned),
                ChannelWriteEntry(PREVIOUS, mapper=_saved),
            ]
        )
        node = PregelNode(
            bound=get_runnable_for_entrypoint(func),
            triggers=[START],
            channels=START,
            timeout=self.timeout,
            writers=[writer],
        )
        graph: Pregel[Any, ContextT, Any, Any] = Pregel(
            nodes={func.__name__: node},
            channels={
                START: EphemeralValue(input_type),
                END: LastValue(output_type, END),
                PREVIOUS: LastValue(save_type, PREVIOUS),
            },
            input_channels=START,
            output_channels=END,
            stream_channels=END,
            stream_mode="updates",
            stream_eager=True,
            checkpointer=self.checkpointer,
            store=self.store,
            cache=self.cache,
            cache_policy=self.cache_policy,
            retry_policy=self.retry_policy or (),
            context_schema=self.context_schema,
        )
        self._restrict_types(graph, [input_type, output_type, save_type])
        return graph

    def _restrict_types(self, graph: Pregel[Any, Any, Any, Any], types: list[Any]) -> None:
        """Let the saver decode only types the graph names, if it is to be strict about them."""
        if not _serde.STRICT_MSGPACK_ENABLED:
            return
        if self.context_schema is not None:
            types = [*types, self.context_schema]
        allowed = _serde.build_serde_allowlist(schemas=types, channels=graph.channels)
        graph._serde_allowlist = allowed
        graph.checkpointer = _serde.apply_checkpointer_allowlist(graph.checkpointer, allowed)


def _named(func: Any, name: str) -> Any:
    """Give a function another name; a bound method is wrapped, for its function is shared."""
    if hasattr(func, "__func__"):
        func = functools.partial(func.__func__, func.__self__)
    func.__name__ = name
    return func


def _input_type(signature: inspect.Signature) -> Any:
    parameter = next(iter(signature.parameters.values()), None)
    if parameter is None:
        raise ValueError("Entrypoint function must have at least one parameter")
    return Any if parameter.annotation is inspect.Parameter.empty else parameter.annotation


def _output_types(signature: inspect.Signature) -> tuple[Any, Any]:
    """The types returned and kept for the next run, according to the return annotation."""
    returned = signature.return_annotation
    if returned in (inspect.Signature.empty, entrypoint.final):
        return Any, Any
    if get_origin(returned) is not entrypoint.final:
        return returned, returned
    types = get_args(returned)
    if len(types) != 2:
        raise TypeError(
            "Please an annotation for both the return_ and the save values."
            "For example, `-> entrypoint.final[int, str]` would assign a "
            "return_ a type of `int` and save the type `str`."
        )
    return types


def _returned(value: Any) -> Any:
    return value.value if isinstance(value, entrypoint.final) else value


def _saved(value: Any) -> Any:
    return value.save if isinstance(value, entrypoint.final) else value


def _renamed(
    kwargs: Any, old: str, new: str, value: Any, category: type[DeprecationWarning]
) -> Any:
    """Return an argument's value, which may have come, with a warning, under its old name."""
    given = cast("dict[str, Any]", kwargs).get(old, MISSING)
    if given is MISSING:
        return value
    warnings.warn(
        f"`{old}` is deprecated and will be removed. Please use `{new}` instead.",
        category=category,
        stacklevel=3,
    )
    return given if value is None else value
