"""Calling a function as a task of the running graph, and functions as what nodes run."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import cache, partial, wraps
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from langgraph_rust._internal._constants import CONF, CONFIG_KEY_CALL, RETURN
from langgraph_rust._internal._runnable import (
    RunnableCallable,
    RunnableSeq,
    is_async_callable,
    run_in_executor,
)
from langgraph_rust._internal._timeout import coerce_timeout_policy, sync_timeout_unsupported
from langgraph_rust.config import get_config
from langgraph_rust.pregel._build.utils import at_home
from langgraph_rust.pregel._build.write import ChannelWrite, ChannelWriteEntry

if TYPE_CHECKING:
    from collections.abc import Generator
    from concurrent.futures import Future
    from datetime import timedelta

    from langgraph_rust.types import CachePolicy, RetryPolicy, TimeoutPolicy

P = ParamSpec("P")
P1 = TypeVar("P1")
T = TypeVar("T")

if TYPE_CHECKING:

    class SyncAsyncFuture(Future[T]):
        """The pending result of a task."""

        def __await__(self) -> Generator[Any, None, T]: ...


def __getattr__(name: str) -> Any:
    # Lazy, because concurrent.futures takes a while to import and most graphs call no tasks.
    if name != "SyncAsyncFuture":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    cls = globals()[name] = _make_future_class()
    return cls


def _make_future_class() -> type[Any]:
    from concurrent.futures import Future
    from typing import Generic

    class SyncAsyncFuture(Generic[T], Future):  # type: ignore[type-arg]
        """The pending result of a task: `result()` waits for it, `await` gives way to the engine.

        An awaited one yields itself out of the coroutine once; whoever drives that resumes it
        with the result.
        """

        def __await__(self) -> Any:
            """Yield to the driver, and return what it sends back."""
            return (yield ...)

    SyncAsyncFuture.__qualname__ = "SyncAsyncFuture"
    return SyncAsyncFuture


def call(
    func: Callable[P, Awaitable[T]] | Callable[P, T],
    *args: Any,
    retry_policy: Sequence[RetryPolicy] | None = None,
    cache_policy: CachePolicy | None = None,
    timeout: float | timedelta | TimeoutPolicy | None = None,
    **kwargs: Any,
) -> SyncAsyncFuture[T]:
    """Run `func(*args, **kwargs)` as a task of the running graph; return its future.

    Raises `RuntimeError` outside of a run, `ValueError` for a `timeout` on a sync function.
    """
    return _call_with_options(
        func,
        args,
        kwargs,
        retry_policy=retry_policy,
        cache_policy=cache_policy,
        timeout=coerce_timeout_policy(timeout),
    )


def _call_with_options(
    func: Callable[P, Awaitable[T]] | Callable[P, T],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    retry_policy: Sequence[RetryPolicy] | None = None,
    cache_policy: CachePolicy | None = None,
    timeout: TimeoutPolicy | None = None,
) -> SyncAsyncFuture[T]:
    """`call`, with the arguments of `func` apart from the options of the task."""
    if timeout is not None and not is_async_callable(func):
        name = getattr(func, "__name__", type(func).__name__)
        raise sync_timeout_unsupported(name, kind="Task")
    config = get_config()
    submit = config[CONF][CONFIG_KEY_CALL]
    return submit(
        func,
        (args, kwargs),
        retry_policy=retry_policy,
        cache_policy=cache_policy,
        callbacks=config["callbacks"],
        timeout=timeout,
    )


def new_future(is_async: bool) -> Any:
    """Return the pending future that a call from a run is answered with.

    In an async run, code on an event loop gets a future of that loop, to be awaited. All other code
    gets one to wait for, such as a sync function that an async run has put in a thread. That of a
    sync run has whoever waits for it without a time limit run the task, if nobody else does.
    """
    if not is_async:
        return _task_future_class()()
    import asyncio

    if (loop := asyncio._get_running_loop()) is not None:
        return loop.create_future()
    from concurrent.futures import Future

    return Future()


@cache
def _task_future_class() -> type[Any]:
    from concurrent.futures import Future

    class TaskFuture(Future):
        """The pending result of a task of a sync run."""

        run_here: Callable[[], None] | None = None

        def result(self, timeout: float | None = None) -> Any:
            """Return the task's result, once it is over, or raise its error."""
            self._join_in(timeout)
            return super().result(timeout)

        def exception(self, timeout: float | None = None) -> BaseException | None:
            """Return the task's error, once it is over, or `None`."""
            self._join_in(timeout)
            return super().exception(timeout)

        def _join_in(self, timeout: float | None) -> None:
            run_here, self.run_here = self.run_here, None
            if run_here is not None and timeout is None and not self.done():
                run_here()

    return TaskFuture


def resolve_future(future: Any, value: Any, error: Any) -> None:
    """Give a future of `new_future` its outcome, from any thread; too late, it does nothing.

    Args:
        future: The future.
        value: The result, if there is no error.
        error: The exception, or what is left of one that was stored; `None` for success.
    """
    if error is not None and not isinstance(error, BaseException):
        error = Exception(error)
    loop = future.get_loop() if hasattr(future, "get_loop") else None
    if loop is None:
        try:
            _settle(future, value, error)
        except BaseException:
            # A signal was heard amid it, and may have left the future locked, or nobody woken.
            _unlock(future._condition)
            _settle(future, value, error)
            with future._condition:
                future._condition.notify_all()
            raise
        return
    import asyncio

    # What is cancelled is no error that somebody would have to look at.
    is_cancelled = isinstance(error, asyncio.CancelledError)
    settle = future.cancel if is_cancelled else partial(_settle, future, value, error)
    if asyncio._get_running_loop() is loop:
        settle()
    elif not loop.is_closed():
        loop.call_soon_threadsafe(settle)


def _unlock(condition: Any) -> None:
    try:
        while True:
            condition.release()
    except RuntimeError:
        return  # This thread does not hold it (any more).


def _settle(future: Any, value: Any, error: BaseException | None) -> None:
    if future.done():
        return
    try:
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)
    except TypeError:
        # A future of an event loop does not hold a StopIteration, as it could not be awaited.
        stopped = RuntimeError("coroutine raised StopIteration")
        stopped.__cause__ = error
        future.set_exception(stopped)
    except Exception:
        # Someone was faster: a future of a thread may be cancelled at any time.
        if not future.done():
            raise


def identifier(obj: Any, name: str | None = None) -> str | None:
    """Return `module.qualname` of what a node, a runnable or a function runs.

    `None` if it has no name or does not know its module. `name` replaces the qualified name.
    """
    from langgraph_rust.pregel._build.read import PregelNode

    if isinstance(obj, PregelNode):
        obj = at_home(obj.bound)
    if isinstance(obj, RunnableSeq):
        obj = obj.steps[0]
    if isinstance(obj, RunnableCallable):
        obj = obj.func
    name = name or _qualified_name(obj)
    module = getattr(obj, "__module__", None)
    return None if name is None or module is None else f"{module}.{name}"


def get_runnable_for_entrypoint(func: Callable[..., Any]) -> RunnableCallable:
    """Return a runnable that calls an entrypoint's function with the run's input."""
    return _cached((func, False), lambda: _to_callable(func, func.__name__, explode_args=False))


def get_runnable_for_task(func: Callable[..., Any]) -> RunnableSeq:
    """Return a runnable that calls a task's function with `(args, kwargs)` and keeps the result."""
    return _cached((func, True), lambda: _task_sequence(func))


CACHE: dict[tuple[Callable[..., Any], bool], Any] = {}
"""Runnables of functions that live as long as their modules; the flag is "as a task"."""


def _cached(key: tuple[Callable[..., Any], bool], make: Callable[[], T]) -> T:
    if key in CACHE:
        return CACHE[key]
    runnable = make()
    return CACHE.setdefault(key, runnable) if _is_importable(key[0]) else runnable


def _task_sequence(func: Callable[..., Any]) -> RunnableSeq:
    name = _task_name(func)
    return RunnableSeq(
        _to_callable(func, name, explode_args=True),
        ChannelWrite([ChannelWriteEntry(RETURN)]),
        name=name,
        trace_inputs=partial(_arguments_by_name, func),
    )


def _to_callable(func: Callable[..., Any], name: str, *, explode_args: bool) -> RunnableCallable:
    is_async = is_async_callable(func)
    return RunnableCallable(
        None if is_async else func,
        func if is_async else wraps(func)(partial(run_in_executor, None, func)),
        name=name,
        trace=False,
        recurse=False,
        explode_args=explode_args,
    )


def _task_name(func: Any) -> str:
    named = func if hasattr(func, "__name__") else getattr(func, "func", type(func))
    return named.__name__


def _arguments_by_name(
    func: Callable[..., Any], input: tuple[tuple[Any, ...], dict[str, Any]]
) -> dict[str, Any]:
    """What a tracer records of a call: the arguments by parameter, without `self`."""
    args, kwargs = input
    sig = signature(func)
    bound = sig.bind_partial(*args, **kwargs)
    bound.apply_defaults()
    named = {k: v for k, v in bound.arguments.items() if k not in ("self", "cls")}
    for parameter in sig.parameters.values():
        if parameter.kind is Parameter.VAR_KEYWORD:
            named.update(named.pop(parameter.name, {}))
    return named


def _qualified_name(obj: Any) -> str | None:
    name = getattr(obj, "__qualname__", None)
    return getattr(obj, "__name__", None) if name is None else name


def _is_importable(obj: Any) -> bool:
    """Whether `obj` can be found again under its module and name, and is no script's own."""
    name, module = _qualified_name(obj), getattr(obj, "__module__", None)
    if name is None or module in (None, "__main__"):
        return False
    found = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is obj
