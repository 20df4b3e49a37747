"""Which checkpoints of a thread nobody needs any more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from langgraph_rust.checkpoint.base.id import time_of
from langgraph_rust.checkpoint.serde.types import _DeltaSnapshot

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
    """Channels that its metadata names as stored as changes, not whole."""


class Look(NamedTuple):
    """What a checkpoint says of its channels."""

    written: Collection[str]
    """Those that have a version."""
    held: Mapping[str, bool]
    """Those whose values it holds, and whether such a value may be what a list is rebuilt from."""


def changed(metadata: Mapping[str, Any]) -> frozenset[str]:
    """The channels of a checkpoint that are stored as changes, by its metadata."""
    return frozenset(metadata.get(_COUNTERS) or ())


def may_be_seed(value: object) -> bool:
    """Whether a list may be rebuilt from this value: it is one, or a delta channel's snapshot."""
    return isinstance(value, (list, _DeltaSnapshot))


def superfluous(links: Iterable[Link], keep: Keep, look: Callable[[str], Look]) -> list[str]:
    """Return the ids of the checkpoints that may go.

    Those stay that a kept one needs: its ancestors, up to the nearest ones that hold the values of
    the channels that are stored as changes. Metadata names these, but for threads that were made
    smaller later; there it is any channel that was written, and whose last value was a list.

    Args:
        links: All checkpoints of a namespace.
        keep: What is to stay.
        look: Looks at a checkpoint, by its id.
    """
    by_id = {link.checkpoint_id: link for link in links}
    look = cache(look)
    ids = sorted(by_id, reverse=True)
    kept = set(ids[: keep.newest])
    if since := keep.since:
        kept.update(one for one in ids if (made := time_of(one)) and made >= since)
    needed = set(kept)
    for one in kept:
        needed.update(_needed(by_id, one, look))
    return [one for one in ids if one not in needed]


def _needed(by_id: Mapping[str, Link], one: str, look: Callable[[str], Look]) -> Iterable[str]:
    """Return the ancestors that a checkpoint needs."""
    link = by_id[one]
    missing = set(link.changed.union(look(one).written).difference(look(one).held))
    ancestors: list[str] = []
    count = 0
    while missing and (parent := link.parent_id) is not None and parent in by_id:
        # What was stored under one of its descendants again would be its own ancestor.
        if parent == one or parent in ancestors:
            break
        ancestors.append(parent)
        found = missing.intersection(held := look(parent).held)
        if any(held[name] or name in by_id[one].changed for name in found):
            count = len(ancestors)
        missing -= found
        link = by_id[parent]
    # What has no value anywhere, and was written, is rebuilt from the beginning.
    return ancestors if missing & by_id[one].changed else ancestors[:count]
