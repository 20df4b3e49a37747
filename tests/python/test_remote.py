"""`RemoteGraph`: what it sends to a server, and what it makes of the answers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from langgraph_rust._internal._constants import CONF, CONFIG_KEY_CHECKPOINT_NS, CONFIG_KEY_STREAM
from langgraph_rust.errors import GraphInterrupt, ParentCommand
from langgraph_rust.pregel.protocol import StreamProtocol
from langgraph_rust.pregel.remote import RemoteException, RemoteGraph
from langgraph_rust.types import Command, Interrupt

INTERRUPTED = {"__interrupt__": [{"value": "?", "id": "1"}]}


class Chunk(NamedTuple):
    event: str
    data: Any


class Runs:
    """The `runs` of a client, which answer with given chunks."""

    def __init__(self, *chunks: Chunk) -> None:
        self.chunks = chunks
        self.asked: dict[str, Any] = {}

    def stream(self, **asked: Any) -> Any:
        self.asked = asked
        return iter(self.chunks)


class AsyncRuns(Runs):
    async def stream(self, **asked: Any) -> Any:
        self.asked = asked
        for chunk in self.chunks:
            yield chunk


def remote(*chunks: Chunk, **attributes: Any) -> tuple[RemoteGraph, Runs]:
    runs = Runs(*chunks)
    client: Any = SimpleNamespace(runs=runs)
    return RemoteGraph("g", sync_client=client, **attributes), runs


def within_node(modes: set[Any], received: list[Any]) -> Any:
    sink = StreamProtocol(received.append, modes)
    return {CONF: {CONFIG_KEY_CHECKPOINT_NS: "node:1", CONFIG_KEY_STREAM: sink}}


def test_what_is_sent() -> None:
    graph, runs = remote(config={"tags": ["a", 1], "recursion_limit": 5})  # type: ignore[list-item]
    config: Any = {
        "metadata": {"a": 1, "b": object(), 3: 3, "c": [1, object(), {"d": (2,)}]},
        CONF: {"thread_id": "t", "checkpoint_ns": "n", "key": "v", "__pregel_task_id": "1"},
    }
    assert list(graph.stream(Command(resume=1), config, stream_mode="messages")) == []
    assert runs.asked["thread_id"] == "t"
    assert runs.asked["input"] is None
    assert runs.asked["command"]["resume"] == 1
    assert runs.asked["config"] == {
        "tags": ["a"],
        "recursion_limit": 5,
        "metadata": {"a": 1, "c": [1, {"d": [2]}]},
        CONF: {"key": "v"},
    }
    assert runs.asked["stream_mode"] == ["messages-tuple", "updates"]
    assert runs.asked["stream_subgraphs"] is False


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [{"a": 1}]),
        ({"stream_mode": "values"}, [{"x": 1}]),
        ({"stream_mode": ["values"]}, [Chunk("values", {"x": 1})]),
        ({"subgraphs": True}, [((), {"a": 1}), (("sub:1",), {"b": 1})]),
        ({"stream_mode": ["messages"]}, [Chunk("messages", ("m", {}))]),
        (
            {"stream_mode": ["updates"], "subgraphs": True},
            [((), "updates", {"a": 1}), (("sub:1",), "updates", {"b": 1})],
        ),
        (
            {"stream_mode": "values", "version": "v2"},
            [{"type": "values", "ns": (), "data": {"x": 1}, "interrupts": ()}],
        ),
    ],
)
def test_shapes_of_chunks(arguments: Any, expected: Any) -> None:
    chunks = [
        Chunk("metadata", {"run_id": "1"}),
        Chunk("values", {"x": 1}),
        Chunk("updates", {"a": 1}),
        Chunk("updates|sub:1", {"b": 1}),
        Chunk("messages", ["m", {}]),
    ]
    graph, _ = remote(*chunks)
    assert list(graph.stream({}, **arguments)) == expected


async def test_last_state() -> None:
    chunks = [Chunk("values", {"x": 1}), Chunk("values", {"x": 2, **INTERRUPTED})]
    graph, runs = remote(*chunks)
    assert graph.invoke({})["x"] == 2
    output = graph.invoke({}, version="v2")
    assert (output.value, output.interrupts) == ({"x": 2}, (Interrupt("?", id="1"),))
    runs.chunks = ()
    assert graph.invoke({}) is None
    client: Any = SimpleNamespace(runs=AsyncRuns(Chunk("values", {"x": 3})))
    assert await RemoteGraph("g", client=client).ainvoke({}) == {"x": 3}


def test_within_a_node() -> None:
    received: list[Any] = []
    graph, runs = remote(Chunk("custom|sub:2", 1), Chunk("updates", INTERRUPTED))
    with pytest.raises(GraphInterrupt) as raised:
        list(graph.stream({}, within_node({"custom"}, received)))
    assert raised.value.args[0] == [Interrupt("?", id="1")]
    assert received == [(("node:1", "sub:2"), "custom", 1)]
    assert runs.asked["stream_mode"] == ["updates", "custom"]
    assert runs.asked["stream_subgraphs"] is True
    # For itself, an interrupted run has just ended.
    assert list(graph.stream({})) == [INTERRUPTED]


def test_commands_and_errors() -> None:
    graph, runs = remote(Chunk("command", {"graph": Command.PARENT, "goto": "x"}))
    with pytest.raises(ParentCommand) as raised:
        list(graph.stream({}))
    assert raised.value.args[0] == Command(graph=Command.PARENT, goto="x")
    runs.chunks = (Chunk("error", {"message": "no"}),)
    with pytest.raises(RemoteException, match="no"):
        list(graph.stream({}))


def test_copies_and_missing_clients() -> None:
    graph, _ = remote(config={"tags": ["a"]})
    copy = graph.with_config(tags=["b"])
    assert copy.config is not None
    assert copy.config["tags"] == ["a", "b"]
    assert (copy.name, copy.sync_client) == ("g", graph.sync_client)
    with pytest.raises(ValueError, match="Sync client is not initialized"):
        RemoteGraph("g").invoke({})


def test_its_graph_is_drawn_without_a_network() -> None:
    nodes = [{"id": "__start__", "data": "__start__"}, {"id": "talk", "data": {"name": "talk"}}]
    told = {"nodes": nodes, "edges": [{"source": "__start__", "target": "talk"}]}
    client: Any = SimpleNamespace(assistants=SimpleNamespace(get_graph=lambda **_: told))
    drawn: Any = RemoteGraph("g", sync_client=client).get_graph()
    assert "talk" in drawn.draw_svg()
    assert drawn.draw_mermaid_png().startswith(b"\x89PNG")
