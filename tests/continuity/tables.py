"""The rows of a saver's database as they are."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any, NamedTuple


class CheckpointRow(NamedTuple):
    """A row of the table `checkpoints`, in the order of its columns."""

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str
    parent_checkpoint_id: str | None
    type: str | None
    checkpoint: bytes | str
    metadata: bytes | str

    def versions(self) -> list[tuple[str, str]]:
        """Its channels and their versions in Postgres, where the values have rows of their own."""
        if isinstance(self.checkpoint, bytes):
            return []
        return sorted(json.loads(self.checkpoint)["channel_versions"].items())


class WriteRow(NamedTuple):
    """A row of the table of writes."""

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str
    task_id: str
    task_path: str
    idx: int
    channel: str
    type: str
    value: bytes


class BlobRow(NamedTuple):
    """A row of the table `checkpoint_blobs`."""

    thread_id: str
    checkpoint_ns: str
    channel: str
    version: str
    type: str
    blob: bytes | None


Tables = tuple[list[CheckpointRow], list[WriteRow], list[BlobRow]]


def read(database: str) -> Tables:
    """All rows: checkpoints in the order in which they were stored, writes as they apply.

    Args:
        database: A path, of SQLite, or how to connect to Postgres.
    """
    if "://" in database:
        import psycopg

        with psycopg.connect(database) as connection:
            return _postgres(connection.execute)
    with closing(sqlite3.connect(database)) as connection:
        return _sqlite(connection.execute)


Execute = Callable[[str], Iterable[Any]]


def _sqlite(execute: Execute) -> Tables:
    checkpoints = f"SELECT {', '.join(CheckpointRow._fields)} FROM checkpoints ORDER BY rowid"
    writes = f"SELECT {', '.join(WriteRow._fields)} FROM writes ORDER BY task_path, idx, channel"
    return (
        [*map(CheckpointRow._make, execute(checkpoints))],
        [*map(WriteRow._make, execute(writes))],
        [],
    )


def _postgres(execute: Execute) -> Tables:
    own = {"checkpoint": "checkpoint::text", "metadata": "metadata::text", "value": "blob"}

    def columns(row: Any) -> str:
        return ", ".join(own.get(name, name) for name in row._fields)

    # Ids are made in the order in which checkpoints are.
    checkpoints = f"SELECT {columns(CheckpointRow)} FROM checkpoints ORDER BY checkpoint_id"
    writes = (
        f"SELECT {columns(WriteRow)} FROM checkpoint_writes "
        'ORDER BY task_path COLLATE "C", idx, channel COLLATE "C"'
    )
    blobs = f"SELECT {columns(BlobRow)} FROM checkpoint_blobs"
    return (
        [*map(CheckpointRow._make, execute(checkpoints))],
        [*map(WriteRow._make, execute(writes))],
        [*map(BlobRow._make, execute(blobs))],
    )
