"""A database's rows: threads, their checkpoints as a tree, and the writes on each."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from langgraph_rust._storage.replay import Write

PATIENCE = 30
"""Seconds to wait for others who write to the database."""


class Unusable(Exception):
    """A database that cannot be worked on; the text says why, and what to do."""


class Node(NamedTuple):
    """A checkpoint, without what it holds."""

    id: str
    parent: str | None
    kind: str | None
    """How it is encoded."""
    size: int
    """Bytes of checkpoint, metadata and names."""
    source: str | None
    step: int | None


class Tree(NamedTuple):
    """The checkpoints of a thread's namespace."""

    thread: str
    namespace: str
    nodes: dict[str, Node]

    @property
    def children(self) -> dict[str | None, list[Node]]:
        """By parent, in the order of their ids; those without a stored parent under `None`."""
        found: defaultdict[str | None, list[Node]] = defaultdict(list)
        for node in self.nodes.values():
            found[node.parent if node.parent in self.nodes else None].append(node)
        return found


def connect(database: str, *, writable: bool = False) -> sqlite3.Connection:
    """Open a database of checkpoints that is there.

    Raises:
        Unusable: it is not there, is none of SQLite's, or holds no checkpoints.
    """
    if "://" in database:
        raise Unusable(
            f"{database.partition('://')[0]} databases are not supported yet: only files of SQLite"
        )
    path = Path(database)
    if not path.is_file():
        raise Unusable(f"there is no file {database}")
    mode = "rw" if writable else "ro"
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=PATIENCE,
            isolation_level=None,
        )
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error as error:
        raise Unusable(f"{database} cannot be read as a SQLite database: {error}") from error
    if not {"checkpoints", "writes"} <= names:
        connection.close()
        raise Unusable(f"{database} holds no checkpoints: it has no tables of a SqliteSaver")
    connection.create_function("digest", 1, _digest, deterministic=True)
    return connection


def _digest(value: Any) -> bytes:
    given = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
    return blake2b(given, digest_size=16).digest()


def threads(connection: sqlite3.Connection) -> list[str]:
    """Return the ids of all threads."""
    query = "SELECT thread_id FROM checkpoints UNION SELECT thread_id FROM writes ORDER BY 1"
    return [thread for (thread,) in connection.execute(query)]


def trees(connection: sqlite3.Connection, thread: str) -> list[Tree]:
    """Return the checkpoints of a thread, by namespace."""
    found: dict[str, Tree] = {}
    rows = connection.execute(
        "SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, metadata, "
        "length(CAST(checkpoint AS BLOB)) FROM checkpoints WHERE thread_id = ? "
        "ORDER BY checkpoint_ns, checkpoint_id",
        (thread,),
    )
    for namespace, own, parent, kind, metadata, size in rows:
        tree = found.setdefault(namespace, Tree(thread, namespace, {}))
        said = _metadata(metadata)
        texts = (thread, namespace, own, parent, kind, metadata)
        total = (size or 0) + sum(len(text) for text in texts if text)
        tree.nodes[own] = Node(own, parent, kind, total, said.get("source"), said.get("step"))
    return list(found.values())


def _metadata(stored: Any) -> dict[str, Any]:
    try:
        found = json.loads(stored)
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def blob(connection: sqlite3.Connection, tree: Tree, checkpoint: str) -> bytes:
    """Return a checkpoint's bytes."""
    row = connection.execute(
        "SELECT checkpoint FROM checkpoints "
        "WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?",
        (tree.thread, tree.namespace, checkpoint),
    ).fetchone()
    return bytes(row[0]) if row and isinstance(row[0], bytes) else b""


def writes(
    connection: sqlite3.Connection, tree: Tree, checkpoint: str, task_path: str
) -> dict[str, list[Write]]:
    """Return the writes on a checkpoint by channel, in the order in which readers apply them."""
    found: defaultdict[str, list[Write]] = defaultdict(list)
    rows = connection.execute(
        f"SELECT channel, {task_path}, task_id, idx, type, value FROM writes "
        "WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ? "
        "ORDER BY 2, 3, 4",
        (tree.thread, tree.namespace, checkpoint),
    )
    for channel, path, task, index, kind, value in rows:
        found[channel].append(Write(path, task, index, kind or "", value or b""))
    return found


def write_sizes(
    connection: sqlite3.Connection, thread: str
) -> Iterator[tuple[str, str, int, int, int]]:
    """Yield namespace, channel, rows, bytes of values and of names of a thread's writes."""
    yield from connection.execute(
        "SELECT checkpoint_ns, channel, count(*), sum(length(CAST(value AS BLOB))), "
        "sum(length(thread_id) + length(checkpoint_ns) + length(checkpoint_id) + "
        "length(task_id) + length(channel)) FROM writes WHERE thread_id = ? GROUP BY 1, 2",
        (thread,),
    )


def path_column(connection: sqlite3.Connection) -> str:
    """Return the column of the writes' paths, or what stands for it in an old database."""
    columns = {row[1] for row in connection.execute("PRAGMA table_info(writes)")}
    return "task_path" if "task_path" in columns else "''"


def data_version(connection: sqlite3.Connection) -> int:
    """Return a number that is another one once somebody else has changed the database."""
    return connection.execute("PRAGMA data_version").fetchone()[0]


def fingerprint(connection: sqlite3.Connection, thread: str) -> bytes:
    """Return what is another one when any row of a thread has changed."""
    total = blake2b(digest_size=16)
    for query in (
        "SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, digest(checkpoint), "
        "digest(metadata) FROM checkpoints WHERE thread_id = ? ORDER BY 1, 2",
        "SELECT checkpoint_ns, checkpoint_id, task_id, idx, channel, type, digest(value) "
        "FROM writes WHERE thread_id = ? ORDER BY 1, 2, 3, 4",
    ):
        for row in connection.execute(query, (thread,)):
            total.update(repr(row).encode("utf-8", "surrogatepass"))
    return total.digest()
