"""The savers that know who writes, for tests of that."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.checkpoint.sqlite.aio import AsyncSqliteSaver


@contextmanager
def opened(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Any]:
    """A saver of a kind; that for Postgres takes its database from the fixture `make`."""
    if kind == "memory":
        yield InMemorySaver()
    elif kind == "sqlite":
        with SqliteSaver.from_conn_string(str(folder / "db")) as saver:
            yield saver
    else:
        from langgraph_rust.checkpoint.postgres import PostgresSaver

        with PostgresSaver.from_conn_string(request.getfixturevalue("make")()) as saver:
            saver.setup()
            yield saver


@asynccontextmanager
async def aopened(kind: str, request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[Any]:
    """Its async twin."""
    if kind == "memory":
        yield InMemorySaver()
    elif kind == "sqlite":
        async with AsyncSqliteSaver.from_conn_string(str(folder / "db")) as saver:
            yield saver
    else:
        from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver

        database = request.getfixturevalue("make")()
        async with AsyncPostgresSaver.from_conn_string(database) as saver:
            await saver.setup()
            yield saver
