"""A run is cancelled by its caller or by whoever has its stream, and by nobody else."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from _async_graphs import Endless, drain, quick, yields
from _driver_graphs import PATIENCE, State, chain, fan_out, thread

from langgraph_rust.cache.memory import InMemoryCache
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.func import entrypoint, task
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import CachePolicy, StreamWriter

counts = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="tasks count their cancellations from Python 3.11 on"
)

SHAPES: dict[str, Callable[[Any], Any]] = {
    "alone": lambda node: chain([node]),
    "beside": lambda node: fan_out([node, yields]),
    "nested": lambda node: chain([chain([node])]),
    "nested, beside": lambda node: fan_out([chain([node]), yields]),
    "beside, nested": lambda node: chain([fan_out([node, yields])]),
}

MODES = ["values", "custom", "updates", None]


def begin(graph: Any, mode: str | None) -> Any:
    """Return a run's coroutine; without a mode, of its result."""
    return graph.ainvoke({}) if mode is None else drain(graph.astream({}, stream_mode=mode))


async def cancelled_by_task(run: Any, started: asyncio.Event) -> None:
    own = asyncio.ensure_future(run)
    await started.wait()
    own.cancel()
    with pytest.raises(asyncio.CancelledError):
        await own
    assert own.cancelled()


async def cancelled_by_wait_for(run: Any, started: asyncio.Event) -> None:
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(run, 0.02)


async def cancelled_by_timeout(run: Any, started: asyncio.Event) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(None) as scope:
            asyncio.get_running_loop().call_later(0.02, scope.reschedule, 0)
            await run


async def cancelled_by_sibling(run: Any, started: asyncio.Event) -> None:
    async def fails() -> None:
        await started.wait()
        raise ValueError("sibling")

    async def group() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(run)
            group.create_task(fails())

    # In a task of its own: before Python 3.13 a group that fails leaves its mark on its task.
    with pytest.raises(Exception, match="unhandled errors in a TaskGroup") as caught:
        await asyncio.ensure_future(group())
    assert [type(error) for error in caught.value.exceptions] == [ValueError]  # type: ignore[attr-defined]


CALLERS = [
    cancelled_by_task,
    cancelled_by_wait_for,
    pytest.param(cancelled_by_timeout, marks=counts),
    pytest.param(cancelled_by_sibling, marks=counts),
]


def nothing_is_left() -> bool:
    return asyncio.all_tasks() == {asyncio.current_task()}


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0)


class TestCallers:
    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("cancel", CALLERS)
    async def test_the_node_hears_of_it(self, cancel: Any, shape: str, mode: str | None) -> None:
        endless = Endless()
        await cancel(begin(SHAPES[shape](endless), mode), endless.started)
        assert endless.ended == ["CancelledError"]
        assert nothing_is_left()
        if sys.version_info >= (3, 11):
            assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]

    @counts
    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("shape", SHAPES)
    async def test_a_node_that_swallows_it_does_not_save_the_run(
        self, shape: str, mode: str | None
    ) -> None:
        started, after = asyncio.Event(), []

        async def stubborn(_: State) -> State:
            started.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.sleep(0)
            return {"log": ["stubborn"]}

        async def note(_: State) -> State:
            after.append(1)
            return {}

        own = asyncio.ensure_future(begin(chain([SHAPES[shape](stubborn), note]), mode))
        await started.wait()
        own.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(own, PATIENCE)
        assert after == [] and nothing_is_left()

    @pytest.mark.parametrize("shape", SHAPES)
    async def test_a_node_that_answers_it_with_an_error(self, shape: str) -> None:
        started = asyncio.Event()

        async def fails(_: State) -> State:
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                raise KeyError("clumsy")

        own = asyncio.ensure_future(SHAPES[shape](fails).ainvoke({}))
        await started.wait()
        own.cancel()
        with pytest.raises((asyncio.CancelledError, KeyError)):
            await asyncio.wait_for(own, PATIENCE)
        assert nothing_is_left()

    @counts
    @pytest.mark.parametrize("shape", SHAPES)
    async def test_a_nodes_own_scopes_do_not_end_the_run(self, shape: str) -> None:
        async def fails() -> None:
            raise ValueError("part")

        async def node(_: State) -> State:
            log = []
            try:
                async with asyncio.timeout(0.001):
                    await asyncio.Event().wait()
            except TimeoutError:
                log.append("timeout")
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(fails())
                    await asyncio.Event().wait()
            except Exception as error:
                log.append(type(error.exceptions[0]).__name__)  # type: ignore[attr-defined]
            return {"log": log}

        log = (await SHAPES[shape](node).ainvoke({}))["log"]
        assert log[:2] == ["timeout", "ValueError"] and nothing_is_left()

    @counts
    @pytest.mark.parametrize("shape", SHAPES)
    async def test_a_cancellation_that_is_taken_back(self, shape: str) -> None:
        """A node's own task asks for it and takes it back: nobody is cancelled."""

        async def node(_: State) -> State:
            own: Any = asyncio.current_task()
            own.cancel()
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                own.uncancel()
            return {"log": ["node"]}

        assert "node" in (await SHAPES[shape](node).ainvoke({}))["log"]

    async def test_the_thread_goes_on(self) -> None:
        for mode in MODES:
            endless = Endless()
            first: list[Any] = [endless]

            async def node(state: State, first: list[Any] = first) -> State:
                return await (first.pop() if first else quick)(state)

            graph = chain([quick, node, quick], checkpointer=InMemorySaver())
            run = (
                graph.ainvoke({}, thread())
                if mode is None
                else drain(graph.astream({}, thread(), stream_mode=mode))
            )
            await cancelled_by_task(run, endless.started)
            assert (await graph.aget_state(thread())).next == ("n1",)
            assert (await graph.ainvoke(None, thread()))["log"] == ["quick"] * 3


class Chatty(Endless):
    """Says something before it never ends."""

    async def talk(self, state: State, writer: StreamWriter) -> State:
        writer("hello")
        return await self(state)


async def closed(stream: Any) -> None:
    await stream.aclose()


async def broken_out_of(stream: Any) -> None:
    async def loop(stream: Any) -> None:
        async for _ in stream:
            break

    await loop(stream)
    await stream.aclose()


async def generator_closed(stream: Any) -> None:
    async def around() -> Any:
        try:
            async for chunk in stream:
                yield chunk
        finally:
            await stream.aclose()

    own = around()
    await own.asend(None)
    await own.aclose()


async def test_a_cancelled_run_sleeps_while_its_nodes_clean_up() -> None:
    tidying = 0.3

    async def talks_at_the_end(state: State, writer: StreamWriter) -> State:
        try:
            return await Endless()(state)
        finally:
            # Nobody takes this chunk any more.
            writer("good bye")
            await asyncio.sleep(tidying)

    run = fan_out([talks_at_the_end, talks_at_the_end]).astream({}, stream_mode="custom")
    own = asyncio.ensure_future(drain(run))
    await asyncio.sleep(0.02)
    own.cancel()
    began, spent = time.monotonic(), time.process_time()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(own, PATIENCE)
    assert time.monotonic() - began >= tidying
    assert time.process_time() - spent < tidying / 2
    assert nothing_is_left()


class TestStreams:
    @pytest.mark.parametrize("mode", ["custom", ["custom", "values"], ["updates", "custom"]])
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("leave", [closed, broken_out_of, generator_closed])
    async def test_leaving_cancels_the_node(self, leave: Any, shape: str, mode: Any) -> None:
        chatty = Chatty()
        stream = SHAPES[shape](chatty.talk).astream({}, stream_mode=mode, subgraphs=True)
        if leave is closed:
            # However many chunks come before the node's, the node is reached.
            async for chunk in stream:
                if "hello" in chunk:
                    break
        await asyncio.wait_for(leave(stream), PATIENCE)
        if chatty.started.is_set():
            assert chatty.ended == ["CancelledError"]
        assert nothing_is_left()

    @pytest.mark.parametrize("shape", SHAPES)
    async def test_dropping_cancels_the_node(self, shape: str) -> None:
        chatty = Chatty()
        stream = SHAPES[shape](chatty.talk).astream({}, stream_mode="custom", subgraphs=True)
        await anext(stream)
        assert chatty.started.is_set() and not chatty.ended
        del stream
        gc.collect()
        await asyncio.wait_for(until(lambda: bool(chatty.ended)), PATIENCE)
        assert chatty.ended in (["CancelledError"], ["GeneratorExit"])

    async def test_closing_twice_and_closing_what_never_began(self) -> None:
        stream = chain([quick]).astream({})
        await stream.aclose()
        await stream.aclose()
        stream = chain([quick, Endless()]).astream({})
        await anext(stream)
        await stream.aclose()
        await stream.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


class TestCalledTasks:
    async def test_a_caller_cancels_one(self) -> None:
        endless = Endless()

        @task
        async def never(state: Any) -> Any:
            return await endless(state)

        @entrypoint()
        async def flow(_: Any) -> Any:
            future = never({})
            await endless.started.wait()
            future.cancel()
            with pytest.raises(asyncio.CancelledError):
                await future
            return "went on"

        assert await asyncio.wait_for(flow.ainvoke(1), PATIENCE) == "went on"
        assert endless.ended == ["CancelledError"] and nothing_is_left()

    async def test_a_caller_cancels_one_that_has_no_place_yet(self) -> None:
        ran = []

        @task
        async def work(number: int) -> int:
            ran.append(number)
            await asyncio.sleep(0)
            return number

        @entrypoint()
        async def flow(_: Any) -> Any:
            first, second, third = work(1), work(2), work(3)
            second.cancel()
            return await first + await third

        run = flow.ainvoke(1, {"max_concurrency": 1})
        assert await asyncio.wait_for(run, PATIENCE) == 4
        assert ran == [1, 3] and nothing_is_left()

    async def test_one_of_a_gather_fails(self) -> None:
        endless = Endless()

        @task
        async def never(state: Any) -> Any:
            return await endless(state)

        @task
        async def fails(_: Any) -> Any:
            await endless.started.wait()
            raise ValueError("one")

        @entrypoint()
        async def flow(_: Any) -> Any:
            await asyncio.gather(never({}), fails({}))

        with pytest.raises(ValueError, match="one"):
            await asyncio.wait_for(flow.ainvoke(1), PATIENCE)
        assert endless.ended == ["CancelledError"] and nothing_is_left()

    async def test_one_that_nobody_waits_for_is_cancelled_in_silence(self, caplog: Any) -> None:
        endless, futures = Endless(), []

        @task
        async def never(state: Any) -> Any:
            return await endless(state)

        @entrypoint()
        async def flow(_: Any) -> Any:
            futures.append(never({}))
            await endless.started.wait()
            raise ValueError("caller")

        with pytest.raises(ValueError, match="caller"):
            await asyncio.wait_for(flow.ainvoke(1), PATIENCE)
        await asyncio.wait_for(until(lambda: futures[0].done()), PATIENCE)
        assert futures[0].cancelled()
        futures.clear()
        gc.collect()
        # An error that nobody asked for would be complained about.
        assert not caplog.records

    @pytest.mark.parametrize("cancel", CALLERS)
    async def test_cancelling_the_run_cancels_them(self, cancel: Any) -> None:
        endless = [Endless(), Endless()]

        @task
        async def never(position: int) -> Any:
            return await endless[position]({})

        @entrypoint()
        async def flow(_: Any) -> Any:
            return await asyncio.gather(never(0), never(1))

        await cancel(flow.ainvoke(1), endless[1].started)
        assert [one.ended for one in endless] == [["CancelledError"]] * 2
        assert nothing_is_left()


@counts
@pytest.mark.parametrize("shape", ["alone", "nested"])
@pytest.mark.parametrize("mode", MODES)
async def test_a_cancellation_from_before_the_run_is_the_callers(shape: str, mode: Any) -> None:
    """It is asked for, but the task has not heard of it, when the run begins."""

    async def begun() -> None:
        current: Any = asyncio.current_task()
        current.cancel()
        await begin(SHAPES[shape](yields), mode)

    own = asyncio.ensure_future(begun())
    with pytest.raises(asyncio.CancelledError):
        await own
    assert own.cancelled()


async def test_a_node_with_a_time_limit_cleans_up_before_the_run_goes_on() -> None:
    ended = []

    async def slow(_: State) -> State:
        try:
            await asyncio.sleep(PATIENCE)
        finally:
            await asyncio.sleep(0.01)
            ended.append("slow")
        return {}

    async def fails(_: State) -> State:
        await asyncio.sleep(0)
        raise ValueError("own")

    builder = StateGraph(State).add_node("slow", slow, timeout=PATIENCE).add_edge(START, "slow")
    builder.add_node("fails", fails).add_edge(START, "fails")
    with pytest.raises(ValueError, match="own"):
        await builder.compile().ainvoke({})
    assert ended == ["slow"]


async def test_a_run_that_fails_while_a_task_is_being_called_says_why_it_failed() -> None:
    asked, go_on = threading.Event(), threading.Event()

    def key(*_: Any) -> str:
        asked.set()
        go_on.wait(PATIENCE)
        return "key"

    @task(cache_policy=CachePolicy(key_func=key))
    def called() -> int:
        return 1

    def calls(_: State) -> State:
        called().result()
        return {}

    async def fails(_: State) -> State:
        while not asked.is_set():
            await asyncio.sleep(0)
        # The node that calls is given up before anybody can run what it calls.
        asyncio.get_running_loop().call_later(0.05, go_on.set)
        raise ValueError("own")

    builder = StateGraph(State).add_node("calls", calls).add_edge(START, "calls")
    builder.add_node("fails", fails).add_edge(START, "fails")
    with pytest.raises(ValueError, match="own"):
        await builder.compile(cache=InMemoryCache()).ainvoke({})
