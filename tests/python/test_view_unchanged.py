"""A run that is watched brings, shows and stores what it does unwatched."""

from __future__ import annotations

import asyncio
import operator
import re
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from typing_extensions import TypedDict

from langgraph_rust._view._value.redaction import NOTHING
from langgraph_rust._view._watching.hub import Hub
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.config import get_store, get_stream_writer
from langgraph_rust.func import entrypoint, task
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.prebuilt import create_react_agent
from langgraph_rust.store.memory import InMemoryStore
from langgraph_rust.types import RetryPolicy, Send, interrupt

pytestmark = pytest.mark.filterwarnings("ignore")


class State(TypedDict, total=False):
    # Without ids that a reducer adds.
    messages: Annotated[list[Any], operator.add]
    log: Annotated[list[Any], operator.add]


class Model(GenericFakeChatModel):
    """Cannot stream a message without text."""

    def bind_tools(self, tools: Any, **options: Any) -> Any:
        return self


@tool
def look(what: str) -> str:
    """Look something up."""
    get_stream_writer()({"looks": what})
    return f"found {what}"


def _call(what: str) -> Any:
    return {"name": "look", "args": {"what": what}, "id": what}


def agent(kept: Any) -> tuple[Any, Any]:
    said = [AIMessage("", tool_calls=[_call("a"), _call("b")]), AIMessage("so it is")]
    return create_react_agent(Model(messages=iter(said)), [look], **kept), {
        "messages": [("user", "hi")]
    }


def subgraphs(kept: Any) -> tuple[Any, Any]:
    def inner(state: State) -> Any:
        get_stream_writer()("x")
        get_store().put(("a",), "k", {"v": 1})
        return {"log": ["inner"], "messages": [AIMessage("without an id")]}

    graph = StateGraph(State).add_node(inner).add_edge(START, "inner").compile()

    def calls(state: State) -> Any:
        return {"log": [graph.invoke({"log": []})["log"]]}

    def streams(state: State) -> Any:
        return {"log": [str(list(graph.stream({"log": []}, stream_mode=["custom", "updates"])))]}

    made = StateGraph(State).add_sequence([("graph", graph), calls, streams])
    return made.add_edge(START, "graph").compile(**kept), {"log": ["in"]}


def sends(kept: Any) -> tuple[Any, Any]:
    made = StateGraph(State).add_node("each", lambda state: {"log": [state]})
    made.add_conditional_edges(START, lambda _: [Send("each", n) for n in range(4)], ["each"])
    return made.compile(**kept), {"log": []}


def functional(kept: Any) -> tuple[Any, Any]:
    @task
    def add(number: int) -> int:
        get_stream_writer()({"adds": number})
        return number + 1

    @entrypoint(**kept)
    def flow(number: int) -> Any:
        return [one.result() for one in [add(n) for n in range(3)]] + [interrupt("?")]

    return flow, 1


def failing(kept: Any) -> tuple[Any, Any]:
    tries: list[int] = []

    def fails(state: State) -> Any:
        tries.append(1)
        raise ConnectionError("once") if len(tries) == 1 else ValueError("twice")

    policy = RetryPolicy(initial_interval=0.001, jitter=False)
    made = StateGraph(State).add_node(fails, retry_policy=policy)
    return made.add_edge(START, "fails").compile(**kept), {"log": []}


GRAPHS = (agent, subgraphs, sends, functional, failing)
MODES: Any = ("values", "updates", "custom", "messages", "tasks", "checkpoints", "debug")
WAYS: tuple[Any, ...] = (
    {},
    *({"stream_mode": mode} for mode in MODES),
    {"stream_mode": [*MODES], "version": "v2", "subgraphs": True},
)


def perform(
    make: Callable[[Any], Any], way: dict[str, Any], *, is_async: bool, is_watched: bool
) -> Any:
    """Run a graph; return what came, how it ended, and what is stored."""
    graph, input = make({"checkpointer": InMemorySaver(), "store": InMemoryStore()})
    hub = Hub(NOTHING)
    if is_watched:
        graph._watch = hub.watcher("the test")
    config: Any = {"configurable": {"thread_id": "1"}}
    came: list[Any] = []

    def run() -> None:
        if way:
            came.extend(graph.stream(input, config, **way))
        else:
            came.append(graph.invoke(input, config))

    async def arun() -> None:
        if way:
            came.extend([chunk async for chunk in graph.astream(input, config, **way)])
        else:
            came.append(await graph.ainvoke(input, config))

    try:
        asyncio.run(arun()) if is_async else run()
    except ValueError as error:
        came.append(error)
    assert {run["status"] for run in hub.listed()} <= {"success", "interrupted", "error"}
    assert len(hub.listed()) == is_watched
    # Tasks that run side by side end in any order.
    stored = [
        _plain(
            (one.checkpoint["channel_values"], one.metadata, sorted(one.pending_writes, key=_plain))
        )
        for one in graph.checkpointer.list(None)
    ]
    return sorted(map(_plain, came)), sorted(stored)


def _plain(value: Any) -> str:
    text = re.sub(r"[0-9a-f]{8}-?[0-9a-f-]{24,27}|0x[0-9a-f]+", "·", repr(value))
    # Those of tools get ids from a reducer, before or after their writes are stored.
    text = re.sub(r"(ToolMessage\([^)]*?) id='·',", r"\1", text)
    return re.sub(r"\d{4}-\d\d-\d\dT[0-9:.+]+", "·", text)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: str(way.get("stream_mode", "whole")))
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("make", GRAPHS)
def test_watching_changes_nothing(make: Any, is_async: bool, way: dict[str, Any]) -> None:
    plain = perform(make, way, is_async=is_async, is_watched=False)
    assert perform(make, way, is_async=is_async, is_watched=True) == plain
