"""Checkpoints in a SQLite database: values within their checkpoints' bytes."""

from __future__ import annotations

import json
import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

from langgraph_rust._storage.database import (
    FORMAT,
    REST,
    Completed,
    Drops,
    Node,
    Sealed,
    Size,
    Space,
    Tree,
    Unusable,
)
from langgraph_rust._storage.layout import Layout, layout_of
from langgraph_rust._storage.replay import Write
from langgraph_rust._storage.spans import BrokenBytes
from langgraph_rust.checkpoint.sqlite._rows import set_up

_PATIENCE = 30
"""Seconds to wait for others who write to the database."""

_PLACE = "WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?"


class Sqlite:
    """A file of SQLite, as a `Database`.

    Args:
        path: Of the file.
        writable: Whether it is going to be changed.
        is_still: Whether nobody else changes it meanwhile. Then it is read without the files that
            SQLite puts beside a database that others may write to.

    Raises:
        Unusable: it is not there, is none of SQLite's, or holds no checkpoints.
    """

    shares_values = False
    trouble: type[Exception] = sqlite3.OperationalError

    def __init__(self, path: str, *, writable: bool = False, is_still: bool = False) -> None:
        self._path = path
        mode = "rw" if writable else "ro&immutable=1" if is_still else "ro"
        self._connection = connection = _connect(path, mode)
        if writable:
            set_up(connection)
        columns = {row[1] for row in connection.execute("PRAGMA table_info(writes)")}
        # In an old database nothing stands in its place.
        self._task_path = "task_path" if "task_path" in columns else "''"

    def close(self) -> None:
        self._connection.close()

    def threads(self) -> list[str]:
        query = "SELECT thread_id FROM checkpoints UNION SELECT thread_id FROM writes ORDER BY 1"
        return [thread for (thread,) in self._connection.execute(query)]

    @contextmanager
    def looking(self) -> Iterator[None]:
        with self._transaction("DEFERRED"):
            yield

    @contextmanager
    def changing(self) -> Iterator[None]:
        with self._transaction("IMMEDIATE"):
            yield

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[None]:
        self._connection.execute(f"BEGIN {kind}")
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()

    def mark(self, thread: str) -> Any:
        return self._data_version(), self._fingerprint(thread)

    def has_moved(self, thread: str, mark: Any) -> bool:
        version, fingerprint = mark
        return self._data_version() != version and self._fingerprint(thread) != fingerprint

    def _data_version(self) -> int:
        """Return a number that is another one once somebody else has changed the database."""
        return self._connection.execute("PRAGMA data_version").fetchone()[0]

    def _fingerprint(self, thread: str) -> bytes:
        total = blake2b(digest_size=16)
        for query in (
            "SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, digest(checkpoint), "
            "digest(metadata) FROM checkpoints WHERE thread_id = ? ORDER BY 1, 2",
            "SELECT checkpoint_ns, checkpoint_id, task_id, idx, channel, type, digest(value) "
            "FROM writes WHERE thread_id = ? ORDER BY 1, 2, 3, 4",
        ):
            for row in self._connection.execute(query, (thread,)):
                total.update(repr(row).encode("utf-8", "surrogatepass"))
        return total.digest()

    def trees(self, thread: str) -> list[Tree]:
        found: dict[str, Tree] = {}
        rows = self._connection.execute(
            "SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id, metadata FROM checkpoints "
            "WHERE thread_id = ? ORDER BY checkpoint_ns, checkpoint_id",
            (thread,),
        )
        for namespace, own, parent, metadata in rows:
            tree = found.setdefault(namespace, Tree(thread, namespace, {}))
            said = _metadata(metadata)
            tree.nodes[own] = Node(own, parent, said.get("source"), said.get("step"))
        return list(found.values())

    def content(self, tree: Tree, node: Node) -> Layout:
        kind, blob = self._stored(tree, node.id)
        if kind != "msgpack":
            what = "is encrypted" if "+" in (kind or "") else "is not known here"
            raise Sealed(f"stored as {kind!r}, which {what}")
        try:
            layout = layout_of(blob)
        except BrokenBytes as error:
            raise Sealed(f"broken: {error}") from error
        if layout.format != FORMAT:
            raise Sealed(f"of format {layout.format}")
        return layout

    def _stored(self, tree: Tree, checkpoint: str) -> tuple[str | None, bytes]:
        row = self._connection.execute(
            f"SELECT type, checkpoint FROM checkpoints {_PLACE}",
            (tree.thread, tree.namespace, checkpoint),
        ).fetchone()
        kind, blob = row or (None, b"")
        return kind, bytes(blob) if isinstance(blob, bytes) else b""

    def writes(self, tree: Tree, checkpoint: str) -> dict[str, list[Write]]:
        found: defaultdict[str, list[Write]] = defaultdict(list)
        rows = self._connection.execute(
            f"SELECT channel, {self._task_path}, task_id, idx, type, value FROM writes {_PLACE} "
            "ORDER BY 2, 3, 4",
            (tree.thread, tree.namespace, checkpoint),
        )
        for channel, path, task, index, kind, value in rows:
            found[channel].append(Write(path, task, index, kind or "", value or b""))
        return found

    def sizes(self, thread: str) -> Iterator[Size]:
        rows = self._connection.execute(
            "SELECT checkpoint_ns, type, checkpoint, length(CAST(checkpoint AS BLOB)), "
            "length(thread_id) + length(checkpoint_ns) + length(checkpoint_id) + "
            "length(coalesce(parent_checkpoint_id, '')) + length(coalesce(type, '')) + "
            "length(coalesce(metadata, '')) FROM checkpoints WHERE thread_id = ?",
            (thread,),
        )
        for namespace, kind, blob, size, names in rows:
            values = _value_sizes(kind, blob)
            rest = (size or 0) + names - sum(values.values())
            yield Size(namespace, REST, 1, rest)
            for channel, own in values.items():
                yield Size(namespace, channel, 1, own)
        for namespace, channel, count, size, names in self._connection.execute(
            "SELECT checkpoint_ns, channel, count(*), sum(length(CAST(value AS BLOB))), "
            "sum(length(thread_id) + length(checkpoint_ns) + length(checkpoint_id) + "
            "length(task_id) + length(channel)) FROM writes WHERE thread_id = ? GROUP BY 1, 2",
            (thread,),
        ):
            yield Size(namespace, channel, writes=count, write_bytes=size or 0)
            yield Size(namespace, REST, write_bytes=names or 0)

    def drop(self, tree: Tree, drops: Drops) -> None:
        for checkpoint, channels in drops.items():
            layout = layout_of(self._stored(tree, checkpoint)[1])
            self._connection.execute(
                f"UPDATE checkpoints SET checkpoint = ? {_PLACE}",
                (layout.without(channels), tree.thread, tree.namespace, checkpoint),
            )

    def replace(self, tree: Tree, completed: Completed) -> None:
        self._connection.executemany(
            f"UPDATE writes SET value = ? {_PLACE} AND task_id = ? AND idx = ?",
            [(value, tree.thread, tree.namespace, *key) for key, value in completed.items()],
        )

    def space(self) -> Space:
        files = (self._path, f"{self._path}-wal")
        total = sum(os.path.getsize(file) for file in files if os.path.exists(file))
        pages = self._connection.execute("PRAGMA freelist_count").fetchone()[0]
        return Space(total, pages * self._connection.execute("PRAGMA page_size").fetchone()[0])

    def shrink(self) -> str | None:
        try:
            self._connection.execute("VACUUM")
            # Whoever reads now may do so for long.
            self._connection.execute("PRAGMA busy_timeout = 1000")
            is_busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError as error:
            return f"the file is as large as before: {error}; run it again when nobody uses it"
        return "the file gets smaller when those who use it now are done" if is_busy else None


def _connect(path: str, mode: str) -> sqlite3.Connection:
    file = Path(path)
    if not file.is_file():
        raise Unusable(f"there is no file {path}")
    try:
        connection = sqlite3.connect(
            f"{file.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=_PATIENCE,
            isolation_level=None,
        )
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error as error:
        raise Unusable(f"{path} cannot be read as a SQLite database: {error}") from error
    if not {"checkpoints", "writes"} <= names:
        connection.close()
        raise Unusable(f"{path} holds no checkpoints: it has no tables of a SqliteSaver")
    connection.create_function("digest", 1, _digest, deterministic=True)
    return connection


def _digest(value: Any) -> bytes:
    given = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
    return blake2b(given, digest_size=16).digest()


def _metadata(stored: Any) -> dict[str, Any]:
    try:
        found = json.loads(stored)
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _value_sizes(kind: str | None, blob: Any) -> dict[str, int]:
    if kind != "msgpack" or not isinstance(blob, bytes):
        return {}
    try:
        layout = layout_of(blob)
    except BrokenBytes:
        return {}
    return {channel: entry.end - entry.value for channel, entry in layout.values.items()}
