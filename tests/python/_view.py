"""What the viewer's tests share: a database with threads of all kinds, and a client."""

from __future__ import annotations

import operator
import sqlite3
from contextlib import closing
from typing import Annotated, Any, TypedDict

import httpx
from langchain_core.messages import AIMessage

from langgraph_rust._view._looking.look import Look
from langgraph_rust._view._source.source import Source
from langgraph_rust._view._web.server import application
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.graph.message import add_messages
from langgraph_rust.types import Command, interrupt

HOST = "127.0.0.1:8000"
TOKEN = "token-of-the-tests"


class State(TypedDict, total=False):
    messages: Annotated[list[Any], add_messages]
    log: Annotated[list[str], operator.add]
    count: int


def work(state: State) -> State:
    number = state.get("count", 0) + 1
    return {"messages": [AIMessage(f"turn {number}", id=f"ai-{number}")], "log": [f"work {number}"],
            "count": number}  # fmt: skip


def ask(state: State) -> State:
    return {"log": [f"heard {interrupt({'question': 'go on?'})}"]}


def fail(state: State) -> State:
    raise ValueError("no such luck")


def asking(saver: Any) -> Any:
    """Return a graph that works, then asks."""
    made = StateGraph(State).add_node(work).add_node(ask)
    return made.add_edge(START, "work").add_edge("work", "ask").compile(checkpointer=saver)


def failing(saver: Any) -> Any:
    """Return a graph that fails."""
    return StateGraph(State).add_node(fail).add_edge(START, "fail").compile(checkpointer=saver)


def config(thread: str, **more: str) -> Any:
    return {"configurable": {"thread_id": thread}, "metadata": more}


def fill(saver: Any) -> None:
    """Store threads: one that waits, one that went on in two branches, one that failed."""
    graph = asking(saver)
    for turn in range(3):
        graph.invoke({"messages": [("user", f"hello {turn}")]}, config("waits", tier="paid"))
        if turn < 2:
            graph.invoke(Command(resume="yes"), config("waits", tier="paid"))
    graph.invoke({"messages": [("user", "hello")]}, config("forked"))
    before = graph.get_state(config("forked")).config
    graph.invoke(Command(resume="first"), config("forked"))
    graph.update_state(before, {"log": ["by hand"]}, as_node="work")
    try:
        failing(saver).invoke({"log": ["x"]}, config("failed"))
    except ValueError:
        pass


def make_sqlite(path: str, *, linear: bool = False) -> None:
    """Make a file of SQLite with these threads, which nobody has open afterwards."""
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        saver = SqliteSaver(connection)
        saver.linear_storage = linear
        fill(saver)


def client(source: Source, **given: Any) -> httpx.AsyncClient:
    """Return a browser that was given the address."""
    redaction = given.pop("redaction", None)
    given |= {"redaction": redaction} if redaction else {}
    look = Look(source, *([redaction] if redaction else []))
    app: Any = application(look, [HOST], token=TOKEN, **given)
    cookies = {"langgraph-view-8000": TOKEN}
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}", cookies=cookies)
