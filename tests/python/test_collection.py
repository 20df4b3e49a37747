"""Runs nobody will finish, in reference cycles: the garbage collector finds them."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from _driver_graphs import State, chain, fan_out


class Agent:
    """Owns a graph whose nodes are its methods, and a run of it: a cycle."""

    def __init__(self, is_async: bool, wide: bool, mode: str) -> None:
        node = self.asay if is_async else self.say
        self.graph = fan_out([node] * 3) if wide else chain([node] * 3)
        stream = self.graph.astream if is_async else self.graph.stream
        self.chunks: Any = stream({}, stream_mode=mode)

    def say(self, state: State) -> State:
        return {"log": [self.word]}

    async def asay(self, state: State) -> State:
        await asyncio.sleep(0)
        return {"log": [self.word]}

    word = "hello"


@pytest.mark.parametrize("mode", ["updates", "values", "tasks"])
@pytest.mark.parametrize("wide", [False, True], ids=["chain", "fan-out"])
def test_an_abandoned_stream(wide: bool, mode: str) -> None:
    def abandon() -> weakref.ref[Agent]:
        agent = Agent(is_async=False, wide=wide, mode=mode)
        next(agent.chunks)
        return weakref.ref(agent)

    assert is_collected(abandon)


@pytest.mark.parametrize("mode", ["updates", "values"])
def test_an_abandoned_async_stream(mode: str) -> None:
    def abandon() -> weakref.ref[Agent]:
        async def run() -> weakref.ref[Agent]:
            agent = Agent(is_async=True, wide=False, mode=mode)
            await anext(agent.chunks)
            return weakref.ref(agent)

        return asyncio.run(run())

    assert is_collected(abandon)


def test_a_coroutine_that_nobody_awaits_any_more() -> None:
    async def never(state: State) -> State:
        await asyncio.Event().wait()
        return {}

    def abandon() -> weakref.ref[Agent]:
        agent = Agent(is_async=True, wide=False, mode="updates")
        agent.graph = chain([never])

        async def run() -> None:
            agent.chunks = agent.graph.ainvoke({"log": [agent]})
            # By hand: a task would be cancelled with its loop.
            agent.chunks.send(None)

        asyncio.run(run())
        return weakref.ref(agent)

    assert is_collected(abandon)


def test_a_config_kept_by_its_own_graph() -> None:
    def abandon() -> weakref.ref[Agent]:
        agent = Agent(is_async=False, wide=False, mode="updates")
        agent.graph.invoke({}, {"configurable": {"agent": agent}})
        return weakref.ref(agent)

    assert is_collected(abandon)


def is_collected(abandon: Callable[[], weakref.ref[Agent]]) -> bool:
    agent = abandon()
    gc.collect()
    gc.collect()
    return agent() is None
