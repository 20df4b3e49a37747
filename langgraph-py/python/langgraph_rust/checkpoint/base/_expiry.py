"""Threads that nobody has gone on with for long: which they are, and deleting them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import TypedDict

from langgraph_rust.checkpoint.base._sweep import Notices, Swept
from langgraph_rust.checkpoint.base.id import first_id_at, time_of

AT_ONCE = 16
"""Threads that are deleted in one transaction, while which others wait."""


class ThreadTTL(TypedDict, total=False):
    """How threads expire."""

    default_ttl: float | None
    """Minutes after a thread's newest checkpoint; without it none expires."""
    sweep_interval_minutes: float | None
    """Minutes between sweeps, once `start_ttl_sweeper` was called; 5 if missing."""


NOTICES = Notices(logging.getLogger("langgraph.checkpoint"), "saver", "threads")


def limit(ttl: timedelta, now: datetime | None) -> str:
    """Return the id that a thread's checkpoints are all below when it has expired.

    Raises:
        TypeError: `ttl` is no `timedelta`.
        ValueError: it is not positive, or `now` has no time zone.
    """
    if not isinstance(ttl, timedelta):
        raise TypeError(f"ttl must be a timedelta, such as timedelta(days=30), not {ttl!r}")
    if ttl <= timedelta(0):
        raise ValueError(f"ttl must be positive, not {ttl!r}; delete_thread deletes at once")
    if now is not None and now.tzinfo is None:
        raise ValueError("now must have a time zone, such as datetime.timezone.utc")
    return first_id_at((now or datetime.now(timezone.utc)) - ttl)


def has_expired(checkpoint_ids: Iterable[str], below: str) -> bool:
    """Whether a thread with these has; one whose ids do not all tell their times never does."""
    return all(one < below and time_of(one) is not None for one in checkpoint_ids)


def configured(ttl_config: ThreadTTL | None) -> timedelta | None:
    """Return how long threads live by a saver's configuration, if it says."""
    minutes = (ttl_config or {}).get("default_ttl")
    return None if minutes is None else timedelta(minutes=minutes)


def chunks(thread_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield what is deleted together."""
    for start in range(0, len(thread_ids), AT_ONCE):
        yield thread_ids[start : start + AT_ONCE]


class Expiring(Swept):
    """A saver whose threads may expire."""

    ttl_config: ThreadTTL | None = None
    """How threads expire, and how often `start_ttl_sweeper` has those that have deleted."""
    _notices = NOTICES

    def delete_expired(self, ttl: timedelta, *, now: datetime | None = None) -> list[str]:
        """Delete the threads that nobody has gone on with for some time.

        A thread's age is that of its newest checkpoint, in whichever namespace, by its id. Whatever
        becomes newer meanwhile stays: each is looked at again when nobody else can store.

        Args:
            ttl: How old the newest checkpoint must be. Much longer than a run takes: one that has
                read a thread before and stores only now does not find what it builds on.
            now: The time that ages are counted from; the clock's if left out.

        Returns:
            The ids of those that were deleted.

        Raises:
            TypeError: `ttl` is no `timedelta`.
            ValueError: it is not positive, or `now` has no time zone.
        """
        raise NotImplementedError

    def sweep_ttl(self) -> int:
        """Delete the threads that have expired by `ttl_config`; return how many."""
        ttl = configured(self.ttl_config)
        return 0 if ttl is None else len(self.delete_expired(ttl))
