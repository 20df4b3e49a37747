"""A cache in a SQLite database, which several processes can share."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from langgraph_rust.cache.base import BaseCache, FullKey, Namespace, ValueT
from langgraph_rust.checkpoint.sqlite import _PATIENCE
from langgraph_rust.checkpoint.sqlite._commits import transact

if TYPE_CHECKING:
    from langgraph_rust.checkpoint.serde.base import SerializerProtocol

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS cache (
        ns TEXT,
        key TEXT,
        expiry REAL,
        encoding TEXT NOT NULL,
        val BLOB NOT NULL,
        PRIMARY KEY (ns, key)
    )
"""
_GET = "SELECT ns, key, expiry, encoding, val FROM cache WHERE ns = ? AND key = ?"
_SET = "INSERT OR REPLACE INTO cache (ns, key, expiry, encoding, val) VALUES (?, ?, ?, ?, ?)"
_DROP = "DELETE FROM cache WHERE ns = ? AND key = ? AND expiry < ?"


class SqliteCache(BaseCache[ValueT]):
    """Keeps encoded results in a SQLite database, in a table that LangGraph's own cache shares.

    The database is put into WAL mode. May be used from any thread; the async methods work in
    threads. Expired entries are dropped when they are asked for. A namespace is stored with commas
    between its labels.

    Args:
        path: Path of the file, or `":memory:"`.
        serde: Encodes values; a `JsonPlusSerializer` if left out.

    Raises:
        sqlite3.Error: the database cannot be used.
    """

    def __init__(self, *, path: str, serde: SerializerProtocol | None = None) -> None:
        super().__init__(serde=serde)
        self._lock = threading.RLock()
        self._conn = sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False)
        self._conn.execute("PRAGMA journal_mode=WAL")
        transact(self._conn, [lambda conn: conn.execute(_SCHEMA)])

    def __del__(self) -> None:
        # It is missing if the database could not be opened.
        with suppress(AttributeError, sqlite3.Error):
            self._conn.close()

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Return the values of those keys that are cached, each decoded anew."""
        now = time.time()
        rows: list[tuple[FullKey, tuple[str, str, float | None, str, bytes]]] = []
        with self._lock, closing(self._conn.cursor()) as cursor:
            for namespace, key in keys:
                row = cursor.execute(_GET, (_text(namespace), key)).fetchone()
                if row is not None:
                    rows.append(((tuple(namespace), key), row))
        found: dict[FullKey, ValueT] = {}
        expired: list[tuple[str, str, float]] = []
        for full_key, (namespace, key, expiry, encoding, value) in rows:
            if expiry is not None and now > expiry:
                expired.append((namespace, key, now))
            else:
                found[full_key] = self.serde.loads_typed((encoding, value))
        # Unless somebody has cached it anew meanwhile.
        self._write(_DROP, expired)
        return found

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Asynchronous `get`."""
        return await asyncio.to_thread(self.get, keys)

    def set(self, mapping: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:  # type: ignore[override]
        """Store values, each with its time to live in seconds, or `None` to keep it for good.

        All are stored, or none.
        """
        now = time.time()
        self._write(
            _SET,
            [
                (
                    _text(namespace),
                    key,
                    None if ttl is None else now + ttl,
                    *self.serde.dumps_typed(value),
                )
                for (namespace, key), (value, ttl) in mapping.items()
            ],
        )

    async def aset(self, mapping: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:  # type: ignore[override]
        """Asynchronous `set`."""
        await asyncio.to_thread(self.set, mapping)

    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Delete the entries of the given namespaces, or all entries if `None`."""
        if namespaces is None:
            self._write("DELETE FROM cache", [()])
        else:
            self._write("DELETE FROM cache WHERE ns = ?", [(_text(own),) for own in namespaces])

    async def aclear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Asynchronous `clear`."""
        await asyncio.to_thread(self.clear, namespaces)

    def _write(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            with self._lock:
                transact(self._conn, [lambda conn: conn.executemany(statement, rows)])


def _text(namespace: Namespace) -> str:
    return ",".join(namespace)
