"""One of several processes that write a thread: ``python -m tests.contention.writer '{...}'``.

Each of its items is added by a run, or by an update, of its own. One that is refused is tried
again; what is printed is told in `Told`.
"""

from __future__ import annotations

import asyncio
import json
import operator
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from typing import Annotated, Any, get_args

from typing_extensions import TypedDict

from langgraph_rust.checkpoint._writing.writer import Mode
from langgraph_rust.checkpoint.postgres import PostgresSaver
from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph_rust.checkpoint.single_writer import ThreadConflictError
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph_rust.graph import END, START, StateGraph

CONFIG: Any = {"configurable": {"thread_id": "contended"}}
MODES: tuple[Mode, ...] = get_args(Mode)

WAYS = ("sync", "async", "exit", "update")
"""How an item is written: by a run of this durability, or by an update of the state."""


@dataclass(frozen=True)
class Job:
    """What a writer is to do."""

    database: str
    """Path of an SQLite file, or how to connect to Postgres."""
    mode: Mode
    name: int
    count: int
    """How many items."""
    is_async: bool
    holds: int = -1
    """The item in whose run it says so and stays, until it is killed."""
    ttl: float = 30.0


@dataclass
class Told:
    """What a writer says at its end, or before it stays."""

    written: int = 0
    refused: int = 0
    nameless: int = 0
    """Refusals whose error does not name two runs."""


class State(TypedDict, total=False):
    """What the thread holds."""

    new: str
    items: Annotated[list[str], operator.add]


def graph(saver: Any, hold: Callable[[str], None] = lambda _: None) -> Any:
    """A graph that adds what it is given in its last superstep: trying again adds it once."""

    def add(state: Any) -> Any:
        hold(state["new"])
        return {"items": [state["new"]]}

    builder = StateGraph(State)
    builder.add_node("add", add)
    builder.add_edge(START, "add")
    builder.add_edge("add", END)
    return builder.compile(checkpointer=saver)


@contextmanager
def opened(database: str) -> Iterator[Any]:
    """Give a saver."""
    cls: Any = PostgresSaver if database.startswith("postgres") else SqliteSaver
    with cls.from_conn_string(database) as saver:
        yield saver


@asynccontextmanager
async def aopened(database: str) -> AsyncIterator[Any]:
    """Give an async saver."""
    cls: Any = AsyncPostgresSaver if database.startswith("postgres") else AsyncSqliteSaver
    async with cls.from_conn_string(database) as saver:
        yield saver


class _Writer:
    def __init__(self, job: Job, saver: Any) -> None:
        saver.single_writer, saver.single_writer_ttl = job.mode, job.ttl
        # Many more wait here than anywhere else.
        saver.single_writer_timeout = 600.0
        self._job, self._graph = job, graph(saver, self._hold)
        self._random = random.Random(job.name)
        self.told = Told()

    def _hold(self, item: str) -> None:
        if item == f"{self._job.name}:{self._job.holds}":
            print(json.dumps(asdict(self.told)), flush=True)
            time.sleep(3600)

    def items(self) -> Iterator[tuple[str, str]]:
        """Yield each item until it is written, and how to."""
        for number in range(self._job.count):
            before = self.told.written
            while self.told.written == before:
                yield f"{self._job.name}:{number}", WAYS[number % len(WAYS)]

    def refused(self, error: ThreadConflictError) -> float:
        """Count a refusal; returns how many seconds to wait before the next try."""
        self.told.refused += 1
        ours, theirs = error.run_id, error.other_run_id
        self.told.nameless += not (ours and theirs and ours != theirs)
        return self._random.uniform(0, 0.005)

    def write(self) -> None:
        """Write all."""
        for item, way in self.items():
            try:
                if way == "update":
                    self._graph.update_state(CONFIG, {"items": [item]}, as_node="add")
                else:
                    self._graph.invoke({"new": item}, CONFIG, durability=way)
                self.told.written += 1
            except ThreadConflictError as error:
                time.sleep(self.refused(error))

    async def awrite(self) -> None:
        """Async twin of `write`."""
        for item, way in self.items():
            try:
                if way == "update":
                    await self._graph.aupdate_state(CONFIG, {"items": [item]}, as_node="add")
                else:
                    await self._graph.ainvoke({"new": item}, CONFIG, durability=way)
                self.told.written += 1
            except ThreadConflictError as error:
                await asyncio.sleep(self.refused(error))


def main() -> None:
    """Do the job that the command line names."""
    job = Job(**json.loads(sys.argv[1]))
    told = asyncio.run(_aperform(job)) if job.is_async else _perform(job)
    print(json.dumps(asdict(told)), flush=True)


def _perform(job: Job) -> Told:
    with opened(job.database) as saver:
        writer = _Writer(job, saver)
        writer.write()
        return writer.told


async def _aperform(job: Job) -> Told:
    async with aopened(job.database) as saver:
        writer = _Writer(job, saver)
        await writer.awrite()
        return writer.told


if __name__ == "__main__":
    main()
