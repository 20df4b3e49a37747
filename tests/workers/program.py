"""The graphs that workers run here, and what their tasks leave behind."""

from __future__ import annotations

import asyncio
import atexit
import operator
import os
import random
import time
from functools import cache
from typing import Annotated, Any

from psycopg_pool import ConnectionPool
from typing_extensions import TypedDict

from langgraph_rust.config import get_config
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.runtime import Runtime

DATABASE = "DATABASE_URL"
"""The variable that says where tasks leave their traces."""

TABLE = """
CREATE TABLE traces (
    run_id text NOT NULL, thread_id text NOT NULL, node text NOT NULL, task_id text NOT NULL,
    stored integer NOT NULL, is_late boolean NOT NULL, pid integer NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""

# Whatever is stored of a task but what it asked and was answered makes it a finished one. Whoever
# was stopped and held to be dead may begin one more before it finds that its run is another's.
_TRACE = """
INSERT INTO traces (run_id, thread_id, node, task_id, stored, is_late, pid)
SELECT %(run_id)s, %(thread_id)s, %(node)s, %(task_id)s, count(*),
    (SELECT attempt <> %(attempt)s FROM langgraph_rust_runs WHERE id::text = %(run_id)s), %(pid)s
FROM checkpoint_writes
WHERE thread_id = %(thread_id)s AND task_id = %(task_id)s AND channel NOT LIKE '\\_\\_%%'
"""

BESIDE = ("beside0", "beside1", "beside2")
NODES = ("first", *BESIDE, "last")


class State(TypedDict, total=False):
    """What the graph works on."""

    number: int
    """Which run of its thread this is."""
    seen: Annotated[list[str], operator.add]
    """The nodes of all runs of the thread, as `number:node`."""


@cache
def _pool() -> ConnectionPool[Any]:
    pool: ConnectionPool[Any] = ConnectionPool(
        os.environ[DATABASE], min_size=1, max_size=2, kwargs={"autocommit": True}, open=False
    )
    pool.open()
    atexit.register(pool.close)
    return pool


def _leave_trace(node: str, runtime: Runtime[Any]) -> None:
    """Say that a task begins, and whether its writes were stored already."""
    info = runtime.execution_info
    assert info is not None
    named = {
        "run_id": info.run_id,
        "thread_id": info.thread_id,
        "node": node,
        "task_id": info.task_id,
        "attempt": get_config()["metadata"]["run_attempt"],
        "pid": os.getpid(),
    }
    with _pool().connection() as connection:
        connection.execute(_TRACE, named)


def _sync_node(name: str) -> Any:
    def work(state: State, runtime: Runtime[Any]) -> State:
        _leave_trace(name, runtime)
        time.sleep(random.uniform(0, 0.08))
        return {"seen": [f"{state['number']}:{name}"]}

    return work


def _async_node(name: str) -> Any:
    async def work(state: State, runtime: Runtime[Any]) -> State:
        await asyncio.to_thread(_leave_trace, name, runtime)
        await asyncio.sleep(random.uniform(0, 0.08))
        return {"seen": [f"{state['number']}:{name}"]}

    return work


def _graph() -> Any:
    builder = StateGraph(State)
    builder.add_node("first", _async_node("first")).add_edge(START, "first")
    builder.add_node("last", _sync_node("last"))
    for position, name in enumerate(BESIDE):
        builder.add_node(name, (_sync_node, _async_node)[position % 2](name))
        builder.add_edge("first", name)
    builder.add_edge([*BESIDE], "last")
    return builder.compile()


def _short() -> Any:
    async def node(state: State) -> State:
        return {"seen": ["node"]}

    builder = StateGraph(State)
    builder.add_sequence([("one", node), ("two", node)]).add_edge(START, "one")
    return builder.compile()


graph = _graph()
"""A node, three beside each other, and a last; each says that it begins, and waits a little."""

short = _short()
"""Two nodes that do nothing, for what the queue itself takes."""
