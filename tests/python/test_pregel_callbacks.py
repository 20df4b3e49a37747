"""Runs of a graph as callback handlers see them."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.runnables import RunnableLambda
from typing_extensions import TypedDict

from langgraph_rust.graph import START, StateGraph
from langgraph_rust.pregel import Pregel


class State(TypedDict, total=False):
    x: int


def named_router(state: State) -> str:
    return "z"


class Recorder(BaseCallbackHandler):
    """Notes what chains do."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []
        self.run_ids: list[UUID] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        self.events.append(("start", kwargs["name"]))
        self.run_ids.append(kwargs["run_id"])

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        self.events.append(("end", outputs))

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        self.events.append(("error", repr(error)))


class AsyncRecorder(AsyncCallbackHandler):
    """The same with coroutines."""

    def __init__(self) -> None:
        self.events: list[str] = []

    async def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        self.events.append("start")

    async def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        self.events.append(type(error).__name__)


def compiled(function: Any) -> Pregel:
    return StateGraph(State).add_node("a", function).add_edge(START, "a").compile()


def test_a_run_is_reported_with_its_output() -> None:
    recorder = Recorder()
    run_id = uuid4()
    config = {"callbacks": [recorder], "run_name": "mine", "run_id": run_id}
    compiled(lambda state: {"x": 2}).invoke({"x": 1}, config)
    assert recorder.events[0] == ("start", "mine")
    assert recorder.events[-1] == ("end", {"x": 2})
    assert recorder.run_ids[0] == run_id
    assert ("start", "a") in recorder.events


def test_the_name_of_a_run_is_that_of_the_graph() -> None:
    recorder = Recorder()
    list(compiled(lambda state: {"x": 2}).stream({"x": 1}, {"callbacks": [recorder]}))
    assert recorder.events[0] == ("start", "LangGraph")
    assert recorder.events[-1] == ("end", {"x": 2})


def test_a_failed_run_is_reported_with_its_error() -> None:
    def fail(state: State) -> None:
        raise ValueError("no")

    recorder = Recorder()
    graph = compiled(fail)
    with pytest.raises(ValueError, match="no"):
        graph.invoke({"x": 1}, {"callbacks": [recorder]})
    assert recorder.events[-1] == ("error", "ValueError('no')")
    with pytest.raises(ValueError, match="no"):
        list(graph.stream({"x": 1}, {"callbacks": [recorder]}))
    assert recorder.events[-1] == ("error", "ValueError('no')")


def test_an_abandoned_stream_is_reported() -> None:
    recorder = Recorder()
    chunks = compiled(lambda state: {"x": 2}).stream({"x": 1}, {"callbacks": [recorder]})
    next(chunks)
    chunks.close()
    assert recorder.events[-1] == ("error", "GeneratorExit()")


async def test_a_cancelled_run_is_reported() -> None:
    began = asyncio.Event()

    async def wait(state: State) -> None:
        began.set()
        await asyncio.Event().wait()

    recorder = AsyncRecorder()
    running = asyncio.create_task(compiled(wait).ainvoke({"x": 1}, {"callbacks": [recorder]}))
    await began.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert recorder.events[-1] == "CancelledError"


@pytest.mark.parametrize(
    ("router", "sync_name", "async_name"),
    [
        (lambda state: "z", "RunnableCallable", None),
        (RunnableLambda(named_router), "named_router", "named_router"),
        (named_router, "named_router", "named_router"),
    ],
)
def test_the_run_of_a_router_is_named_as_upstream_names_it(
    router: Any, sync_name: str | None, async_name: str | None
) -> None:
    builder = StateGraph(State).add_node("n", lambda state: {}).add_node("z", lambda state: {})
    graph = builder.add_edge(START, "n").add_conditional_edges("n", router).compile()
    for is_async, name in ((False, sync_name), (True, async_name)):
        recorder = Recorder()
        config: Any = {"callbacks": [recorder]}
        asyncio.run(graph.ainvoke({}, config)) if is_async else graph.invoke({}, config)
        starts = [what for kind, what in recorder.events if kind == "start"]
        assert starts == ["LangGraph", "n", name, "z"]
