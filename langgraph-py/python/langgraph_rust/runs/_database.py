"""Carrying out plans, from threads and from event loops."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

from psycopg import AsyncConnection, AsyncCursor, BaseConnection, Connection, Cursor
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from langgraph_rust.checkpoint.postgres import _ainternal
from langgraph_rust.checkpoint.postgres._internal import conninfo_of, get_connection
from langgraph_rust.checkpoint.postgres._plans import Plan

__all__ = ("AsyncDatabase", "SyncDatabase", "async_pool")

T = TypeVar("T")

_CONNECTIONS = 10
"""At most, unless told otherwise."""

_OPTIONS: dict[str, Any] = {"prepare_threshold": 0, "row_factory": dict_row}


class SyncDatabase:
    """A database, by a pool that is opened when it is needed first.

    Args:
        given: How to connect, or a pool, which stays its owner's.
        max_size: How many connections there may be; a pool that was given has its own limit.
    """

    def __init__(self, given: str | ConnectionPool[Any], max_size: int = _CONNECTIONS) -> None:
        self._is_own = isinstance(given, str)
        self._pool: ConnectionPool[Any] = (
            ConnectionPool(
                given,
                min_size=1,
                max_size=max_size,
                kwargs={**_OPTIONS, "autocommit": True},
                open=False,
            )
            if isinstance(given, str)
            else given
        )

    @property
    def conninfo(self) -> str:
        """How to connect."""
        return _conninfo(self._pool)

    def carry_out(
        self,
        plan: Plan[T],
        *,
        transaction: bool = False,
        connection: Connection[Any] | None = None,
    ) -> T:
        """Carry out a plan; on `connection`, as a part of its transaction."""
        with self._cursor(connection) as cursor:
            if not transaction or _begins_by_itself(connection):
                return self._converse(cursor, plan)
            with cursor.connection.transaction():
                return self._converse(cursor, plan)

    def close(self) -> None:
        """Close the pool, unless it was given."""
        if self._is_own:
            self._pool.close()

    @contextmanager
    def _cursor(self, connection: Connection[Any] | None) -> Iterator[Cursor[DictRow]]:
        if connection is not None:
            with connection.cursor(row_factory=dict_row) as cursor:
                yield cursor
            return
        if self._is_own and self._pool.closed:
            self._pool.open()
        with get_connection(self._pool) as own, own.cursor(row_factory=dict_row) as cursor:
            yield cursor

    def _converse(self, cursor: Cursor[DictRow], plan: Plan[T]) -> T:
        try:
            statement = next(plan)
            while True:
                cursor.execute(statement.sql, statement.parameters, prepare=statement.prepare)
                statement = plan.send(cursor.fetchall() if statement.fetch else ())
        except StopIteration as end:
            return end.value


class AsyncDatabase:
    """The same for an event loop, to which its pool belongs.

    Args:
        given: As for `SyncDatabase`.
        max_size: As for `SyncDatabase`.
    """

    def __init__(self, given: str | AsyncConnectionPool[Any], max_size: int = _CONNECTIONS) -> None:
        self._is_own = isinstance(given, str)
        self._pool: AsyncConnectionPool[Any] = (
            async_pool(given, max_size) if isinstance(given, str) else given
        )

    @property
    def conninfo(self) -> str:
        """How to connect."""
        return _conninfo(self._pool)

    async def carry_out(
        self,
        plan: Plan[T],
        *,
        transaction: bool = False,
        connection: AsyncConnection[Any] | None = None,
    ) -> T:
        """Carry out a plan; on `connection`, as a part of its transaction."""
        async with self._cursor(connection) as cursor:
            if not transaction or _begins_by_itself(connection):
                return await self._converse(cursor, plan)
            async with cursor.connection.transaction():
                return await self._converse(cursor, plan)

    async def close(self) -> None:
        """Close the pool, unless it was given."""
        if self._is_own:
            await self._pool.close()

    @asynccontextmanager
    async def _cursor(
        self, connection: AsyncConnection[Any] | None
    ) -> AsyncIterator[AsyncCursor[DictRow]]:
        if connection is not None:
            async with connection.cursor(row_factory=dict_row) as cursor:
                yield cursor
            return
        if self._is_own and self._pool.closed:
            await self._pool.open()
        async with (
            _ainternal.get_connection(self._pool) as own,
            own.cursor(row_factory=dict_row) as cursor,
        ):
            yield cursor

    async def _converse(self, cursor: AsyncCursor[DictRow], plan: Plan[T]) -> T:
        try:
            statement = next(plan)
            while True:
                await cursor.execute(statement.sql, statement.parameters, prepare=statement.prepare)
                statement = plan.send(await cursor.fetchall() if statement.fetch else ())
        except StopIteration as end:
            return end.value


def async_pool(
    conninfo: str, max_size: int, patience: float | None = None
) -> AsyncConnectionPool[AsyncConnection[DictRow]]:
    """Return a pool, not open yet, that savers and procrastinate can share.

    Args:
        conninfo: How to connect.
        max_size: How many connections there may be.
        patience: Seconds for which a transaction may stand still, or else its connection is lost:
            what a process that stands still has locked would stop others.
    """

    async def configure(connection: AsyncConnection[DictRow]) -> None:
        # Not among the arguments: procrastinate takes those for a connection of its own, and adds
        # this one.
        await connection.set_autocommit(True)
        if patience is not None:
            timeout = f"{patience * 1000:.0f}"
            await connection.execute(
                "SELECT set_config('idle_in_transaction_session_timeout', %s, false)", (timeout,)
            )

    return AsyncConnectionPool(
        conninfo,
        connection_class=AsyncConnection[DictRow],
        min_size=1,
        max_size=max_size,
        kwargs=_OPTIONS,
        configure=configure,
        open=False,
    )


def _begins_by_itself(given: BaseConnection[Any] | None) -> bool:
    """Whether a transaction of its user's begins on a connection with the first statement.

    Psycopg would commit one that it is told to begin there.
    """
    if given is None or given.autocommit:
        return False
    return given.info.transaction_status == TransactionStatus.IDLE


def _conninfo(pool: Any) -> str:
    found = conninfo_of(pool)
    if found is None:
        raise ValueError("a pool whose connections are told by a function how to connect")
    return make_conninfo(**found)
