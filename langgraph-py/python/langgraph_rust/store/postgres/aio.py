"""The store for asyncio programs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any, cast

from psycopg import AsyncConnection, AsyncCursor, AsyncPipeline
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from langgraph_rust.checkpoint.base._asweep import AsyncSwept
from langgraph_rust.checkpoint.base._sweep import Notices
from langgraph_rust.checkpoint.postgres import _ainternal
from langgraph_rust.store.base import Op, Result, TTLConfig
from langgraph_rust.store.base.batch import AsyncBatchedBaseStore
from langgraph_rust.store.postgres import _schema, _statements
from langgraph_rust.store.postgres._batch import Batch, Grouped
from langgraph_rust.store.postgres._index import pool_arguments
from langgraph_rust.store.postgres._statements import Statement
from langgraph_rust.store.postgres.base import (
    BasePostgresStore,
    PoolConfig,
    PostgresIndexConfig,
    Row,
    _decode_ns_bytes,
    _ensure_index_config,
    _group_ops,
    _row_to_item,
    _row_to_search_item,
)

if TYPE_CHECKING:
    from types import TracebackType

# The others are imported from here by other packages.
__all__ = (
    "AsyncPostgresStore",
    "PoolConfig",
    "PostgresIndexConfig",
    "Row",
    "_decode_ns_bytes",
    "_ensure_index_config",
    "_group_ops",
    "_row_to_item",
    "_row_to_search_item",
)


class AsyncPostgresStore(AsyncBatchedBaseStore, BasePostgresStore[_ainternal.Conn], AsyncSwept):
    """Keeps items in a Postgres database, in tables that LangGraph's own store shares.

    As `PostgresStore`, for asyncio: what is asked for in one tick of the event loop is one batch.
    The sync methods work in other threads than the event loop's.

    Args:
        conn: A connection or a pool, as for `PostgresStore`.
        pipe: The pipeline that the connection is in, if it is in one.
        deserializer: Makes a value of what the connection returns for JSON, unless that is a
            dictionary.
        index: What to embed and how.
        ttl: How items expire.

    Raises:
        ValueError: `index` cannot be used, or there is a pipeline with a pool.
        RuntimeError: there is no running event loop.

    Example:
        ```python
        async with AsyncPostgresStore.from_conn_string("postgresql://localhost/app") as store:
            await store.setup()
            await store.aput(("users", "123"), "prefs", {"theme": "dark"})
            await store.aget(("users", "123"), "prefs")
        ```
    """

    supports_ttl: bool = True
    """Items may expire."""
    _notices = Notices(logging.getLogger("langgraph.store.postgres.aio"), "store", "items")

    def __init__(
        self,
        conn: _ainternal.Conn,
        *,
        pipe: AsyncPipeline | None = None,
        deserializer: Callable[[Any], dict[str, Any]] | None = None,
        index: PostgresIndexConfig | None = None,
        ttl: TTLConfig | None = None,
    ) -> None:
        if isinstance(conn, AsyncConnectionPool) and pipe is not None:
            raise ValueError(
                "Pipeline should be used only with a single AsyncConnection, "
                "not AsyncConnectionPool."
            )
        super().__init__()
        self.lock = asyncio.Lock()
        self.loop = asyncio.get_running_loop()
        self._configure(conn, pipe, deserializer, index, ttl)

    @classmethod
    @asynccontextmanager
    async def from_conn_string(
        cls,
        conn_string: str,
        *,
        pipeline: bool = False,
        pool_config: PoolConfig | None = None,
        index: PostgresIndexConfig | None = None,
        ttl: TTLConfig | None = None,
    ) -> AsyncIterator[AsyncPostgresStore]:
        """Connect to a database for as long as an `async with` block lasts.

        Args:
            conn_string: Where it is: a URL or the `key=value` pairs of libpq.
            pipeline: Whether the connection stays in pipeline mode; means nothing with a pool.
            pool_config: Makes a pool instead of a connection.
            index: What to embed and how.
            ttl: How items expire.

        Raises:
            psycopg.OperationalError: it cannot be reached.
        """
        if pool_config is not None:
            async with AsyncConnectionPool(conn_string, **pool_arguments(pool_config)) as pool:
                yield cls(conn=cast("Any", pool), index=index, ttl=ttl)
            return
        connecting = AsyncConnection[DictRow].connect(
            conn_string, autocommit=True, prepare_threshold=0, row_factory=dict_row
        )
        async with await connecting as conn:
            if pipeline:
                async with conn.pipeline() as pipe:
                    yield cls(conn, pipe=pipe, index=index, ttl=ttl)
            else:
                yield cls(conn, index=index, ttl=ttl)

    async def __aenter__(self) -> AsyncPostgresStore:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        # The sweeper ends by itself.
        self._tell_sweeper_to_stop()

    async def setup(self) -> None:
        """Make the tables, or bring them up to date. Needed once for a database.

        Raises:
            ValueError: the index cannot be made of its configuration.
            psycopg.Error: the database does not allow it, or has no pgvector.
        """
        for statement in _schema.steps(self):
            try:
                await self._execute(statement)
            except _schema.MADE_MEANWHILE:
                await self._execute(statement)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out operations in one transaction; see `PostgresStore.batch`."""
        grouped, count = _group_ops(ops)
        results: list[Result] = [None] * count
        await self._execute_batch(grouped, results)
        return results

    async def sweep_ttl(self) -> int:
        """Delete what has expired, and return how many items that were."""
        counts: list[int] = []
        await self._execute(_statements.sweep(counts))
        return sum(counts)

    async def _execute_batch(
        self, grouped_ops: Grouped, results: list[Result], conn: Any = None
    ) -> None:
        # `conn` is what others pass who override or call this; the connection is `_cursor`'s.
        batch = Batch(self, grouped_ops)
        vectors: Sequence[Any] = ()
        if batch.texts and self.embeddings:
            vectors = await self.embeddings.aembed_documents(batch.texts)
        statements = batch.statements(vectors)
        if len(statements) == 1:
            await self._execute(statements[0], results)
        else:
            await self._execute_together(statements, results)

    async def _execute(self, statement: Statement, results: Any = ()) -> None:
        async with self._cursor() as cur:
            await cur.execute(statement.sql, statement.params, prepare=statement.prepare)
            rows = await cur.fetchall() if statement.answer else []
        if statement.answer:
            statement.answer(rows, results)

    async def _execute_together(
        self, statements: Sequence[Statement], results: list[Result]
    ) -> None:
        # The pipeline ends before anything is fetched: one trip to the server for all.
        async with self._cursor(pipeline=True) as cur:
            cursors = [cur.connection.cursor(binary=True, row_factory=dict_row) for _ in statements]
            for own, statement in zip(cursors, statements, strict=True):
                await own.execute(statement.sql, statement.params)
        for own, statement in zip(cursors, statements, strict=True):
            if statement.answer:
                statement.answer(await own.fetchall(), results)

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        """Give a cursor of a connection to oneself, which returns rows as dictionaries.

        With `pipeline`, what is executed is one transaction. Others override this.
        """
        lock = nullcontext() if isinstance(self.conn, AsyncConnectionPool) else self.lock
        with _schema.explained():
            async with lock, _ainternal.get_connection(self.conn) as conn:
                together = self._together(conn, pipeline) or nullcontext
                async with together(), conn.cursor(binary=True, row_factory=dict_row) as cur:
                    yield cur
