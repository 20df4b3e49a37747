"""Which checkpoints of a thread nobody needs any more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from langgraph_rust.checkpoint.base.id import time_of
from langgraph_rust.checkpoint.serde._records import EXT_DELTA_SNAPSHOT
from langgraph_rust.checkpoint.serde.types import TASKS, _DeltaSnapshot

_SNAPSHOT = bytes((EXT_DELTA_SNAPSHOT,))

T = TypeVar("T")

COUNTERS = "counters_since_delta_snapshot"
"""Where metadata names the channels that are stored as changes."""


_NAMED = 5
"""How many checkpoints an error names."""


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


def answered(asking: Asking[T], look: Callable[[str], Look]) -> T:
    """Return what is found out by asking for looks.

    Args:
        asking: Asks.
        look: Looks at a checkpoint, by its id.
    """
    try:
        asked = next(asking)
        while True:
            asked = asking.send(look(asked))
    except StopIteration as end:
        return end.value


def superfluous(links: Iterable[Link], keep: Keep, look: Callable[[str], Look]) -> list[str]:
    """Return the ids of the checkpoints that may go; see `find_superfluous`.

    Args:
        links: All checkpoints of a namespace.
        keep: What is to stay.
        look: Looks at a checkpoint, by its id.
    """
    return answered(find_superfluous(links, keep), look)


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


def orphans(parents: Mapping[str, str | None], gone: Collection[str]) -> list[str]:
    """Return the ids of the checkpoints that stay while their parents go, oldest first."""
    return sorted(one for one, parent in parents.items() if parent in gone and one not in gone)


def find_bereft(links: Iterable[Link], gone: Collection[str]) -> Asking[dict[str, list[str]]]:
    """Ask for what decides who would lose what it is rebuilt from; return channels by checkpoint.

    Only those are looked at whose parents go: what one further down needs beyond such a checkpoint,
    that one needs as well.

    Args:
        links: All checkpoints of a namespace.
        gone: The ids of those that are to be deleted.
    """
    by_id = {link.checkpoint_id: link for link in links}
    looks: dict[str, Look] = {}
    bereft = {}
    for one in orphans({name: link.parent_id for name, link in by_id.items()}, gone):
        _, depths = yield from _rebuilt(by_id, one, looks)
        if depths:
            bereft[one] = sorted(depths)
    return bereft


def refuse_bereft(bereft: Mapping[tuple[str, str], Mapping[str, Collection[str]]]) -> None:
    """Refuse to delete what checkpoints that stay are rebuilt from.

    Args:
        bereft: By thread and namespace: what `find_bereft` has found.

    Raises:
        ValueError: it has found any.
    """
    named = [
        f"checkpoint {one!r} of thread {thread_id!r}"
        + (f" (namespace {checkpoint_ns!r})" if checkpoint_ns else "")
        + f": {', '.join(map(repr, channels))}"
        for (thread_id, checkpoint_ns), found in bereft.items()
        for one, channels in found.items()
    ]
    if not named:
        return
    if len(named) > _NAMED:
        named[_NAMED:] = [f"and {len(named) - _NAMED} more"]
    raise ValueError(
        "nothing was deleted, because checkpoints that stay, and what came after them, are rebuilt "
        f"from what these runs have left: {'; '.join(named)}. Delete the later runs together with "
        "them, or the whole thread (`delete_thread`), or only what is not needed (`prune`). Runs "
        "of threads that began with `linear_storage = False` on the saver can be deleted alone, "
        "if there are no delta channels."
    )


def _looked(looks: dict[str, Look], one: str) -> Asking[Look]:
    if one not in looks:
        looks[one] = yield one
    return looks[one]


def _needed(by_id: Mapping[str, Link], one: str, looks: dict[str, Look]) -> Asking[Collection[str]]:
    """Return the ancestors that a checkpoint needs."""
    ancestors, depths = yield from _rebuilt(by_id, one, looks)
    return ancestors[: max(depths.values(), default=0)]


def _rebuilt(
    by_id: Mapping[str, Link], one: str, looks: dict[str, Look]
) -> Asking[tuple[list[str], dict[str, int]]]:
    """Return a checkpoint's ancestors, nearest first, and how many of these each channel needs.

    Channels that need none are left out, and ancestors that no channel needs may be.
    """
    link = by_id[one]
    own = yield from _looked(looks, one)
    # The engine's own channels have no reducers.
    missing = {
        name
        for name in own.written
        if name not in own.held and (name in link.changed or not name.startswith(("__", "branch:")))
    }
    ancestors: list[str] = []
    depths = {TASKS: 1} if own.needs_parent else {}
    while missing or (depths and not ancestors):
        parent = link.parent_id
        # What was stored under one of its descendants again would be its own ancestor.
        if parent is None or parent not in by_id or parent == one or parent in ancestors:
            break
        ancestors.append(parent)
        look = yield from _looked(looks, parent)
        found = missing.intersection(look.held)
        # Before the first write to it there is nothing to rebuild it from.
        first = missing.intersection(by_id[one].changed).difference(look.written)
        for name in found | first:
            if look.held.get(name) or name in by_id[one].changed:
                depths[name] = len(ancestors)
        missing -= found | first
        link = by_id[parent]
    # What has no value anywhere, and was written, is rebuilt from the beginning.
    if ancestors:
        depths.update(dict.fromkeys(missing & by_id[one].changed, len(ancestors)))
    return ancestors, depths
