"""The history of delta channels: up the ancestors of a checkpoint, and the writes on each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from langgraph_rust.checkpoint.base import DeltaChannelHistory, writes_sort_key
from langgraph_rust.checkpoint.postgres._plans import Plan, Rows, Statement, read
from langgraph_rust.checkpoint.serde._channels import load_channel
from langgraph_rust.checkpoint.serde.base import SerializerProtocol

FIRST_PAGE = 128
"""Ancestors that are read first; most channels have a value among them."""

# By parent, not by id: ids of several processes are in no order. Each step, and each look for a
# value, is one look-up by key whatever the planner thinks of the table's size: `LIMIT` sees to it.
# A value of JSON's null counts as none, as it does upstream.
_ANCESTORS = """
WITH RECURSIVE ancestors AS (
    (
        SELECT checkpoint_id, parent_checkpoint_id, checkpoint FROM checkpoints
        WHERE thread_id = %(thread_id)s AND checkpoint_ns = %(ns)s
            AND checkpoint_id = %(checkpoint_id)s
    )
    UNION ALL
    SELECT parent.* FROM ancestors
    CROSS JOIN LATERAL (
        SELECT checkpoint_id, parent_checkpoint_id, checkpoint FROM checkpoints
        WHERE thread_id = %(thread_id)s AND checkpoint_ns = %(ns)s
            AND checkpoint_id = ancestors.parent_checkpoint_id
        LIMIT 1
    ) AS parent
)
SELECT checkpoint_id, parent_checkpoint_id, (
    SELECT jsonb_agg(jsonb_build_array(channel, version, inline)) FROM (
        SELECT channel,
            checkpoint -> 'channel_versions' ->> channel AS version,
            checkpoint -> 'channel_values' -> channel AS inline
        FROM unnest(%(channels)s::text[]) AS asked(channel)
    ) AS found
    WHERE inline <> 'null' OR EXISTS (
        SELECT FROM checkpoint_blobs b
        WHERE b.thread_id = %(thread_id)s AND b.checkpoint_ns = %(ns)s
            AND b.channel = found.channel AND b.version = found.version AND b.type <> 'empty'
    )
) AS stored
FROM ancestors LIMIT %(limit)s
"""

_WRITES = """
SELECT w.* FROM unnest(%s::text[], %s::text[]) AS asked(channel, checkpoint_id)
CROSS JOIN LATERAL (
    SELECT checkpoint_id, channel, task_path, task_id, idx, type, blob FROM checkpoint_writes
    WHERE thread_id = %s AND checkpoint_ns = %s
        AND checkpoint_id = asked.checkpoint_id AND channel = asked.channel
    OFFSET 0
) AS w
"""

_BLOBS = """
SELECT b.* FROM unnest(%s::text[], %s::text[]) AS asked(channel, version)
CROSS JOIN LATERAL (
    SELECT channel, type, blob FROM checkpoint_blobs
    WHERE thread_id = %s AND checkpoint_ns = %s
        AND channel = asked.channel AND version = asked.version AND type <> 'empty'
    LIMIT 1
) AS b
"""

Ingest = Callable[[Rows, Any], "str | None"]


class Walk:
    """The ancestors of a checkpoint as far as they are needed, and the values found there."""

    def __init__(self, channels: Sequence[str], target: str) -> None:
        self.channels = channels
        self.ancestors: list[str] = []
        """Ids, the nearest first."""
        self.depths: dict[str, int] = {}
        """For each channel with a value, how many of them count."""
        self.versions: dict[str, str | None] = {}
        """The version of each value."""
        self.inline: dict[str, Any] = {}
        """What the checkpoint itself holds of it."""
        self._seen: set[str] = set()
        self._target = target

    @property
    def is_over(self) -> bool:
        """Whether every channel has its value."""
        return len(self.depths) == len(self.channels)

    def take_in(self, rows: Rows) -> str | None:
        """Take in a page of rows; return the id that the next page begins with, if any."""
        for row in rows:
            checkpoint_id = row["checkpoint_id"]
            # A checkpoint that was stored again under one of its descendants is its own ancestor.
            if checkpoint_id in self._seen:
                return None
            self._seen.add(checkpoint_id)
            # The writes on the checkpoint itself belong to the next step.
            if checkpoint_id != self._target:
                self._visit(checkpoint_id, row["stored"] or ())
                if self.is_over:
                    return None
        return rows[-1]["parent_checkpoint_id"] if rows else None

    def _visit(self, checkpoint_id: str, stored: Sequence[Any]) -> None:
        self.ancestors.append(checkpoint_id)
        for channel, version, inline in stored:
            if channel not in self.depths:
                self.depths[channel] = len(self.ancestors)
                self.versions[channel] = version
                self.inline[channel] = inline


class History(NamedTuple):
    """What was found, not decoded."""

    walk: Walk
    writes: Rows
    blobs: Rows


def find_history(
    address: tuple[str, str, str], channels: Sequence[str], ingest: Ingest, page: int
) -> Plan[History]:
    """Ask for what rebuilds the channels as of a checkpoint.

    Args:
        address: Thread, namespace and id of the checkpoint; without an id, the newest.
        channels: Their names, each once.
        ingest: Takes a page of ancestors into a `Walk`, and says where the next begins.
        page: How many rows a page has at most.
    """
    thread_id, checkpoint_ns, target = address
    if not target:
        newest = yield from read(
            "SELECT checkpoint_id FROM checkpoints WHERE thread_id = %s AND checkpoint_ns = %s "
            "ORDER BY checkpoint_id DESC LIMIT 1",
            (thread_id, checkpoint_ns),
        )
        target = newest[0]["checkpoint_id"] if newest else ""
    walk = Walk(channels, target)
    following: str | None = target
    limit = min(FIRST_PAGE, page)
    while following:
        parameters = {"thread_id": thread_id, "ns": checkpoint_ns, "channels": list(channels)}
        parameters |= {"checkpoint_id": following, "limit": limit}
        rows = yield Statement(_ANCESTORS, parameters, fetch=True)
        following = ingest(rows, walk)
        limit = page
    writes: Rows = ()
    blobs: Rows = ()
    if walk.ancestors:
        asked = [
            (channel, own)
            for channel in channels
            for own in walk.ancestors[: walk.depths.get(channel)]
        ]
        writes = yield from read(_WRITES, (*_columns(asked), thread_id, checkpoint_ns))
    if with_version := [(c, version) for c, version in walk.versions.items() if version]:
        blobs = yield from read(_BLOBS, (*_columns(with_version), thread_id, checkpoint_ns))
    return History(walk, writes, blobs)


def _columns(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def decoded(serde: SerializerProtocol, history: History) -> dict[str, DeltaChannelHistory]:
    """Decode what `find_history` found."""
    walk = history.walk
    written: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in history.writes:
        written[row["channel"], row["checkpoint_id"]].append(row)
    blobs = {row["channel"]: (row["type"], row["blob"]) for row in history.blobs}
    found: dict[str, DeltaChannelHistory] = {}
    for channel in walk.channels:
        # The writes on the checkpoint that has the value come after that.
        own = walk.ancestors[: walk.depths.get(channel)]
        found[channel] = {
            "writes": [
                (
                    row["task_id"],
                    channel,
                    load_channel(serde, channel, (row["type"], row["blob"])),
                )
                for checkpoint_id in reversed(own)
                for row in sorted(written[channel, checkpoint_id], key=_order)
            ]
        }
        # The value's own row first: for a snapshot, the checkpoint has a mere mark.
        if channel in blobs:
            found[channel]["seed"] = load_channel(serde, channel, blobs[channel])
        elif walk.inline.get(channel) is not None:
            found[channel]["seed"] = walk.inline[channel]
    return found


def _order(row: Mapping[str, Any]) -> tuple[str, str, int]:
    return writes_sort_key(row["task_path"], row["task_id"], row["idx"])
