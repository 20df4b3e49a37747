"""What storing costs when it must have happened before the next superstep: durability ``sync``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, TypedDict
from uuid import uuid4

from benches.compare.cases.base import Case, Mode, Run, in_either_mode
from benches.compare.cases.stores import Postgres, Sqlite, Transaction

LAPS = 20
THREADS = 8
POOL = 10
CHATS = 20


class Notes(TypedDict):
    """A number, and something that is stored apart from the checkpoint."""

    n: int
    notes: list[str]


def note(state: Notes) -> dict[str, Any]:
    """Write both."""
    return {"n": state["n"] + 1, "notes": [f"{state['n']}: {'x' * 100}"] * 10}


async def anote(state: Notes) -> dict[str, Any]:
    """The same as a coroutine."""
    return note(state)


def durable_cases() -> list[Case]:
    """One thread at a time, and several."""
    return [SqliteSteps(), PostgresSteps(), SqliteThreads(), PostgresPool()]


class _Steps(Case):
    """A node that goes on until it has counted to `laps`."""

    unit = "superstep"
    laps = LAPS
    _store: Any = None
    _compiled: Any = None
    _is_floor = False

    def __init__(self) -> None:
        super().__init__()
        self.steps = self.laps

    def clean(self) -> None:
        self._store.forget(self._threads)
        self._threads.clear()

    def new_thread(self) -> str:
        """The name of a thread that will be forgotten."""
        self._threads.append(str(uuid4()))
        return self._threads[-1]

    def run_once(self) -> Any:
        """Count on a new thread."""
        return self._compiled.invoke(_zero(), self._config(), durability="sync")

    async def arun_once(self) -> Any:
        """The same with asyncio."""
        return await self._compiled.ainvoke(_zero(), self._config(), durability="sync")

    def recorded(self) -> list[Transaction]:
        """What upstream stores of a thread, and nothing of it left."""
        self._compiled = self.builder("sync").compile(self._store.saver())
        self.run_once()
        found = self._store.transactions(self._threads[-1])
        self.clean()
        self._is_floor = True
        return found

    def builder(self, mode: Mode) -> Any:
        """The graph."""
        from langgraph.graph import END, START, StateGraph

        def again(state: Notes) -> str:
            return "note" if state["n"] < self.laps else END

        builder = StateGraph(Notes)
        builder.add_node("note", note if mode == "sync" else anote)
        builder.add_edge(START, "note")
        builder.add_conditional_edges("note", again)
        return builder


class SqliteSteps(_Steps):
    """In a SQLite file."""

    name = "sqlite_superstep"

    def graph(self, mode: Mode) -> Run:
        self._store = Sqlite()
        self._compiled = self.builder("sync").compile(self._store.saver())
        return self.run_once if mode == "sync" else self.arun_once

    async def aopen(self) -> None:
        if not self._is_floor:
            self._compiled = self.builder("async").compile(await self._store.asaver())

    def floor(self, mode: Mode) -> Run:
        self._store = Sqlite()
        transactions = self.recorded()
        return in_either_mode(lambda: _write(self, transactions, self._store.write), mode)


class PostgresSteps(_Steps):
    """On a PostgreSQL that waits for the disk."""

    name = "postgres_superstep"
    needs_postgres = True
    _own: Any = None

    def graph(self, mode: Mode) -> Run:
        self._store = Postgres()
        self._compiled = self.builder("sync").compile(self._store.saver())
        return self.run_once if mode == "sync" else self.arun_once

    async def aopen(self) -> None:
        self._own = await self._store.aconnect()
        if not self._is_floor:
            self._compiled = self.builder("async").compile(self._store.asaver(self._own))

    async def aclose(self) -> None:
        await self._own.close()

    def floor(self, mode: Mode) -> Run:
        self._store = Postgres()
        transactions = self.recorded()

        async def arun() -> Any:
            thread = self.new_thread()
            for transaction in transactions:
                await self._store.awrite(self._own, transaction, thread)
            return _counted(self.laps)

        if mode == "async":
            return arun
        return lambda: _write(self, transactions, self._store.write)


class SqliteThreads(_Steps):
    """Threads of this process that store with one saver at the same time."""

    name = f"sqlite_superstep_{THREADS}_threads"
    modes = ("sync",)
    laps = 10

    def __init__(self) -> None:
        super().__init__()
        self.steps = THREADS * self.laps

    def graph(self, mode: Mode) -> Run:
        self._store = Sqlite()
        self._compiled = self.builder("sync").compile(self._store.saver())
        return _at_once(self.run_once)

    def floor(self, mode: Mode) -> Run:
        self._store = Sqlite()
        transactions, lock = self.recorded(), Lock()

        def write(transaction: Transaction, thread: str) -> None:
            with lock:
                self._store.write(transaction, thread)

        return _at_once(lambda: _write(self, transactions, write))


class PostgresPool(_Steps):
    """Many chats on one event loop that share a few connections."""

    name = f"postgres_pool_{POOL}_{CHATS}_threads"
    modes = ("async",)
    needs_postgres = True
    laps = 5
    _pool: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.steps = CHATS * self.laps

    def graph(self, mode: Mode) -> Run:
        self._store = Postgres()
        return self._all(self.arun_once)

    async def aopen(self) -> None:
        self._pool = await self._store.apool(POOL)
        if not self._is_floor:
            self._compiled = self.builder("async").compile(self._store.asaver(self._pool))

    async def aclose(self) -> None:
        await self._pool.close()

    def floor(self, mode: Mode) -> Run:
        self._store = Postgres()
        transactions = self.recorded()

        async def chat() -> Any:
            thread = self.new_thread()
            for transaction in transactions:
                async with self._pool.connection() as connection:
                    await self._store.awrite(connection, transaction, thread)
            return _counted(self.laps)

        return self._all(chat)

    def _all(self, chat: Callable[[], Any]) -> Run:
        async def arun() -> Any:
            return (await asyncio.gather(*(chat() for _ in range(CHATS))))[-1]

        return arun


def _at_once(work: Callable[[], Any]) -> Run:
    pool = ThreadPoolExecutor(THREADS)

    def run() -> Any:
        return [future.result() for future in [pool.submit(work) for _ in range(THREADS)]][-1]

    return run


def _write(case: _Steps, transactions: list[Transaction], write: Callable[..., None]) -> Any:
    thread = case.new_thread()
    for transaction in transactions:
        write(transaction, thread)
    return _counted(case.laps)


def _zero() -> Notes:
    return {"n": 0, "notes": []}


def _counted(laps: int) -> dict[str, Any]:
    return {"n": laps}
