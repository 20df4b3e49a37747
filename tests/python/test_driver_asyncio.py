"""Driving a run on an event loop."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from typing import Any

import pytest
from _async_graphs import AsyncMeeting, drain, log_thread, quick, yields
from _driver_graphs import PATIENCE, Meeting, State, chain, fan_out

from langgraph_rust.graph import START, StateGraph

var: contextvars.ContextVar[str] = contextvars.ContextVar("var", default="outside")


class TestWhereNodesRun:
    async def test_a_single_node_runs_in_the_callers_task(self) -> None:
        tasks = []

        async def node(_: State) -> State:
            tasks.append(asyncio.current_task())
            await asyncio.sleep(0)
            tasks.append(asyncio.current_task())
            return {}

        await chain([node] * 2).ainvoke({})
        assert set(tasks) == {asyncio.current_task()}

    async def test_several_nodes_are_tasks(self) -> None:
        tasks = []

        async def node(_: State) -> State:
            tasks.append(asyncio.current_task())
            await asyncio.sleep(0)
            return {}

        await fan_out([node] * 3).ainvoke({})
        assert len(set(tasks)) == 3 and asyncio.current_task() not in tasks

    async def test_several_nodes_run_at_once(self) -> None:
        meeting = AsyncMeeting(5)
        assert (await fan_out([meeting] * 5).ainvoke({}))["log"] == ["met"] * 5

    @pytest.mark.parametrize("limit", [1, 2, 3])
    async def test_max_concurrency_is_reached_and_not_exceeded(self, limit: int) -> None:
        meeting = AsyncMeeting(limit)
        await fan_out([meeting] * 6).ainvoke({}, {"max_concurrency": limit})
        assert meeting.most == limit

    async def test_sync_nodes_leave_the_loop(self) -> None:
        """The node waits for what only the loop can do."""
        release, loop = threading.Event(), asyncio.get_running_loop()

        def node(_: State) -> State:
            loop.call_soon_threadsafe(release.set)
            assert release.wait(PATIENCE)
            return {"log": [threading.get_ident()]}

        log = (await chain([node] * 2).ainvoke({}))["log"]
        assert threading.get_ident() not in log

    @pytest.mark.parametrize("seconds", [0, 0.00005, 0.002])
    async def test_sync_nodes_run_elsewhere_however_quick(self, seconds: float) -> None:
        def node(_: State) -> State:
            time.sleep(seconds)
            return {"log": [threading.get_ident()]}

        log = (await chain([node] * 20).ainvoke({}))["log"]
        assert len(log) == 20 and threading.get_ident() not in log

    @pytest.mark.parametrize("seconds", [0, 0.002])
    async def test_what_sync_nodes_raise_arrives(self, seconds: float) -> None:
        def node(_: State) -> State:
            time.sleep(seconds)
            raise KeyError("here")

        for _ in range(5):
            with pytest.raises(KeyError, match="here"):
                await chain([node]).ainvoke({})

    async def test_sync_nodes_run_at_once(self) -> None:
        assert len((await fan_out([Meeting(6)] * 6).ainvoke({}))["log"]) == 6

    async def test_sync_and_async_nodes_together(self) -> None:
        result = await fan_out([log_thread, quick, yields, log_thread]).ainvoke({})
        assert result["log"][1:3] == ["quick", "yields"]

    async def test_nested_runs_within_fan_outs(self) -> None:
        inner = fan_out([fan_out([yields, quick, log_thread])] * 3)

        async def node(_: State) -> State:
            return await inner.ainvoke({})

        assert len((await fan_out([node, inner] * 5).ainvoke({}))["log"]) == 90

    def test_many_loops_share_the_workers(self) -> None:
        results = []

        def run() -> None:
            results.append(len(asyncio.run(fan_out([Meeting(3)] * 3).ainvoke({}))["log"]))

        threads = [threading.Thread(target=run) for _ in range(10)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(PATIENCE)
        assert results == [3] * 10


class TestContext:
    @pytest.mark.parametrize("width", [1, 3])
    @pytest.mark.parametrize("is_async", [True, False])
    async def test_nodes_see_the_callers_context_and_leave_it_alone(
        self, width: int, is_async: bool
    ) -> None:
        async def anode(_: State) -> State:
            before = var.get()
            var.set("inside")
            await asyncio.sleep(0)
            return {"log": [before, var.get()]}

        def node(_: State) -> State:
            before = var.get()
            var.set("inside")
            return {"log": [before, var.get()]}

        graph = fan_out([anode if is_async else node] * width)
        var.set("caller")
        assert (await graph.ainvoke({}))["log"] == ["caller", "inside"] * width
        chunks = await drain(graph.astream({}, stream_mode="values"))
        assert chunks[-1]["log"] == ["caller", "inside"] * width
        assert var.get() == "caller"

    async def test_callbacks_of_a_node_run_in_its_context(self) -> None:
        loop, seen = asyncio.get_running_loop(), []

        async def node(_: State) -> State:
            var.set("inside")
            done = loop.create_future()
            loop.call_soon(lambda: (seen.append(var.get()), done.set_result(None)))
            await done
            return {}

        await chain([node]).ainvoke({})
        assert seen == ["inside"]


class TestYieldBudget:
    @staticmethod
    def loop_graph(steps: int) -> Any:
        """A node that runs `steps` times and never waits for anything."""
        builder = StateGraph(State)

        async def node(state: State) -> State:
            return {"value": state["value"] + 1}

        builder.add_node("node", node).add_edge(START, "node")
        builder.add_conditional_edges(
            "node", lambda state: "node" if state["value"] < steps else "__end__"
        )
        return builder.compile()

    @pytest.mark.parametrize("nodes", [[quick] * 1500, [log_thread] * 500], ids=["async", "sync"])
    async def test_neighbours_get_turns_during_a_long_run_without_waits(self, nodes: Any) -> None:
        turns, over = 0, False

        async def neighbour() -> None:
            nonlocal turns
            while not over:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(neighbour())
        await asyncio.sleep(0)
        # Without a router of its own, no async node leaves the loop, and quick sync nodes are
        # waited for on the spot.
        await chain(nodes).ainvoke({}, {"recursion_limit": 2000})
        over = True
        await task
        assert turns > 5

    async def test_a_timeout_ends_a_long_run_without_waits(self) -> None:
        async def again(state: State) -> State:
            return {"value": state["value"] + 1}

        async def route(state: State) -> str:
            return "again"

        builder = StateGraph(State)
        builder.add_node("again", again).add_edge(START, "again")
        builder.add_conditional_edges("again", route, ["again"])
        with pytest.raises(asyncio.TimeoutError):
            run = builder.compile().ainvoke({"value": 0}, {"recursion_limit": 10**9})
            await asyncio.wait_for(run, 0.05)

    async def test_sync_routers_leave_the_loop(self) -> None:
        result = await self.loop_graph(50).ainvoke({"value": 0}, {"recursion_limit": 100})
        assert result["value"] == 50


class TestAwaitables:
    async def test_nodes_wait_for_real_sockets(self) -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]

        async def node(_: State) -> State:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"hello\n")
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
            return {"log": [line]}

        async with server:
            assert (await chain([node] * 2).ainvoke({}))["log"] == [b"hello\n"] * 2
            assert (await fan_out([node] * 5).ainvoke({}))["log"] == [b"hello\n"] * 5

    async def test_nodes_may_gather_and_shield(self) -> None:
        async def part(number: int) -> int:
            await asyncio.sleep(0)
            return number

        async def node(_: State) -> State:
            together = await asyncio.gather(*(part(number) for number in range(3)))
            return {"log": [*together, await asyncio.shield(part(3))]}

        assert (await chain([node]).ainvoke({}))["log"] == [0, 1, 2, 3]

    async def test_a_run_awaited_from_many_tasks_is_many_runs(self) -> None:
        graph = chain([yields, quick])
        results = await asyncio.gather(*(graph.ainvoke({}) for _ in range(50)))
        assert all(result["log"] == ["yields", "quick"] for result in results)

    async def test_a_coroutine_that_is_never_awaited_runs_nothing(self) -> None:
        ran: list[bool] = []
        run = chain([lambda _: ran.append(True)]).ainvoke({})
        run.close()
        assert ran == []
