"""Deleting what nobody needs any more of a thread."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial

from langgraph_rust.checkpoint.base._prune import (
    Keep,
    Link,
    Look,
    answered,
    changed,
    find_bereft,
    may_be_seed,
    orphans,
    refuse_bereft,
    several,
    superfluous,
)
from langgraph_rust.checkpoint.serde._channels import load_checkpoint
from langgraph_rust.checkpoint.serde._default import is_drop_in
from langgraph_rust.checkpoint.serde.base import SerializerProtocol
from langgraph_rust.checkpoint.sqlite._rows import Work, delete_thread

Place = tuple[str, str]
"""Thread and namespace."""


def prune(serde: SerializerProtocol, thread_ids: Sequence[str], keep: Keep) -> list[Work]:
    """Return what deletes old checkpoints, a part of a transaction for each thread."""
    several("thread_ids", "thread", thread_ids)
    if not keep.newest:
        return [delete_thread(str(thread_id)) for thread_id in thread_ids]
    return [partial(_prune, serde, str(thread_id), keep) for thread_id in thread_ids]


def delete_for_runs(serde: SerializerProtocol, run_ids: Sequence[str]) -> Work:
    """Return what deletes the checkpoints of runs, and the writes on them.

    That raises `ValueError` if others are rebuilt from them, but not in drop-in mode.

    Raises:
        TypeError: they are one text.
    """
    several("run_ids", "run", run_ids)

    def work(connection: sqlite3.Connection) -> None:
        gone = _left_by(connection, run_ids)
        if not is_drop_in():
            refuse_bereft(
                {place: _bereft(connection, serde, place, ids) for place, ids in gone.items()}
            )
        for place, ids in gone.items():
            _delete(connection, place, ids)

    return work


def _left_by(connection: sqlite3.Connection, run_ids: Sequence[str]) -> dict[Place, set[str]]:
    """Return the ids of the checkpoints of runs, by thread and namespace."""
    found: dict[Place, set[str]] = defaultdict(set)
    for run_id in run_ids:
        for thread_id, checkpoint_ns, checkpoint_id in connection.execute(
            "SELECT thread_id, checkpoint_ns, checkpoint_id FROM checkpoints "
            "WHERE json_extract(CAST(metadata AS TEXT), '$.run_id') = ?",
            (run_id,),
        ):
            found[thread_id, checkpoint_ns].add(checkpoint_id)
    return found


def _bereft(
    connection: sqlite3.Connection, serde: SerializerProtocol, place: Place, gone: set[str]
) -> Mapping[str, Collection[str]]:
    """Who would lose what they are rebuilt from; see `find_bereft`."""
    # Without metadata, which lies behind the values.
    parents = connection.execute(
        "SELECT checkpoint_id, parent_checkpoint_id FROM checkpoints "
        "WHERE thread_id = ? AND checkpoint_ns = ?",
        place,
    )
    if not orphans(dict(parents), gone):
        return {}
    links = _links(connection, place[0])[place[1]]
    return answered(find_bereft(links, gone), partial(_look, connection, serde, place))


def _prune(
    serde: SerializerProtocol, thread_id: str, keep: Keep, connection: sqlite3.Connection
) -> None:
    for checkpoint_ns, links in _links(connection, thread_id).items():
        place = thread_id, checkpoint_ns
        look = partial(_look, connection, serde, place)
        _delete(connection, place, superfluous(links, keep, look))


def _links(connection: sqlite3.Connection, thread_id: str) -> dict[str, list[Link]]:
    """Read a thread's links, by namespace."""
    namespaces: dict[str, list[Link]] = defaultdict(list)
    for checkpoint_ns, checkpoint_id, parent_id, metadata in connection.execute(
        "SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id, metadata FROM checkpoints "
        "WHERE thread_id = ?",
        (thread_id,),
    ):
        names = changed({} if metadata is None else json.loads(metadata))
        namespaces[checkpoint_ns].append(Link(checkpoint_id, parent_id, names))
    return namespaces


def _look(
    connection: sqlite3.Connection,
    serde: SerializerProtocol,
    place: Place,
    checkpoint_id: str,
) -> Look:
    stored = connection.execute(
        "SELECT type, checkpoint FROM checkpoints "
        "WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?",
        (*place, checkpoint_id),
    ).fetchone()
    checkpoint = load_checkpoint(serde, stored)
    values = checkpoint.get("channel_values") or {}
    held = {name: may_be_seed(value) for name, value in values.items()}
    return Look(checkpoint.get("channel_versions") or (), held)


def _delete(connection: sqlite3.Connection, place: Place, checkpoint_ids: Iterable[str]) -> None:
    keys = [(*place, checkpoint_id) for checkpoint_id in checkpoint_ids]
    for table in ("writes", "checkpoints"):
        connection.executemany(
            f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?",
            keys,
        )
