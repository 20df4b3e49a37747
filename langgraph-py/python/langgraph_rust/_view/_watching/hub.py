"""The runs of this process that are watched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from itertools import islice
from typing import TYPE_CHECKING

from langgraph_rust._view._value.redaction import Redaction
from langgraph_rust._view._value.show import Shown
from langgraph_rust._view._watching.events import Events
from langgraph_rust._view._watching.run import WatchedRun
from langgraph_rust._view._watching.tap import RunTap

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

_KEPT = 30
"""Runs that are over and still listed, the last ones."""


_MOST = 1000
"""Runs that are listed, at most."""


class Hub:
    """Knows the runs of this process that go on, and the last of those that are over.

    Args:
        redaction: What is not shown of them.
    """

    def __init__(self, redaction: Redaction) -> None:
        self.events = Events(redaction)
        self._runs: dict[str, WatchedRun] = {}
        self._version = 0
        self._is_closed = False

    def close(self) -> None:
        """Hear of no run that begins from now on: copies of a graph keep what watches it."""
        self._is_closed = True

    def watcher(
        self, by: str, *, tokens: bool = False
    ) -> Callable[[RunnableConfig], RunTap | None]:
        """Return what makes taps of a graph's runs, which are listed once they have begun.

        Args:
            by: Who runs it, in words.
            tokens: Whether chat models that would not stream are made to.
        """

        def watch(config: RunnableConfig) -> RunTap | None:
            if self._is_closed:
                return None
            thread = str(config.get("configurable", {}).get("thread_id") or "")
            run = WatchedRun(thread, by, self._changed)
            return RunTap(run, self.events, lambda: self.add(run), tokens=tokens)

        return watch

    def begin(self, thread: str, by: str) -> WatchedRun:
        """List a run that is about to begin."""
        run = WatchedRun(thread, by, self._changed)
        self.add(run)
        return run

    def add(self, run: WatchedRun) -> None:
        """List a run."""
        self._runs[run.id] = run
        self._changed()

    def _changed(self) -> None:
        """Drop the oldest of those that are over."""
        self._version += 1
        over = [one.id for one in list(self._runs.values()) if one.is_over]
        for old in islice(over, max(len(over) - _KEPT, 0)):
            self._runs.pop(old, None)
        # Of some nobody ever hears that they are over, such as those of a loop that was closed.
        for old in islice(list(self._runs), max(len(self._runs) - _MOST, 0)):
            self._runs.pop(old, None)

    def mark(self) -> object:
        """Return what is another value once a run has begun or ended."""
        return self._version

    def listed(self) -> list[Shown]:
        """Return the runs, newest first."""
        return [run.told() for run in reversed(list(self._runs.values()))]

    def follow(self, run: str, after: int) -> AsyncIterator[tuple[int, str]] | None:
        """Return the events of a run from some number on; `None` if it is not known."""
        found = self._runs.get(run)
        return None if found is None else found.follow(after)
