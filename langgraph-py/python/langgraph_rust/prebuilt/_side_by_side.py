"""Calls that run side by side in threads, each in a copy of the caller's context.

The caller takes part: it does calls itself, while threads of this process do others. A single call
takes no thread at all. Only where the caller's thread runs an event loop do all calls leave it:
they may run a loop of their own.

Threads are made when there is none that has nothing to do, so that calls which make further calls
never wait for a thread, and are kept. They are daemons: whoever waits for a call waits for its end,
and nobody else should. A process that was forked begins without any.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

MOST_AT_ONCE = 32
"""Calls that run at once where nobody set a limit; and idle threads that are kept."""


def side_by_side(calls: Sequence[Callable[[], T]], limit: int | None = None) -> list[T]:
    """Do all calls, and return their results in order.

    After a failure no further call begins; those that have begun are waited for.

    Args:
        calls: What to do.
        limit: How many of them may run at the same time.

    Raises:
        ValueError: The limit is less than 1.
        BaseException: What a call raised; of several the first, in the order of the calls.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"max_concurrency must be greater than 0, got {limit}")
    takes_part = not _runs_event_loop()
    if len(calls) == 1 and takes_part:
        return [copy_context().run(calls[0])]
    return _Batch(calls).done(min(limit or MOST_AT_ONCE, len(calls)), takes_part)


def _runs_event_loop() -> bool:
    """Whether an event loop runs on this thread; of none is anything known before it is loaded."""
    events = sys.modules.get("asyncio.events")
    return events is not None and events._get_running_loop() is not None


class _Batch:
    """Calls that are done together."""

    def __init__(self, calls: Sequence[Callable[[], Any]]) -> None:
        self._waiting: deque[tuple[int, Context, Callable[[], Any]]] = deque(
            (index, copy_context(), call) for index, call in enumerate(calls)
        )
        self._results: list[Any] = [None] * len(calls)
        self._errors: dict[int, BaseException] = {}
        self._ended: SimpleQueue[None] = SimpleQueue()

    def done(self, most: int, takes_part: bool) -> list[Any]:
        """Do the calls, so many at a time, and return their results or raise what one raised."""
        helped = all(_hand_to_thread(self._work) for _ in range(most - takes_part))
        if takes_part or not helped:
            self._work()
        left = len(self._results)
        try:
            while left:
                self._ended.get()
                left -= 1
                # Who takes a call away is who does it. After a failure nobody is to begin another.
                while self._errors and self._take() is not None:
                    left -= 1
        except BaseException:
            # A signal: the caller does not wait any more, so nothing further is to begin.
            self._waiting.clear()
            raise
        if self._errors:
            # Nothing of this keeps the error, whose traceback leads here.
            raise self._errors.pop(min(self._errors))
        return self._results

    def _work(self) -> None:
        """Do calls for as long as there are any and none has failed."""
        while not self._errors and (taken := self._take()) is not None:
            index, context, call = taken
            try:
                self._results[index] = context.run(call)
            except BaseException as error:
                self._errors[index] = error
            self._ended.put(None)

    def _take(self) -> tuple[int, Context, Callable[[], Any]] | None:
        try:
            return self._waiting.popleft()
        except IndexError:
            return None


class _Worker:
    """A thread that does what it is given, and then waits for more."""

    def __init__(self) -> None:
        self._given: SimpleQueue[Callable[[], None]] = SimpleQueue()
        threading.Thread(target=self._run, name="langgraph-tools", daemon=True).start()

    def give(self, work: Callable[[], None]) -> None:
        self._given.put(work)

    def _run(self) -> None:
        while True:
            self._given.get()()
            if len(_idle) >= MOST_AT_ONCE:
                return
            _idle.append(self)


_idle: list[_Worker] = []


def _hand_to_thread(work: Callable[[], None]) -> bool:
    """Have a thread do something that never raises; `False` if there can be no more threads."""
    try:
        worker = _idle.pop()
    except IndexError:
        try:
            worker = _Worker()
        except RuntimeError:
            return False
    worker.give(work)
    return True


if hasattr(os, "register_at_fork"):
    # Only the thread that forks is in the new process.
    os.register_at_fork(after_in_child=_idle.clear)
