"""Whichever runs can be watched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import chain
from typing import Protocol

from langgraph_rust._view._value.show import Shown


class Runs(Protocol):
    """Runs that go on, and some that are over."""

    def listed(self) -> list[Shown]:
        """Return them, newest first; may ask a database."""
        ...

    def follow(self, run: str, after: int) -> AsyncIterator[tuple[int, str]] | None:
        """Return the events of one as JSON with their numbers; `None` if it is not known.

        Args:
            run: Its id.
            after: The number of the last event that is known; they count from 1.
        """
        ...

    def mark(self) -> object:
        """Return what is another value once a run has begun or ended."""
        ...


class AllRuns:
    """The runs of several kinds, as one.

    Args:
        kinds: They may be none.
    """

    def __init__(self, kinds: Sequence[Runs]) -> None:
        self._kinds = kinds

    def listed(self) -> list[Shown]:
        found = list(chain.from_iterable(kind.listed() for kind in self._kinds))
        return sorted(found, key=lambda run: run["began"], reverse=True)

    def follow(self, run: str, after: int) -> AsyncIterator[tuple[int, str]] | None:
        found = (kind.follow(run, after) for kind in self._kinds)
        return next((events for events in found if events is not None), None)

    def mark(self) -> object:
        return tuple(kind.mark() for kind in self._kinds)


NO_RUNS = AllRuns(())
"""Where nothing is known of any."""
