"""The same for asyncio programs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection, OperationalError
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

from langgraph_rust.checkpoint.postgres._internal import has_unasked, invalid

Conn = AsyncConnection[DictRow] | AsyncConnectionPool[AsyncConnection[DictRow]]


@asynccontextmanager
async def get_connection(conn: Conn) -> AsyncIterator[AsyncConnection[DictRow]]:
    """Give a connection: the one given, or one of a pool, for as long as an `async with` lasts.

    Those of a pool that the server has closed meanwhile are put aside. Nothing was sent on them.

    Raises:
        TypeError: `conn` is neither.
        psycopg_pool.PoolTimeout: all connections of the pool are in use for too long.
    """
    if isinstance(conn, AsyncConnection):
        yield conn
        return
    if not isinstance(conn, AsyncConnectionPool):
        raise TypeError(
            invalid(conn, "psycopg.AsyncConnection or psycopg_pool.AsyncConnectionPool")
        )
    for _ in range(conn.max_size):
        async with conn.connection() as found:
            if not (has_unasked(found) and await _is_lost(found)):
                yield found
                return
    async with conn.connection() as found:
        yield found


async def _is_lost(connection: AsyncConnection[Any]) -> bool:
    """Ask the server; a connection that is lost is closed, so that its pool replaces it."""
    try:
        await AsyncConnectionPool.check_connection(connection)
    except OperationalError:
        await connection.close()
        return True
    return False
