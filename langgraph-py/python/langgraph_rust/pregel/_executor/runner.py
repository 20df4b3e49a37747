"""Waiting for the tasks of a step, for code that runs tasks as futures.

The engine waits for its tasks natively; servers that run tasks themselves use `FuturesDict`.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import weakref
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from langgraph_rust._engine import GraphRun
from langgraph_rust.errors import GraphBubbleUp, is_invalid_resume

if TYPE_CHECKING:
    from langgraph_rust.types import PregelExecutableTask

F = TypeVar("F", concurrent.futures.Future, asyncio.Future)
E = TypeVar("E", threading.Event, asyncio.Event)

PregelRunner = GraphRun
"""A run drives its tasks itself, so it is its own runner."""


class FuturesDict(Generic[F, E], dict[F, "PregelExecutableTask | None"]):
    """The futures of a step's tasks; sets an event when nothing is left to wait for.

    That is when all tasks are done, or when one has failed such that the others should stop. A
    future whose value is `None` is not waited for.

    Args:
        event: Set when the wait is over; cleared when a task is added.
        callback: Called with each finished task and its exception, as long as it exists.
        should_stop: Tells from the failed futures whether the rest should stop.
        future_type: The type of the futures.
    """

    def __init__(
        self,
        event: E,
        callback: weakref.ref[Callable[[PregelExecutableTask, BaseException | None], None]],
        should_stop: Callable[[set[F]], bool],
        future_type: type[F],
    ) -> None:
        super().__init__()
        self.event = event
        self.callback = callback
        self.should_stop = should_stop
        self.lock = threading.Lock()
        self.counter = 0
        self.done: set[F] = set()
        self.failed: set[F] = set()

    def __setitem__(self, key: F, value: PregelExecutableTask | None) -> None:
        super().__setitem__(key, value)
        if value is not None:
            with self.lock:
                self.counter += 1
                self.event.clear()
            # what it is called with is `key`, of whichever type of future that is
            key.add_done_callback(partial(self.on_done, value))  # pyright: ignore[reportArgumentType]

    def on_done(self, task: PregelExecutableTask, fut: F) -> None:
        """Report a finished task, and end the wait if that is due."""
        error = _exception(fut)
        try:
            if (callback := self.callback()) is not None:
                callback(task, error)
        finally:
            with self.lock:
                self.counter -= 1
                self.done.add(fut)
                if error is not None and not fut.cancelled():
                    self.failed.add(fut)
                if self.counter == 0 or self.should_stop(self.failed):
                    self.event.set()


def _exception(fut: Any) -> BaseException | None:
    if not fut.cancelled():
        return fut.exception()
    looped = isinstance(fut, asyncio.Future)
    return asyncio.CancelledError() if looped else concurrent.futures.CancelledError()


def _should_stop_others(
    done: Iterable[Any], *, handled_exception_ids: set[int] | None = None
) -> bool:
    """Tell whether a task failed such that its siblings should stop.

    Interrupts and refused answers are no such failures, nor are exceptions for which an error
    handler runs (`handled_exception_ids`).
    """
    handled = handled_exception_ids or ()
    for fut in done:
        error = None if fut.cancelled() else fut.exception()
        if error is None or isinstance(error, GraphBubbleUp) or is_invalid_resume(error):
            continue
        if id(error) not in handled:
            return True
    return False
