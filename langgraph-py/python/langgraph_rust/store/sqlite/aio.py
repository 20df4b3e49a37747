"""The store for asyncio programs: SQLite in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import weakref
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Any

import aiosqlite

from langgraph_rust.checkpoint.sqlite._commits import Commits, read
from langgraph_rust.checkpoint.sqlite.aio import connect
from langgraph_rust.store.base import Op, Result, TTLConfig
from langgraph_rust.store.base.batch import AsyncBatchedBaseStore
from langgraph_rust.store.sqlite._queries import sweep
from langgraph_rust.store.sqlite._sweeper import log_swept
from langgraph_rust.store.sqlite.base import (
    BaseSqliteStore,
    SqliteIndexConfig,
    _ensure_index_config,
)

__all__ = ("AsyncSqliteStore",)

logger = logging.getLogger("langgraph.store.sqlite.aio")


class AsyncSqliteStore(AsyncBatchedBaseStore, BaseSqliteStore):
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
        self._ttl_sweeper_task: asyncio.Task[None] | None = None
        self._ttl_stop_event = asyncio.Event()

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
        self._ttl_stop_event.set()

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

    async def start_ttl_sweeper(
        self, sweep_interval_minutes: int | None = None
    ) -> asyncio.Task[None]:
        """Have expired items deleted from time to time.

        Args:
            sweep_interval_minutes: Minutes in between; the configuration's, or else 5, if left out.

        Returns:
            The task that does it; cancelling it stops it. Without a configuration nothing is swept,
            and the task ends at once.
        """
        if not self.ttl_config:
            return asyncio.create_task(asyncio.sleep(0))
        if self._ttl_sweeper_task is not None and not self._ttl_sweeper_task.done():
            return self._ttl_sweeper_task
        self._ttl_stop_event.clear()
        seconds = self._sweep_seconds(sweep_interval_minutes)
        logger.info("Starting store TTL sweeper with interval %s minutes", seconds / 60)
        sweeping = _sweep(weakref.ref(self), self._ttl_stop_event, seconds)
        self._ttl_sweeper_task = asyncio.create_task(sweeping, name="ttl_sweeper")
        return self._ttl_sweeper_task

    async def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """End the task that `start_ttl_sweeper` began, if there is one.

        Args:
            timeout: Seconds to wait for it, after which it is cancelled; `None` to wait until it
                has ended.

        Returns:
            Whether it has ended in time.
        """
        task = self._ttl_sweeper_task
        if task is None or task.done():
            return True
        logger.info("Stopping TTL sweeper task")
        self._ttl_stop_event.set()
        done, _ = await asyncio.wait([task], timeout=timeout)
        if not done:
            task.cancel()
            logger.warning("Timed out waiting for TTL sweeper task to stop")
            return False
        self._ttl_sweeper_task = None
        logger.info("TTL sweeper task stopped")
        return True

    # --- helpers ---

    async def _ready(self) -> None:
        if not self.is_setup:
            await self.setup()

    async def _trip(self, work: Callable[[sqlite3.Connection], Any]) -> None:
        """Call `work` in the connection's thread with what `sqlite3` has, to oneself."""
        await self.conn._execute(lambda: work(self.conn._conn))


async def _sweep(
    store_ref: weakref.ref[AsyncSqliteStore], stop: asyncio.Event, seconds: float
) -> None:
    while not await _is_set_within(stop, seconds) and (store := store_ref()):
        try:
            log_swept(await store.sweep_ttl())
        except asyncio.CancelledError:
            return
        except Exception:
            logger.exception("Store TTL sweep iteration failed")
        # Holding on to it while waiting would keep it alive for ever.
        del store


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except asyncio.TimeoutError:
        return False
    return True
