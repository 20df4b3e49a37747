"""The collector takes nothing away that a run still needs."""

from __future__ import annotations

import asyncio
import gc
import operator
from typing import Annotated, Any

import pytest
from _async_graphs import quick
from _driver_graphs import State, chain, fan_out, thread
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.func import entrypoint, task
from langgraph_rust.graph import START, StateGraph


class TestInUse:
    """The collector runs at every step, and takes nothing away."""

    def node(self, state: State) -> State:
        gc.collect()
        return {"log": [len(state["log"])]}

    async def anode(self, state: State) -> State:
        gc.collect()
        await asyncio.sleep(0)
        gc.collect()
        return {"log": [len(state["log"])]}

    @pytest.mark.parametrize("shape", [chain, fan_out])
    def test_streams(self, shape: Any) -> None:
        graph = shape([self.node] * 3, checkpointer=InMemorySaver())
        seen = []
        for chunk in graph.stream({"log": []}, thread(), stream_mode="updates"):
            gc.collect()
            seen.append(chunk)
        assert len(seen) == 3

    @pytest.mark.parametrize("shape", [chain, fan_out])
    async def test_async_streams(self, shape: Any) -> None:
        graph = shape([self.anode] * 3, checkpointer=InMemorySaver())
        seen = []
        async for chunk in graph.astream({"log": []}, thread(), stream_mode="updates"):
            gc.collect()
            seen.append(chunk)
        assert len(seen) == 3

    def test_a_stream_that_is_all_that_is_left(self) -> None:
        stream = chain([self.node] * 3).stream({"log": []}, stream_mode="values")
        first = next(stream)
        gc.collect()
        gc.collect()
        assert [first, *stream][-1]["log"] == [0, 1, 2]

    def test_reducers_and_routers(self) -> None:
        def add(old: list[int], new: list[int]) -> list[int]:
            gc.collect()
            return operator.add(old, new)

        own = TypedDict("own", {"log": Annotated[list[int], add]})  # noqa: UP013
        builder = StateGraph(own).add_node("node", lambda _: {"log": [1]}).add_edge(START, "node")
        builder.add_conditional_edges("node", lambda _: (gc.collect() and "__end__") or "__end__")
        assert builder.compile().invoke({"log": [5]})["log"] == [5, 1]

    async def test_called_tasks(self) -> None:
        work = task(quick)

        @entrypoint()
        async def flow(_: Any) -> Any:
            futures = [work({}) for _ in range(5)]
            gc.collect()
            return len(await asyncio.gather(*futures))

        assert await flow.ainvoke(1) == 5
