"""The savers that the program uses: of LangGraph, whoever that is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

NO_WAITING = "PRAGMA synchronous=OFF"
"""These databases need not survive a power cut."""


@contextmanager
def open_sync(database: str) -> Iterator[Any]:
    """Give a saver on a database."""
    if "://" in database:
        from langgraph.checkpoint.postgres import PostgresSaver

        with PostgresSaver.from_conn_string(database) as saver:
            saver.setup()
            yield saver
    else:
        from langgraph.checkpoint.sqlite import SqliteSaver

        with SqliteSaver.from_conn_string(database) as saver:
            saver.conn.execute(NO_WAITING)
            yield saver


@asynccontextmanager
async def open_async(database: str) -> AsyncIterator[Any]:
    """The same for async graphs."""
    if "://" in database:
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

        async with AsyncPostgresSaver.from_conn_string(database) as saver:
            await saver.setup()
            yield saver
    else:
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        async with AsyncSqliteSaver.from_conn_string(database) as saver:
            await saver.conn.execute(NO_WAITING)
            yield saver
