"""Connections that the server ends, at each storing of a run: nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import psycopg_pool
import pytest
from _postgres import Databases, databases
from test_edge_storing import TELLS, assert_goes_on, every_durability, undisturbed

from langgraph_rust.checkpoint.postgres import PostgresSaver
from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver
from tests.kills.program import ago_on, awritten, go_on, written

OPTIONS: Any = {"autocommit": True, "prepare_threshold": 0}

IDLE, SENT, ANSWERED = "before it is sent", "while it is sent", "before it is answered"

every_moment = pytest.mark.parametrize("moment", [IDLE, SENT, ANSWERED])
every_kind = pytest.mark.parametrize("pooled", [True, False], ids=["pool", "single"])

STRIDE = {"sync": 4, "async": 9, "exit": 1}
"""Of how many storings one is disturbed; with `exit` there are few."""


@pytest.fixture(scope="module")
def make() -> Iterator[Databases]:
    with databases() as make:
        yield make


@pytest.fixture
def database(make: Databases) -> str:
    return make()


@dataclass
class Cut:
    """At which storing the server ends the connections, and when."""

    database: str
    moment: str
    left: int
    """Storings before that one."""
    is_done: bool = False
    storing: int = 0
    """How many there are under way."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def stores(self) -> Iterator[None]:
        # Nobody begins to store while they are ended.
        with self.lock:
            self.left -= 1
            if self.left < 0 and self.moment == IDLE and not self.storing and not self.is_done:
                self.end()
            self.storing += 1
        try:
            yield
        finally:
            with self.lock:
                self.storing -= 1

    def is_now(self, moment: str, statement: str) -> bool:
        # Something may be read at the same time.
        is_next = self.left < 0 and self.moment == moment and "INSERT" in statement
        return is_next and not self.is_done

    def end(self) -> None:
        self.is_done = True
        with psycopg.connect(self.database, autocommit=True) as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        # On a busy machine it takes a moment until the connection says that it was ended.
        time.sleep(0.02)


def cursor(cut: Cut) -> Any:
    class Own(psycopg.Cursor):
        def execute(self, query: Any, *given: Any, **named: Any) -> Any:
            if cut.is_now(SENT, query):
                cut.end()
            super().execute(query, *given, **named)
            if cut.is_now(ANSWERED, query):
                cut.end()
                super().execute("SELECT 1")
            return self

    return Own


def async_cursor(cut: Cut) -> Any:
    class Own(psycopg.AsyncCursor):
        async def execute(self, query: Any, *given: Any, **named: Any) -> Any:
            if cut.is_now(SENT, query):
                await asyncio.to_thread(cut.end)
            await super().execute(query, *given, **named)
            if cut.is_now(ANSWERED, query):
                await asyncio.to_thread(cut.end)
                await super().execute("SELECT 1")
            return self

    return Own


class Saver(PostgresSaver):
    cut: Cut

    def _put(self, *given: Any, **named: Any) -> None:
        with self.cut.stores():
            super()._put(*given, **named)


class AsyncSaver(AsyncPostgresSaver):
    cut: Cut

    async def _put(self, *given: Any, **named: Any) -> None:
        with self.cut.stores():
            await super()._put(*given, **named)


@every_durability
@every_moment
@every_kind
def test_sync(database: str, durability: str, moment: str, pooled: bool) -> None:
    end, failures = undisturbed(), 0
    with PostgresSaver.from_conn_string(database) as saver:
        saver.setup()
    for left in range(0, 1000, STRIDE[durability]):
        cut = Cut(database, moment, left)
        own = {**OPTIONS, "cursor_factory": cursor(cut)}
        before, after, told = [], [], None
        with (
            psycopg_pool.ConnectionPool(database, kwargs=own, min_size=1, max_size=2)
            if pooled
            else psycopg.connect(database, **own)
        ) as conn:
            saver = Saver(conn)
            saver.cut = cut
            try:
                go_on(saver, durability, before.append)
            except psycopg.OperationalError as error:
                told = error
            if pooled:
                kept = written(saver)
                go_on(saver, durability, after.append)
        assert (told is None) == (not cut.is_done or (pooled and moment == IDLE)), told
        assert told is None or TELLS.match(str(told)), told
        with PostgresSaver.from_conn_string(database) as saver:
            if not pooled:
                kept = written(saver)
                go_on(saver, durability, after.append)
            saver.delete_thread("1")
        assert_goes_on(durability, before, kept, after, end)
        if not cut.is_done:
            break
        failures += 1
    assert failures


@every_durability
@every_moment
@every_kind
async def test_async(database: str, durability: str, moment: str, pooled: bool) -> None:
    end, failures = undisturbed(), 0
    async with AsyncPostgresSaver.from_conn_string(database) as saver:
        await saver.setup()
    for left in range(0, 1000, STRIDE[durability]):
        cut = Cut(database, moment, left)
        own = {**OPTIONS, "cursor_factory": async_cursor(cut)}
        before, after, told = [], [], None
        async with (
            psycopg_pool.AsyncConnectionPool(database, kwargs=own, min_size=1, max_size=2)
            if pooled
            else await psycopg.AsyncConnection.connect(database, **own)
        ) as conn:
            saver = AsyncSaver(conn)
            saver.cut = cut
            try:
                await ago_on(saver, durability, before.append)
            except psycopg.OperationalError as error:
                told = error
            if pooled:
                kept = await awritten(saver)
                await ago_on(saver, durability, after.append)
        assert (told is None) == (not cut.is_done or (pooled and moment == IDLE)), told
        assert told is None or TELLS.match(str(told)), told
        async with AsyncPostgresSaver.from_conn_string(database) as saver:
            if not pooled:
                kept = await awritten(saver)
                await ago_on(saver, durability, after.append)
            await saver.adelete_thread("1")
        assert_goes_on(durability, before, kept, after, end)
        if not cut.is_done:
            break
        failures += 1
    assert failures
