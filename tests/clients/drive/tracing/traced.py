"""Graphs that are traced, the ways to run them, and what comes of it as trees."""

from __future__ import annotations

import asyncio
import json
import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import langchain.agents
import langgraph.prebuilt
import witness as witness
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph, add_messages
from langgraph.types import Command, Send, interrupt
from transcript import step
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    notes: Annotated[list[str], operator.add]
    number: int


class FakeModel(GenericFakeChatModel):
    """A model that calls what it is told to call."""

    def bind_tools(self, tools: Any, **options: Any) -> FakeModel:
        return self


@tool
def double(number: int) -> int:
    """Double a number."""
    return 2 * number


def agent(make: Callable[..., Any]) -> Any:
    """An agent that calls a tool once."""
    call = {"name": "double", "args": {"number": 21}, "id": "call-1"}
    answers = [AIMessage("", tool_calls=[call], id="a1"), AIMessage("It is 42.", id="a2")]
    # What calls a tool and says nothing has no chunk to stream.
    model = FakeModel(messages=iter(answers), disable_streaming=True)
    return make(model, [double])


def inner(state: State) -> State:
    return {"notes": [f"inner {state['number']}"]}


def ways(state: State) -> list[Send]:
    return [Send("side", {"number": number}) for number in range(3)]


def talk(state: State) -> State:
    model = GenericFakeChatModel(messages=iter([AIMessage("three words spoken", id="m1")]))
    return {"messages": [model.invoke("say something")]}


def outline() -> Any:
    """A subgraph, branches side by side, a model."""
    below = StateGraph(State).add_node(inner).add_edge(START, "inner").compile()
    builder = StateGraph(State)
    builder.add_node("below", below)
    builder.add_node("side", lambda state: {"notes": [f"side {state['number']}"]})
    builder.add_node(talk)
    builder.add_edge(START, "below")
    builder.add_conditional_edges("below", ways, ["side"])
    builder.add_edge("side", "talk")
    return builder.compile(name="outline")


def routed() -> Any:
    """Nodes that say where to go."""

    def first(state: State) -> Command[Any]:
        return Command(update={"notes": ["first"]}, goto="second")

    def second(state: State) -> Command[Any]:
        return Command(update={"notes": ["second"]}, goto=[Send("third", {"number": 3})])

    def third(state: State) -> State:
        return {"notes": [f"third {state['number']}"]}

    builder = StateGraph(State).add_node(first).add_node(second).add_node(third)
    return builder.add_edge(START, "first").compile()


def asks() -> Any:
    """A graph that asks and is answered."""

    def ask(state: State) -> State:
        return {"notes": [interrupt("which?")]}

    return StateGraph(State).add_node(ask).add_edge(START, "ask").compile(InMemorySaver())


def fails() -> Any:
    """A graph whose subgraph fails."""

    def fail(state: State) -> State:
        raise ValueError("no")

    below = StateGraph(State).add_node(fail).add_edge(START, "fail").compile()
    return StateGraph(State).add_node("below", below).add_edge(START, "below").compile()


def functional() -> Any:
    """An entrypoint and its tasks."""

    @task
    def add(number: int) -> int:
        return number + 1

    @entrypoint()
    def count(numbers: list[int]) -> list[int]:
        return [each.result() for each in [add(number) for number in numbers]]

    return count


ASKED = {"messages": [("user", "double 21")]}

GRAPHS: dict[str, tuple[Callable[[], Any], Any]] = {
    "outline": (outline, {"number": 7}),
    "routed": (routed, {}),
    # Both are looked up when they are called: some packages wrap them.
    "agent": (lambda: agent(langchain.agents.create_agent), ASKED),
    "prebuilt agent": (lambda: agent(langgraph.prebuilt.create_react_agent), ASKED),
    "fails": (fails, {}),
    "functional": (functional, [1, 2, 3]),
}


async def drain(graph: Any, given: Any, config: Any) -> None:
    async for _ in graph.astream(given, config, stream_mode=["updates", "messages"]):
        pass


WAYS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "invoke": lambda graph, given, config: graph.invoke(given, config),
    "stream": lambda graph, given, config: list(graph.stream(given, config)),
    "ainvoke": lambda graph, given, config: asyncio.run(graph.ainvoke(given, config)),
    "astream": lambda graph, given, config: asyncio.run(drain(graph, given, config)),
    "batch": lambda graph, given, config: graph.batch([given], config),
}


@dataclass(frozen=True)
class Record:
    """A span, or a run."""

    id: str
    parent: str | None
    name: str
    shown: Any


def trace(records: Callable[[], Iterable[Record]], config: Any = None) -> None:
    """Run everything in every way, and note what was recorded of each.

    Args:
        records: What was recorded since it was last called.
        config: What the graphs are run with.
    """
    config = config or {}
    for name, (make, given) in GRAPHS.items():
        if name == "functional":
            run = ("invoke", "stream")
        else:
            run = tuple(WAYS)
        for way in run:
            try:
                WAYS[way](make(), given, config)
            except ValueError as error:
                step(f"{name}, {way}: raised", str(error))
            step(f"{name}, {way}", tree(records()))
    graph = asks()
    within = {**config, "configurable": {"thread_id": "1"}}
    graph.invoke({}, within)
    step("asks", tree(records()))
    graph.invoke(Command(resume="that"), within)
    step("asks, answered", tree(records()))
    graph.update_state(within, {"notes": ["mine"]})
    step("asks, changed", tree(records()))


def tree(records: Iterable[Record]) -> list[Any]:
    """Each record with those below it; beside each other in an order that no clock decides."""
    records = list(records)
    known = {record.id for record in records}
    below: dict[str | None, list[Record]] = {}
    for record in records:
        below.setdefault(record.parent if record.parent in known else None, []).append(record)

    def of(parent: str | None) -> list[Any]:
        found = [[each.name, each.shown, of(each.id)] for each in below.get(parent, [])]
        return sorted(found, key=_without_ids)

    return of(None)


def without_frames(text: str | None) -> str | None:
    """An error as it is told, without the lines of its traceback that are indented."""
    if text is None:
        return None
    return "\n".join(line for line in text.splitlines() if line.strip() and not line[0].isspace())


def _without_ids(value: Any) -> str:
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}", "", json.dumps(value, default=repr))
