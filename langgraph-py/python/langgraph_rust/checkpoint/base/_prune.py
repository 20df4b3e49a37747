"""Which checkpoints of a thread nobody needs any more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from langgraph_rust.checkpoint.base.id import time_of
from langgraph_rust.checkpoint.serde._records import EXT_DELTA_SNAPSHOT
from langgraph_rust.checkpoint.serde.types import _DeltaSnapshot

_SNAPSHOT = bytes((EXT_DELTA_SNAPSHOT,))

T = TypeVar("T")

COUNTERS = "counters_since_delta_snapshot"
"""Where metadata names the channels that are stored as changes."""


def several(name: str, of: str, ids: Iterable[T]) -> Iterable[T]:
    """Return ids that were given as several; one text would be taken for those of its letters.

    Args:
        name: Of the argument.
        of: What has them.
        ids: What was given.

    Raises:
        TypeError: it is one text.
    """
    if isinstance(ids, (str, bytes)):
        kind = type(ids).__name__
        raise TypeError(f"{name} must be a sequence of {of} IDs, not a {kind}; for one: [{ids!r}]")
    return ids


class Keep(NamedTuple):
    """What is to stay of each namespace of a thread."""

    newest: int
    """How many checkpoints, at least."""
    since: datetime | None
    """And all that were made at this time or later."""

    @classmethod
    def read(cls, strategy: str, last: int | None, newer_than: datetime | None) -> Keep:
        """Read what `prune` was asked for.

        Raises:
            TypeError: `last` is no `int`, or `newer_than` no `datetime`.
            ValueError: no strategy is called so, `"delete"` is told to keep something, `last` is
                not positive, or the time has no zone.
        """
        if strategy == "delete":
            if last is not None or newer_than is not None:
                raise ValueError(
                    "strategy='delete' keeps nothing, and excludes last and newer_than: leave "
                    "these out, or leave the strategy out to keep what they say"
                )
            return cls(0, None)
        if strategy != "keep_latest":
            raise ValueError(f"strategy must be 'keep_latest' or 'delete', not {strategy!r}")
        if last is None:
            last = 1
        if not isinstance(last, int) or isinstance(last, bool):
            raise TypeError(f"last must be an int, how many checkpoints stay, not {last!r}")
        if newer_than is not None and not isinstance(newer_than, datetime):
            raise TypeError(
                "newer_than must be a datetime, such as datetime.now(timezone.utc) - "
                f"timedelta(days=7), not {newer_than!r}"
            )
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
    needs_parent: bool = False
    """Whether packets for its next step are among the writes on its parent: a format before 4."""


Asking = Generator[str, Look, T]
"""Asks for looks at checkpoints, by their ids."""


def changed(metadata: Mapping[str, Any]) -> frozenset[str]:
    """The channels of a checkpoint that are stored as changes, by its metadata."""
    return frozenset(metadata.get(COUNTERS) or ())


def may_be_seed(value: object) -> bool:
    """Whether a list may be rebuilt from this value: it is one, or a delta channel's snapshot."""
    return isinstance(value, (list, _DeltaSnapshot))


def may_encode_seed(kind: str, head: bytes) -> bool:
    """Whether a list may be rebuilt from the value that is stored as this; in doubt it may.

    Args:
        kind: How the value is encoded.
        head: Its first bytes, six at least if it has them.
    """
    if kind != "msgpack" or not head:
        return True
    code = head[0]
    if 0xD4 <= code <= 0xD8:
        return head[1:2] == _SNAPSHOT
    if 0xC7 <= code <= 0xC9:
        width = 1 << code - 0xC7
        return head[1 + width : 2 + width] == _SNAPSHOT
    return 0x90 <= code <= 0x9F or code in (0xDC, 0xDD)


def superfluous(links: Iterable[Link], keep: Keep, look: Callable[[str], Look]) -> list[str]:
    """Return the ids of the checkpoints that may go; see `find_superfluous`.

    Args:
        links: All checkpoints of a namespace.
        keep: What is to stay.
        look: Looks at a checkpoint, by its id.
    """
    asking = find_superfluous(links, keep)
    try:
        asked = next(asking)
        while True:
            asked = asking.send(look(asked))
    except StopIteration as end:
        return end.value


def find_superfluous(links: Iterable[Link], keep: Keep) -> Asking[list[str]]:
    """Ask for what decides which checkpoints may go, each once; return their ids.

    Those stay that a kept one needs: its ancestors, up to the nearest ones that hold the values of
    the channels that are stored as changes. Metadata names these, but for threads that were made
    smaller later; there it is any channel that was written, and whose last value was a list.

    Args:
        links: All checkpoints of a namespace.
        keep: What is to stay.
    """
    by_id = {link.checkpoint_id: link for link in links}
    looks: dict[str, Look] = {}
    ids = sorted(by_id, reverse=True)
    kept = set(ids[: keep.newest])
    if since := keep.since:
        kept.update(one for one in ids if (made := time_of(one)) and made >= since)
    needed = set(kept)
    for one in sorted(kept, reverse=True):
        needed.update((yield from _needed(by_id, one, looks)))
    return [one for one in ids if one not in needed]


def _looked(looks: dict[str, Look], one: str) -> Asking[Look]:
    if one not in looks:
        looks[one] = yield one
    return looks[one]


def _needed(by_id: Mapping[str, Link], one: str, looks: dict[str, Look]) -> Asking[Collection[str]]:
    """Return the ancestors that a checkpoint needs."""
    link = by_id[one]
    own = yield from _looked(looks, one)
    # The engine's own channels have no reducers.
    lists = (name for name in own.written if not name.startswith(("__", "branch:")))
    missing = set(link.changed.union(lists).difference(own.held))
    ancestors: list[str] = []
    count = int(own.needs_parent)
    while missing or count > len(ancestors):
        parent = link.parent_id
        # What was stored under one of its descendants again would be its own ancestor.
        if parent is None or parent not in by_id or parent == one or parent in ancestors:
            break
        ancestors.append(parent)
        held = (yield from _looked(looks, parent)).held
        found = missing.intersection(held)
        if any(held[name] or name in by_id[one].changed for name in found):
            count = len(ancestors)
        missing -= found
        link = by_id[parent]
    # What has no value anywhere, and was written, is rebuilt from the beginning.
    return ancestors if missing & by_id[one].changed else ancestors[:count]
