"""Deleting what nobody needs any more of a thread."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial

from langgraph_rust.checkpoint.base._prune import (
    Keep,
    Link,
    Look,
    changed,
    may_be_seed,
    several,
    superfluous,
)
from langgraph_rust.checkpoint.serde._channels import load_checkpoint
from langgraph_rust.checkpoint.serde.base import SerializerProtocol
from langgraph_rust.checkpoint.sqlite._rows import Work, delete_thread


def prune(serde: SerializerProtocol, thread_ids: Sequence[str], keep: Keep) -> list[Work]:
    """Return what deletes old checkpoints, a part of a transaction for each thread."""
    several("thread_ids", "thread", thread_ids)
    if not keep.newest:
        return [delete_thread(str(thread_id)) for thread_id in thread_ids]
    return [partial(_prune, serde, str(thread_id), keep) for thread_id in thread_ids]


def _prune(
    serde: SerializerProtocol, thread_id: str, keep: Keep, connection: sqlite3.Connection
) -> None:
    namespaces: dict[str, list[Link]] = defaultdict(list)
    for checkpoint_ns, checkpoint_id, parent_id, metadata in connection.execute(
        "SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id, metadata FROM checkpoints "
        "WHERE thread_id = ?",
        (thread_id,),
    ):
        names = changed({} if metadata is None else json.loads(metadata))
        namespaces[checkpoint_ns].append(Link(checkpoint_id, parent_id, names))
    for checkpoint_ns, links in namespaces.items():
        place = thread_id, checkpoint_ns
        look = partial(_look, connection, serde, place)
        _delete(connection, place, superfluous(links, keep, look))


def _look(
    connection: sqlite3.Connection,
    serde: SerializerProtocol,
    place: tuple[str, str],
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


def _delete(
    connection: sqlite3.Connection, place: tuple[str, str], checkpoint_ids: Iterable[str]
) -> None:
    keys = [(*place, checkpoint_id) for checkpoint_id in checkpoint_ids]
    for table in ("writes", "checkpoints"):
        connection.executemany(
            f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?",
            keys,
        )
