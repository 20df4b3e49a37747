"""Graphs with delta channels: their values are in the threads' histories, not in checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from graphs import Kit, Note, fail_unless_healthy, to_all
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.channels import DeltaChannel
from langgraph.graph import START, StateGraph
from langgraph.graph.message import _messages_delta_reducer
from langgraph.pregel import Pregel
from langgraph.types import Command, Overwrite, Send, interrupt


def gather(items: list[Any], writes: Sequence[list[Any]]) -> list[Any]:
    """A reducer of all writes at once, which promises the same however they are grouped."""
    return [*items, *(item for write in writes for item in write)]


class Log(TypedDict, total=False):
    log: Annotated[list[Any], DeltaChannel(gather, snapshot_frequency=3)]
    rare: Annotated[list[Any], DeltaChannel(gather)]
    topic: str


class Chat(TypedDict):
    messages: Annotated[list[AnyMessage], DeltaChannel(_messages_delta_reducer)]
    notes: Annotated[list[Note], DeltaChannel(gather, snapshot_frequency=2)]


class Packet(TypedDict):
    number: int


def delta_conversation(kit: Kit) -> Pregel:
    def answer(state: Chat) -> dict[str, Any]:
        count = len(state["messages"])
        call = {"name": "look", "args": {"n": count}, "id": f"call-{count}"}
        return {"messages": AIMessage(f"{count}?", tool_calls=[call])}

    def look(state: Chat) -> dict[str, Any]:
        last = state["messages"][-1]
        found = ToolMessage("found", tool_call_id=last.tool_calls[0]["id"], id=f"found-{last.text}")
        return {"messages": [found], "notes": [Note(last.text)]}

    builder = StateGraph(Chat)
    builder.add_node("answer", kit.function(answer))
    builder.add_node("look", kit.function(look))
    builder.add_edge(START, "answer")
    builder.add_edge("answer", "look")
    return kit.compile(builder)


def delta_question(kit: Kit) -> Pregel:
    return kit.compile(_asking(kit))


def delta_subgraph(kit: Kit) -> Pregel:
    return kit.compile(_around(kit, _asking(kit).compile()))


def delta_subgraph_with_memory(kit: Kit) -> Pregel:
    return kit.compile(_around(kit, _asking(kit).compile(checkpointer=True)))


def _asking(kit: Kit) -> StateGraph:
    def before(state: Log) -> Log:
        return {"log": ["before"], "rare": [f"topic {state.get('topic')}"]}

    def ask(state: Log) -> Log:
        first = interrupt(f"after {len(state['log'])}?")
        return {"log": [first, interrupt(Note("second?"))]}

    def after(state: Log) -> Log:
        return {"log": [f"after {len(state['log'])}, {len(state['rare'])}"]}

    builder = StateGraph(Log)
    for body in (before, ask, after):
        builder.add_node(body.__name__, kit.function(body))
    builder.add_edge(START, "before")
    builder.add_edge("before", "ask")
    builder.add_edge("ask", "after")
    return builder


def _around(kit: Kit, inner: Pregel) -> StateGraph:
    def first(state: Log) -> Log:
        return {"log": ["first"], "topic": "outer"}

    def tell(state: Log) -> Log:
        return {"rare": [len(state["log"])]}

    builder = StateGraph(Log)
    builder.add_node("first", kit.function(first))
    builder.add_node("inner", inner)
    builder.add_node("tell", kit.function(tell))
    builder.add_edge(START, "first")
    builder.add_edge("first", "inner")
    builder.add_edge("inner", "tell")
    return builder


def delta_packets(kit: Kit) -> Pregel:
    def plan(state: Log) -> Command:
        sends = [Send("work", {"number": number}) for number in range(3)]
        return Command(update={"log": ["plan"]}, goto=sends)

    def work(packet: Packet) -> Log:
        number = packet["number"]
        return {"log": [interrupt(f"number {number}?") if number else "none"], "rare": [number]}

    def tell(state: Log) -> Log:
        return {"log": [f"{len(state['log'])} so far"]}

    builder = StateGraph(Log)
    builder.add_node("plan", kit.function(plan))
    builder.add_node("work", kit.function(work))
    builder.add_node("tell", kit.function(tell))
    builder.add_edge(START, "plan")
    builder.add_edge("work", "tell")
    return kit.compile(builder)


def delta_failing(kit: Kit) -> Pregel:
    def good(state: Log) -> Log:
        return {"log": ["good"], "rare": ["good"]}

    def bad(state: Log, config: RunnableConfig) -> Log:
        fail_unless_healthy(config)
        return {"log": ["bad after all"]}

    def tell(state: Log) -> Log:
        return {"log": [f"{len(state['log'])} so far"]}

    builder = StateGraph(Log)
    builder.add_node("good", kit.function(good))
    builder.add_node("bad", kit.function(bad, last=True))
    builder.add_node("tell", kit.function(tell))
    to_all(builder, START, "bad", "good")
    builder.add_edge(["good", "bad"], "tell")
    return kit.compile(builder)


def delta_travel(kit: Kit) -> Pregel:
    def one(state: Log) -> Log:
        return {"log": ["one"], "rare": ["one"], "topic": "first"}

    def two(state: Log) -> Log:
        return {"log": [f"two, {state['topic']}"]}

    def three(state: Log) -> Log:
        return {"log": Overwrite([f"three, {len(state['log'])}"]), "rare": ["three"]}

    builder = StateGraph(Log)
    for body in (one, two, three):
        builder.add_node(body.__name__, kit.function(body))
    builder.add_edge(START, "one")
    builder.add_edge("one", "two")
    builder.add_edge("two", "three")
    return kit.compile(builder)
