"""Checkpoints and writes as rows, and the statements that they go through.

Everything here that takes a connection runs in the thread that has it; nothing decodes or encodes
meanwhile but what a walk up a thread's history has to look at.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph_rust.checkpoint._writing.writer import sign
from langgraph_rust.checkpoint.base import (
    WRITES_IDX_MAP,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_metadata,
    writes_sort_key,
)
from langgraph_rust.checkpoint.serde._channels import (
    dump_channel,
    dump_checkpoint,
    in_checkpoint,
    load_channel,
    load_checkpoint,
)
from langgraph_rust.checkpoint.serde.base import SerializerProtocol

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

Row = tuple[Any, ...]
Work = Callable[[sqlite3.Connection], Any]

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS checkpoints (
        thread_id TEXT NOT NULL,
        checkpoint_ns TEXT NOT NULL DEFAULT '',
        checkpoint_id TEXT NOT NULL,
        parent_checkpoint_id TEXT,
        type TEXT,
        checkpoint BLOB,
        metadata BLOB,
        PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
    );
    CREATE TABLE IF NOT EXISTS writes (
        thread_id TEXT NOT NULL,
        checkpoint_ns TEXT NOT NULL DEFAULT '',
        checkpoint_id TEXT NOT NULL,
        task_id TEXT NOT NULL,
        task_path TEXT NOT NULL DEFAULT '',
        idx INTEGER NOT NULL,
        channel TEXT NOT NULL,
        type TEXT,
        value BLOB,
        PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
    );
"""

_COLUMNS = (
    "thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata"
)
_PUT = f"INSERT OR REPLACE INTO checkpoints ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
_PUT_WRITE = (
    "INTO writes (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, "
    "value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def set_up(connection: sqlite3.Connection) -> str:
    """Make the tables unless they are there; return the column of the writes' paths.

    That is an empty text for a database from before the column that cannot be written to.
    """
    # Whatever the caller has begun: the mode cannot change within it.
    connection.commit()
    connection.execute("PRAGMA journal_mode=WAL")
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if not {"checkpoints", "writes"} <= tables:
        connection.executescript(_SCHEMA)
    columns = {row[1] for row in connection.execute("PRAGMA table_info(writes)")}
    if "task_path" in columns:
        return "task_path"
    try:
        connection.execute("ALTER TABLE writes ADD COLUMN task_path TEXT NOT NULL DEFAULT ''")
    except sqlite3.OperationalError as error:
        if "readonly database" in str(error):
            return "''"
        # Another process may have been quicker.
        if "duplicate column name" not in str(error):
            raise
    connection.commit()
    return "task_path"


# --- storing ---


def checkpoint_row(
    serde: SerializerProtocol,
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
) -> Row:
    """Encode a checkpoint."""
    configurable = config["configurable"]
    merged = sign(get_checkpoint_metadata(config, metadata), configurable)
    return (
        str(configurable["thread_id"]),
        configurable["checkpoint_ns"],
        checkpoint["id"],
        configurable.get("checkpoint_id"),
        *dump_checkpoint(serde, checkpoint),
        json.dumps(merged, ensure_ascii=False).encode("utf-8", "ignore"),
    )


class WriteRows(NamedTuple):
    """A task's writes."""

    replaces: bool
    """Whether they take the place of earlier ones; otherwise those stay."""
    rows: list[Row]


def write_rows(
    serde: SerializerProtocol,
    address: tuple[str, str, str],
    writes: Sequence[tuple[str, Any]],
    task_id: str,
    task_path: str,
) -> WriteRows:
    """Encode a task's writes on the checkpoint at `address`: thread, namespace, id."""
    rows = [
        (
            *(*address, task_id, task_path, WRITES_IDX_MAP.get(channel, index), channel),
            *dump_channel(serde, channel, value),
        )
        for index, (channel, value) in enumerate(writes)
    ]
    return WriteRows(all(channel in WRITES_IDX_MAP for channel, _ in writes), rows)


def address(config: RunnableConfig) -> tuple[str, str, str]:
    """Return thread, namespace and checkpoint that a config names."""
    configurable = config["configurable"]
    return (
        str(configurable["thread_id"]),
        str(configurable.get("checkpoint_ns", "")),
        str(configurable.get("checkpoint_id") or ""),
    )


def place(config: RunnableConfig) -> tuple[str, str, str]:
    """Return the same of a config that must name them.

    Raises:
        KeyError: it does not.
    """
    configurable = config["configurable"]
    names = "thread_id", "checkpoint_ns", "checkpoint_id"
    thread_id, checkpoint_ns, checkpoint_id = (str(configurable[name]) for name in names)
    return thread_id, checkpoint_ns, checkpoint_id


def superstep_rows(
    serde: SerializerProtocol, config: RunnableConfig, writes: Iterable[tuple[Any, ...]]
) -> list[WriteRows]:
    """Encode what `put_superstep` is given besides the checkpoint."""
    configurable = config["configurable"]
    thread = str(configurable["thread_id"]), configurable["checkpoint_ns"]
    return [
        write_rows(serde, (*thread, before), own, task_id, task_path)
        for before, task_id, task_path, own in writes
    ]


def store(writes: Iterable[WriteRows], checkpoint: Row | None = None) -> Work:
    """Return what stores rows, writes before the checkpoint, as a part of a transaction."""

    def work(connection: sqlite3.Connection) -> None:
        for replaces, rows in writes:
            connection.executemany(
                f"INSERT OR {'REPLACE' if replaces else 'IGNORE'} {_PUT_WRITE}", rows
            )
        if checkpoint is not None:
            connection.execute(_PUT, checkpoint)

    return work


def delete_thread(thread_id: str) -> Work:
    """Return what deletes all rows of a thread."""

    def work(connection: sqlite3.Connection) -> None:
        for table in ("checkpoints", "writes"):
            connection.execute(f"DELETE FROM {table} WHERE thread_id = ?", (thread_id,))

    return work


def check_connection(saver: str, package: str, conn: object) -> None:
    """Look whether what a saver is given may be a connection.

    Args:
        saver: Its class.
        package: What has such connections.
        conn: What was given.

    Raises:
        TypeError: it is the path of a file.
    """
    if isinstance(conn, (str, bytes, os.PathLike)):
        raise TypeError(
            f"{saver} takes a connection of {package}, not the path {conn!r}. Open the file with "
            f"{saver}.from_conn_string({os.fsdecode(conn)!r}), in a `with` block"
        )


def copy_thread(source: str, target: str) -> Work:
    """Return what copies all rows of a thread to another; rows that are there already stay."""
    own = "checkpoint_ns, checkpoint_id"
    tables = {
        "checkpoints": f"{own}, parent_checkpoint_id, type, checkpoint, metadata",
        "writes": f"{own}, task_id, task_path, idx, channel, type, value",
    }

    def work(connection: sqlite3.Connection) -> None:
        for table, columns in tables.items():
            connection.execute(
                f"INSERT OR IGNORE INTO {table} (thread_id, {columns}) "
                f"SELECT ?, {columns} FROM {table} WHERE thread_id = ?",
                (target, source),
            )

    return work


# --- reading ---


class Found(NamedTuple):
    """A stored checkpoint and the writes on it, not decoded."""

    checkpoint: Row
    writes: list[Row]


def find(
    connection: sqlite3.Connection,
    thread_id: str,
    checkpoint_ns: str,
    checkpoint_id: str | None,
    task_path: str,
) -> Found | None:
    """Read the checkpoint with this id, or else the newest."""
    query = f"SELECT {_COLUMNS} FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = ? "
    if checkpoint_id:
        query, parameters = query + "AND checkpoint_id = ?", (checkpoint_id,)
    else:
        query, parameters = query + "ORDER BY checkpoint_id DESC LIMIT 1", ()
    row = connection.execute(query, (thread_id, checkpoint_ns, *parameters)).fetchone()
    return row and Found(row, _writes_on(connection, row, task_path))


def search(
    connection: sqlite3.Connection, where: str, parameters: Sequence[Any], limit: int | None
) -> list[Row]:
    """Return thread, namespace and id of the checkpoints that fulfil a condition, newest first."""
    query = (
        "SELECT thread_id, checkpoint_ns, checkpoint_id FROM checkpoints "
        f"{where} ORDER BY checkpoint_id DESC"
    )
    if limit is not None:
        query, parameters = f"{query} LIMIT ?", (*parameters, limit)
    return connection.execute(query, parameters).fetchall()


def read(connection: sqlite3.Connection, keys: Iterable[Row], task_path: str) -> list[Found]:
    """Read checkpoints; those that are gone are left out."""
    found = (find(connection, thread_id, ns, own, task_path) for thread_id, ns, own in keys)
    return [checkpoint for checkpoint in found if checkpoint]


def _writes_on(connection: sqlite3.Connection, row: Row, task_path: str) -> list[Row]:
    query = (
        f"SELECT {task_path}, task_id, idx, channel, type, value FROM writes "
        "WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?"
    )
    return connection.execute(query, row[:3]).fetchall()


def decoded(
    serde: SerializerProtocol, found: Found, config: RunnableConfig | None = None
) -> CheckpointTuple:
    """Decode; `config` is the one that was asked with, if it named the checkpoint.

    Raises:
        StoredValueError: something cannot be read; it says what, of which checkpoint.
    """
    try:
        return _decoded(serde, found, config)
    except ValueError as error:
        raise in_checkpoint(error, found.checkpoint[:3]) from error.__cause__


def _decoded(
    serde: SerializerProtocol, found: Found, config: RunnableConfig | None
) -> CheckpointTuple:
    thread_id, checkpoint_ns, own_id, parent_id, kind, checkpoint, metadata = found.checkpoint
    writes = sorted(found.writes, key=lambda write: writes_sort_key(*write[:3]))
    return CheckpointTuple(
        config or address_of(thread_id, checkpoint_ns, own_id),
        load_checkpoint(serde, (kind, checkpoint)),
        {} if metadata is None else json.loads(metadata),
        address_of(thread_id, checkpoint_ns, parent_id) if parent_id else None,
        [
            (task_id, channel, load_channel(serde, channel, (kind, value)))
            for _, task_id, _, channel, kind, value in writes
        ],
    )


def address_of(thread_id: str, checkpoint_ns: str, checkpoint_id: str) -> RunnableConfig:
    """Return the config that names a checkpoint."""
    return {
        "configurable": {
            "thread_id": thread_id,
            "checkpoint_ns": checkpoint_ns,
            "checkpoint_id": checkpoint_id,
        }
    }
