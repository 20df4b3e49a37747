"""The graphs whose threads change hands, in Python; `rust/src/graphs` has them in Rust."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langgraph.channels import AnyValue, DeltaChannel, EphemeralValue, Topic, UntrackedValue
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import NodeError
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import _messages_delta_reducer, add_messages
from langgraph.pregel import Pregel
from langgraph.types import Command, Overwrite, Send, interrupt

LONG_ENOUGH = 0.2
"""Seconds within which everything that runs beside a failing node is done."""

Body = Callable[..., Any]


def gather(items: list[Any], writes: Sequence[list[Any]]) -> list[Any]:
    """A reducer of all writes at once, which promises the same however they are grouped."""
    return [*items, *(item for write in writes for item in write)]


class Chat(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    turns: Annotated[int, operator.add]
    last: str


class DeltaChat(TypedDict):
    messages: Annotated[list[AnyMessage], DeltaChannel(_messages_delta_reducer)]
    turns: Annotated[int, operator.add]
    last: str


class Log(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]
    topic: str


class OnlyLog(TypedDict):
    log: Annotated[list[Any], operator.add]


class DeltaLog(TypedDict, total=False):
    log: Annotated[list[Any], DeltaChannel(gather, snapshot_frequency=3)]
    rare: Annotated[list[Any], DeltaChannel(gather)]
    topic: str


class Kinds(TypedDict, total=False):
    items: Annotated[list[Any], operator.add]
    passed_on: Annotated[list[Any], Topic(object)]
    kept: Annotated[list[Any], Topic(object, accumulate=True)]
    passing: Annotated[int, EphemeralValue(int)]
    any: Annotated[int, AnyValue(int)]
    untracked: Annotated[Any, UntrackedValue(object)]


class Trouble(Exception):
    """What the failing nodes raise."""


@dataclass
class Kit:
    """What the graphs of a thread are made with, and which of their functions ran."""

    saver: BaseCheckpointSaver[str]
    healthy: bool = False
    ran: list[str] = field(default_factory=list)

    def function(self, name: str, body: Body) -> Body:
        """`body` under a name, noted down in `ran`."""

        @wraps(body)
        def run(*args: Any, **kwargs: Any) -> Any:
            self.ran.append(name)
            return body(*args, **kwargs)

        run.__name__ = name
        return run

    def failing(self, state: Any) -> Any:
        """A node's body that fails once what runs beside it is done, unless all is well."""
        if not self.healthy:
            time.sleep(LONG_ENOUGH)
            raise Trouble("not healthy")
        return {"log": ["bad after all"]}

    def compile(self, builder: StateGraph) -> Pregel:
        return builder.compile(checkpointer=self.saver)

    def chain(self, state: type, **bodies: Body) -> StateGraph:
        """Nodes one after another."""
        builder = StateGraph(state)
        before = START
        for name, body in bodies.items():
            builder.add_node(name, self.function(name, body))
            builder.add_edge(before, name)
            before = name
        return builder

    def node(self, builder: StateGraph, name: str, body: Body, **options: Any) -> None:
        builder.add_node(name, self.function(name, body), **options)


def to_all(builder: StateGraph, source: str, *targets: str) -> None:
    """Edges from `source`. Of plain ones, upstream promises no order, and the order is stored."""
    builder.add_conditional_edges(source, lambda state: list(targets), list(targets))


def saying(*words: Any, **more: Any) -> Body:
    """A body that adds words to the log."""
    return lambda state: {"log": list(words), **more}


def tell(state: Any) -> Any:
    return {"log": [f"{len(state['log'])} so far"]}


def answer(state: Any) -> Any:
    count = len(state["messages"])
    call = {"name": "look", "args": {"n": count, "deep": {"x": [1.5, None]}}, "id": f"call-{count}"}
    usage = {"input_tokens": count, "output_tokens": 1, "total_tokens": count + 1}
    said = AIMessage(f"{count}?", id=f"ai-{count}", tool_calls=[call], usage_metadata=usage)
    return {"messages": [said]}


def look(state: Any) -> Any:
    last = state["messages"][-1]
    found = ToolMessage("found", tool_call_id=last.tool_calls[0]["id"], id=f"found-{last.text}")
    return {"messages": [found], "turns": 1}


def summarize(state: Any) -> Any:
    return {"last": f"{state['messages'][-1].text} of {len(state['messages'])}"}


def conversation(kit: Kit) -> Pregel:
    return kit.compile(kit.chain(Chat, answer=answer, look=look, summarize=summarize))


def delta_conversation(kit: Kit) -> Pregel:
    return kit.compile(kit.chain(DeltaChat, answer=answer, look=look, summarize=summarize))


def question(kit: Kit) -> Pregel:
    def ask(state: Log) -> Log:
        first = interrupt({"say": "first"})
        second = interrupt({"after": first})
        return {"log": [first, second, interrupt(["last", 3])]}

    return kit.compile(kit.chain(Log, ask=ask, tell=tell))


def questions(kit: Kit) -> Pregel:
    def asking(name: str) -> Body:
        return lambda state: {"log": [f"{name} {interrupt({'from': name})}"]}

    builder = StateGraph(Log)
    for name in ("left", "middle", "right"):
        kit.node(builder, name, asking(name))
        builder.add_edge(name, "tell")
    kit.node(builder, "silent", saying("silent"))
    to_all(builder, START, "left", "middle", "right", "silent")
    kit.node(builder, "tell", tell)
    return kit.compile(builder)


def command(kit: Kit) -> Pregel:
    def ask(state: Log) -> Command:
        return Command(update={"log": [interrupt("where to?")]}, goto="tell")

    def aside(state: Log) -> Log:
        return {"log": [f"aside, {state.get('topic', '-')}"]}

    builder = StateGraph(Log)
    kit.node(builder, "ask", ask, destinations=("tell",))
    kit.node(builder, "tell", tell)
    kit.node(builder, "aside", aside)
    builder.add_edge(START, "ask")
    return kit.compile(builder)


def _sends(state: Any) -> list[Send]:
    return [Send("work", {"number": number, "note": {"of": [number]}}) for number in range(3)]


def _fan_out(kit: Kit, state: type, work: Body, *, by_command: bool) -> Pregel:
    def plan(state: Any) -> Command:
        return Command(update={"log": ["plan"]}, goto=_sends(state))

    builder = StateGraph(state)
    kit.node(builder, "plan", plan if by_command else saying("plan"))
    kit.node(builder, "work", work)
    kit.node(builder, "tell", tell)
    builder.add_edge(START, "plan")
    if not by_command:
        builder.add_conditional_edges("plan", _sends, ["work"])
    builder.add_edge("work", "tell")
    return kit.compile(builder)


def packets(kit: Kit) -> Pregel:
    def work(packet: dict[str, Any]) -> Log:
        return {"log": [packet["number"], packet["note"]]}

    return _fan_out(kit, Log, work, by_command=False)


def packets_that_ask(kit: Kit) -> Pregel:
    def work(packet: dict[str, Any]) -> Log:
        number = packet["number"]
        return {"log": [interrupt(f"number {number}?") if number else "no question"]}

    return _fan_out(kit, Log, work, by_command=True)


def failing_packets(kit: Kit) -> Pregel:
    def work(packet: dict[str, Any]) -> Any:
        if packet["number"] == 1:
            return kit.failing(packet)
        return {"log": [packet["number"]]}

    return _fan_out(kit, Log, work, by_command=False)


def failing(kit: Kit) -> Pregel:
    builder = StateGraph(Log)
    kit.node(builder, "bad", kit.failing)
    kit.node(builder, "good", saying("good", topic="from good"))
    kit.node(builder, "quiet", lambda state: None)
    to_all(builder, START, "bad", "good", "quiet")
    kit.node(builder, "tell", tell)
    builder.add_edge(["good", "bad"], "tell")
    return kit.compile(builder)


def failing_beside_question(kit: Kit) -> Pregel:
    builder = StateGraph(Log)
    kit.node(builder, "ask", lambda state: {"log": [interrupt("well?")]})
    kit.node(builder, "bad", kit.failing)
    to_all(builder, START, "bad", "ask")
    return kit.compile(builder)


def handled(kit: Kit) -> Pregel:
    def handle(state: Log, error: NodeError) -> Command:
        reply = interrupt(f"{error.node}?")
        return Command(update={"log": [f"handled, {reply}"]}, goto="tell")

    builder = StateGraph(Log)
    kit.node(builder, "good", saying("good"))
    handler = kit.function("handle", handle)
    kit.node(builder, "bad", kit.failing, error_handler=handler, destinations=("tell",))
    kit.node(builder, "tell", tell)
    to_all(builder, START, "bad", "good")
    return kit.compile(builder)


def barrier(kit: Kit) -> Pregel:
    builder = StateGraph(Log)
    for name in ("start", "short", "long_1", "long_2", "join"):
        kit.node(builder, name, saying(name))
    kit.node(builder, "last", saying("last"), defer=True)
    builder.add_edge(START, "start")
    to_all(builder, "start", "short", "long_1", "last")
    builder.add_edge("long_1", "long_2")
    builder.add_edge(["short", "long_2"], "join")
    return kit.compile(builder)


def _asking_chain(kit: Kit) -> StateGraph:
    def ask(state: Log) -> Log:
        first = interrupt("first?")
        return {"log": [first, interrupt({"second": [2]})]}

    def after(state: Log) -> Log:
        return {"log": [f"after {state.get('topic', '-')}"]}

    return kit.chain(Log, before=saying("before"), ask=ask, after=after)


def _around(kit: Kit, state: type, inner: Any) -> Pregel:
    builder = StateGraph(state)
    kit.node(builder, "first", saying("first", topic="outer"))
    builder.add_node("inner", inner)
    kit.node(builder, "tell", tell)
    builder.add_edge(START, "first")
    builder.add_edge("first", "inner")
    builder.add_edge("inner", "tell")
    return kit.compile(builder)


def subgraph(kit: Kit) -> Pregel:
    return _around(kit, Log, _asking_chain(kit).compile())


def subgraph_with_memory(kit: Kit) -> Pregel:
    return _around(kit, Log, _asking_chain(kit).compile(checkpointer=True))


def subgraph_called(kit: Kit) -> Pregel:
    inner = _asking_chain(kit).compile()

    def call(state: Log) -> Log:
        return {"log": [inner.invoke({"topic": "called"})["log"]]}

    return _around(kit, Log, call)


def subgraph_packets(kit: Kit) -> Pregel:
    middle = StateGraph(Log)
    middle.add_node("deep", _asking_chain(kit).compile())
    middle.add_edge(START, "deep")
    builder = StateGraph(OnlyLog)
    builder.add_node("branch", middle.compile())
    kit.node(builder, "tell", tell)
    sends = [Send("branch", {"topic": name, "log": []}) for name in ("a", "b")]
    builder.add_conditional_edges(START, lambda state: sends, ["branch"])
    builder.add_edge("branch", "tell")
    return kit.compile(builder)


def subgraph_failing(kit: Kit) -> Pregel:
    inner = kit.chain(Log, well=saying("well"), bad=kit.failing)
    return _around(kit, Log, inner.compile())


def subgraph_to_parent(kit: Kit) -> Pregel:
    def ask(state: Log) -> Command:
        update = {"log": [interrupt("where to?")], "topic": "from inside"}
        return Command(graph=Command.PARENT, update=update, goto="aside")

    def aside(state: Log) -> Log:
        return {"log": [f"aside, {state.get('topic', '-')}"]}

    builder = StateGraph(Log)
    builder.add_node("inner", kit.chain(Log, ask=ask).compile(), destinations=("aside",))
    kit.node(builder, "aside", aside)
    builder.add_edge(START, "inner")
    return kit.compile(builder)


def channels(kit: Kit) -> Pregel:
    def one(state: Kinds) -> Any:
        return {"items": ["one"], "passed_on": "first", "passing": 1, "untracked": "u"}

    def two(state: Kinds) -> Any:
        seen = [state.get("passing"), "untracked" in state, state.get("passed_on")]
        return {"items": seen, "any": 2, "passed_on": ["second", "third"]}

    def three(state: Kinds) -> Any:
        return {"items": Overwrite([*state["items"], "three"]), "passing": 3}

    def four(state: Kinds) -> Any:
        return {"items": [state.get("passed_on"), state.get("any")], "kept": ["k", 1]}

    return kit.compile(kit.chain(Kinds, one=one, two=two, three=three, four=four))


def loop(kit: Kit) -> Pregel:
    builder = kit.chain(Log, again=lambda state: {"log": [len(state["log"])]})
    builder.add_conditional_edges("again", lambda state: END if len(state["log"]) > 6 else "again")
    return kit.compile(builder)


def _two(state: Any) -> Any:
    return {"log": [f"two, {state['topic']}"]}


def travel(kit: Kit) -> Pregel:
    def three(state: Log) -> Log:
        return {"log": [f"three, {len(state['log'])}"]}

    builder = kit.chain(Log, one=saying("one", topic="first"), two=_two)
    kit.node(builder, "three", three)
    builder.add_conditional_edges("two", lambda state: "three", {"three": "three", "end": END})
    return kit.compile(builder)


def delta_travel(kit: Kit) -> Pregel:
    def three(state: DeltaLog) -> Any:
        return {"log": Overwrite([f"three, {len(state['log'])}"]), "rare": ["three"]}

    one = saying("one", rare=["one"], topic="first")
    return kit.compile(kit.chain(DeltaLog, one=one, two=_two, three=three))


def _delta_asking(kit: Kit) -> StateGraph:
    def before(state: DeltaLog) -> Any:
        return {"log": ["before"], "rare": [f"topic {state.get('topic', '-')}"]}

    def ask(state: DeltaLog) -> Any:
        first = interrupt(f"after {len(state['log'])}?")
        return {"log": [first, interrupt({"second": [2]})]}

    def after(state: DeltaLog) -> Any:
        return {"log": [f"after {len(state['log'])}, {len(state['rare'])}"]}

    return kit.chain(DeltaLog, before=before, ask=ask, after=after)


def delta_question(kit: Kit) -> Pregel:
    return kit.compile(_delta_asking(kit))


def delta_subgraph(kit: Kit) -> Pregel:
    return _around(kit, DeltaLog, _delta_asking(kit).compile())


def delta_subgraph_with_memory(kit: Kit) -> Pregel:
    return _around(kit, DeltaLog, _delta_asking(kit).compile(checkpointer=True))


def delta_packets(kit: Kit) -> Pregel:
    def work(packet: dict[str, Any]) -> Any:
        number = packet["number"]
        return {"log": [interrupt(f"number {number}?") if number else "none"], "rare": [number]}

    return _fan_out(kit, DeltaLog, work, by_command=True)


def delta_failing(kit: Kit) -> Pregel:
    builder = StateGraph(DeltaLog)
    kit.node(builder, "good", saying("good", rare=["good"]))
    kit.node(builder, "bad", kit.failing)
    kit.node(builder, "tell", tell)
    to_all(builder, START, "bad", "good")
    builder.add_edge(["good", "bad"], "tell")
    return kit.compile(builder)


def delta_long(kit: Kit) -> Pregel:
    """A loop of more supersteps than any of its delta fields goes without a snapshot."""
    builder = kit.chain(DeltaLog, again=lambda state: {"log": [len(state["log"])]})
    builder.add_conditional_edges(
        "again", lambda state: END if len(state["log"]) % 20 == 0 else "again"
    )
    return kit.compile(builder)
