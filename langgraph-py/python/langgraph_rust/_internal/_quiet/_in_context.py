"""Awaiting something in a context other than the task's, without a task of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextvars import Context
from types import CoroutineType, coroutine
from typing import Any

__all__ = ("in_context",)


@coroutine
def in_context(
    context: Context, function: Callable[..., Any], args: Any, kwargs: Any
) -> Generator[Any, Any, Any]:
    """Return what `await function(*args, **kwargs)` gives when all of its code runs in `context`.

    A task would do that, too, but takes two turns of the event loop. What is awaited, is awaited by
    the calling task, and what is thrown into that one arrives here.
    """
    run = context.run
    made = run(function, *args, **kwargs)
    coro: Any = made if type(made) is CoroutineType else _awaiting(made)
    step, sent = coro.send, None
    while True:
        try:
            waited_for = run(step, sent)
        except StopIteration as done:
            return done.value
        finally:
            sent = None  # an exception would lead back to this frame
        try:
            step, sent = coro.send, (yield waited_for)
        except GeneratorExit:
            run(coro.close)
            raise
        except BaseException as error:
            step, sent = coro.throw, error  # type: ignore[assignment]


async def _awaiting(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
