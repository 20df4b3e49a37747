"""With durability `sync` nothing is shown before what it shows is stored."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from _driver_graphs import PlainSaver, State, chain, fan_out, thread

from langgraph_rust.checkpoint.memory import InMemorySaver

MODES = ["values", "updates", "tasks", "checkpoints", "debug", ["values", "updates", "checkpoints"]]

SHAPES: dict[str, Any] = {
    "chain": lambda nodes, **options: chain(nodes, **options),
    "fan-out": lambda nodes, **options: fan_out(nodes, **options),
}


async def anode(_: State) -> State:
    await asyncio.sleep(0)
    return {"log": ["x"]}


def node(_: State) -> State:
    return {"log": ["x"]}


class Gated(InMemorySaver):
    """A saver whose async methods store when they are let."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[asyncio.Event] = []
        self.stored: list[str] = []

    async def gate(self) -> None:
        gate = asyncio.Event()
        self.waiting.append(gate)
        await gate.wait()

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        await self.gate()
        self.stored.append(f"step {metadata['step']}")
        return super().put(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: Any, writes: Any, task_id: str, task_path: str = ""
    ) -> None:
        await self.gate()
        self.stored.append(task_id)
        super().put_writes(config, writes, task_id, task_path)


class Noting(InMemorySaver):
    """A saver that notes what it has stored."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: list[str] = []

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        done = super().put(config, checkpoint, metadata, new_versions)
        self.stored.append(f"step {metadata['step']}")
        return done

    def put_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        super().put_writes(config, writes, task_id, task_path)
        self.stored.append(task_id)


def parts(chunk: Any, mode: Any) -> tuple[str, Any]:
    return chunk if isinstance(mode, list) else (mode, chunk)


class Shown:
    """What chunks say, and whether that is stored."""

    def __init__(self, graph: Any, mode: Any) -> None:
        self.graph, self.mode = graph, mode
        self.step, self.seen = -1, 0

    def is_stored(self, chunk: Any) -> bool:
        """Whether the saver knows what a chunk shows."""
        self.seen += 1
        mode, said = parts(chunk, self.mode)
        stored: list[str] = self.graph.checkpointer.stored
        if mode == "values":
            # The input is the first step's, and each step has a checkpoint.
            self.step += 1
            return f"step {self.step}" in stored
        if mode == "updates":
            # As many tasks have stored their writes as have been shown.
            self.updates = getattr(self, "updates", 0) + 1
            return sum(not item.startswith("step") for item in stored) >= self.updates
        if mode == "checkpoints":
            return f"step {said['metadata']['step']}" in stored
        kind = said.get("type") if mode == "debug" else None
        payload = said["payload"] if mode == "debug" else said
        if kind == "checkpoint":
            return f"step {payload['metadata']['step']}" in stored
        # Results of tasks; that a task begins shows nothing that could be stored.
        return "result" not in payload or payload["id"] in stored


@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("shape", SHAPES)
class TestSync:
    async def test_async_runs(self, shape: str, mode: Any) -> None:
        saver = Gated()
        graph = SHAPES[shape]([anode] * 3, checkpointer=saver)
        stream = graph.astream({"value": 1}, thread(), stream_mode=mode, durability="sync")
        shown = Shown(graph, mode)
        while True:
            chunk = asyncio.ensure_future(anext(stream, None))
            while not chunk.done():
                # Whatever could leave without waiting for the saver has its chance.
                for _ in range(20):
                    await asyncio.sleep(0)
                if not chunk.done() and saver.waiting:
                    saver.waiting.pop(0).set()
            if chunk.result() is None:
                break
            assert shown.is_stored(chunk.result()), chunk.result()
        assert shown.seen >= 2
        assert graph.get_state(thread()).values["log"] == ["x"] * 3

    def test_sync_runs(self, shape: str, mode: Any) -> None:
        graph = SHAPES[shape]([node] * 3, checkpointer=Noting())
        shown = Shown(graph, mode)
        for chunk in graph.stream({"value": 1}, thread(), stream_mode=mode, durability="sync"):
            assert shown.is_stored(chunk), chunk
        assert shown.seen >= 2

    async def test_async_runs_with_a_saver_that_never_waits(self, shape: str, mode: Any) -> None:
        graph = SHAPES[shape]([anode] * 3, checkpointer=Noting())
        shown = Shown(graph, mode)
        stream = graph.astream({"value": 1}, thread(), stream_mode=mode, durability="sync")
        async for chunk in stream:
            assert shown.is_stored(chunk), chunk
        assert shown.seen >= 2


async def test_a_consumer_that_stops_reads_what_it_saw() -> None:
    """Another process may read the thread as soon as a chunk is there."""
    for shape in SHAPES.values():
        graph = shape([anode] * 3, checkpointer=PlainSaver())
        stream = graph.astream({"value": 1}, thread(), stream_mode="values", durability="sync")
        async for chunk in stream:
            assert (await graph.aget_state(thread())).values == chunk


class Full(Noting):
    """A saver that cannot store what the first node wrote."""

    def __init__(self, failing: str) -> None:
        super().__init__()
        self.failing = failing

    async def aput(self, *given: Any) -> Any:
        await asyncio.sleep(0)
        if self.failing == "aput" and given[2]["step"] == 1:
            raise OSError("disk full")
        return self.put(*given)

    async def aput_writes(self, config: Any, writes: Any, *task: Any) -> None:
        await asyncio.sleep(0)
        if self.failing == "aput_writes" and "log" in dict(writes):
            raise OSError("disk full")
        self.put_writes(config, writes, *task)


@pytest.mark.parametrize("mode", ["values", "updates"])
@pytest.mark.parametrize("failing", ["aput", "aput_writes"])
async def test_what_could_not_be_stored_is_not_shown(failing: str, mode: Any) -> None:
    seen = []
    graph = chain([anode] * 2, checkpointer=Full(failing))
    stream = graph.astream({"value": 1}, thread(), stream_mode=mode, durability="sync")
    with pytest.raises(OSError, match="disk full"):
        async for chunk in stream:
            seen.append(chunk)
    if mode == "values":
        assert seen == [{"value": 1, "log": []}]
    else:
        # An update is a task's, which is stored by itself.
        assert seen == ([{"n0": {"log": ["x"]}}] if failing == "aput" else [])


async def test_the_next_node_waits_for_the_checkpoint_before_it() -> None:
    saver, ran = Gated(), threading.Event()

    async def notes(_: State) -> State:
        ran.set()
        return {}

    graph = chain([notes], checkpointer=saver)
    run = asyncio.ensure_future(graph.ainvoke({"value": 1}, thread(), durability="sync"))
    while not run.done():
        for _ in range(20):
            await asyncio.sleep(0)
        if saver.waiting:
            assert ran.is_set() == ("step 0" in saver.stored)
            saver.waiting.pop(0).set()
    await run
