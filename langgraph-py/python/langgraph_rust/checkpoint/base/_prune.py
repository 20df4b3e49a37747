"""Which checkpoints of a thread nobody needs any more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from langgraph_rust.checkpoint.base.id import time_of

_COUNTERS = "counters_since_delta_snapshot"


class Keep(NamedTuple):
    """What is to stay of each namespace of a thread."""

    newest: int
    """How many checkpoints, at least."""
    since: datetime | None
    """And all that were made at this time or later."""

    @classmethod
    def read(cls, strategy: str, last: int, newer_than: datetime | None) -> Keep:
        """Read what `prune` was asked for.

        Raises:
            ValueError: no strategy is called so, `last` is not positive, or the time has no zone.
        """
        if strategy == "delete":
            return cls(0, None)
        if strategy != "keep_latest":
            raise ValueError(f"strategy must be 'keep_latest' or 'delete', not {strategy!r}")
        if last < 1:
            raise ValueError(f"last must be 1 or more, not {last}; strategy='delete' keeps nothing")
        if newer_than is not None and newer_than.tzinfo is None:
            raise ValueError("newer_than must have a time zone, such as datetime.timezone.utc")
        return cls(last, newer_than)


class Link(NamedTuple):
    """A checkpoint of one namespace, as far as it matters here."""

    checkpoint_id: str
    parent_id: str | None
    changed: frozenset[str]
    """Channels that were written to since their value was stored."""


def changed(metadata: Mapping[str, Any]) -> frozenset[str]:
    """The channels of a checkpoint that are stored as changes, by its metadata."""
    return frozenset(metadata.get(_COUNTERS) or ())


def superfluous(
    links: Iterable[Link], keep: Keep, holds: Callable[[str], Collection[str]]
) -> list[str]:
    """Return the ids of the checkpoints that may go.

    Those stay that a kept one needs: its ancestors, up to the nearest ones that hold the values of
    the channels that are stored as changes.

    Args:
        links: All checkpoints of a namespace.
        keep: What is to stay.
        holds: Gives the channels whose values a checkpoint holds, by its id.
    """
    by_id = {link.checkpoint_id: link for link in links}
    ids = sorted(by_id, reverse=True)
    kept = set(ids[: keep.newest])
    if since := keep.since:
        kept.update(one for one in ids if (made := time_of(one)) and made >= since)
    needed = set(kept)
    for one in kept:
        link = by_id[one]
        missing = set(link.changed.difference(holds(one)) if link.changed else ())
        # What was stored under one of its descendants again would be its own ancestor.
        seen = {one}
        while missing and (parent := link.parent_id) in by_id and parent not in seen:
            seen.add(parent)
            link = by_id[parent]
            missing.difference_update(holds(parent))
        needed |= seen
    return [one for one in ids if one not in needed]
