"""Threads that nobody has gone on with for long: which they are, and deleting them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from math import inf
from typing import Any, TypedDict

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


_KEYS = tuple(ThreadTTL.__annotations__)

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


def check(ttl_config: Any, minutes: float | None = None) -> None:
    """Look whether a saver's configuration is one.

    Args:
        ttl_config: The configuration.
        minutes: Between sweeps, if that is given beside it.

    Raises:
        TypeError: it is no mapping, or what it says is no number.
        ValueError: it has an unknown key, or a number that is not positive.
    """
    if ttl_config is not None and not isinstance(ttl_config, Mapping):
        raise TypeError(
            f"ttl_config must be a dict such as {{'default_ttl': 60}}, not {ttl_config!r}"
        )
    for key, value in (ttl_config or {}).items():
        if key not in _KEYS:
            raise ValueError(
                f"ttl_config has an unknown key {key!r}: it takes {' and '.join(_KEYS)}"
            )
        _check_minutes(f"ttl_config[{key!r}]", value)
    _check_minutes("sweep_interval_minutes", minutes)


def _check_minutes(name: str, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number of minutes, not {value!r}")
    if not 0 < value < inf:
        raise ValueError(f"{name} must be a positive number of minutes, not {value!r}")


def check_start(ttl_config: Any, minutes: float | None) -> None:
    """Look at a configuration that sweeping begins with; see `check`. Log that nothing expires."""
    check(ttl_config, minutes)
    if (ttl_config or {}).get("default_ttl") is None:
        NOTICES.logger.warning(
            "No thread expires: start_ttl_sweeper() was called on a saver without "
            "ttl_config['default_ttl'] (minutes)"
        )


def configured(ttl_config: ThreadTTL | None) -> timedelta | None:
    """Return how long threads live by a saver's configuration, if it says; see `check`."""
    check(ttl_config)
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

    def _check_start(self, minutes: float | None) -> None:
        check_start(self.ttl_config, minutes)

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
