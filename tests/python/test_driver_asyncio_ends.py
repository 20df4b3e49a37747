"""How async runs end: time limits, cancellations, failures."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from typing import Any

import anyio
import pytest
from _async_graphs import Endless, drain, quick, yields
from _driver_graphs import PATIENCE, State, chain, fan_out, thread
from langchain_core.callbacks import AsyncCallbackHandler
from pydantic import BaseModel

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.errors import NodeCancelledError
from langgraph_rust.graph import START, StateGraph


class Strict(BaseModel):
    """An input that refuses what is no number."""

    value: int


class TestTimeouts:
    @pytest.mark.parametrize("width", [1, 3])
    async def test_wait_for_reaches_the_node(self, width: int) -> None:
        nodes = [Endless() for _ in range(width)]
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(fan_out(nodes).ainvoke({}), 0.01)
        assert [node.ended for node in nodes] == [["CancelledError"]] * width

    @pytest.mark.parametrize("width", [1, 3])
    async def test_anyio_scopes_around_a_run(self, width: int) -> None:
        nodes = [Endless() for _ in range(width)]
        with anyio.move_on_after(0.01) as scope:
            await fan_out(nodes).ainvoke({})
        assert scope.cancelled_caught
        assert [node.ended for node in nodes] == [["CancelledError"]] * width

    async def test_a_timeout_inside_a_node_is_the_nodes_own(self) -> None:
        async def node(_: State) -> State:
            try:
                await asyncio.wait_for(asyncio.Event().wait(), 0.01)
            except asyncio.TimeoutError:
                return {"log": ["timed out"]}
            return {}

        assert (await chain([node, yields]).ainvoke({}))["log"] == ["timed out", "yields"]
        assert (await fan_out([node, yields]).ainvoke({}))["log"] == ["timed out", "yields"]

    @pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout is new in 3.11")
    async def test_asyncio_timeout_around_a_run_and_inside_a_node(self) -> None:
        async def node(_: State) -> State:
            try:
                async with asyncio.timeout(0.01):
                    await asyncio.Event().wait()
            except TimeoutError:
                return {"log": ["timed out"]}
            return {}

        inner = chain([node, yields])
        for graph in (inner, fan_out([node, yields]), chain([inner])):
            assert (await graph.ainvoke({}))["log"] == ["timed out", "yields"]
        endless = Endless()
        for graph in (chain([endless]), fan_out([endless, yields]), chain([chain([endless])])):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await graph.ainvoke({})
        assert endless.ended == ["CancelledError"] * 3

    async def test_anyio_inside_nodes(self) -> None:
        async def node(_: State) -> State:
            log: list[str] = []

            async def part(name: str) -> None:
                await anyio.sleep(0)
                log.append(name)

            async with anyio.create_task_group() as group:
                for name in "abc":
                    group.start_soon(part, name)
            with anyio.move_on_after(0.01):
                await anyio.sleep(PATIENCE)
                log.append("never")
            return {"log": sorted(log)}

        assert (await chain([node] * 2).ainvoke({}))["log"] == ["a", "b", "c"] * 2
        assert (await fan_out([node] * 2).ainvoke({}))["log"] == ["a", "b", "c"] * 2

    async def test_a_task_group_in_a_node_that_fails(self) -> None:
        async def fails() -> None:
            raise ValueError("part")

        async def node(_: State) -> State:
            async with anyio.create_task_group() as group:
                group.start_soon(fails)
                await anyio.sleep(PATIENCE)
            return {}

        for graph in (chain([node]), fan_out([node, quick])):
            with pytest.raises(BaseException) as caught:
                await graph.ainvoke({})
            assert "ValueError('part')" in repr(caught.value)

    @pytest.mark.parametrize("width", [1, 3])
    async def test_step_timeout(self, width: int) -> None:
        endless = Endless()
        graph = fan_out([endless] + [quick] * (width - 1))
        graph.step_timeout = 0.02
        with pytest.raises(asyncio.TimeoutError):
            await graph.ainvoke({})
        assert endless.ended == ["CancelledError"]

    async def test_step_timeout_does_not_wait_for_sync_nodes(self) -> None:
        release = threading.Event()

        def hangs(_: State) -> State:
            release.wait(PATIENCE)
            return {}

        graph = fan_out([hangs, quick])
        graph.step_timeout = 0.02
        with pytest.raises(asyncio.TimeoutError):
            await graph.ainvoke({})
        release.set()


class TestCancellation:
    @pytest.mark.parametrize("width", [1, 3])
    @pytest.mark.parametrize("mode", [None, "values", "custom"])
    async def test_it_reaches_every_node_and_comes_out(self, width: int, mode: Any) -> None:
        nodes = [Endless() for _ in range(width)]
        graph = fan_out(nodes)
        run = graph.ainvoke({}) if mode is None else drain(graph.astream({}, stream_mode=mode))
        task = asyncio.create_task(run)
        for node in nodes:
            await node.started.wait()
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
        assert [node.ended for node in nodes] == [["CancelledError"]] * width

    @pytest.mark.parametrize("width", [1, 2])
    async def test_a_node_that_swallows_it_goes_on(self, width: int) -> None:
        started = asyncio.Event()

        async def stubborn(_: State) -> State:
            started.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.sleep(0)
            return {"log": ["stubborn"]}

        ran = []

        async def after(_: State) -> State:
            ran.append("after")
            return {}

        builder = StateGraph(State)
        for position in range(width):
            builder.add_node(f"n{position}", stubborn).add_edge(START, f"n{position}")
        builder.add_node("after", after).add_edge("n0", "after")
        task = asyncio.create_task(builder.compile().ainvoke({}))
        await started.wait()
        task.cancel()
        # However the run ends, it ends, and does not hang.
        done, _ = await asyncio.wait([task], timeout=PATIENCE)
        assert done
        if not task.cancelled():
            assert task.result()["log"] == ["stubborn"] * width and ran == ["after"]

    async def test_a_node_may_clean_up_at_length(self) -> None:
        endless, cleaned = Endless(), []

        async def node(state: State) -> State:
            try:
                return await endless(state)
            finally:
                for _ in range(5):
                    await asyncio.sleep(0)
                cleaned.append(True)

        for graph in (chain([node]), fan_out([node, node])):
            cleaned.clear()
            endless.started = asyncio.Event()
            task = asyncio.create_task(graph.ainvoke({}))
            await endless.started.wait()
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert len(cleaned) == len(graph.nodes) - 1

    async def test_it_does_not_wait_for_sync_nodes(self) -> None:
        started, release = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def node(_: State) -> State:
            loop.call_soon_threadsafe(started.set)
            release.wait(PATIENCE)
            return {}

        for graph in (chain([node]), fan_out([node, node])):
            started.clear()
            task = asyncio.create_task(graph.ainvoke({}))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        release.set()

    async def test_it_reaches_nodes_of_subgraphs(self) -> None:
        nodes = [Endless() for _ in range(3)]
        inner = fan_out(nodes)
        for graph in (chain([chain([nodes[0]])]), chain([inner]), fan_out([inner, yields])):
            for node in nodes:
                node.started.clear()
                node.ended.clear()
            task = asyncio.create_task(graph.ainvoke({}))
            await nodes[0].started.wait()
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert [node.ended for node in nodes if node.started.is_set()] == [
                ["CancelledError"] for node in nodes if node.started.is_set()
            ]

    @pytest.mark.parametrize("width", [1, 3])
    async def test_a_node_that_cancels_itself_fails(self, width: int) -> None:
        async def node(_: State) -> State:
            await asyncio.sleep(0)
            raise asyncio.CancelledError("own")

        with pytest.raises(NodeCancelledError):
            await fan_out([node] + [quick] * (width - 1)).ainvoke({})

    async def test_what_finished_before_it_is_stored(self) -> None:
        endless = Endless()
        graph = chain([quick, endless], checkpointer=InMemorySaver())
        task = asyncio.create_task(graph.ainvoke({}, thread()))
        await endless.started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        state = await graph.aget_state(thread())
        assert state.next == ("n1",) and state.values["log"] == ["quick"]


class TestFailures:
    async def test_a_failure_cancels_its_siblings(self) -> None:
        endless = Endless()

        async def fails(_: State) -> State:
            await endless.started.wait()
            raise ValueError("no luck")

        with pytest.raises(ValueError, match="no luck"):
            await fan_out([fails, endless]).ainvoke({})
        assert endless.ended == ["CancelledError"]

    async def test_of_several_failures_one_comes_out(self) -> None:
        async def fails(_: State) -> State:
            raise ValueError("no luck")

        with pytest.raises(ValueError, match="no luck"):
            await fan_out([fails] * 3).ainvoke({})

    async def test_no_exception_is_left_unretrieved(self) -> None:
        problems: list[Any] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: problems.append(context))

        async def fails(_: State) -> State:
            await asyncio.sleep(0)
            raise ValueError("no luck")

        for nodes in ([fails], [fails, fails, Endless()]):
            with pytest.raises(ValueError):
                await fan_out(nodes).ainvoke({})
        gc.collect()
        await asyncio.sleep(0)
        assert problems == []

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
    @pytest.mark.parametrize("width", [1, 3])
    def test_exits_pass_through(self, error: type[BaseException], width: int) -> None:
        async def leaves(_: State) -> State:
            await asyncio.sleep(0)
            raise error("out")

        with pytest.raises(error, match="out"):
            asyncio.run(fan_out([leaves] + [quick] * (width - 1)).ainvoke({}))

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
    @pytest.mark.parametrize("is_async", [True, False])
    @pytest.mark.parametrize("how", ["values", "messages", "traced", "timed"])
    async def test_exits_can_be_caught_where_the_run_is_awaited(
        self, error: type[BaseException], is_async: bool, how: str
    ) -> None:
        async def anode(_: State) -> State:
            raise error("out")

        def node(_: State) -> State:
            raise error("out")

        # In a task of the node's own, it would end the loop before the run has come to its end.
        limits: Any = {"timeout": 5} if how == "timed" and is_async else {}
        builder = StateGraph(State).add_node("node", anode if is_async else node, **limits)
        graph = builder.add_edge(START, "node").compile()
        config: Any = {"callbacks": [AsyncCallbackHandler()]} if how == "traced" else {}
        mode: Any = "messages" if how == "messages" else "values"
        with pytest.raises(error, match="out"):
            await drain(graph.astream({}, config, stream_mode=mode))

    @pytest.mark.parametrize("error", [StopIteration, StopAsyncIteration])
    @pytest.mark.parametrize("is_async", [True, False])
    @pytest.mark.parametrize("width", [1, 2])
    async def test_the_end_of_an_iteration_is_no_end_of_a_run(
        self, error: type[Exception], is_async: bool, width: int
    ) -> None:
        async def anode(_: State) -> State:
            raise error("node")

        def node(_: State) -> State:
            raise error("node")

        graph = fan_out([anode if is_async else node] + [quick] * (width - 1))
        with pytest.raises((RuntimeError, StopAsyncIteration)):
            await graph.ainvoke({})
        with pytest.raises(RuntimeError):
            await drain(graph.astream({}))

    async def test_an_input_that_is_refused_fails_the_run(self) -> None:
        async def node(_: State) -> State:
            raise AssertionError("never runs")

        builder = StateGraph(State)
        builder.add_node("node", node, input_schema=Strict).add_edge(START, "node")
        with pytest.raises(ValueError, match="value"):
            await builder.compile().ainvoke({"value": "no number"})
