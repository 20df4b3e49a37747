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
from langgraph_rust.types import Command, interrupt

TIMEOUT = 0.25
"""Seconds; a machine at work elsewhere must get as far as the first node within."""


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


def times_out(graph: Any, *arguments: Any) -> None:
    graph.step_timeout = TIMEOUT
    with pytest.raises(TimeoutError):
        graph.invoke({}, *arguments)
    graph.step_timeout = None


class TestWhatIsNotConcerned:
    """Tasks that were over by then, and what they have left behind."""

    @pytest.mark.parametrize("is_beside", [False, True])
    def test_a_config_that_is_used_later(self, is_beside: bool) -> None:
        kept: list[Any] = []
        hold = threading.Event()

        def keeps(_: State, config: RunnableConfig) -> State:
            kept.append(config)
            return {}

        def holds(_: State) -> State:
            hold.wait(PATIENCE)
            return {}

        times_out((fan_out if is_beside else chain)([keeps, holds]))
        fallback = chain([lambda _: {"log": [1]}, lambda _: {"log": [2]}])
        assert fallback.invoke({}, kept[0])["log"] == [1, 2]
        hold.set()

    @pytest.mark.parametrize("is_beside", [False, True])
    def test_a_thread_that_works_on(self, is_beside: bool) -> None:
        inner, results = Inner(), []
        hold = threading.Event()

        def leaves(state: State, config: RunnableConfig) -> State:
            work = threading.Thread(
                target=lambda: results.append(inner.graph.invoke(state, config))
            )
            work.start()
            inner.started.wait(PATIENCE)
            results.append(work)
            return {}

        def holds(_: State) -> State:
            hold.wait(PATIENCE)
            return {}

        times_out((fan_out if is_beside else chain)([leaves, holds]))
        inner.hold.set()
        results[0].join(PATIENCE)
        assert results[1]["log"] == ["held", "went on"]
        hold.set()


class TestTheThreadOfTheRun:
    """Somebody may have gone on with it: nothing of what was abandoned is stored."""

    @pytest.mark.parametrize("durability", ["sync", "async", "exit"])
    @pytest.mark.parametrize("within", [as_node, called])
    def test_an_answer_counts(self, within: Any, durability: str) -> None:
        inner, attempts = Inner(), []

        def asks(state: State) -> State:
            attempts.append(1)
            if len(attempts) == 1:
                inner.holds(state)
                inner.ended.set()
                return {"log": ["stale"]}
            return {"log": [interrupt("?")]}

        inner.graph = chain([asks])
        results: list[Any] = []

        def calls(state: State) -> State:
            results.append(inner.graph.invoke(state))
            return {"log": results[-1]["log"]}

        node = inner.graph if within is as_node else calls
        graph = chain([node], checkpointer=InMemorySaver())
        times_out(graph, thread())
        config: Any = {**thread()}
        assert "__interrupt__" in graph.invoke(None, config, durability=durability)
        inner.hold.set()
        inner.ended.wait(PATIENCE)
        time.sleep(0.05)
        done = graph.invoke(Command(resume="yes"), config, durability=durability)
        assert done["log"] == ["yes"]


def test_an_async_run_within_sync_code() -> None:
    inner = Inner()

    def calls(state: State) -> State:
        try:
            asyncio.run(inner.graph.ainvoke(state))
        finally:
            inner.ended.set()
        return {}

    times_out(fan_out([calls, lambda _: {}]))
    inner.hold.set()
    assert inner.ended.wait(PATIENCE)
    assert inner.begun == []


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
