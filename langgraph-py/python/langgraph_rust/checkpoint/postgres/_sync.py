"""Talking to Postgres from threads: whose connection, and for how long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import psycopg
from psycopg import Capabilities, Connection, Cursor, Pipeline
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool
from typing_extensions import Self

from langgraph_rust.checkpoint.base._expiry import Expiring, chunks, limit
from langgraph_rust.checkpoint.base._failed import name_place
from langgraph_rust.checkpoint.postgres import _expiry, _internal, _plans, _single_writer
from langgraph_rust.checkpoint.postgres._advice import SAVERS, explained
from langgraph_rust.checkpoint.postgres._arrays import make_known
from langgraph_rust.checkpoint.postgres._plans import Batch, Plan, T
from langgraph_rust.checkpoint.postgres.base import BasePostgresSaver
from langgraph_rust.checkpoint.serde.base import SerializerProtocol

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint._writing.claim import Claim


class SyncPostgres(BasePostgresSaver, Expiring):
    """A saver on a connection, which one call at a time has, or a pool, without a lock around."""

    lock: threading.Lock

    def __init__(
        self,
        conn: _internal.Conn,
        pipe: Pipeline | None = None,
        serde: SerializerProtocol | None = None,
    ) -> None:
        super().__init__(serde=serde)
        if isinstance(conn, ConnectionPool) and pipe is not None:
            raise ValueError(
                "Pipeline should be used only with a single Connection, not ConnectionPool."
            )
        self.conn = conn
        self.pipe = pipe
        self.lock = threading.Lock()
        self.supports_pipeline = Capabilities().has_pipeline()

    @classmethod
    @contextmanager
    def from_conn_string(cls, conn_string: str, *, pipeline: bool = False) -> Iterator[Self]:
        """Connect for as long as a `with` block lasts.

        Args:
            conn_string: How to connect, in libpq's form: `postgres://...` or `host=... dbname=...`.
            pipeline: Whether the connection is in pipeline mode all the time.
        """
        with Connection[DictRow].connect(
            conn_string, autocommit=True, prepare_threshold=0, row_factory=dict_row
        ) as conn:
            with conn.pipeline() if pipeline else nullcontext() as pipe:
                saver = cls(conn, pipe)
                try:
                    yield saver
                finally:
                    saver.stop_ttl_sweeper()

    def setup(self) -> None:
        """Make the tables, or bring them up to date. To be called once before a database is used.

        Several processes may do so at the same time.

        Raises:
            psycopg.Error: the database cannot be used, or the connection is in a transaction:
                indexes are made outside of one, so it must have `autocommit=True`.
        """
        for tries_left in reversed(range(_plans.TRIES)):
            try:
                return self._write(_plans.migrate(self.MIGRATIONS))
            except _plans.RACES:
                if not tries_left:
                    raise

    def delete_expired(self, ttl: timedelta, *, now: datetime | None = None) -> list[str]:
        """Delete the threads that nobody has gone on with for some time; return their ids.

        A thread's age is that of its newest checkpoint, in whichever namespace, by its id. One that
        becomes newer meanwhile stays: each is looked at again while nobody can store a checkpoint,
        which is for the time that a few threads take.

        Args:
            ttl: How old the newest checkpoint must be; much longer than a run takes.
            now: The time that ages are counted from; the clock's if left out.

        Raises:
            TypeError: `ttl` is no `timedelta`.
            ValueError: it is not positive, or `now` has no time zone.
            psycopg.errors.LockNotAvailable: somebody who stores did not end their transaction for a
                second. What was deleted before is; trying again is safe.
        """
        below, deleted = limit(ttl, now), []
        for chunk in chunks(self._read(partial(_expiry.find, self._CHECKPOINT_ID, below))):
            plan = _expiry.delete(self._CHECKPOINT_ID, chunk, below)
            deleted += self._write(plan, transaction=True)
        return deleted

    @contextmanager
    def _cursor(self, *, pipeline: bool = False) -> Iterator[Cursor[DictRow]]:
        """Give a cursor; with `pipeline`, what is executed on it is one transaction."""
        is_single = not isinstance(self.conn, ConnectionPool)
        with (
            explained(SAVERS),
            self.lock if is_single else nullcontext(),
            _internal.get_connection(self.conn) as conn,
        ):
            if is_single and conn.closed:
                raise psycopg.OperationalError(_plans.lost(type(self).__name__, "ConnectionPool"))
            _internal.settle(conn)
            make_known(conn.adapters)
            with (
                self._piped() if self.pipe else self._transaction(conn, pipeline, is_single),
                conn.cursor(binary=True, row_factory=dict_row) as cur,
            ):
                try:
                    yield cur
                except BaseException:
                    _internal.settle(conn)
                    raise

    @contextmanager
    def _piped(self) -> Iterator[None]:
        """End what is executed with a sync, which also ends its transaction."""
        assert self.pipe is not None
        try:
            yield
        except BaseException:
            with suppress(psycopg.Error):
                self.pipe.sync()
            raise
        self.pipe.sync()

    def _transaction(
        self, conn: Connection[DictRow], pipeline: bool, is_single: bool
    ) -> AbstractContextManager[object]:
        if is_single and not conn.autocommit:
            # The transaction that psycopg begins would stay open, unless it is the caller's.
            if conn.info.transaction_status == TransactionStatus.IDLE:
                return conn.transaction()
        if not pipeline:
            return nullcontext()
        return conn.pipeline() if self.supports_pipeline else conn.transaction()

    def _read(self, make: Callable[[], Plan[T]]) -> T:
        """Carry out a plan that stores nothing; again if a pool's connection was lost."""
        cur = None
        try:
            with self._cursor() as cur:
                return self._carry_out(cur, make())
        except psycopg.OperationalError:
            if cur is None or not cur.connection.closed or self.conn is cur.connection:
                raise
        with self._cursor() as cur:
            return self._carry_out(cur, make())

    def _write(self, plan: Plan[T], *, transaction: bool = False) -> T:
        """Carry out a plan; with `transaction`, as one."""
        with self._cursor() as cur:
            if not transaction:
                return self._carry_out(cur, plan)
            if self.pipe:
                # What was sent before must not be part of it.
                self.pipe.sync()
            if cur.connection.info.transaction_status != TransactionStatus.IDLE:
                return self._carry_out(cur, plan)
            with cur.connection.transaction():
                return self._carry_out(cur, plan)

    def _carry_out(self, cur: Cursor[DictRow], plan: Plan[T]) -> T:
        try:
            statement = next(plan)
            while True:
                cur.execute(statement.sql, statement.parameters, prepare=statement.prepare)
                rows = cur.fetchall() if statement.fetch else ()
                if statement.ends_transaction and self.pipe:
                    self.pipe.sync()
                statement = plan.send(rows)
        except StopIteration as end:
            return end.value

    def _put(
        self,
        batches: list[Batch],
        config: RunnableConfig,
        made: str | None = None,
        claim: Claim | None = None,
    ) -> None:
        try:
            if claim is None:
                return self._store(batches)
            if self._store_if(batches, claim):
                return
        except psycopg.Error as error:
            name_place(error, config, made)
            raise
        raise self._read(partial(_single_writer.explain, claim))

    def _store(self, batches: list[Batch]) -> None:
        """Execute batches as one transaction."""
        if not batches:
            return
        if len(batches) == 1 and len(batches[0][1]) == 1:
            # One statement is a transaction, and all that is sent.
            with self._cursor() as cur:
                cur.execute(batches[0][0], batches[0][1][0])
            return
        with self._cursor(pipeline=True) as cur, cur.connection.transaction():
            for sql, rows in batches:
                cur.executemany(sql, rows)

    def _store_if(self, batches: list[Batch], claim: Claim) -> bool:
        """Execute batches that were made with a claim as one transaction; tells if it may be."""
        if not batches:
            return True
        lock = _single_writer.lock_of(claim.thread_id)
        with self._cursor() as cur:
            if len(batches) == 1:
                with self._together(cur.connection):
                    cur.execute(_single_writer.LOCK_SQL, lock)
                    cur.execute(batches[0][0], batches[0][1][0])
                if self.pipe:
                    self.pipe.sync()
                return cur.rowcount > 0
            with cur.connection.transaction():
                cur.execute(_single_writer.LOCK_SQL, lock)
                (guard, given), *rest = batches
                cur.execute(guard, given[0])
                if cur.fetchone() is None:
                    return False
                for sql, rows in rest:
                    cur.executemany(sql, rows)
                return True

    def _together(self, conn: Connection[DictRow]) -> AbstractContextManager[object]:
        """Send what is executed within as one transaction, in one trip."""
        if self.pipe:
            return nullcontext()
        return conn.pipeline() if self.supports_pipeline else conn.transaction()
