"""The `messages` and `tools` streams: which messages come, once each, and where from."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    HumanMessage,
    RemoveMessage,
    ToolMessage,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult
from langchain_core.tools import tool
from typing_extensions import TypedDict

from langgraph_rust.constants import END, START, TAG_HIDDEN, TAG_NOSTREAM
from langgraph_rust.errors import GraphInterrupt
from langgraph_rust.graph import StateGraph, add_messages
from langgraph_rust.pregel._streams.messages import (
    StreamMessagesHandler,
    StreamMessagesHandlerV2,
    _messages_delta_reducer,
    graph_namespace,
)
from langgraph_rust.pregel._streams.tools import StreamToolCallHandler, _tool_call_writer
from langgraph_rust.types import Command


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def run_in(handler: StreamMessagesHandler, ns: str = "node:1", **kwargs: Any) -> Any:
    """Start a run of the node `node` as its callbacks would."""
    run_id = uuid4()
    metadata = {"langgraph_node": "node", "langgraph_checkpoint_ns": ns}
    inputs = kwargs.pop("inputs", {})
    handler.on_chain_start({}, inputs, run_id=run_id, metadata=metadata, name="node", **kwargs)
    return run_id


def result(message: Any) -> LLMResult:
    return LLMResult(generations=[[ChatGeneration(message=message)]])


@pytest.fixture(params=[StreamMessagesHandler, StreamMessagesHandlerV2])
def handler(request: Any) -> Any:
    chunks: list[Any] = []
    made = request.param(chunks.append, False)
    made.chunks = chunks
    return made


def test_namespace_of_tasks_and_calls() -> None:
    pull = ("__pregel_pull", "a")
    call = ("__pregel_push", pull, 0, True)
    for path, ns, expected in [
        (pull, "a:1", ()),
        (pull, "sub:1|a:2", ("sub:1",)),
        (("__pregel_push", 0, False), "sub:1|a:2", ("sub:1",)),
        (call, "a:1|f:2", ()),
        (("__pregel_push", call, 3, True), "s:0|a:1|f:2|g:3", ("s:0",)),
    ]:
        metadata = {"langgraph_checkpoint_ns": ns, "langgraph_path": path}
        assert graph_namespace(metadata) == expected


def test_messages_of_a_node_come_once(handler: Any) -> None:
    old = AIMessage("old", id="1")
    run_id = run_in(handler, inputs={"messages": [old], "text": "no message"})
    new = AIMessage("new")
    handler.on_chain_end({"messages": [old, new], "last": new}, run_id=run_id)
    [(ns, mode, (message, metadata))] = handler.chunks
    assert (ns, mode, message.content) == ((), "messages", "new")
    assert message.id is not None
    assert metadata["langgraph_node"] == "node"


@pytest.mark.parametrize(
    "output",
    [
        AIMessage("m"),
        [AIMessage("m")],
        {"x": 1, "messages": AIMessage("m")},
        Command(update={"messages": [AIMessage("m")]}),
        [Command(goto="x"), {"messages": [AIMessage("m")]}],
        [Command(update=[AIMessage("m")])],
    ],
)
def test_messages_are_found_in_all_forms_of_output(handler: Any, output: Any) -> None:
    handler.on_chain_end(output, run_id=run_in(handler))
    assert [chunk[2][0].content for chunk in handler.chunks] == ["m"]


def test_only_the_new_protocol_leaves_out_tool_messages(handler: Any) -> None:
    answer = ToolMessage("done", tool_call_id="1")
    handler.on_chain_end({"messages": [answer]}, run_id=run_in(handler))
    assert len(handler.chunks) == (0 if isinstance(handler, StreamMessagesHandlerV2) else 1)


def test_hidden_and_other_runs_are_silent(handler: Any) -> None:
    hidden = run_in(handler, tags=[TAG_HIDDEN])
    part = uuid4()
    metadata = {"langgraph_node": "node", "langgraph_checkpoint_ns": "node:1"}
    handler.on_chain_start({}, {}, run_id=part, metadata=metadata, name="RunnableSequence")
    for run_id in (hidden, part, uuid4()):
        handler.on_chain_end(AIMessage("m"), run_id=run_id)
    assert handler.chunks == []


def test_subgraphs_are_silent_unless_asked_for(handler: Any) -> None:
    handler.on_chain_end(AIMessage("m"), run_id=run_in(handler, "sub:1|node:2"))
    assert handler.chunks == []
    handler.parent_ns = ("sub:1",)
    handler.on_chain_end(AIMessage("m"), run_id=run_in(handler, "sub:1|node:2"))
    handler.parent_ns, handler.subgraphs = None, True
    handler.on_chain_end(AIMessage("m"), run_id=run_in(handler, "sub:1|node:2"))
    assert [chunk[0] for chunk in handler.chunks] == [("sub:1",), ("sub:1",)]


def start_model(handler: Any, *, tags: list[str] | None = None) -> Any:
    run_id = uuid4()
    metadata = {"langgraph_checkpoint_ns": "node:1"}
    handler.on_chat_model_start({}, [[]], run_id=run_id, metadata=metadata, tags=tags)
    return run_id


def test_chunks_then_no_whole_message() -> None:
    chunks: list[Any] = []
    handler = StreamMessagesHandler(chunks.append, False)
    run_id = start_model(handler, tags=["mine", "seq:step:1"])
    for text in ("a", "b"):
        chunk = ChatGenerationChunk(message=AIMessageChunk(text, id="1"))
        handler.on_llm_new_token(text, chunk=chunk, run_id=run_id)
    handler.on_llm_end(result(AIMessage("ab", id="1")), run_id=run_id)
    handler.on_chain_end(AIMessage("ab", id="1"), run_id=run_in(handler))
    assert [chunk[2][0].content for chunk in chunks] == ["a", "b"]
    assert chunks[0][2][1]["tags"] == ["mine"]


def test_whole_message_of_a_model_that_does_not_stream(handler: Any) -> None:
    handler.on_llm_end(result(AIMessage("ab")), run_id=start_model(handler))
    silent = start_model(handler, tags=[TAG_NOSTREAM])
    handler.on_llm_end(result(AIMessage("silent")), run_id=silent)
    failed = start_model(handler)
    handler.on_llm_error(ValueError(), run_id=failed)
    handler.on_llm_end(result(AIMessage("failed")), run_id=failed)
    assert [chunk[2][0].content for chunk in handler.chunks] == ["ab"]


def test_events_then_neither_chunks_nor_whole_message() -> None:
    chunks: list[Any] = []
    handler = StreamMessagesHandlerV2(chunks.append, False)
    run_id = start_model(handler)
    start = {"event": "message-start", "message_id": "1"}
    handler.on_stream_event(start, run_id=run_id)
    chunk = ChatGenerationChunk(message=AIMessageChunk("a"))
    handler.on_llm_new_token("a", chunk=chunk, run_id=run_id)
    handler.on_llm_end(result(AIMessage("a", id="2")), run_id=run_id)
    handler.on_chain_end([AIMessage("a", id="1"), AIMessage("a", id="2")], run_id=run_in(handler))
    [(_, _, (event, metadata))] = chunks
    assert event is start
    assert metadata["run_id"] == str(run_id)


@pytest.mark.parametrize("subgraphs", [False, True])
def test_stream_of_a_graph(subgraphs: bool) -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage("one two")]))

    def chat(state: State) -> State:
        return {"messages": [model.invoke(state["messages"])]}

    inner = StateGraph(State).add_node("chat", chat).add_edge(START, "chat").compile()
    outer = StateGraph(State).add_node("inner", inner).add_edge(START, "inner").compile()
    question = {"messages": [HumanMessage("q", id="q")]}
    parts = outer.stream(question, stream_mode="messages", subgraphs=subgraphs, version="v2")
    found = [(len(part["ns"]), part["data"][0].content) for part in parts]
    # Otherwise the inner graph is but a node that returns a message.
    assert found == ([(1, "one"), (1, " "), (1, "two")] if subgraphs else [(0, "one two")])


def tools_of(handler_args: dict[str, Any], error: BaseException | None = None) -> list[Any]:
    chunks: list[Any] = []
    handler = StreamToolCallHandler(chunks.append, **handler_args)
    run_id = uuid4()
    metadata = {"langgraph_checkpoint_ns": "sub:1|tools:2"}
    handler.on_tool_start(
        {"name": "t"}, "", run_id=run_id, metadata=metadata, inputs={"x": 1}, tool_call_id="c"
    )
    writer = _tool_call_writer.get()
    if writer is not None:
        writer("part")
    if error is None:
        handler.on_tool_end("out", run_id=run_id)
    else:
        handler.on_tool_error(error, run_id=run_id)
    assert _tool_call_writer.get() is None
    return chunks


def test_tool_calls() -> None:
    chunks = tools_of({"subgraphs": True})
    assert {chunk[:2] for chunk in chunks} == {(("sub:1",), "tools")}
    assert [chunk[2] for chunk in chunks] == [
        {"event": "tool-started", "tool_call_id": "c", "tool_name": "t", "input": {"x": 1}},
        {"event": "tool-output-delta", "tool_call_id": "c", "delta": "part"},
        {"event": "tool-finished", "tool_call_id": "c", "output": "out"},
    ]


def test_tool_calls_of_subgraphs_are_silent_unless_asked_for() -> None:
    assert tools_of({"subgraphs": False}) == []
    assert tools_of({"subgraphs": False, "parent_ns": ("sub:1",)}) != []


def test_failed_tool_calls_are_told_from_paused_ones() -> None:
    failed = tools_of({"subgraphs": True}, ValueError("no"))[-1][2]
    assert failed == {"event": "tool-error", "tool_call_id": "c", "message": "no"}
    paused = tools_of({"subgraphs": True}, GraphInterrupt(()))[-1][2]
    assert paused["event"] == "tool-output-delta"


def test_tools_stream_of_a_graph() -> None:
    @tool
    def double(x: int) -> int:
        """Double a number."""
        writer = _tool_call_writer.get()
        assert writer is not None
        writer(x)
        return 2 * x

    def node(state: State) -> State:
        double.invoke({"name": "double", "args": {"x": 2}, "id": "c", "type": "tool_call"})
        return {"messages": []}

    graph = StateGraph(State).add_node(node).add_edge(START, "node").add_edge("node", END).compile()
    events = [part["event"] for part in graph.stream({"messages": []}, stream_mode="tools")]
    assert events == ["tool-started", "tool-output-delta", "tool-finished"]


def test_delta_reducer_gives_the_same_for_one_batch_and_for_many() -> None:
    state = [AIMessage("a", id="a"), AIMessage("anonymous"), AIMessage("b", id="b")]
    writes: list[Any] = [
        [HumanMessage("B", id="b"), ("user", "c")],
        RemoveMessage(id="a"),
        {"role": "user", "content": "A", "id": "a"},
        [RemoveMessage(id="unknown")],
    ]
    at_once = _messages_delta_reducer(state, writes)
    one_by_one: list[Any] = state
    for write in writes:
        one_by_one = _messages_delta_reducer(one_by_one, [write])
    assert [m.content for m in at_once] == ["anonymous", "B", "c", "A"]
    assert at_once == one_by_one
    assert [m.content for m in state] == ["a", "anonymous", "b"]
