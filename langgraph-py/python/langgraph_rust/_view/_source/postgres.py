"""Threads in a Postgres database, which is only read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from langgraph_rust._storage.database import Database, Unusable
from langgraph_rust._storage.postgres import Postgres as Storage
from langgraph_rust._view._source.rows import as_metadata, in_order, namespaces_first, of_json
from langgraph_rust._view._source.source import (
    CheckpointRow,
    Held,
    NamespaceRow,
    Place,
    Stored,
    ThreadRow,
    Written,
)

# Ids are compared by their bytes, as they are by savers, whatever the database's language.
_ID = 'checkpoint_id COLLATE "C"'

_THREADS = f"""
SELECT thread_id, max({_ID}) AS newest, count(*) AS checkpoints FROM checkpoints
WHERE %(part)s = '' OR strpos(thread_id, %(part)s) > 0
GROUP BY thread_id
HAVING %(newest)s::text IS NULL
    OR (max({_ID}), thread_id COLLATE "C") < (%(newest)s, %(last)s)
ORDER BY newest DESC, thread_id COLLATE "C" DESC LIMIT %(limit)s
"""

_NAMESPACES = f"""
SELECT checkpoint_ns AS namespace, max({_ID}) AS newest, count(*) AS checkpoints
FROM checkpoints WHERE thread_id = %(thread)s GROUP BY 1
"""

_CHECKPOINTS = f"""
SELECT checkpoint_id, parent_checkpoint_id, pg_column_size(checkpoint) AS size, metadata,
    ARRAY(
        SELECT DISTINCT channel FROM checkpoint_writes w
        WHERE w.thread_id = c.thread_id AND w.checkpoint_ns = c.checkpoint_ns
            AND w.checkpoint_id = c.checkpoint_id AND w.idx < 0 ORDER BY 1
    ) AS marks
FROM checkpoints c WHERE thread_id = %(thread)s AND checkpoint_ns = %(namespace)s
    AND (%(before)s::text IS NULL OR {_ID} < %(before)s)
ORDER BY {_ID} DESC LIMIT %(limit)s
"""

_CHILDREN = f"""
SELECT checkpoint_id FROM checkpoints WHERE thread_id = %s AND checkpoint_ns = %s
    AND parent_checkpoint_id = %s ORDER BY {_ID}
"""

_CHECKPOINT = f"""
SELECT checkpoint_id, parent_checkpoint_id, pg_column_size(checkpoint) AS size,
    checkpoint, metadata
FROM checkpoints WHERE thread_id = %(thread)s AND checkpoint_ns = %(namespace)s
    AND (%(checkpoint)s = '' OR checkpoint_id = %(checkpoint)s)
ORDER BY {_ID} DESC LIMIT 1
"""

_BLOBS = """
SELECT b.channel, b.version, b.type, octet_length(b.blob) AS size
FROM unnest(%(channels)s::text[], %(versions)s::text[]) AS asked(channel, version)
JOIN checkpoint_blobs b ON b.thread_id = %(thread)s AND b.checkpoint_ns = %(namespace)s
    AND b.channel = asked.channel AND b.version = asked.version
WHERE b.type <> 'empty'
"""

_BLOB = """
SELECT blob FROM checkpoint_blobs
WHERE thread_id = %s AND checkpoint_ns = %s AND channel = %s AND version = %s
"""

_WRITES = """
SELECT task_path, task_id, idx, channel, type, octet_length(blob) AS size FROM checkpoint_writes
WHERE thread_id = %(thread)s AND checkpoint_ns = %(namespace)s
    AND checkpoint_id = %(checkpoint)s AND (%(channel)s::text IS NULL OR channel = %(channel)s)
"""

_WRITE = """
SELECT blob FROM checkpoint_writes WHERE thread_id = %s AND checkpoint_ns = %s
    AND checkpoint_id = %s AND task_id = %s AND idx = %s
"""

_TABLES = {"checkpoints", "checkpoint_blobs", "checkpoint_writes"}

_READS = "-c default_transaction_read_only=on"


class Postgres:
    """A database of Postgres, as a `Source`.

    Args:
        url: Where it is.

    Raises:
        Unusable: it cannot be reached, or holds no checkpoints.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self.name = _without_password(url)
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        found = self.ask(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_schema = ANY(current_schemas(false)) AND table_name = ANY(%s)",
            [*_TABLES],
        )
        if {row["table_name"] for row in found} != _TABLES:
            self.close()
            raise Unusable("the database holds no checkpoints: it has no tables of a PostgresSaver")

    def close(self) -> None:
        # A question may wait for whoever has locked a table.
        if (asked := self._connection) is not None:
            with suppress(psycopg.Error):
                asked.cancel_safe(timeout=1)
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _connect(self) -> psycopg.Connection[dict[str, Any]]:
        # What the URL asks for stays: it may say where the tables are.
        options = f"{conninfo_to_dict(self._url).get('options') or ''} {_READS}".strip()
        return psycopg.Connection[dict[str, Any]].connect(
            self._url, autocommit=True, row_factory=dict_row, options=options
        )

    def ask(self, sql: str, *parameters: Any, **named: Any) -> list[dict[str, Any]]:
        """Return the rows that a query gives; it may only read.

        Raises:
            Unusable: the database cannot be read now.
        """
        query: Any = sql
        with self._lock:
            try:
                if self._connection is None or self._connection.broken:
                    self._connection = self._connect()
                return self._connection.execute(query, named or parameters, binary=True).fetchall()
            except psycopg.Error as error:
                raise Unusable(f"the database cannot be read: {error}") from error

    # --- lists ---

    def threads(self, part: str, before: tuple[str, str] | None, limit: int) -> Sequence[ThreadRow]:
        newest, last = before or (None, None)
        rows = self.ask(_THREADS, part=part, newest=newest, last=last, limit=limit)
        return [ThreadRow(**_renamed(row, thread_id="thread")) for row in rows]

    def namespaces(self, thread: str) -> Sequence[NamespaceRow]:
        return namespaces_first(NamespaceRow(**row) for row in self.ask(_NAMESPACES, thread=thread))

    def checkpoints(
        self, thread: str, namespace: str, before: str | None, limit: int
    ) -> Sequence[CheckpointRow]:
        rows = self.ask(
            _CHECKPOINTS, thread=thread, namespace=namespace, before=before, limit=limit
        )
        return [
            CheckpointRow(
                row["checkpoint_id"],
                row["parent_checkpoint_id"],
                row["size"],
                as_metadata(row["metadata"]),
                tuple(row["marks"]),
            )
            for row in rows
        ]

    def children(self, place: Place) -> Sequence[str]:
        return [row["checkpoint_id"] for row in self.ask(_CHILDREN, *place)]

    # --- one ---

    def checkpoint(self, place: Place) -> Stored | None:
        rows = self.ask(_CHECKPOINT, **place._asdict())
        if not rows:
            return None
        row = rows[0]
        own = place._replace(checkpoint=row["checkpoint_id"])
        stored = Stored(own, row["parent_checkpoint_id"], as_metadata(row["metadata"]), row["size"])
        # What is small and simple is in the row itself.
        of_json(stored, row["checkpoint"])
        for blob in self.ask(
            _BLOBS,
            channels=[*stored.versions],
            versions=[*stored.versions.values()],
            thread=place.thread,
            namespace=place.namespace,
        ):
            key = *place[:2], blob["channel"], blob["version"]
            size = blob["size"] or 0
            stored.values[blob["channel"]] = Held(blob["type"], size, self._reader(_BLOB, *key))
            stored.size += size
        return stored

    def writes(self, place: Place, channel: str | None = None) -> Sequence[Written]:
        return in_order(
            Written(
                row["task_id"],
                row["task_path"],
                row["idx"],
                row["channel"],
                Held(
                    row["type"] or "null",
                    row["size"] or 0,
                    self._reader(_WRITE, *place, row["task_id"], row["idx"]),
                ),
            )
            for row in self.ask(_WRITES, **place._asdict(), channel=channel)
        )

    def _reader(self, query: str, *parameters: Any) -> Callable[[], bytes]:
        def read() -> bytes:
            rows = self.ask(query, *parameters)
            return bytes(rows[0]["blob"] or b"") if rows else b""

        return read

    def database(self) -> Database:
        return Storage(self._url)

    def mark(self) -> object:
        # Another one after each transaction of the server, which is often enough.
        return self.ask("SELECT pg_current_snapshot()::text AS mark")[0]["mark"]


def _renamed(row: dict[str, Any], **names: str) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in row.items()}


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    user = (parts.username or "") + "@" if parts.username else ""
    # What follows the question mark may have passwords as well.
    return urlunsplit((parts.scheme, user + host, parts.path, "", ""))
