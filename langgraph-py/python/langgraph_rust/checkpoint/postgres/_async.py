"""Talking to Postgres from an event loop: whose connection, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import psycopg
from psycopg import AsyncConnection, AsyncCursor, AsyncPipeline, Capabilities
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool
from typing_extensions import Self

from langgraph_rust.checkpoint.base._aexpiry import AsyncExpiring
from langgraph_rust.checkpoint.base._expiry import chunks, limit
from langgraph_rust.checkpoint.base._failed import name_place
from langgraph_rust.checkpoint.postgres import _ainternal, _expiry, _plans, _single_writer
from langgraph_rust.checkpoint.postgres._advice import SAVERS, explained
from langgraph_rust.checkpoint.postgres._arrays import make_known
from langgraph_rust.checkpoint.postgres._plans import Batch, Plan, T
from langgraph_rust.checkpoint.postgres.base import BasePostgresSaver
from langgraph_rust.checkpoint.serde.base import SerializerProtocol

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint._writing.claim import Claim


class AsyncPostgres(BasePostgresSaver, AsyncExpiring):
    """A saver on a connection, which one call at a time has, or a pool, without a lock around."""

    lock: asyncio.Lock

    def __init__(
        self,
        conn: _ainternal.Conn,
        pipe: AsyncPipeline | None = None,
        serde: SerializerProtocol | None = None,
    ) -> None:
        super().__init__(serde=serde)
        if isinstance(conn, AsyncConnectionPool) and pipe is not None:
            raise ValueError(
                "Pipeline should be used only with a single AsyncConnection, "
                "not AsyncConnectionPool."
            )
        self.conn = conn
        self.pipe = pipe
        self.lock = asyncio.Lock()
        self.loop = asyncio.get_running_loop()
        self.supports_pipeline = Capabilities().has_pipeline()

    @classmethod
    @asynccontextmanager
    async def from_conn_string(
        cls,
        conn_string: str,
        *,
        pipeline: bool = False,
        serde: SerializerProtocol | None = None,
    ) -> AsyncIterator[Self]:
        """Connect for as long as an `async with` block lasts.

        Args:
            conn_string: How to connect, in libpq's form: `postgres://...` or `host=... dbname=...`.
            pipeline: Whether the connection is in pipeline mode all the time.
            serde: Encodes values; a `JsonPlusSerializer` if left out.
        """
        async with await AsyncConnection[DictRow].connect(
            conn_string, autocommit=True, prepare_threshold=0, row_factory=dict_row
        ) as conn:
            async with conn.pipeline() if pipeline else nullcontext() as pipe:
                saver = cls(conn, pipe, serde)
                try:
                    yield saver
                finally:
                    await saver.stop_ttl_sweeper()

    async def setup(self) -> None:
        """Make the tables, or bring them up to date. To be called once before a database is used.

        Several processes may do so at the same time.

        Raises:
            psycopg.Error: the database cannot be used, or the connection is in a transaction:
                indexes are made outside of one, so it must have `autocommit=True`.
        """
        for tries_left in reversed(range(_plans.TRIES)):
            try:
                return await self._write(_plans.migrate(self.MIGRATIONS))
            except _plans.RACES:
                if not tries_left:
                    raise

    async def adelete_expired(self, ttl: timedelta, *, now: datetime | None = None) -> list[str]:
        """Delete the threads that nobody has gone on with for some time; return their ids.

        See `PostgresSaver.delete_expired`.
        """
        below, deleted = limit(ttl, now), []
        for chunk in chunks(await self._read(partial(_expiry.find, self._CHECKPOINT_ID, below))):
            plan = _expiry.delete(self._CHECKPOINT_ID, chunk, below)
            deleted += await self._write(plan, transaction=True)
        return deleted

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        """Give a cursor; with `pipeline`, what is executed on it is one transaction."""
        is_single = not isinstance(self.conn, AsyncConnectionPool)
        with explained(SAVERS):
            async with (
                self.lock if is_single else nullcontext(),
                _ainternal.get_connection(self.conn) as conn,
            ):
                if is_single and conn.closed:
                    raise psycopg.OperationalError(
                        _plans.lost(type(self).__name__, "AsyncConnectionPool")
                    )
                make_known(conn.adapters)
                async with (
                    self._piped() if self.pipe else self._transaction(conn, pipeline, is_single),
                    conn.cursor(binary=True, row_factory=dict_row) as cur,
                ):
                    yield cur

    @asynccontextmanager
    async def _piped(self) -> AsyncIterator[None]:
        """End what is executed with a sync, which also ends its transaction."""
        assert self.pipe is not None
        try:
            yield
        except BaseException:
            with suppress(psycopg.Error):
                await self.pipe.sync()
            raise
        await self.pipe.sync()

    def _transaction(
        self, conn: AsyncConnection[DictRow], pipeline: bool, is_single: bool
    ) -> AbstractAsyncContextManager[object]:
        if is_single and not conn.autocommit:
            # The transaction that psycopg begins would stay open, unless it is the caller's.
            if conn.info.transaction_status == TransactionStatus.IDLE:
                return conn.transaction()
        if not pipeline:
            return nullcontext()
        return conn.pipeline() if self.supports_pipeline else conn.transaction()

    async def _read(self, make: Callable[[], Plan[T]]) -> T:
        """Carry out a plan that stores nothing; again if a pool's connection was lost."""
        cur = None
        try:
            async with self._cursor() as cur:
                return await self._carry_out(cur, make())
        except psycopg.OperationalError:
            if cur is None or not cur.connection.closed or self.conn is cur.connection:
                raise
        async with self._cursor() as cur:
            return await self._carry_out(cur, make())

    async def _write(self, plan: Plan[T], *, transaction: bool = False) -> T:
        """Carry out a plan; with `transaction`, as one."""
        async with self._cursor() as cur:
            if not transaction:
                return await self._carry_out(cur, plan)
            if self.pipe:
                # What was sent before must not be part of it.
                await self.pipe.sync()
            if cur.connection.info.transaction_status != TransactionStatus.IDLE:
                return await self._carry_out(cur, plan)
            async with cur.connection.transaction():
                return await self._carry_out(cur, plan)

    async def _carry_out(self, cur: AsyncCursor[DictRow], plan: Plan[T]) -> T:
        try:
            statement = next(plan)
            while True:
                await cur.execute(statement.sql, statement.parameters, prepare=statement.prepare)
                rows = await cur.fetchall() if statement.fetch else ()
                if statement.ends_transaction and self.pipe:
                    await self.pipe.sync()
                statement = plan.send(rows)
        except StopIteration as end:
            return end.value

    async def _put(
        self,
        batches: list[Batch],
        config: RunnableConfig,
        made: str | None = None,
        claim: Claim | None = None,
    ) -> None:
        try:
            if claim is None:
                return await self._store(batches)
            if await self._store_if(batches, claim):
                return
        except psycopg.Error as error:
            name_place(error, config, made)
            raise
        raise await self._read(partial(_single_writer.explain, claim))

    async def _store(self, batches: list[Batch]) -> None:
        """Execute batches as one transaction."""
        if not batches:
            return
        if len(batches) == 1 and len(batches[0][1]) == 1:
            # One statement is a transaction, and all that is sent.
            async with self._cursor() as cur:
                await cur.execute(batches[0][0], batches[0][1][0])
            return
        async with self._cursor(pipeline=True) as cur, cur.connection.transaction():
            for sql, rows in batches:
                await cur.executemany(sql, rows)

    async def _store_if(self, batches: list[Batch], claim: Claim) -> bool:
        """Execute batches that were made with a claim as one transaction; tells if it may be."""
        if not batches:
            return True
        lock = _single_writer.lock_of(claim.thread_id)
        async with self._cursor() as cur:
            if len(batches) == 1:
                async with self._together(cur.connection):
                    await cur.execute(_single_writer.LOCK_SQL, lock)
                    await cur.execute(batches[0][0], batches[0][1][0])
                if self.pipe:
                    await self.pipe.sync()
                return cur.rowcount > 0
            async with cur.connection.transaction():
                await cur.execute(_single_writer.LOCK_SQL, lock)
                (guard, given), *rest = batches
                await cur.execute(guard, given[0])
                if await cur.fetchone() is None:
                    return False
                for sql, rows in rest:
                    await cur.executemany(sql, rows)
                return True

    def _together(self, conn: AsyncConnection[DictRow]) -> AbstractAsyncContextManager[object]:
        """Send what is executed within as one transaction, in one trip."""
        if self.pipe:
            return nullcontext()
        return conn.pipeline() if self.supports_pipeline else conn.transaction()
