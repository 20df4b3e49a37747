"""Where cases keep threads: savers in SQLite and Postgres, and the same rows written by hand.

A floor writes what upstream's saver has stored: the rows are taken from its tables after a run, in
transactions of one superstep each. Stored together are the writes of the tasks of a superstep and
the checkpoint that follows.
"""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from benches.compare.cases.base import POSTGRES

Row = tuple[Any, ...]
Transaction = list[tuple[str, list[Row]]]
"""Statements and their rows; the first column is the thread."""


class Sqlite:
    """A database in a file of its own. Whoever commits waits for the disk."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self.connection = self.connect()

    def connect(self) -> sqlite3.Connection:
        """Another connection."""
        return sqlite3.connect(self._path(), check_same_thread=False)

    def saver(self) -> Any:
        """The saver of whatever `langgraph` is here."""
        from langgraph.checkpoint.sqlite import SqliteSaver

        saver = SqliteSaver(self.connection)
        saver.setup()
        return saver

    async def asaver(self) -> Any:
        """The same for asyncio, on a connection of its own."""
        import aiosqlite
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        connection = aiosqlite.connect(self._path())
        thread: Any = getattr(connection, "_thread", connection)
        thread.daemon = True
        saver = AsyncSqliteSaver(connection)
        await saver.setup()
        return saver

    def transactions(self, thread: str) -> list[Transaction]:
        """What a saver has stored of a thread, superstep by superstep."""
        checkpoints = self._rows("checkpoints", thread)
        writes = self._rows("writes", thread)
        # The third column is the checkpoint, the fourth of a checkpoint the one before it.
        return [
            [
                ("INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?)", [checkpoint]),
                (
                    "INSERT INTO writes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [write for write in writes if write[2] == checkpoint[3]],
                ),
            ]
            for checkpoint in checkpoints
        ]

    def write(self, transaction: Transaction, thread: str) -> None:
        """Store a transaction by hand, as another thread's."""
        with self.connection as connection:
            for statement, rows in transaction:
                connection.executemany(statement, [(thread, *row[1:]) for row in rows])

    def forget(self, threads: list[str]) -> None:
        """Delete threads."""
        with self.connection as connection:
            for table in ("checkpoints", "writes"):
                rows = [(thread,) for thread in threads]
                connection.executemany(f"DELETE FROM {table} WHERE thread_id = ?", rows)

    def forget_after(self, checkpoint: str) -> None:
        """Delete what has come after a checkpoint, in all threads."""
        with self.connection as connection:
            connection.execute("DELETE FROM checkpoints WHERE checkpoint_id > ?", (checkpoint,))
            connection.execute("DELETE FROM writes WHERE checkpoint_id >= ?", (checkpoint,))

    def _rows(self, table: str, thread: str) -> list[Row]:
        chosen = f"SELECT * FROM {table} WHERE thread_id = ? ORDER BY checkpoint_id"
        return self.connection.execute(chosen, (thread,)).fetchall()

    def _path(self) -> Path:
        return Path(self._folder.name) / "threads.sqlite"


class Postgres:
    """An empty database on the server that the environment names."""

    def __init__(self) -> None:
        import psycopg

        if POSTGRES not in os.environ:
            raise LookupError("there is no PostgreSQL")
        server, name = os.environ[POSTGRES], f"bench{uuid4().hex}"
        with psycopg.connect(f"{server}postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        self._address = server + name
        self.connection = psycopg.connect(self._address, **_options())
        self.saver()

    def saver(self) -> Any:
        """The saver of whatever `langgraph` is here."""
        from langgraph.checkpoint.postgres import PostgresSaver

        saver = PostgresSaver(self.connection)
        saver.setup()
        return saver

    def asaver(self, connections: Any) -> Any:
        """The same for asyncio, on a connection or a pool that is open."""
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

        return AsyncPostgresSaver(connections)

    async def aconnect(self) -> Any:
        """A connection for asyncio."""
        import psycopg

        return await psycopg.AsyncConnection.connect(self._address, **_options())

    async def apool(self, size: int) -> Any:
        """A pool of connections for asyncio, all of them open."""
        from psycopg_pool import AsyncConnectionPool

        options: Any = {"kwargs": _options(), "open": False}
        pool = AsyncConnectionPool(self._address, min_size=size, max_size=size, **options)
        await pool.open(wait=True)
        return pool

    def transactions(self, thread: str) -> list[Transaction]:
        """What a saver has stored of a thread, superstep by superstep."""
        fetch = _Fetch(self.connection, thread)
        checkpoints = fetch("checkpoints", "checkpoint_id")
        writes = fetch("checkpoint_writes", "checkpoint_id")
        blobs = fetch("checkpoint_blobs", "version")
        seen: set[tuple[str, str]] = set()
        found = []
        for checkpoint in checkpoints:
            versions = set(checkpoint["checkpoint"]["channel_versions"].items()) - seen
            seen |= versions
            found.append(
                [
                    _insert("checkpoints", [checkpoint]),
                    _insert(
                        "checkpoint_writes",
                        [
                            write
                            for write in writes
                            if write["checkpoint_id"] == checkpoint["parent_checkpoint_id"]
                        ],
                    ),
                    _insert(
                        "checkpoint_blobs",
                        [blob for blob in blobs if (blob["channel"], blob["version"]) in versions],
                    ),
                ]
            )
        return found

    def write(self, transaction: Transaction, thread: str) -> None:
        """Store a transaction by hand, as another thread's, without waiting in between."""
        with self.connection.pipeline(), self.connection.transaction():
            with self.connection.cursor() as cursor:
                for statement, rows in transaction:
                    if rows:
                        cursor.executemany(statement, [(thread, *row[1:]) for row in rows])

    async def awrite(self, connection: Any, transaction: Transaction, thread: str) -> None:
        """The same on a connection for asyncio."""
        async with connection.pipeline(), connection.transaction():
            async with connection.cursor() as cursor:
                for statement, rows in transaction:
                    if rows:
                        await cursor.executemany(statement, [(thread, *row[1:]) for row in rows])

    def forget(self, threads: list[str]) -> None:
        """Delete threads."""
        for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes"):
            chosen = f"DELETE FROM {table} WHERE thread_id = ANY(%s)"
            self.connection.execute(chosen, (threads,))

    def forget_after(self, checkpoint: str) -> None:
        """Delete what has come after a checkpoint, in all threads."""
        for table, sign in (("checkpoints", ">"), ("checkpoint_writes", ">=")):
            chosen = f"DELETE FROM {table} WHERE checkpoint_id {sign} %s"
            self.connection.execute(chosen, (checkpoint,))
        newest = "SELECT checkpoint FROM checkpoints WHERE checkpoint_id = %s"
        (found,) = self.connection.execute(newest, (checkpoint,)).fetchall()
        for channel, version in found["checkpoint"]["channel_versions"].items():
            chosen = "DELETE FROM checkpoint_blobs WHERE channel = %s AND version > %s"
            self.connection.execute(chosen, (channel, version))


class _Fetch:
    """The rows of a table that are of a thread."""

    def __init__(self, connection: Any, thread: str) -> None:
        self._connection, self._thread = connection, thread

    def __call__(self, table: str, order: str) -> list[dict[str, Any]]:
        chosen = f"SELECT * FROM {table} WHERE thread_id = %s ORDER BY {order}"
        return self._connection.execute(chosen, (self._thread,)).fetchall()


def _insert(table: str, rows: list[dict[str, Any]]) -> tuple[str, list[Row]]:
    """The statement and what it takes; objects as the texts that a saver sends."""
    columns = [*rows[0]] if rows else []
    places = ", ".join("%s" for _ in columns)
    sent = [
        tuple(json.dumps(v) if isinstance(v, dict) else v for v in row.values()) for row in rows
    ]
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", sent


def _options() -> dict[str, Any]:
    from psycopg.rows import dict_row

    return {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
