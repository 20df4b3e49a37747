"""What savers and stores are given to reach Postgres, as a connection to use."""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection, OperationalError
from psycopg.rows import DictRow
from psycopg_pool import ConnectionPool

Conn = Connection[DictRow] | ConnectionPool[Connection[DictRow]]


@contextmanager
def get_connection(conn: Conn) -> Iterator[Connection[DictRow]]:
    """Give a connection: the one given, or one of a pool, for as long as a `with` block lasts.

    Those of a pool that the server has closed meanwhile are put aside. Nothing was sent on them.

    Raises:
        TypeError: `conn` is neither.
        psycopg_pool.PoolTimeout: all connections of the pool are in use for too long.
    """
    if isinstance(conn, Connection):
        yield conn
        return
    if not isinstance(conn, ConnectionPool):
        raise TypeError(invalid(conn, "psycopg.Connection or psycopg_pool.ConnectionPool"))
    for _ in range(conn.max_size):
        with conn.connection() as found:
            if not (has_unasked(found) and _is_lost(found)):
                yield found
                return
    with conn.connection() as found:
        yield found


def _is_lost(connection: Connection[Any]) -> bool:
    """Ask the server; a connection that is lost is closed, so that its pool replaces it."""
    try:
        ConnectionPool.check_connection(connection)
    except OperationalError:
        connection.close()
        return True
    return False


# --- for both kinds ---


def has_unasked(connection: Any) -> bool:
    """Tell whether something has arrived on a connection that is not in use.

    That may be a notice, or the end of the connection. Does not wait.
    """
    if connection.closed:
        return True
    socket = connection.pgconn.socket
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


def invalid(conn: object, wanted: str) -> str:
    """Return what is wrong with something that is no connection."""
    return f"Invalid connection type: {type(conn)}. Pass a {wanted}."
