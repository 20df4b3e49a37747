"""The program that is killed: what it runs, and what it says of itself meanwhile."""

from __future__ import annotations

import asyncio
import json
import operator
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from typing_extensions import TypedDict

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import Send

CONFIG: Any = {"configurable": {"thread_id": "1"}}
INPUT: Any = {"log": ["input"]}

Say = Callable[[str], None]

SHOWN, END = "shown ", "end "
"""What lines begin with that say what was shown, and what the state is at the end."""


class State(TypedDict, total=False):
    """What the graph works on."""

    log: Annotated[list[str], operator.add]


@dataclass(frozen=True)
class Way:
    """How the program runs."""

    is_async: bool
    durability: str
    saver: str = ""
    """`memory` for one in memory; on Postgres `single` or `pool`; empty for what is usual."""

    def __str__(self) -> str:
        mode = "async" if self.is_async else "sync"
        return " ".join(filter(None, (mode, self.durability, self.saver)))


def graph(say: Say, is_async: bool, saver: Any) -> Any:
    """A chain, nodes side by side, packets and a subgraph; each node says when it starts."""

    def node(name: str, seconds: float) -> Callable[..., Any]:
        def work(state: State) -> State:
            say(f"start {name}")
            time.sleep(seconds)
            return {"log": [name]}

        async def awork(state: State) -> State:
            say(f"start {name}")
            await asyncio.sleep(seconds)
            return {"log": [name]}

        return awork if is_async else work

    def packet(state: Any) -> State:
        say(f"start packet {state['log'][0]}")
        return {"log": [f"packet {state['log'][0]}"]}

    inner = StateGraph(State)
    inner.add_node("in0", node("in0", 0)).add_edge(START, "in0")
    inner.add_node("in1", node("in1", 0.001)).add_edge("in0", "in1")
    builder = StateGraph(State)
    builder.add_node("first", node("first", 0)).add_edge(START, "first")
    for position in range(3):
        builder.add_node(f"beside{position}", node(f"beside{position}", 0.001 * position))
        builder.add_edge("first", f"beside{position}")
    builder.add_node("join", node("join", 0))
    builder.add_edge([f"beside{position}" for position in range(3)], "join")
    builder.add_node("packet", packet)
    builder.add_conditional_edges(
        "join",
        lambda _: [Send("packet", {"log": [str(number)]}) for number in range(2)],
        ["packet"],
    )
    builder.add_node("inner", inner.compile()).add_edge("packet", "inner")
    builder.add_node("last", node("last", 0)).add_edge("inner", "last")
    return builder.compile(checkpointer=saver)


def run(database: str, way: Way, say: Say) -> None:
    """Begin the thread or go on with it, to the end; then say what the state is.

    Args:
        database: A path, of SQLite, or how to connect to Postgres.
        way: How the program runs.
        say: Takes what it says of itself.
    """
    if way.is_async:
        asyncio.run(_run_async(database, way, say))
        return
    with open_saver(database, way.saver) as saver:
        go_on(saver, way.durability, say)


async def _run_async(database: str, way: Way, say: Say) -> None:
    async with open_async_saver(database, way.saver) as saver:
        await ago_on(saver, way.durability, say)


def go_on(saver: Any, durability: Any, say: Say) -> None:
    """The same with a saver that is there already."""
    app = graph(say, False, saver)
    given = None if app.get_state(CONFIG).created_at else INPUT
    for chunk in app.stream(given, CONFIG, stream_mode="updates", durability=durability):
        _shown(say, chunk)
    say(END + json.dumps(app.get_state(CONFIG).values["log"]))


async def ago_on(saver: Any, durability: Any, say: Say) -> None:
    """The same with an async saver."""
    app = graph(say, True, saver)
    given = None if (await app.aget_state(CONFIG)).created_at else INPUT
    async for chunk in app.astream(given, CONFIG, stream_mode="updates", durability=durability):
        _shown(say, chunk)
    say(END + json.dumps((await app.aget_state(CONFIG)).values["log"]))


POSTGRES = "postgres://"
"""What the name of a database begins with that is not a path."""

_OPTIONS: Any = {"autocommit": True, "prepare_threshold": 0}


@contextmanager
def open_saver(database: str, kind: str = "") -> Iterator[Any]:
    """Give a saver on a database, of a kind that `Way` names; usually with a connection."""
    if kind == "memory":
        yield InMemorySaver()
    elif kind == "pool":
        from psycopg_pool import ConnectionPool

        from langgraph_rust.checkpoint.postgres import PostgresSaver

        # One connection: who does not give it back is found out at once.
        with ConnectionPool(database, min_size=1, max_size=1, kwargs=_OPTIONS) as pool:
            saver = PostgresSaver(pool)
            saver.setup()
            yield saver
    elif database.startswith(POSTGRES):
        from langgraph_rust.checkpoint.postgres import PostgresSaver

        with PostgresSaver.from_conn_string(database) as saver:
            saver.setup()
            yield saver
    else:
        with closing(sqlite3.connect(database, timeout=30, check_same_thread=False)) as conn:
            yield SqliteSaver(conn)


@asynccontextmanager
async def open_async_saver(database: str, kind: str = "") -> AsyncIterator[Any]:
    """The same for async graphs; on Postgres it usually has a pool."""
    if kind == "memory":
        yield InMemorySaver()
    elif kind == "single":
        from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver

        async with AsyncPostgresSaver.from_conn_string(database) as saver:
            await saver.setup()
            yield saver
    elif database.startswith(POSTGRES):
        from psycopg_pool import AsyncConnectionPool

        from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver

        size = 1 if kind else 4
        async with AsyncConnectionPool(
            database, min_size=1, max_size=size, kwargs=_OPTIONS
        ) as pool:
            saver = AsyncPostgresSaver(pool)
            await saver.setup()
            yield saver
    else:
        async with AsyncSqliteSaver.from_conn_string(database) as saver:
            yield saver


def _shown(say: Say, chunk: Any) -> None:
    # What was stored before the run is shown again, and marked so.
    for name, update in chunk.items() if "__metadata__" not in chunk else ():
        for line in update["log"]:
            say(f"{SHOWN}{line if name == 'packet' else name}")


def stored(database: str) -> list[str]:
    """What the nodes wrote that the database holds: applied, or pending."""
    if not database.startswith(POSTGRES) and not os.path.exists(database):
        return []
    with open_saver(database) as saver:
        return written(saver)


def written(saver: Any) -> list[str]:
    """The same of a saver's thread, if it is there."""
    newest = saver.get_tuple(CONFIG)
    if newest is None:
        return []
    return _log(newest, saver.get_delta_channel_history(config=newest.config, channels=["log"]))


async def awritten(saver: Any) -> list[str]:
    """The same of an async saver's."""
    newest = await saver.aget_tuple(CONFIG)
    if newest is None:
        return []
    config = newest.config
    return _log(newest, await saver.aget_delta_channel_history(config=config, channels=["log"]))


def _log(newest: Any, histories: Any) -> list[str]:
    """What the newest checkpoint has, or is rebuilt from, and what is pending on it."""
    values, before = newest.checkpoint["channel_values"], histories["log"]
    stored_whole = "log" in values
    found = [*(values["log"] if stored_whole else before.get("seed", ()))]
    writes = [*([] if stored_whole else before["writes"]), *(newest.pending_writes or ())]
    for _, channel, value in writes:
        found += value if channel == "log" else []
    return found


def say_to(descriptor: int) -> Say:
    """Whoever listens at the other end of the pipe hears each line whole."""
    return lambda line: os.write(descriptor, f"{line}\n".encode()) and None
