"""Databases that are large: ``python -m tests.view.large FILE {threads,checkpoints,state}``.

Rows are written as a saver would write them, without a graph, which would take hours.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from uuid import UUID

import ormsgpack

_SCHEMA = """
CREATE TABLE checkpoints (thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT '',
    checkpoint_id TEXT NOT NULL, parent_checkpoint_id TEXT, type TEXT, checkpoint BLOB,
    metadata BLOB, PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id));
CREATE TABLE writes (thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT '',
    checkpoint_id TEXT NOT NULL, task_id TEXT NOT NULL, idx INTEGER NOT NULL,
    channel TEXT NOT NULL, type TEXT, value BLOB,
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx));
"""

Row = tuple[str, str, str, str | None, str, bytes, str]

_EPOCH = 0x1F1EA081_8DBC_6C29


def _id(number: int, step: int) -> str:
    ticks = _EPOCH + number * 0x10000
    return str(UUID(int=((ticks & ~0xF000) | 0x6000) << 64 | 2 << 62 | (step & 0x3FFF) << 48))


def _rows(thread: str, first: int, count: int, filling: str) -> Iterator[Row]:
    parent = None
    for step in range(count):
        own = _id(first + step, step)
        checkpoint = {
            "v": 4, "ts": "2026-11-27T02:13:12.289186+00:00", "id": own,
            "channel_values": {"document": filling, "step": step},
            "channel_versions": {"document": 1, "step": step + 1},
            "versions_seen": {}, "updated_channels": ["step"],
        }  # fmt: skip
        metadata = json.dumps({"source": "loop", "step": step, "parents": {}, "customer": "ada"})
        yield thread, "", own, parent, "msgpack", ormsgpack.packb(checkpoint), metadata
        parent = own


def _kinds(kind: str) -> Iterator[Row]:
    if kind == "threads":
        # A gigabyte: 1000 threads of 50 checkpoints of 20 kB.
        for number in range(1000):
            yield from _rows(f"thread-{number:04}", number * 50, 50, "some words " * 1800)
    elif kind == "checkpoints":
        yield from _rows("long", 0, 100_000, "some words")
    else:
        items = [{"number": number, "text": "words " * 40} for number in range(150_000)]
        own = _id(1, 0)
        checkpoint = {
            "v": 4, "ts": "2026-11-27T02:13:12.289186+00:00", "id": own,
            "channel_values": {"items": items, "text": "A line of text.\n" * 700_000},
            "channel_versions": {"items": 1, "text": 1}, "versions_seen": {},
        }  # fmt: skip
        data = ormsgpack.packb(checkpoint)
        yield "large", "", own, None, "msgpack", data, '{"source": "loop", "step": 0}'


def main(path: str, kind: str) -> None:
    """Make the file."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(_SCHEMA)
    connection.executemany("INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?)", _kinds(kind))
    connection.commit()
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
