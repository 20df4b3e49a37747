"""A database as programs leave it: `python sample.py DATABASE [THREAD]`, on upstream or here.

Conversations with tool calls, one that waits for an answer, one that failed, branches, a subgraph,
a class of the program's own, and keys that nobody should see.
"""

from __future__ import annotations

import operator
import sqlite3
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGenerationChunk
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, interrupt


@dataclass
class Booking:
    """A class that only this program knows."""

    hotel: str
    nights: int
    price: float


class Trip(TypedDict, total=False):
    messages: Annotated[list[Any], add_messages]
    log: Annotated[list[str], operator.add]
    booking: Booking
    account: dict[str, Any]
    notes: str


def plan(state: Trip) -> Trip:
    call = {"name": "find_hotels", "args": {"city": "Lisbon", "nights": 3}, "id": "call-1"}
    return {
        "messages": [AIMessage("Let me look for hotels.", id="m2", tool_calls=[call])],
        "log": ["planned"],
        "account": {"user": "ada", "api_key": "sk-secret-0123456789"},
        "notes": "Three nights, near the river, no more than 120 a night.",
    }


def tools(state: Trip) -> Trip:
    found = '[{"hotel": "Casa do Rio", "price": 104.5}, {"hotel": "Alfama Inn", "price": 89.0}]'
    return {
        "messages": [ToolMessage(found, tool_call_id="call-1", name="find_hotels", id="m3")],
        "log": ["searched"],
        "booking": Booking("Casa do Rio", 3, 313.5),
    }


def ask(state: Trip) -> Trip:
    answer = interrupt({"question": "Book Casa do Rio for 313.50?", "choices": ["yes", "no"]})
    return {
        "messages": [AIMessage(f"You said {answer}.", id="m4")],
        "log": [f"answered {answer}"],
        "notes": "Three nights, near the river, no more than 130 a night.",
    }


class Slow(GenericFakeChatModel):
    """Says the same each time, word by word."""

    def _stream(self, *given: Any, **named: Any) -> Iterator[ChatGenerationChunk]:
        for chunk in super()._stream(*given, **named):
            time.sleep(0.02)
            yield chunk


CONFIRMED = (
    "Casa do Rio is booked for three nights. A mail with the confirmation is on its way to you."
)


def inner(state: Trip) -> Trip:
    get_stream_writer()({"progress": "asking the model for the mail"})
    said = Slow(messages=iter([AIMessage(CONFIRMED)])).invoke("Write the mail.")
    return {"messages": [said], "log": ["confirmed by mail"]}


def graph(saver: Any) -> Any:
    confirm = StateGraph(Trip).add_node("mail", inner)
    confirm = confirm.add_edge(START, "mail").add_edge("mail", END).compile()
    made = StateGraph(Trip).add_node(plan).add_node(tools).add_node(ask)
    made.add_node("confirm", confirm)
    for source, target in zip(
        (START, "plan", "tools", "ask", "confirm"),
        ("plan", "tools", "ask", "confirm", END),
        strict=True,
    ):
        made.add_edge(source, target)
    return made.compile(checkpointer=saver)


def failing(saver: Any) -> Any:
    def report(state: Trip) -> Trip:
        raise ConnectionError("the warehouse did not answer within 30 s")

    made = StateGraph(Trip).add_node("report", report).add_edge(START, "report")
    return made.compile(checkpointer=saver)


def config(thread: str, **more: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread}, "metadata": more}


def fill(saver: Any) -> None:
    trips = graph(saver)
    ask_for = {"messages": [HumanMessage("A hotel in Lisbon, please.", id="m1")]}
    for number in range(3):
        own = config(f"older-{number}", customer="grace", tier="free")
        trips.invoke(ask_for, own)
        trips.invoke(Command(resume="no"), own)
    try:
        failing(saver).invoke({"log": ["started"]}, config("nightly-report"))
    except ConnectionError:
        pass
    own = config("trip-forked", customer="ada")
    trips.invoke(ask_for, own)
    waiting = trips.get_state(own).config
    trips.invoke(Command(resume="yes"), own)
    other = trips.update_state(waiting, {"log": ["changed by hand"], "notes": "Two nights."})
    trips.invoke(None, other)
    trips.invoke(Command(resume="no"), config("trip-forked", customer="ada"))
    trips.invoke(ask_for, config("trip-to-lisbon", customer="ada", tier="paid"))


def add(saver: Any, thread: str) -> None:
    ask_for = {"messages": [HumanMessage("A hotel in Porto, please.", id="m1")]}
    graph(saver).invoke(ask_for, config(thread, customer="linus"))


trips = graph(None)
"""What `--app` names."""


def main(database: str, thread: str | None = None) -> None:
    """Fill a database; or only add a thread to one."""
    if "://" in database:
        from langgraph.checkpoint.postgres import PostgresSaver

        with PostgresSaver.from_conn_string(database) as saver:
            saver.setup()
            add(saver, thread) if thread else fill(saver)
        return
    path = database
    connection = sqlite3.connect(path, check_same_thread=False)
    if thread:
        add(SqliteSaver(connection), thread)
        return connection.close()
    fill(SqliteSaver(connection))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
