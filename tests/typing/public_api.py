"""What type checkers make of the public API: checked by `make lint`, never run.

Each `assert_type` states what upstream's own annotations give for the same line, unless a comment
says otherwise. A line with `pyright: ignore` is a mistake that must be found: an ignore that is
not needed is an error, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from operator import add
from typing import Annotated, Any, Literal

from typing_extensions import TypedDict, assert_type

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.func import entrypoint, task
from langgraph_rust.graph import START, StateGraph, add_messages
from langgraph_rust.graph.message import Messages
from langgraph_rust.graph.state import CompiledStateGraph
from langgraph_rust.pregel import Pregel
from langgraph_rust.runtime import Runtime
from langgraph_rust.store.base import BaseStore
from langgraph_rust.stream.run_stream import AsyncGraphRunStream, GraphRunStream
from langgraph_rust.types import (
    Command,
    GraphOutput,
    Interrupt,
    RetryPolicy,
    Send,
    StateSnapshot,
    StreamPart,
    StreamWriter,
    interrupt,
)


class State(TypedDict):
    topic: str
    drafts: Annotated[list[str], add]


class Input(TypedDict):
    topic: str


class Output(TypedDict):
    drafts: list[str]


@dataclass
class Context:
    user: str


# Nodes: the state, and what they ask for by name.


def plan(state: State) -> Command[Literal["write", "__end__"]]:
    answer = interrupt("Go on?")
    assert_type(answer, Any)
    if state["topic"]:
        return Command(update={"topic": answer}, goto=[Send("write", state)])
    if answer:
        return Command(goto="write")
    return Command(goto="nowhere")  # pyright: ignore[reportReturnType]


def write(state: State, *, runtime: Runtime[Context]) -> dict[str, Any]:
    assert_type(runtime, Runtime[Context])
    assert_type(runtime.context, Context)
    assert_type(runtime.store, BaseStore | None)
    assert_type(runtime.stream_writer, StreamWriter)
    print(runtime.context.age)  # pyright: ignore[reportAttributeAccessIssue]
    return {"drafts": [f"{state['topic']} by {runtime.context.user}"]}


async def check(state: State, *, store: BaseStore) -> dict[str, Any]:
    await store.aput(("drafts",), "last", {"text": state["drafts"][-1]})
    return {}


def spread(state: State) -> list[Send]:
    packets = [Send("check", {"topic": draft}) for draft in state["drafts"]]
    assert_type(packets[0].node, str)
    assert_type(packets[0].arg, Any)
    return packets


# A graph of schemas of its own: builder, compiled graph, results.

builder = StateGraph(State, Context, input_schema=Input, output_schema=Output)
assert_type(builder, StateGraph[State, Context, Input, Output])
chained = (
    builder.add_node("plan", plan)
    .add_node(write, retry_policy=RetryPolicy())
    .add_node("check", check, executor="process", timeout=1.0)
    .add_edge(START, "plan")
    .add_conditional_edges("write", spread)
)
assert_type(chained, StateGraph[State, Context, Input, Output])
builder.add_node("number", 3)  # pyright: ignore[reportArgumentType]
builder.add_node("remote", check, executor={"kind": "ray", "num_gpus": 1})
builder.add_node("nowhere", check, executor=3)  # pyright: ignore[reportArgumentType]
builder.add_node("plural", check, executors="process")  # pyright: ignore[reportCallIssue]

graph = builder.compile(checkpointer=InMemorySaver())
assert_type(graph, CompiledStateGraph[State, Context, Input, Output])

assert_type(graph.invoke({"topic": "a"}, context=Context("b")), dict[str, Any] | Any)
assert_type(graph.invoke({"topic": "a"}, version="v2"), GraphOutput[Output])
assert_type(graph.invoke({"topic": "a"}, version="v2").value["drafts"], list[str])
assert_type(graph.invoke({"topic": "a"}, version="v2").interrupts, tuple[Interrupt, ...])
assert_type(
    graph.invoke({"topic": "a"}, stream_mode="updates", version="v2"),
    list[StreamPart[State, Output]],
)
graph.invoke(None)
graph.invoke(Command(resume=True))
graph.invoke({"topik": "a"})  # pyright: ignore[reportArgumentType]
graph.invoke({"topic": "a"}, context=3)  # pyright: ignore[reportArgumentType]
graph.invoke({"topic": "a"}, version="v4")  # pyright: ignore[reportCallIssue, reportArgumentType]

assert_type(graph.stream({"topic": "a"}), Iterator[dict[str, Any] | Any])
assert_type(
    graph.stream({"topic": "a"}, stream_mode=["values", "custom"], version="v2"),
    Iterator[StreamPart[State, Output]],
)
assert_type(graph.astream({"topic": "a"}), AsyncIterator[dict[str, Any] | Any])
for part in graph.stream({"topic": "a"}, version="v2"):
    if part["type"] == "values":
        assert_type(part["data"], Output)
        assert_type(part["interrupts"], tuple[Interrupt, ...])
    elif part["type"] == "checkpoints":
        assert_type(part["data"]["values"], State)

assert_type(graph.stream_events({"topic": "a"}, version="v3"), GraphRunStream)

snapshot = graph.get_state({"configurable": {"thread_id": "1"}})
assert_type(snapshot, StateSnapshot)
assert_type(snapshot.next, tuple[str, ...])


async def run() -> None:
    assert_type(await graph.ainvoke({"topic": "a"}), dict[str, Any] | Any)
    assert_type(await graph.ainvoke({"topic": "a"}, version="v2"), GraphOutput[Output])
    assert_type(await graph.astream_events({"topic": "a"}, version="v3"), AsyncGraphRunStream)
    async for event in graph.astream_events({"topic": "a"}):
        assert_type(event["event"], str)


# A graph with one schema: that of the state is the input's and the output's.

simple = StateGraph(State).compile()
assert_type(simple, CompiledStateGraph[State, None, State, State])
assert_type(simple.with_config(tags=["a"]), CompiledStateGraph[State, None, State, State])

reduced = add_messages([], "a")
assert_type(reduced, Messages)

# The functional API.


@task
def double(n: int) -> int:
    return 2 * n


@task(retry_policy=RetryPolicy(), name="shout")
async def shout(text: str, *, times: int = 1) -> str:
    return text.upper() * times


@entrypoint(context_schema=Context)
def workflow(n: int, *, previous: int | None = None) -> int:
    future = double(n)
    assert_type(future.result(), int)
    double("a")  # pyright: ignore[reportArgumentType]
    return future.result() + (previous or 0)


@entrypoint()
async def greeting(name: str) -> entrypoint.final[str, int]:
    assert_type(await shout(name, times=2), str)
    assert_type(await asyncio.gather(shout(name), shout("!")), tuple[str, str])
    return entrypoint.final(value=name, save=1)


# Upstream forgets the context schema here, and then rejects the `context`.
assert_type(workflow, Pregel[Any, Context, Any, Any])
assert_type(greeting, Pregel[Any, None, Any, Any])
assert_type(workflow.invoke(1, context=Context("b")), dict[str, Any] | Any)
