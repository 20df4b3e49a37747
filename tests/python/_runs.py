"""Workers and graphs for the tests of runs."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import interrupt

psycopg: Any = pytest.importorskip(
    "psycopg", reason="psycopg, or the libpq that it needs", exc_type=ImportError
)
pytest.importorskip("psycopg_pool")
pytest.importorskip("procrastinate")

from langgraph_rust.checkpoint.serde._default import default_serde  # noqa: E402
from langgraph_rust.runs import AsyncRuns, Run, Worker  # noqa: E402
from langgraph_rust.runs._database import AsyncDatabase, async_pool  # noqa: E402
from langgraph_rust.runs._worker import _plans  # noqa: E402
from langgraph_rust.runs._worker._execution import Execution  # noqa: E402
from langgraph_rust.runs._worker._keeping import Keeper  # noqa: E402
from langgraph_rust.runs._worker._log import EventLog  # noqa: E402
from langgraph_rust.runs._worker._saver import RunSaver  # noqa: E402

PATIENCE = 20.0
QUICK: Any = {"heartbeat": 0.2, "dead_after": 1.0, "poll": 0.2}


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]


def chain(*nodes: Any) -> Any:
    names = [f"node{position}" for position in range(len(nodes))]
    builder = StateGraph(State).add_sequence([*zip(names, nodes, strict=True)])
    return builder.add_edge(START, names[0]).compile()


def says(text: str) -> Any:
    return lambda state: {"log": [text]}


class Gate:
    """A node that waits until it may go on, and counts how often it was begun.

    Args:
        delay: Seconds until it counts as begun, for what others do beside it.
    """

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.count = 0
        self.ended = False

    async def __call__(self, state: State) -> State:
        self.count += 1
        await asyncio.sleep(self.delay)
        self.begun.set()
        try:
            await self.may_end.wait()
        finally:
            self.ended = True
        return {"log": ["gate"]}


def asking_twice(gate: Gate) -> Any:
    """A graph whose only node asks, waits for the gate, and asks again."""

    async def asks(state: State) -> State:
        first = interrupt("first?")
        await gate(state)
        return {"log": [first, interrupt("second?")]}

    return chain(asks)


@asynccontextmanager
async def working(database: str, graphs: dict[str, Any], **options: Any) -> AsyncIterator[Worker]:
    worker = Worker(database, graphs, **{**QUICK, **options})
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await asyncio.wait_for(task, PATIENCE)


@asynccontextmanager
async def asking(database: str, **options: Any) -> AsyncIterator[AsyncRuns]:
    async with AsyncRuns(database, **options) as runs:
        await runs.setup()
        yield runs


Attempt = Callable[..., Awaitable[EventLog]]


@asynccontextmanager
async def attempts(database: str, graph: Any) -> AsyncIterator[Attempt]:
    """Give what makes one attempt at a run, which may die when an event is set."""
    async with async_pool(database, 5) as pool:
        saver = RunSaver(pool)
        saver.logs = {}
        keeper = Keeper(AsyncDatabase(pool))
        stored = graph.copy({"checkpointer": saver})

        async def attempt(run: Run, dies: asyncio.Event | None = None) -> EventLog:
            claim = await keeper.keep(lambda: _plans.claim(run.id, "worker"))
            assert claim is not None
            log = EventLog(claim, keeper, default_serde())
            execution = Execution(claim, {"graph": stored}, log, keeper, default_serde(), 5)
            task = asyncio.create_task(execution.perform())
            if dies is not None:
                await asyncio.wait_for(dies.wait(), PATIENCE)
                execution.lose()
            await asyncio.wait_for(task, PATIENCE)
            return log

        yield attempt
