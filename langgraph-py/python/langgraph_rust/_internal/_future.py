"""Futures across threads and event loops."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import sys
from collections.abc import Awaitable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")
AnyFuture = asyncio.Future | concurrent.futures.Future
"""A future of an event loop, or one of a thread."""

CONTEXT_NOT_SUPPORTED = sys.version_info < (3, 11)
"""Whether tasks cannot be given a context."""
EAGER_NOT_SUPPORTED = sys.version_info < (3, 12)
"""Whether tasks cannot start before they are first scheduled."""


def chain_future(source: AnyFuture, destination: AnyFuture) -> AnyFuture:
    """Make `destination` end as `source` does, and `source` be cancelled when `destination` is.

    Each may belong to a thread or to an event loop, also of another thread.

    Returns:
        `destination`.

    Raises:
        TypeError: One of them is no future.
    """
    for role, future in (("source", source), ("destination", destination)):
        if not asyncio.isfuture(future) and not isinstance(future, concurrent.futures.Future):
            error = TypeError(f"A future is required for {role} argument")
            _fail(destination, error)
            raise error
    source_loop, destination_loop = _loop_of(source), _loop_of(destination)

    def on_source_done(_: AnyFuture) -> None:
        if destination_loop is None or destination_loop is source_loop:
            _settle(destination, source)
        elif not destination_loop.is_closed():
            destination_loop.call_soon_threadsafe(_settle, destination, source)

    def on_destination_done(_: AnyFuture) -> None:
        if not destination.cancelled():
            return
        if source_loop is None or source_loop is destination_loop:
            source.cancel()
        elif not source_loop.is_closed():
            source_loop.call_soon_threadsafe(source.cancel)

    destination.add_done_callback(on_destination_done)
    source.add_done_callback(on_source_done)
    return destination


def run_coroutine_threadsafe(
    coro: Coroutine[None, None, T],
    loop: asyncio.AbstractEventLoop,
    *,
    lazy: bool,
    name: str | None = None,
    context: Context | None = None,
) -> asyncio.Future[T]:
    """Run a coroutine as a task of `loop`, from any thread.

    Args:
        coro: The coroutine.
        loop: The event loop, running in this or another thread.
        lazy: Whether the task only starts when the loop gets to it; always so from another thread.
        name: Name of the task.
        context: Context of the task; a copy of the current one by default.

    Returns:
        The task, or a future of `loop` that ends as the task does.
    """
    if asyncio._get_running_loop() is loop:
        return _ensure_task(coro, loop=loop, name=name, context=context, lazy=lazy)
    future: asyncio.Future[T] = asyncio.Future(loop=loop)

    def start() -> None:
        try:
            chain_future(_ensure_task(coro, loop=loop, name=name, context=context), future)
        except Exception as error:
            _fail(future, error)
            raise

    loop.call_soon_threadsafe(start, context=context)
    return future


def _ensure_task(
    awaitable: Awaitable[T],
    *,
    loop: asyncio.AbstractEventLoop,
    name: str | None = None,
    context: Context | None = None,
    lazy: bool = True,
) -> asyncio.Task[T]:
    coro: Any = awaitable
    if not asyncio.iscoroutine(awaitable):
        if not inspect.isawaitable(awaitable):
            raise TypeError(
                "An asyncio.Future, a coroutine or an awaitable is required."
                f" Got {type(awaitable).__name__} instead."
            )
        coro = _awaiting(awaitable)
    try:
        if sys.version_info >= (3, 12) and not lazy:
            return asyncio.eager_task_factory(loop, coro, name=name, context=context)
        if sys.version_info >= (3, 11):
            return loop.create_task(coro, name=name, context=context)
        return loop.create_task(coro, name=name)
    except RuntimeError:
        # The loop is closed, so nobody will ever await it.
        coro.close()
        raise


async def _awaiting(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _loop_of(future: AnyFuture) -> asyncio.AbstractEventLoop | None:
    return future.get_loop() if isinstance(future, asyncio.Future) else None


def _settle(destination: AnyFuture, source: AnyFuture) -> None:
    """Give `destination` the outcome of `source`, which is done."""
    threaded = isinstance(destination, concurrent.futures.Future)
    if source.cancelled():
        destination.cancel()
        if threaded:
            destination.set_running_or_notify_cancel()
    elif destination.done() or (threaded and not destination.set_running_or_notify_cancel()):
        return
    elif (error := source.exception()) is not None:
        destination.set_exception(_for_asyncio(error))
    else:
        destination.set_result(source.result())


def _for_asyncio(error: BaseException) -> BaseException:
    """Return asyncio's counterpart of a `concurrent.futures` error; others as they are."""
    # Since 3.11 only the first of these is a class of its own.
    pairs: tuple[tuple[type[BaseException], type[BaseException]], ...] = (
        (concurrent.futures.CancelledError, asyncio.CancelledError),
        (concurrent.futures.TimeoutError, asyncio.TimeoutError),
        (concurrent.futures.InvalidStateError, asyncio.InvalidStateError),
    )
    for threaded, looped in pairs:
        if type(error) is threaded:
            return looped(*error.args)
    return error


def _fail(future: Any, error: Exception) -> None:
    if isinstance(future, concurrent.futures.Future):
        if future.set_running_or_notify_cancel():
            future.set_exception(error)
    elif asyncio.isfuture(future) and not future.done():
        future.set_exception(error)
