"""What savers and stores are given to reach Postgres, as a connection to use."""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection, OperationalError
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo, PipelineStatus, TransactionStatus
from psycopg.pq.abc import PGconn
from psycopg.rows import DictRow
from psycopg_pool import ConnectionPool

Conn = Connection[DictRow] | ConnectionPool[Connection[DictRow]]

_A_MOMENT = 0.05
"""Seconds in which a server begins with a statement, or has cancelled it."""


def conninfo_of(pool: Any) -> dict[str, Any] | None:
    """Return how a pool connects, of which some may be among the options of its connections.

    `None` if that is decided by functions, for each connection anew.
    """
    text, options = pool.conninfo, pool.kwargs
    if not isinstance(text, str) or not isinstance(options or {}, dict):
        return None
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    given = {key: value for key, value in (options or {}).items() if key in known}
    return {**conninfo_to_dict(text), **given}


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


def settle(connection: Connection[Any]) -> None:
    """Have a connection end the statement that an interrupt left it with, if there is one.

    Psycopg does so where it waits, but an interrupt may come a moment before or after. Until then
    nothing can be executed, nor a transaction rolled back.
    """
    pgconn = connection.pgconn
    if connection.closed or pgconn.transaction_status != TransactionStatus.ACTIVE:
        return
    # Others who share the connection have this while a statement of theirs is under way.
    with connection.lock:
        is_left = pgconn.transaction_status == TransactionStatus.ACTIVE
        if is_left and pgconn.pipeline_status == PipelineStatus.OFF:
            connection.cancel()
            while not _is_over(pgconn):
                # The server may not have begun with it yet, and then forgets to cancel it.
                if not _has_input(pgconn, _A_MOMENT):
                    connection.cancel()


def _is_over(pgconn: PGconn) -> bool:
    """Take what has come of a statement's results, without waiting; tell whether that is all."""
    pgconn.flush()
    if _has_input(pgconn):
        pgconn.consume_input()
    while not pgconn.is_busy():
        if pgconn.get_result() is None:
            return True
    return False


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
    return _has_input(connection.pgconn)


def _has_input(pgconn: PGconn, seconds: float = 0) -> bool:
    """Tell whether something has arrived, or does within so many seconds."""
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([pgconn.socket], [], [], seconds)[0])
    poll = select.poll()
    poll.register(pgconn.socket, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def invalid(conn: object, wanted: str) -> str:
    """Return what is wrong with something that is no connection."""
    return f"Invalid connection type: {type(conn)}. Pass a {wanted}."
