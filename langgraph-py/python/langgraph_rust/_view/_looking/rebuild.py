"""Values that a checkpoint does not hold: what the history of its thread makes of them.

A channel that has a version and no value is empty, or is stored as changes (`linear_storage`, delta
channels): then the value is in an ancestor, and what was written since lies beside the checkpoints
between. Which of the two it is shows in the versions: a list that is stored as changes gets a new
one only by writes, and what is emptied gets one without.
"""

from __future__ import annotations

from dataclasses import dataclass

from langgraph_rust._storage.replay import REPLAYS, Replay, Write, is_overwrite
from langgraph_rust._storage.spans import (
    BrokenBytes,
    end_of,
    entries,
    list_at,
    list_of,
    map_at,
    record_at,
)
from langgraph_rust._view._source.source import Held, Source, Stored, Written
from langgraph_rust.checkpoint.serde._records import EXT_DELTA_SNAPSHOT

_ADD, _ADD_MESSAGES = REPLAYS

_FAR = 10_000
"""Ancestors that are looked at, at most."""


@dataclass
class Rebuilt:
    """A value from the history."""

    how: str
    """What was taken for the channel's reducer, for people."""
    supersteps: int
    """How many checkpoints up the value is that it begins with."""
    writes: int
    value: Held | None
    """`None` if only the graph knows how the writes apply."""


def rebuild(source: Source, stored: Stored, channel: str) -> Rebuilt | None:
    """Return what a channel holds that has no value in a checkpoint; `None` if it is empty."""
    groups: list[list[Written]] = []
    seed: Held | None = None
    child, supersteps = stored, 0
    while child.parent and channel in child.versions and supersteps < _FAR:
        parent = source.checkpoint(child.place._replace(checkpoint=child.parent))
        if parent is None or parent.trouble:
            break
        supersteps += 1
        if child.versions[channel] != parent.versions.get(channel):
            own = [one for one in source.writes(parent.place, channel) if one.idx >= 0]
            if not own:
                # Emptied, or begun with what is stored as no write.
                return None
            groups.append(own)
        seed = parent.values.get(channel)
        if seed is not None:
            break
        child = parent
    writes = [one for group in reversed(groups) for one in group]
    if seed is None and not writes:
        return None
    if not writes:
        return Rebuilt("as it was", supersteps, 0, seed)
    return _replayed(seed, writes, supersteps)


def _replayed(seed: Held | None, writes: list[Written], supersteps: int) -> Rebuilt:
    unknown = Rebuilt("only the graph knows the reducer", supersteps, len(writes), None)
    if seed is not None and seed.tag != "msgpack":
        return unknown
    try:
        value = list_of(0, ()) if seed is None else _unwrapped(seed.read())
        kept: list[Write] = []
        for one in writes:
            data = one.held.read()
            if one.held.tag != "msgpack":
                return unknown
            if is_overwrite(data):
                value, kept = _overwriting(data), []
            else:
                kept.append(Write(one.path, one.task, one.idx, one.held.tag, data))
        if not list_at(value):
            return unknown
        if not kept:
            return Rebuilt("as it was overwritten", supersteps, len(writes), _held(value))
        for replay, how in _tries(value, kept):
            if made := replay(value, kept, None):
                return Rebuilt(how, supersteps, len(writes), _held(made.value))
    except (BrokenBytes, ValueError):
        pass
    return unknown


def _tries(value: bytes, writes: list[Write]) -> list[tuple[Replay, str]]:
    if b"langchain_core.messages" in value or any(
        b"langchain_core.messages" in one.value for one in writes
    ):
        return [(_ADD_MESSAGES, "add_messages"), (_ADD, "appended; ids are not stored")]
    return [(_ADD, "operator.add")]


def _unwrapped(value: bytes) -> bytes:
    found = record_at(value)
    return value[found[1] :] if found and found[0] == EXT_DELTA_SNAPSHOT else value


def _overwriting(data: bytes) -> bytes:
    """Return the value within an `Overwrite`, in either form that it has."""
    if map_at(data):
        at = 0
    else:
        found = record_at(data)
        start = found and list_at(data, found[1])
        if not start:
            raise BrokenBytes("no overwrite")
        # Module and name come before the fields.
        at = start[1]
        for _ in range(2):
            at = end_of(data, at)
    for name, entry in entries(data, at):
        if name in ("__overwrite__", "value"):
            return data[entry.value : entry.end]
    raise BrokenBytes("an overwrite without a value")


def _held(data: bytes) -> Held:
    return Held("msgpack", len(data), lambda: data)


def is_engines(channel: str) -> bool:
    """Whether a channel is the engine's own, rather than a field of the state."""
    return channel.startswith(("__", "branch:", "join:"))
