"""Where an error comes from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from langgraph_rust.errors import NodeCancelledError


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and the errors it was raised from or amid."""
    known: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if one is not None and id(one) not in known:
            known.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__]


def origin(error: BaseException | None, raised: list[BaseException]) -> BaseException | None:
    """The first of the errors raised by the program that `error` is or stems from."""
    known = {id(one) for one in raised}
    return next((one for one in chain(error) if id(one) in known), None)


def unwrapped(error: BaseException) -> BaseException:
    """The error without what Python, or the run, rightly puts around it."""
    cause = error.__cause__
    stops = isinstance(cause, (StopIteration, StopAsyncIteration))
    if isinstance(error, RuntimeError) and stops:
        # A coroutine, or a future, cannot raise these.
        return unwrapped(cause)
    if isinstance(error, NodeCancelledError) and isinstance(cause, asyncio.CancelledError):
        return cause
    return error


def seen_lines(error: BaseException) -> Iterator[str]:
    """The names of the functions in an error's traceback."""
    frame = error.__traceback__
    while frame is not None:
        yield frame.tb_frame.f_code.co_name
        frame = frame.tb_next


def short(error: BaseException | None) -> str:
    """The error's type and where it comes from; what it says, if that is not the program's own."""
    if error is None:
        return "no error"
    place = next((one.place for one in chain(error) if hasattr(one, "place")), None)
    if place is not None:
        return f"{type(error).__name__} of {place}"
    return f"{type(error).__name__}: {str(error)[:70]}" if str(error) else type(error).__name__
