"""What a task runs hears that nobody waits for the task any more: it begins nothing new."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from _driver_graphs import PATIENCE, State, chain, fan_out, thread
from langchain_core.runnables import RunnableConfig

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.pregel import Pregel

TIMEOUT = 0.05


class Inner:
    """A graph that is held in its first node, and notes what else is begun."""

    def __init__(self, build: Callable[[list[Any]], Pregel] = chain) -> None:
        self.hold, self.started, self.ended = (threading.Event() for _ in range(3))
        self.begun: list[str] = []
        self.graph = build([self.holds, self.goes_on])

    def holds(self, _: State) -> State:
        self.started.set()
        self.hold.wait(PATIENCE)
        return {"log": ["held"]}

    def goes_on(self, _: State) -> State:
        self.begun.append("goes_on")
        return {"log": ["went on"]}

    def release(self) -> None:
        """Let the first node end, and give the rest time to be begun."""
        assert self.started.is_set()
        self.hold.set()
        self.ended.wait(0.1)


def as_node(inner: Inner) -> Any:
    return inner.graph


def deeper(inner: Inner) -> Any:
    return chain([chain([inner.graph])])


def called(inner: Inner) -> Any:
    def calls(state: State) -> State:
        try:
            inner.begun.append(str(inner.graph.invoke(state)))
        finally:
            inner.ended.set()
        return {}

    return calls


def called_with_config(inner: Inner) -> Any:
    def calls(state: State, config: RunnableConfig) -> State:
        try:
            inner.begun.append(str(list(inner.graph.stream(state, config))))
        finally:
            inner.ended.set()
        return {}

    return calls


def beside(nodes: list[Any]) -> Pregel:
    """The second of the nodes follows the first, which has another beside it."""
    return chain([fan_out([nodes[0], lambda _: {"log": ["beside"]}]), nodes[1]])


@pytest.mark.parametrize("saver", [None, InMemorySaver], ids=["", "saver"])
@pytest.mark.parametrize("build", [chain, beside])
@pytest.mark.parametrize("within", [as_node, deeper, called, called_with_config])
class TestATimeLimit:
    def test_of_a_sync_run(self, within: Any, build: Any, saver: Any) -> None:
        inner = Inner(build)
        graph = fan_out([within(inner), lambda _: {}], checkpointer=saver and saver())
        graph.step_timeout = TIMEOUT
        with pytest.raises(TimeoutError):
            graph.invoke({}, thread())
        inner.release()
        assert inner.begun == []

    def test_a_thread_goes_on(self, within: Any, build: Any, saver: Any) -> None:
        """Another run of the same graphs is not concerned."""
        inner = Inner(build)
        graph = fan_out([within(inner), lambda _: {}], checkpointer=saver and saver())
        graph.step_timeout = TIMEOUT
        with pytest.raises(TimeoutError):
            graph.invoke({}, thread())
        inner.release()
        graph.step_timeout = None
        graph.invoke({}, thread())
        assert "goes_on" in inner.begun


def test_a_config_of_a_run_that_ended_well() -> None:
    """A thread of the node's own uses it longer than the run lasts."""
    inner = Inner()
    results: list[Any] = []

    def leaves(state: State, config: RunnableConfig) -> State:
        work = threading.Thread(target=lambda: results.append(inner.graph.invoke(state, config)))
        work.start()
        inner.started.wait(PATIENCE)
        results.append(work)
        return {}

    fan_out([leaves, lambda _: {}]).invoke({})
    inner.hold.set()
    results[0].join(PATIENCE)
    assert results[1]["log"] == ["held", "went on"]


@pytest.mark.parametrize("within", [called, called_with_config])
async def test_sync_code_of_an_async_run(within: Any) -> None:
    """Upstream's goes on in its thread, and so does ours: only its result is not wanted."""
    inner = Inner()
    graph = fan_out([within(inner), lambda _: {}])
    run = asyncio.ensure_future(graph.ainvoke({}))
    while not inner.started.is_set():
        await asyncio.sleep(0)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    inner.hold.set()
    end = time.monotonic() + PATIENCE
    while "goes_on" not in inner.begun and time.monotonic() < end:
        await asyncio.sleep(0.001)
    assert "goes_on" in inner.begun
