"""What async runs show and store, and when."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from _async_graphs import Endless, quick
from _driver_graphs import PATIENCE, PlainSaver, State, chain, fan_out, thread

from langgraph_rust.func import entrypoint, task
from langgraph_rust.types import StreamWriter


class TestStreams:
    async def test_closing_cancels_the_node_that_runs(self) -> None:
        endless = Endless()
        stream = chain([quick, endless]).astream({}, stream_mode=["updates", "custom"])
        assert await anext(stream) == ("updates", {"n0": {"log": ["quick"]}})
        waiting = asyncio.ensure_future(anext(stream))
        await endless.started.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await stream.aclose()
        assert endless.ended == ["CancelledError"]

    @pytest.mark.parametrize("mode", ["updates", "custom"])
    async def test_closing_while_others_run_cancels_them(self, mode: Any) -> None:
        endless = [Endless(), Endless()]

        async def first(_: State, writer: StreamWriter) -> State:
            for node in endless:
                await node.started.wait()
            writer("first")
            return {"log": ["first"]}

        stream = fan_out([first, *endless]).astream({}, stream_mode=mode)
        await anext(stream)
        await stream.aclose()
        assert [node.ended for node in endless] == [["CancelledError"]] * 2

    async def test_breaking_out_of_a_loop(self) -> None:
        endless = Endless()
        graph = fan_out([quick, endless])

        async def first_chunk() -> Any:
            stream = graph.astream({}, stream_mode="updates")
            async for chunk in stream:
                await stream.aclose()
                return chunk

        assert await first_chunk() == {"n0": {"log": ["quick"]}}
        assert endless.ended in (["CancelledError"], [])

    def test_a_stream_of_very_many_chunks_may_be_closed(self, run_program: Any) -> None:
        """In a process of its own: what it asks of the stack could take all tests down."""
        done = run_program("""
        import asyncio
        from _driver_graphs import chain
        from langgraph_rust.config import get_stream_writer
        async def chatty(_):
            for number in range(100_000):
                get_stream_writer()(number)
            await asyncio.sleep(0)
        async def main():
            stream = chain([chatty]).astream({}, stream_mode="custom")
            print(await anext(stream))
            await stream.aclose()
        asyncio.run(main())
        """)
        assert done.stdout == "0\n"

    async def test_custom_chunks_leave_while_their_node_runs(self) -> None:
        seen = asyncio.Event()

        async def node(_: State, writer: StreamWriter) -> State:
            writer("hello")
            await asyncio.wait_for(seen.wait(), PATIENCE)
            return {}

        async for chunk in chain([node]).astream({}, stream_mode="custom"):
            assert chunk == "hello"
            seen.set()
        assert seen.is_set()

    async def test_custom_chunks_of_sync_nodes_leave_while_they_run(self) -> None:
        seen = threading.Event()

        def node(_: State, writer: StreamWriter) -> State:
            writer("hello")
            assert seen.wait(PATIENCE)
            return {}

        async for chunk in chain([node]).astream({}, stream_mode="custom"):
            assert chunk == "hello"
            seen.set()
        assert seen.is_set()

    async def test_async_generators_and_context_managers_in_nodes(self) -> None:
        closed: list[str] = []

        async def numbers() -> AsyncIterator[int]:
            try:
                for number in range(3):
                    await asyncio.sleep(0)
                    yield number
            finally:
                closed.append("numbers")

        async def node(_: State) -> State:
            return {"log": [number async for number in numbers()]}

        async def stops_early(_: State) -> State:
            source = numbers()
            async for number in source:
                await source.aclose()
                return {"log": [number]}
            return {}

        assert (await chain([node, stops_early]).ainvoke({}))["log"] == [0, 1, 2, 0]
        assert closed == ["numbers"] * 2


class TestDurability:
    """The saver answers when it is told to."""

    def gated(self) -> Any:
        class Gated(PlainSaver):
            def __init__(self) -> None:
                super().__init__()
                self.gate = asyncio.Event()
                self.storing = asyncio.Event()

            async def aput(
                self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any
            ) -> Any:
                step = metadata["step"]
                self.events.append(f"begin {step}")
                if step == 0:
                    self.storing.set()
                    await self.gate.wait()
                return self.put(config, checkpoint, metadata, new_versions)

        return Gated()

    async def run(self, durability: Any) -> tuple[list[str], list[str]]:
        """Return what had happened when the checkpoint of step 0 was let go, and all."""
        saver = self.gated()
        ran = [asyncio.Event(), asyncio.Event()]

        def node(position: int) -> Callable[..., Any]:
            async def run(_: State) -> State:
                saver.events.append(f"node {position}")
                ran[position].set()
                return {"log": [position]}

            return run

        graph = chain([node(0), node(1)], checkpointer=saver)
        task = asyncio.create_task(graph.ainvoke({"value": 1}, thread(), durability=durability))
        if durability != "exit":
            await saver.storing.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        before = list(saver.events)
        saver.gate.set()
        assert (await task)["log"] == [0, 1]
        assert (await graph.aget_state(thread())).values["log"] == [0, 1]
        events = [event for event in saver.events if not event.startswith("writes")]
        return [event for event in before if not event.startswith("writes")], events

    async def test_sync_waits_for_each_checkpoint(self) -> None:
        before, events = await self.run("sync")
        assert before[-1] == "begin 0" and "node 0" not in before
        rest = ["node 0", "begin 1", "put 1", "node 1", "begin 2", "put 2"]
        assert events == ["begin -1", "put -1", "begin 0", "put 0", *rest]

    async def test_async_runs_ahead_by_one_step(self) -> None:
        before, events = await self.run("async")
        assert "node 0" in before and "begin 1" not in before
        puts = [event for event in events if not event.startswith("node")]
        assert puts == [f"{verb} {step}" for step in range(-1, 3) for verb in ("begin", "put")]
        assert events.index("node 0") < events.index("put 0")

    async def test_exit_stores_at_the_end(self) -> None:
        _, events = await self.run("exit")
        assert events == ["node 0", "node 1", "begin 2", "put 2"]

    @pytest.mark.parametrize("durability", ["sync", "async", "exit"])
    @pytest.mark.parametrize("method", ["aput", "aput_writes"])
    async def test_a_saver_that_fails_fails_the_run(self, durability: Any, method: str) -> None:
        saver = self.gated()
        saver.gate.set()

        async def refuse(*_: Any, **__: Any) -> None:
            await asyncio.sleep(0)
            raise OSError("disk full")

        async def fails(_: State) -> State:
            raise ValueError("no luck")

        setattr(saver, method, refuse)
        graph = fan_out([quick, fails if durability == "exit" else quick], checkpointer=saver)
        # Which of two errors comes out is not said; one of them does.
        with pytest.raises((OSError, ValueError), match=r"disk full|no luck"):
            run = graph.ainvoke({}, thread(), durability=durability)
            await asyncio.wait_for(run, PATIENCE)


@pytest.mark.parametrize("mode", ["tasks", "debug"])
async def test_a_called_task_is_shown_when_it_begins(mode: Any) -> None:
    shown = asyncio.Event()

    @task
    async def called() -> int:
        # Whoever waits to see it would wait for ever.
        await asyncio.wait_for(shown.wait(), PATIENCE)
        return 1

    @entrypoint()
    async def graph(_: int) -> int:
        return await called()

    seen: list[tuple[str, bool]] = []
    async for chunk in graph.astream(0, stream_mode=mode):
        told = chunk["payload"] if mode == "debug" else chunk
        seen.append((told["name"], "input" in told))
        if seen[-1] == ("called", True):
            shown.set()
    assert seen == [("graph", True), ("called", True), ("called", False), ("graph", False)]
