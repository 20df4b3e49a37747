"""The store for asyncio programs: SQLite in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Any

from langgraph_rust.checkpoint._extras import missing

try:
    import aiosqlite
except ModuleNotFoundError as error:
    raise missing(error, __name__) from error

from langgraph_rust.checkpoint.base._asweep import AsyncSwept
from langgraph_rust.checkpoint.base._sweep import Notices
from langgraph_rust.checkpoint.sqlite._commits import Commits, read
from langgraph_rust.checkpoint.sqlite.aio import connect
from langgraph_rust.store.base import Op, Result, TTLConfig
from langgraph_rust.store.base.batch import AsyncBatchedBaseStore
from langgraph_rust.store.sqlite._queries import sweep
from langgraph_rust.store.sqlite.base import (
    BaseSqliteStore,
    SqliteIndexConfig,
    _ensure_index_config,
)

__all__ = ("AsyncSqliteStore",)


class AsyncSqliteStore(AsyncBatchedBaseStore, BaseSqliteStore, AsyncSwept):
    """Keeps items in a SQLite database, in tables that LangGraph's own store shares.

    As `SqliteStore`, for asyncio: the database is used in the connection's thread. What is asked
    for in one tick of the event loop is one batch, with one trip there. The sync methods work in
    other threads than the event loop's. Must be created on a running event loop.

    Args:
        conn: The connection of `aiosqlite`.
        deserializer: Makes a value of what is stored, which is JSON; `orjson.loads` if left out.
        index: What to embed and how; needs sqlite-vec.
        ttl: How items expire.

    Example:
        ```python
        async with AsyncSqliteStore.from_conn_string("memories.sqlite") as store:
            await store.aput(("users", "123"), "prefs", {"theme": "dark"})
            (await store.aget(("users", "123"), "prefs")).value  # {"theme": "dark"}
        ```
    """

    supports_ttl = True
    """Items may expire."""
    _notices = Notices(logging.getLogger("langgraph.store.sqlite.aio"), "store", "items")

    def __init__(
        self,
        conn: aiosqlite.Connection,
        *,
        deserializer: Callable[[Any], dict[str, Any]] | None = None,
        index: SqliteIndexConfig | None = None,
        ttl: TTLConfig | None = None,
    ) -> None:
        super().__init__()
        self._deserializer = deserializer
        self.embeddings, self.index_config = _ensure_index_config(index)
        self.ttl_config = ttl
        self.conn = conn
        self.lock = asyncio.Lock()
        self.loop = asyncio.get_running_loop()
        self.is_setup = False
        self._commits = Commits()

    @classmethod
    @asynccontextmanager
    async def from_conn_string(
        cls,
        conn_string: str,
        *,
        index: SqliteIndexConfig | None = None,
        ttl: TTLConfig | None = None,
    ) -> AsyncIterator[AsyncSqliteStore]:
        """Open a database for as long as an `async with` block lasts; then a sweeper stops, too.

        A process that ends within the block is not kept by the connection's thread.

        Args:
            conn_string: Path of the file, or `":memory:"`.
            index: As for the class.
            ttl: As for the class.
        """
        async with connect(conn_string, isolation_level=None) as conn:
            store = cls(conn, index=index, ttl=ttl)
            try:
                yield store
            finally:
                await store.stop_ttl_sweeper()

    async def __aenter__(self) -> AsyncSqliteStore:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        """Tell the sweeper to stop, without waiting for it."""
        self._tell_sweeper_to_stop()

    async def setup(self) -> None:
        """Make the tables, or bring them up to date. Called when needed.

        Raises:
            ImportError: there is an index, and no sqlite-vec.
            sqlite3.Error: the database cannot be used, or there is an index and this Python's
                SQLite loads no extensions.
        """
        async with self.lock:
            if not self.is_setup:
                if self.conn._connection is None:
                    await self.conn
                await self._trip(self._set_up)
                self.is_setup = True

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out operations in one transaction. Reads see the state before, puts apply after.

        Raises:
            ValueError: an operation, a namespace or a filter that cannot be, or the embedding
                function did not return one vector for each text.
            TypeError: JSON cannot carry a value.
            sqlite3.Error: the database cannot be used. Then, as always, nothing was stored.
        """
        await self._ready()
        batch = self._prepare(ops)
        if batch.texts and self.embeddings:
            batch.embed(await self.embeddings.aembed_documents(batch.texts))
        if batch.writes:
            await self._commits.astore(batch.run, self.lock, self._trip)
        else:
            async with self.lock:
                await self._trip(partial(read, work=batch.run))
        return batch.results(self._deserializer)

    async def sweep_ttl(self) -> int:
        """Delete the items that have expired; return how many."""
        await self._ready()
        count = 0

        def work(connection: sqlite3.Connection) -> None:
            nonlocal count
            count = sweep(connection, has_vectors=self._has_vectors)

        await self._commits.astore(work, self.lock, self._trip)
        return count

    # --- helpers ---

    async def _ready(self) -> None:
        if not self.is_setup:
            await self.setup()

    async def _trip(self, work: Callable[[sqlite3.Connection], Any]) -> None:
        """Call `work` in the connection's thread with what `sqlite3` has, to oneself."""
        await self.conn._execute(lambda: work(self.conn._conn))
