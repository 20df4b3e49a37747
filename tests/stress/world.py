"""What a program's nodes share: what happened to each of its runs, and whether faults are on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from langgraph_rust.errors import GraphBubbleUp

RUN: ContextVar[Ledger | None] = ContextVar("RUN", default=None)
"""The ledger of the run around. Nodes inherit it as they do all of the caller's context."""


PHASE: ContextVar[int] = ContextVar("PHASE", default=0)
"""The phase around, which may be over when a node begins that belongs to it."""


class Token:
    """An object that must be gone when its program is."""


@dataclass
class Entry:
    """One execution of a node or of a called task."""

    name: str
    phase: int
    concurrent: bool
    """Whether `max_concurrency` counts it."""
    thread: int
    is_async: bool
    late: float | None = None
    """Seconds after the end of its run at which it began."""
    how: str | None = None
    """How it ended: done, failed, cancelled, asked; `None` as long as it runs."""
    error: BaseException | None = None


@dataclass
class Ledger:
    """What happened to one run, and to its resumptions, which are its later phases."""

    thread_id: str
    calm: bool = False
    phase: int = 0
    over_at: float | None = None
    """When the first phase ended, by the monotonic clock."""
    entries: list[Entry] = field(default_factory=list)
    raised: list[BaseException] = field(default_factory=list)
    """What nodes, routers, reducers and savers raised."""
    identities: list[tuple[int, str, int]] = field(default_factory=list)
    """Phase, task id and attempt of the executions that looked."""
    calls: Counter[str] = field(default_factory=Counter)
    running: int = 0
    most: int = 0
    handled: Counter[str] = field(default_factory=Counter)
    caught: int = 0
    timed_out: int = 0
    outside: list[str] = field(default_factory=list)
    """What was done to the run from outside: cancelled, closed, signalled."""
    reading: Callable[..., Any] | None = None
    """A way into the run that a node left for reducers."""
    on_enter: dict[str, Callable[[], None]] = field(default_factory=dict)
    # A signal handler may run while its own thread holds the lock.
    lock: Any = field(default_factory=threading.RLock)

    def count(self, name: str) -> int:
        """Count something in this phase; returns how often it happened."""
        with self.lock:
            self.calls[f"{self.phase}/{name}"] += 1
            return self.calls[f"{self.phase}/{name}"]

    def note_raised(self, error: BaseException) -> None:
        """Keep what is about to be raised, to know it again."""
        with self.lock:
            self.raised.append(error)

    def unfinished(self, phase: int | None = None) -> list[Entry]:
        """Executions that have not ended."""
        with self.lock:
            entries = [one for one in self.entries if one.how is None]
        return [one for one in entries if phase is None or one.phase == phase]

    def execution(self, name: str, concurrent: bool, is_async: bool) -> Execution:
        """Note an execution's begin and its end, around a `with`."""
        phase = PHASE.get()
        late = None
        if phase == 0 and self.over_at is not None:
            late = time.monotonic() - self.over_at
        entry = Entry(name, phase, concurrent, threading.get_ident(), is_async, late)
        return Execution(self, entry)


class Execution:
    """One execution of a node; no generator, which would not pass on every exception as it is."""

    def __init__(self, ledger: Ledger, entry: Entry) -> None:
        self.ledger, self.entry = ledger, entry
        # Resumptions have no limit, and what a cancelled run left behind may run beside them.
        self.is_counted = entry.concurrent and not entry.phase and entry.late is None

    def __enter__(self) -> None:
        ledger, entry = self.ledger, self.entry
        with ledger.lock:
            ledger.entries.append(entry)
            ledger.running += self.is_counted
            ledger.most = max(ledger.most, ledger.running)
        if told := ledger.on_enter.get(entry.name):
            told()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        how = "done" if error is None else _ending(error)
        with self.ledger.lock:
            self.ledger.running -= self.is_counted
            self.entry.error = error
            self.entry.how = how
            if error is not None and how == "failed":
                self.ledger.raised.append(error)


class SubCancelled(asyncio.CancelledError):
    """A cancellation of a class of its own."""


class Boom(Exception):
    """An error that only the program knows."""


class Odd(BaseException):
    """An error that `except Exception` does not see."""


class SaverError(Exception):
    """What a failing saver raises."""


class ReducerError(Exception):
    """What a failing reducer raises."""


class Signalled(KeyboardInterrupt):
    """What the signal handler raises."""


ERRORS: dict[str, Any] = {
    "ValueError": ValueError,
    "Boom": Boom,
    "Odd": Odd,
    "KeyboardInterrupt": KeyboardInterrupt,
    "SystemExit": SystemExit,
    "StopIteration": StopIteration,
    "StopAsyncIteration": StopAsyncIteration,
    "CancelledError": asyncio.CancelledError,
    "SubCancelled": SubCancelled,
}


def _ending(error: BaseException) -> str:
    if isinstance(error, GraphBubbleUp):
        return "asked"
    # A node marks the cancellations that are its own doing; all others came from outside.
    if isinstance(error, asyncio.CancelledError) and not getattr(error, "own", False):
        return "cancelled"
    return "cancelled" if isinstance(error, GeneratorExit) else "failed"


def fails_here(ledger: Ledger | None, error: Any, place: str) -> None:
    """Raise `error`. The name of this function is looked for in tracebacks."""
    error.own, error.place = True, place
    if ledger:
        ledger.note_raised(error)
    raise error
