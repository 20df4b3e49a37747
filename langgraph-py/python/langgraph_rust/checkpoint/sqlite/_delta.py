"""The history of delta channels: up the ancestors of a checkpoint, and the writes on each."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langgraph_rust.checkpoint.base import DeltaChannelHistory, PendingWrite, writes_sort_key
from langgraph_rust.checkpoint.serde._channels import in_checkpoint, load_channel, load_checkpoint
from langgraph_rust.checkpoint.serde.base import SerializerProtocol
from langgraph_rust.checkpoint.sqlite._rows import find

# By parent, not by id: ids of several processes are in no order. The join is told which table comes
# first, so that each step is one look-up by key whatever the planner thinks of the table's size.
DELTA_STAGE1_SQL = """
    WITH RECURSIVE ancestors(checkpoint_id, parent_checkpoint_id, type, checkpoint) AS (
        SELECT checkpoint_id, parent_checkpoint_id, type, checkpoint FROM checkpoints
        WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?
        UNION ALL
        SELECT c.checkpoint_id, c.parent_checkpoint_id, c.type, c.checkpoint
        FROM ancestors a CROSS JOIN checkpoints c ON c.checkpoint_id = a.parent_checkpoint_id
        WHERE c.thread_id = ? AND c.checkpoint_ns = ?
    )
    SELECT checkpoint_id, type, checkpoint FROM ancestors
"""

_PAGE = 500
"""Checkpoints per query of their writes; SQLite takes a limited number of parameters."""


def read_history(
    connection: sqlite3.Connection,
    serde: SerializerProtocol,
    address: tuple[str, str, str],
    channels: Sequence[str],
    task_path: str,
) -> Mapping[str, DeltaChannelHistory]:
    """Return what rebuilds the channels as of a checkpoint.

    Of each ancestor the whole checkpoint is decoded, since SQLite has the values in it; only as far
    up as some channel's value has not been found.

    Args:
        connection: Used by this thread alone meanwhile.
        serde: Decodes.
        address: Thread, namespace and id of the checkpoint; without an id, the newest.
        channels: Their names.
        task_path: The column of the path, or what stands for it in an old database.
    """
    if not address[2]:
        newest = find(connection, *address[:2], None, task_path)
        address = *address[:2], newest.checkpoint[2] if newest else ""
    seeds: dict[str, Any] = {}
    depths: dict[str, int] = {}
    ancestors: list[str] = []
    for checkpoint_id, values in _ancestors(connection, serde, address):
        ancestors.append(checkpoint_id)
        for channel in channels:
            if channel not in depths and channel in values:
                seeds[channel], depths[channel] = values[channel], len(ancestors)
        if len(depths) == len(channels):
            break
    found: dict[str, DeltaChannelHistory] = {}
    for channel in channels:
        # The writes on the checkpoint that has the value come after that.
        of_channel = ancestors[: depths.get(channel, len(ancestors))]
        writes = _writes(connection, serde, address, channel, of_channel, task_path)
        found[channel] = {"writes": writes}
        if channel in seeds:
            found[channel]["seed"] = seeds[channel]
    return found


def _ancestors(
    connection: sqlite3.Connection, serde: SerializerProtocol, address: tuple[str, str, str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield id and values of each ancestor, the nearest first."""
    seen = {address[2]}
    rows = connection.execute(DELTA_STAGE1_SQL, (*address, *address[:2]))
    for position, (checkpoint_id, kind, encoded) in enumerate(rows):
        if position == 0:
            continue
        # A checkpoint that was stored again under one of its descendants is its own ancestor.
        if checkpoint_id in seen:
            return
        seen.add(checkpoint_id)
        try:
            checkpoint = load_checkpoint(serde, (kind, encoded))
        except ValueError as error:
            raise in_checkpoint(error, (*address[:2], checkpoint_id)) from error.__cause__
        yield checkpoint_id, checkpoint.get("channel_values") or {}


def _writes(
    connection: sqlite3.Connection,
    serde: SerializerProtocol,
    address: tuple[str, str, str],
    channel: str,
    ancestors: Sequence[str],
    task_path: str,
) -> list[PendingWrite]:
    """Return the writes to a channel on these checkpoints, the oldest first."""
    by_checkpoint: dict[str, list[Any]] = defaultdict(list)
    for start in range(0, len(ancestors), _PAGE):
        page = ancestors[start : start + _PAGE]
        rows = connection.execute(
            f"SELECT checkpoint_id, {task_path}, task_id, idx, type, value FROM writes "
            "WHERE thread_id = ? AND checkpoint_ns = ? AND channel = ? "
            f"AND checkpoint_id IN ({', '.join('?' * len(page))})",
            (*address[:2], channel, *page),
        )
        for checkpoint_id, *write in rows:
            by_checkpoint[checkpoint_id].append(write)
    return [
        (task_id, channel, load_channel(serde, channel, (kind, value)))
        for checkpoint_id in reversed(ancestors)
        for _, task_id, _, kind, value in sorted(
            by_checkpoint[checkpoint_id], key=lambda write: writes_sort_key(*write[:3])
        )
    ]
