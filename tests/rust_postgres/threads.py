"""Threads that Rust goes on with, and what becomes of those that it began.

``begin`` stores threads by way of each of LangGraph's own savers. The crate's tests go on with them
and begin some of their own (`crates/langgraph-postgres/tests/postgres/continuity.rs`, which has the
same graph). ``end`` reads all of them again.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from operator import add
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.store.postgres import PostgresStore
from langgraph.types import Command, interrupt

from tests.continuity.rows import settled_rows

DATABASE = os.environ["LANGGRAPH_RUST_POSTGRES_THREADS"]


class State(TypedDict, total=False):
    """What the graph works on: single values, lists, and messages."""

    text: str
    count: Annotated[int, add]
    ratio: float
    log: Annotated[list, add]
    messages: Annotated[list, add_messages]


def write(state: State) -> dict[str, Any]:
    """A node that writes to every kind of field."""
    data = {"by": os.environ.get("BY", "python"), "n": [1, 2]}
    return {"text": "ünï", "count": 1, "ratio": 0.5, "log": [data]}


def ask(state: State) -> dict[str, Any]:
    """A node that waits for an answer."""
    answer = interrupt(state["text"])
    return {"count": 1, "log": [answer]}


def end(state: State) -> dict[str, Any]:
    """The last node."""
    return {"text": "done"}


def graph(saver: Any) -> Any:
    """The graph on a saver."""
    builder = StateGraph(State)
    for node in (write, ask, end):
        builder.add_node(node.__name__, node)
    builder.add_edge(START, "write")
    builder.add_edge("write", "ask")
    builder.add_edge("ask", "end")
    return builder.compile(checkpointer=saver)


def thread(name: str) -> Any:
    """The config that names a thread."""
    return {"configurable": {"thread_id": name}}


def question() -> dict[str, Any]:
    """What the threads begin with."""
    ai = AIMessage("hello", id="2", tool_calls=[{"name": "look", "args": {"n": 1}, "id": "c"}])
    return {"count": 2, "messages": [HumanMessage("hi", id="1"), ai]}


async def begin_async() -> None:
    """The async saver's thread."""
    async with AsyncPostgresSaver.from_conn_string(DATABASE) as saver:
        await graph(saver).ainvoke(question(), thread("python-async"))


LIKES = {"likes": "tëa", "n": [1, 2.5, None]}
"""What the store is given."""


def begin() -> None:
    """Store the threads that Rust is to go on with, and some to compare with."""
    with PostgresSaver.from_conn_string(DATABASE) as saver:
        saver.setup()
        graph(saver).invoke(question(), thread("python-sync"))
        for name in ("same-python", "whole-python"):
            graph(saver).invoke({"count": 2}, thread(name), durability="sync")
        graph(saver).invoke(Command(resume="yes"), thread("whole-python"), durability="sync")
    with PostgresSaver.from_conn_string(DATABASE, pipeline=True) as saver:
        graph(saver).invoke(question(), thread("python-pipeline"))
    asyncio.run(begin_async())
    with PostgresStore.from_conn_string(DATABASE) as store:
        store.setup()
        store.put(("users", "ada"), "drinks", LIKES)


def finish() -> None:
    """Read all threads again, and go on with that which Rust began."""
    with PostgresSaver.from_conn_string(DATABASE) as saver:
        runnable = graph(saver)
        for name in ("python-sync", "python-async", "python-pipeline"):
            state = runnable.get_state(thread(name))
            log = [{"by": "python", "n": [1, 2]}, "yes"]
            wanted = {**question(), "text": "done", "count": 4, "ratio": 0.5, "log": log}
            # Rust wrote the first message again.
            wanted["messages"] = [*wanted["messages"], wanted["messages"][0]]
            same(name, state.values, wanted)
            same(name, state.next, ())
            same(name, len([*runnable.get_state_history(thread(name))]), 5)
        state = runnable.get_state(thread("rust"))
        same("rust", state.next, ("ask",))
        same("rust", state.tasks[0].interrupts[0].value, "ünï")
        done = runnable.invoke(Command(resume="yes"), thread("rust"))
        log = [{"by": "rust", "n": [1, 2]}, "yes"]
        wanted = {"text": "done", "count": 4, "ratio": 0.5, "log": log, "messages": []}
        same("rust", done, wanted)
        same("rust", len([*saver.list(thread("rust"))]), 5)
    with PostgresStore.from_conn_string(DATABASE) as store:
        found = {item.namespace: item for item in store.search(("users",))}
        same("store", found["users", "bob"].value, LIKES)
        ada = found["users", "ada"]
        same("store", ada.value, {"likes": "coffee"})
        same("store", ada.created_at < ada.updated_at, True)
    rows = settled_rows(DATABASE)
    for ours, theirs in (("same-rust", "same-python"), ("whole-rust", "whole-python")):
        found, wanted = ([row[1:] for row in rows[name]] for name in (ours, theirs))
        same(ours, found, wanted)
    print("threads: Rust and Python went on with each other's")


def same(where: str, found: Any, wanted: Any) -> None:
    """Hold one against the other."""
    if found != wanted:
        differing = found, wanted
        if isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
            differing = [pair for pair in zip(found, wanted, strict=True) if pair[0] != pair[1]]
        sys.exit(f"threads: {where}: found, wanted:\n" + "\n".join(map(str, differing)))


STEPS: dict[str, Callable[[], None]] = {"begin": begin, "end": finish}

if __name__ == "__main__":
    STEPS[sys.argv[1]]()
