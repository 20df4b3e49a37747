"""The graphs whose threads change hands. Ordinary LangGraph code; both sides run this very file."""

from __future__ import annotations

import asyncio
import operator
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypedDict
from uuid import UUID

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.channels import AnyValue, EphemeralValue, Topic, UntrackedValue
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import NodeError
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.pregel import Pregel
from langgraph.types import Command, Overwrite, Send, interrupt
from pydantic import BaseModel

LONG_ENOUGH = 0.15
"""Seconds within which everything that runs beside a failing node is done."""

TURNS_ENOUGH = 50
"""The same in turns of the event loop."""


class Mood(Enum):
    CALM = "calm"


@dataclass
class Note:
    text: str
    mood: Mood = Mood.CALM
    price: Decimal = Decimal("1.50")
    at: datetime = datetime(2024, 1, 2, tzinfo=timezone.utc)
    took: timedelta = timedelta(seconds=3)
    key: UUID = field(default_factory=lambda: UUID(int=7))
    where: Path = Path("some/where")
    pair: tuple[int, bytes] = (1, b"\0\xff")
    tags: set[str] = field(default_factory=lambda: {"one"})


class Summary(BaseModel):
    lines: int
    last: str | None = None


class Chat(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    notes: Annotated[list[Note], operator.add]
    summary: Summary
    turns: Annotated[int, operator.add]


class Log(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]
    topic: str


class OnlyLog(TypedDict):
    log: Annotated[list[Any], operator.add]


class Kinds(TypedDict, total=False):
    items: Annotated[list[Any], operator.add]
    passed_on: Annotated[list[str], Topic(str)]
    passing: Annotated[int, EphemeralValue(int)]
    any: Annotated[int, AnyValue(int)]
    untracked: Annotated[Any, UntrackedValue(object)]


class Private(TypedDict):
    private: str


class Trouble(Exception):
    """What the failing nodes raise."""


@dataclass
class Kit:
    """What the graphs of a thread are made with, and which of their functions ran."""

    saver: BaseCheckpointSaver[str]
    asynchronous: bool
    ran: list[str] = field(default_factory=list)

    def function(self, body: Callable[..., Any], *, last: bool = False) -> Callable[..., Any]:
        """`body`, noted down in `ran`; a coroutine function if this kit is asynchronous.

        With `last`, it begins when what runs beside it is done.
        """

        @wraps(body)
        def run(*args: Any, **kwargs: Any) -> Any:
            self.ran.append(body.__name__)
            time.sleep(LONG_ENOUGH if last else 0)
            return body(*args, **kwargs)

        @wraps(body)
        async def arun(*args: Any, **kwargs: Any) -> Any:
            self.ran.append(body.__name__)
            for _ in range(TURNS_ENOUGH if last else 0):
                await asyncio.sleep(0)
            return body(*args, **kwargs)

        return arun if self.asynchronous else run

    def compile(self, builder: StateGraph, **options: Any) -> Pregel:
        return builder.compile(checkpointer=self.saver, **options)


def to_all(builder: StateGraph, source: str, *targets: str) -> None:
    """Edges from `source`. Of plain ones, upstream promises no order, and the order is stored."""
    builder.add_conditional_edges(source, lambda state: list(targets), list(targets))


def conversation(kit: Kit) -> Pregel:
    def answer(state: Chat) -> dict[str, Any]:
        count = len(state["messages"])
        call = {"name": "look", "args": {"n": count}, "id": f"call-{count}"}
        usage = {"input_tokens": count, "output_tokens": 1, "total_tokens": count + 1}
        return {"messages": AIMessage(f"{count}?", tool_calls=[call], usage_metadata=usage)}

    def look(state: Chat) -> dict[str, Any]:
        last = state["messages"][-1]
        found = ToolMessage("found", tool_call_id=last.tool_calls[0]["id"], id=f"found-{last.text}")
        return {"messages": [found], "notes": [Note(last.text)], "turns": 1}

    def summarize(state: Chat) -> dict[str, Any]:
        return {"summary": Summary(lines=len(state["messages"]), last=state["messages"][-1].text)}

    builder = StateGraph(Chat)
    for body in (answer, look, summarize):
        builder.add_node(body.__name__, kit.function(body))
    builder.add_edge(START, "answer")
    builder.add_conditional_edges("answer", lambda state: "look", ["look"])
    builder.add_edge("look", "summarize")
    return kit.compile(builder)


def question(kit: Kit) -> Pregel:
    def ask(state: Log) -> Log:
        first = interrupt(Note("first"))
        second = interrupt({"after": first})
        third = interrupt(["last", 3])
        return {"log": [first, second, third]}

    builder = StateGraph(Log)
    builder.add_node("ask", kit.function(ask))
    builder.add_node("tell", kit.function(tell))
    builder.add_edge(START, "ask")
    builder.add_edge("ask", "tell")
    return kit.compile(builder)


def tell(state: Log) -> Log:
    return {"log": [f"{len(state['log'])} so far"]}


def questions(kit: Kit) -> Pregel:
    def asking(name: str) -> Callable[[Log], Log]:
        def ask(state: Log) -> Log:
            return {"log": [f"{name} {interrupt({'from': name})}"]}

        return ask

    builder = StateGraph(Log)
    for name in ("left", "middle", "right"):
        builder.add_node(name, kit.function(asking(name)))
        builder.add_edge(name, "tell")
    builder.add_node("silent", kit.function(lambda state: {"log": ["silent"]}))
    to_all(builder, START, "left", "middle", "right", "silent")
    builder.add_node("tell", kit.function(tell))
    return kit.compile(builder)


def command(kit: Kit) -> Pregel:
    def ask(state: Log) -> Command:
        return Command(update={"log": [interrupt("where to?")]}, goto="tell")

    def aside(state: Log) -> Log:
        return {"log": [f"aside, {state.get('topic')}"]}

    builder = StateGraph(Log)
    builder.add_node("ask", kit.function(ask), destinations=("tell",))
    builder.add_node("tell", kit.function(tell))
    builder.add_node("aside", kit.function(aside))
    builder.add_edge(START, "ask")
    return kit.compile(builder)


class Packet(TypedDict):
    number: int
    note: Note


def _packets(state: Log) -> list[Send]:
    return [Send("work", {"number": n, "note": Note(f"{n}")}) for n in range(3)]


def packets(kit: Kit) -> Pregel:
    def plan(state: Log) -> Log:
        return {"log": ["plan"]}

    def work(packet: Packet) -> Log:
        return {"log": [packet["number"], packet["note"]]}

    return _fan_out(kit, plan, kit.function(work))


def packets_that_ask(kit: Kit) -> Pregel:
    def plan(state: Log) -> Command:
        return Command(update={"log": ["plan"]}, goto=_packets(state))

    def work(packet: Packet) -> Log:
        number = packet["number"]
        return {"log": [interrupt(f"number {number}?") if number else "no question"]}

    return _fan_out(kit, plan, kit.function(work))


def failing_packets(kit: Kit) -> Pregel:
    def plan(state: Log) -> Log:
        return {"log": ["plan"]}

    def work(packet: Packet, config: RunnableConfig) -> Log:
        if packet["number"] == 1:
            time.sleep(0 if kit.asynchronous else LONG_ENOUGH)
            fail_unless_healthy(config)
        return {"log": [packet["number"]]}

    return _fan_out(kit, plan, kit.function(work))


def _fan_out(kit: Kit, plan: Callable[..., Any], work: Callable[..., Any]) -> Pregel:
    builder = StateGraph(Log)
    builder.add_node("plan", kit.function(plan))
    builder.add_node("work", work)
    builder.add_node("tell", kit.function(tell))
    builder.add_edge(START, "plan")
    if plan.__annotations__["return"] == "Log":
        builder.add_conditional_edges("plan", _packets, ["work"])
    builder.add_edge("work", "tell")
    return kit.compile(builder)


def fail_unless_healthy(config: RunnableConfig) -> None:
    if not config["configurable"].get("healthy"):
        raise Trouble("not healthy")


def failing(kit: Kit) -> Pregel:
    def good(state: Log) -> Log:
        return {"log": ["good"], "topic": "from good"}

    def quiet(state: Log) -> None:
        return None

    def bad(state: Log, config: RunnableConfig) -> Log:
        fail_unless_healthy(config)
        return {"log": ["bad after all"]}

    builder = StateGraph(Log)
    for body in (bad, good, quiet):
        builder.add_node(body.__name__, kit.function(body, last=body is bad))
    to_all(builder, START, "bad", "good", "quiet")
    builder.add_node("tell", kit.function(tell))
    builder.add_edge(["good", "bad"], "tell")
    return kit.compile(builder)


def failing_beside_question(kit: Kit) -> Pregel:
    def ask(state: Log) -> Log:
        return {"log": [interrupt("well?")]}

    def bad(state: Log, config: RunnableConfig) -> Log:
        fail_unless_healthy(config)
        return {"log": ["bad after all"]}

    builder = StateGraph(Log)
    builder.add_node("ask", kit.function(ask))
    builder.add_node("bad", kit.function(bad, last=True))
    to_all(builder, START, "bad", "ask")
    return kit.compile(builder)


def handled(kit: Kit) -> Pregel:
    def good(state: Log) -> Log:
        return {"log": ["good"]}

    def bad(state: Log, config: RunnableConfig) -> Log:
        fail_unless_healthy(config)
        return {"log": ["bad after all"]}

    def handle(state: Log, error: NodeError) -> Command:
        answer = interrupt(f"{error.node}: {error.error!r}")
        return Command(update={"log": [f"handled, {answer}"]}, goto="tell")

    builder = StateGraph(Log)
    builder.add_node("good", kit.function(good))
    waiting = kit.function(bad, last=True)
    builder.add_node("bad", waiting, error_handler=kit.function(handle), destinations=("tell",))
    builder.add_node("tell", kit.function(tell))
    to_all(builder, START, "bad", "good")
    return kit.compile(builder)


def barrier(kit: Kit) -> Pregel:
    def saying(name: str) -> Callable[[Log], Log]:
        def say(state: Log) -> Log:
            return {"log": [name]}

        return kit.function(say)

    builder = StateGraph(Log)
    for name in ("start", "short", "long_1", "long_2", "join"):
        builder.add_node(name, saying(name))
    builder.add_node("last", saying("last"), defer=True)
    builder.add_edge(START, "start")
    to_all(builder, "start", "short", "long_1", "last")
    builder.add_edge("long_1", "long_2")
    builder.add_edge(["short", "long_2"], "join")
    return kit.compile(builder)


def _inner(kit: Kit, **options: Any) -> Pregel:
    def before(state: Log) -> Log:
        return {"log": ["before"]}

    def ask(state: Log) -> Log:
        first = interrupt("first?")
        return {"log": [first, interrupt(Note("second?"))]}

    def after(state: Log) -> Log:
        return {"log": [f"after {state.get('topic')}"]}

    builder = StateGraph(Log)
    for body in (before, ask, after):
        builder.add_node(body.__name__, kit.function(body))
    builder.add_edge(START, "before")
    builder.add_edge("before", "ask")
    builder.add_edge("ask", "after")
    return builder.compile(**options)


def _outer(kit: Kit, node: Any) -> Pregel:
    def first(state: Log) -> Log:
        return {"log": ["first"], "topic": "outer"}

    builder = StateGraph(Log)
    builder.add_node("first", kit.function(first))
    builder.add_node("inner", node)
    builder.add_node("tell", kit.function(tell))
    builder.add_edge(START, "first")
    builder.add_edge("first", "inner")
    builder.add_edge("inner", "tell")
    return kit.compile(builder)


def subgraph(kit: Kit) -> Pregel:
    return _outer(kit, _inner(kit))


def subgraph_with_memory(kit: Kit) -> Pregel:
    return _outer(kit, _inner(kit, checkpointer=True))


def subgraph_called(kit: Kit) -> Pregel:
    inner = _inner(kit)

    def call(state: Log) -> Log:
        return {"log": [inner.invoke({"topic": "called"})["log"]]}

    async def acall(state: Log) -> Log:
        return {"log": [(await inner.ainvoke({"topic": "called"}))["log"]]}

    return _outer(kit, acall if kit.asynchronous else call)


def subgraph_packets(kit: Kit) -> Pregel:
    middle = StateGraph(Log, output_schema=OnlyLog)
    middle.add_node("deep", _inner(kit))
    middle.add_edge(START, "deep")
    builder = StateGraph(Log)
    builder.add_node("branch", middle.compile())
    builder.add_node("tell", kit.function(tell))
    sends = [Send("branch", {"topic": name, "log": []}) for name in ("a", "b")]
    builder.add_conditional_edges(START, lambda state: sends, ["branch"])
    builder.add_edge("branch", "tell")
    return kit.compile(builder)


def subgraph_failing(kit: Kit) -> Pregel:
    def well(state: Log) -> Log:
        return {"log": ["well"]}

    def bad(state: Log, config: RunnableConfig) -> Log:
        fail_unless_healthy(config)
        return {"log": ["bad after all"]}

    builder = StateGraph(Log)
    builder.add_node("well", kit.function(well))
    builder.add_node("bad", kit.function(bad))
    builder.add_edge(START, "well")
    builder.add_edge("well", "bad")
    return _outer(kit, builder.compile())


def subgraph_to_parent(kit: Kit) -> Pregel:
    def ask(state: Log) -> Command:
        update = {"log": [interrupt("where to?")], "topic": "from inside"}
        return Command(graph=Command.PARENT, update=update, goto="aside")

    def aside(state: Log) -> Log:
        return {"log": [f"aside, {state.get('topic')}"]}

    inner = StateGraph(Log)
    inner.add_node("ask", kit.function(ask))
    inner.add_edge(START, "ask")
    builder = StateGraph(Log)
    builder.add_node("inner", inner.compile(), destinations=("aside",))
    builder.add_node("aside", kit.function(aside))
    builder.add_edge(START, "inner")
    return kit.compile(builder)


def channels(kit: Kit) -> Pregel:
    def one(state: Kinds) -> Kinds:
        return {"items": ["one"], "passed_on": "first", "passing": 1, "untracked": ...}

    def two(state: Kinds) -> list[Kinds | Command]:
        seen = f"{state.get('passing')} {'untracked' in state}"
        return [{"items": [seen], "any": 2}, Command(update={"passed_on": ["second", "third"]})]

    def three(state: Kinds) -> Kinds:
        return {"items": Overwrite([*state["items"], "three"]), "passing": 3, "private": "p"}

    def four(state: Private) -> Kinds:
        return {"items": [state["private"]]}

    builder = StateGraph(Kinds)
    for body in (one, two, three, four):
        builder.add_node(body.__name__, kit.function(body))
    builder.add_edge(START, "one")
    builder.add_edge("one", "two")
    builder.add_edge("two", "three")
    builder.add_edge("three", "four")
    return kit.compile(builder)


def loop(kit: Kit) -> Pregel:
    def again(state: Log) -> Log:
        return {"log": [len(state["log"])]}

    builder = StateGraph(Log)
    builder.add_node("again", kit.function(again))
    builder.add_edge(START, "again")
    builder.add_conditional_edges("again", lambda state: END if len(state["log"]) > 6 else "again")
    return kit.compile(builder)


def travel(kit: Kit) -> Pregel:
    def one(state: Log) -> Log:
        return {"log": ["one"], "topic": "first"}

    def two(state: Log) -> Log:
        return {"log": [f"two, {state['topic']}"]}

    def three(state: Log) -> Log:
        return {"log": [f"three, {len(state['log'])}"]}

    builder = StateGraph(Log)
    for body in (one, two, three):
        builder.add_node(body.__name__, kit.function(body))
    builder.add_edge(START, "one")
    builder.add_edge("one", "two")
    builder.add_conditional_edges("two", lambda state: "three", {"three": "three", "end": END})
    return kit.compile(builder)


def functional(kit: Kit) -> Pregel:
    def double(number: int) -> int:
        return 2 * number

    def note(text: str) -> Note:
        return Note(text)

    doubled, noted = task(kit.function(double)), task(kit.function(note))

    def total(numbers: list[int], *, previous: Any = None) -> Any:
        futures = [doubled(n) for n in numbers]
        results = [future.result() for future in futures]
        approval = interrupt({"results": results, "previous": previous})
        saved = noted(f"{approval} {previous}").result()
        return entrypoint.final(value=sum(results), save=[results, saved])

    async def atotal(numbers: list[int], *, previous: Any = None) -> Any:
        futures = [doubled(n) for n in numbers]
        results = [await future for future in futures]
        approval = interrupt({"results": results, "previous": previous})
        saved = await noted(f"{approval} {previous}")
        return entrypoint.final(value=sum(results), save=[results, saved])

    atotal.__name__ = total.__name__
    return entrypoint(checkpointer=kit.saver)(atotal if kit.asynchronous else total)


def functional_failing(kit: Kit) -> Pregel:
    def good(name: str) -> str:
        return f"good {name}"

    def bad(healthy: bool) -> str:
        if not healthy:
            raise Trouble("not healthy")
        return "bad after all"

    well, badly = task(kit.function(good)), task(kit.function(bad, last=True))

    def both(name: str, *, previous: str = "", config: RunnableConfig) -> str:
        first = well(name).result()
        second, third = well("again"), badly(config["configurable"].get("healthy", False))
        return f"{previous} / {first} {second.result()} {third.result()}"

    async def aboth(name: str, *, previous: str = "", config: RunnableConfig) -> str:
        first = await well(name)
        second, third = well("again"), badly(config["configurable"].get("healthy", False))
        return f"{previous} / {first} {await second} {await third}"

    aboth.__name__ = both.__name__
    return entrypoint(checkpointer=kit.saver)(aboth if kit.asynchronous else both)
