"""A cancellation that comes out of a node by itself is the node's failure, not the run's end."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from typing import Any

import pytest
from _async_graphs import drain, quick, yields
from _driver_graphs import PATIENCE, State, chain, fan_out, thread

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.errors import NodeCancelledError, NodeError
from langgraph_rust.func import entrypoint, task
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import RetryPolicy


class Derived(asyncio.CancelledError):
    """A cancellation of somebody's own kind."""


class Stopped:
    """Code that is cancelled from within the first times that it runs."""

    def __init__(self, error: type[BaseException] = asyncio.CancelledError, times: int = 1) -> None:
        self.error = error
        self.left = times
        self.calls = 0

    def __call__(self, state: Any) -> Any:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise self.error("own")
        return {"log": ["done"]}

    async def quick(self, state: Any) -> Any:
        return self(state)

    async def later(self, state: Any) -> Any:
        await asyncio.sleep(0)
        return self(state)

    async def awaits(self, state: Any) -> Any:
        """Waits for something that somebody else cancels."""
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.cancel)
        if self.left:
            self.left -= 1
            await future
        return {"log": ["done"]}

    def route(self, state: Any) -> str:
        self(state)
        return "next"

    async def aroute(self, state: Any) -> str:
        await asyncio.sleep(0)
        return self.route(state)


def routed(router: Callable[..., Any], beside: int) -> StateGraph:
    builder = StateGraph(State)
    for position in range(1 + beside):
        builder.add_node(f"n{position}", quick).add_edge(START, f"n{position}")
    builder.add_node("next", quick).add_conditional_edges("n0", router, ["next"])
    return builder


def called(function: Callable[..., Any], is_async: bool) -> Any:
    work = task(function)

    async def aflow(state: Any) -> Any:
        return await work(state)

    def flow(state: Any) -> Any:
        return work(state).result()

    return entrypoint(checkpointer=InMemorySaver())(aflow if is_async else flow)


def stored(nodes: list[Any], build: Callable[..., Any] = chain) -> Any:
    return build(nodes, checkpointer=InMemorySaver())


WAYS: dict[str, tuple[Callable[[Stopped], Any], str]] = {
    "alone, at once": (lambda stop: stored([stop.quick]), "n0"),
    "alone": (lambda stop: stored([stop.later]), "n0"),
    "alone, by what it awaits": (lambda stop: stored([stop.awaits]), "n0"),
    "after another": (lambda stop: stored([yields, stop.later, quick]), "n1"),
    "beside, at once": (lambda stop: stored([stop.quick, yields], fan_out), "n0"),
    "beside": (lambda stop: stored([stop.later, yields], fan_out), "n0"),
    "beside, by what it awaits": (lambda stop: stored([stop.awaits, yields], fan_out), "n0"),
    "sync": (lambda stop: stored([stop]), "n0"),
    "sync, beside": (lambda stop: stored([stop, quick], fan_out), "n0"),
    "router": (lambda stop: routed(stop.route, 0).compile(checkpointer=InMemorySaver()), "n0"),
    "async router": (
        lambda stop: routed(stop.aroute, 0).compile(checkpointer=InMemorySaver()),
        "n0",
    ),
    "router, beside": (
        lambda stop: routed(stop.route, 1).compile(checkpointer=InMemorySaver()),
        "n0",
    ),
    "async router, beside": (
        lambda stop: routed(stop.aroute, 1).compile(checkpointer=InMemorySaver()),
        "n0",
    ),
    "nested": (lambda stop: stored([chain([stop.later])]), "n0"),
    "nested, by what it awaits": (lambda stop: stored([chain([stop.awaits])]), "n0"),
    "nested, sync": (lambda stop: stored([chain([stop])]), "n0"),
    "nested, beside": (lambda stop: stored([chain([stop.later]), yields], fan_out), "n0"),
    "beside, nested": (lambda stop: stored([fan_out([stop.later, yields])]), "n0"),
}


class TestNodes:
    @pytest.mark.parametrize("error", [asyncio.CancelledError, Derived])
    @pytest.mark.parametrize("way", WAYS)
    async def test_it_is_the_nodes_failure_and_the_thread_goes_on(
        self, way: str, error: type[BaseException]
    ) -> None:
        stop = Stopped(error)
        graph, name = WAYS[way][0](stop), WAYS[way][1]
        with pytest.raises(NodeCancelledError) as caught:
            await graph.ainvoke({"value": 1}, thread())
        assert isinstance(caught.value.__cause__, asyncio.CancelledError)
        current = asyncio.current_task()
        assert current is not None and not current.cancelling()
        assert name in (await graph.aget_state(thread())).next
        undisturbed = await WAYS[way][0](Stopped(times=0)).ainvoke({"value": 1}, thread())
        assert await graph.ainvoke(None, thread()) == undisturbed

    @pytest.mark.parametrize(
        "mode", ["values", "updates", "custom", "tasks", ["values", "updates"]]
    )
    @pytest.mark.parametrize("way", ["alone", "beside", "sync", "nested"])
    async def test_it_comes_out_of_streams(self, way: str, mode: Any) -> None:
        with pytest.raises(NodeCancelledError):
            await drain(WAYS[way][0](Stopped()).astream({}, thread(), stream_mode=mode))

    async def test_a_node_that_cancels_a_task_of_its_own(self) -> None:
        async def node(_: State) -> State:
            inner = asyncio.ensure_future(asyncio.Event().wait())
            asyncio.get_running_loop().call_soon(inner.cancel)
            await inner
            return {}

        for graph in (chain([node]), fan_out([node, yields]), chain([chain([node])])):
            with pytest.raises(NodeCancelledError):
                await graph.ainvoke({})

    async def test_a_timeout_of_the_nodes_own_that_it_lets_out(self) -> None:
        async def node(_: State) -> State:
            await asyncio.wait_for(asyncio.Event().wait(), 0.001)
            return {}

        for graph in (chain([node]), fan_out([node, yields]), chain([chain([node])])):
            with pytest.raises(asyncio.TimeoutError):
                await graph.ainvoke({})

    @pytest.mark.parametrize("way", ["alone", "beside", "sync", "nested"])
    def test_its_run_is_not_cancelled_even_without_a_task_of_its_own(self, way: str) -> None:
        """The loop's first task is the run's, so that nobody could cancel anything else."""
        with pytest.raises(NodeCancelledError):
            asyncio.run(WAYS[way][0](Stopped()).ainvoke({}, thread()))


class TestCalledTasks:
    @pytest.mark.parametrize("error", [asyncio.CancelledError, Derived])
    @pytest.mark.parametrize("name", ["quick", "later", "awaits", "__call__"])
    async def test_it_is_the_callers_failure_and_the_thread_goes_on(
        self, name: str, error: type[BaseException]
    ) -> None:
        stop = Stopped(error)

        def work(state: Any) -> Any:
            return stop(state)

        async def awork(state: Any) -> Any:
            return await getattr(stop, name)(state)

        flow = called(work if name == "__call__" else awork, is_async=True)
        with pytest.raises(NodeCancelledError):
            await flow.ainvoke(1, thread())
        assert (await flow.aget_state(thread())).next == ("aflow",)
        assert await flow.ainvoke(None, thread()) == {"log": ["done"]}

    async def test_a_caller_may_catch_it(self) -> None:
        stop = Stopped()

        @task
        async def work(state: Any) -> Any:
            return await stop.later(state)

        @entrypoint()
        async def flow(state: Any) -> Any:
            try:
                await work(state)
            except NodeCancelledError as error:
                return error.node
            return None

        assert await flow.ainvoke(1) == "work"


class FirstPutFails(InMemorySaver):
    """Stores the first checkpoint, and says that it did not."""

    failed = False

    async def aput(self, *args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0.002)
        stored = self.put(*args, **kwargs)
        if not self.failed:
            self.failed = True
            raise OSError("saver")
        return stored


async def test_a_run_that_ends_between_two_attempts_of_a_called_task_says_why() -> None:
    """The caller is told that its call will not run, which is no cancellation of the run."""

    @task(retry_policy=RetryPolicy(max_attempts=3, initial_interval=0.001, retry_on=ValueError))
    def fails() -> None:
        raise ValueError("own")

    @entrypoint(checkpointer=FirstPutFails())
    async def flow(_: Any) -> Any:
        return await asyncio.gather(fails())

    run = flow.ainvoke(1, thread(), durability="async")
    with pytest.raises(OSError, match="saver"):
        await asyncio.wait_for(run, PATIENCE)


class TestWhoSeesIt:
    @pytest.mark.parametrize("name", ["quick", "later", "__call__"])
    @pytest.mark.parametrize("beside", [False, True])
    async def test_no_retry_policy(self, name: str, beside: bool) -> None:
        """Upstream asks none about a cancellation, wherever it comes from."""
        stop, seen = Stopped(times=2), []
        policy = RetryPolicy(
            initial_interval=0,
            jitter=False,
            retry_on=lambda error: seen.append(type(error)) is None,
        )
        builder = StateGraph(State)
        builder.add_node(
            "node", getattr(stop, name) if name != "__call__" else stop, retry_policy=policy
        )
        builder.add_edge(START, "node")
        if beside:
            builder.add_node("beside", yields).add_edge(START, "beside")
        with pytest.raises(NodeCancelledError):
            await builder.compile().ainvoke({})
        assert seen == [] and stop.calls == 1

    @pytest.mark.parametrize("name", ["quick", "later", "__call__"])
    @pytest.mark.parametrize("beside", [False, True])
    async def test_error_handlers(self, name: str, beside: bool) -> None:
        stop = Stopped()

        async def handler(_: State, error: NodeError) -> State:
            return {"log": [error.node, type(error.error).__name__]}

        builder = StateGraph(State)
        node = getattr(stop, name) if name != "__call__" else stop
        builder.add_node("node", node, error_handler=handler).add_edge(START, "node")
        if beside:
            builder.add_node("beside", yields).add_edge(START, "beside")
        run = builder.compile().ainvoke({})
        log = (await asyncio.wait_for(run, PATIENCE))["log"]
        assert log[-2:] == ["node", "NodeCancelledError"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="task groups came with Python 3.11")
class TestTaskGroups:
    """A child that fails has its group cancel the task that the node runs in, not the run."""

    @staticmethod
    async def fails() -> None:
        await asyncio.sleep(0.001)
        raise ValueError("child")

    async def waits(self, _: Any) -> Any:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.fails())
        return {"log": ["not reached"]}

    async def catches(self, state: Any) -> Any:
        try:
            await self.waits(state)
        except Exception as error:
            return {"log": [str(error)]}

    async def catches_in_the_body(self, _: Any) -> Any:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.fails())
                await asyncio.sleep(PATIENCE)
        except Exception as error:
            return {"log": [str(error)]}

    async def twice(self, state: Any) -> Any:
        return {"log": [*(await self.catches(state))["log"], *(await self.catches(state))["log"]]}

    async def within(self, state: Any) -> Any:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(PATIENCE))
                await self.waits(state)
        except Exception as error:
            return {"log": [str(error)]}

    SHAPES = [chain, lambda nodes: chain([chain(nodes)]), lambda nodes: fan_out([*nodes, yields])]

    @pytest.mark.parametrize("build", SHAPES)
    @pytest.mark.parametrize("name", ["catches", "catches_in_the_body", "twice", "within"])
    async def test_a_node_that_goes_on(self, name: str, build: Any) -> None:
        own = asyncio.current_task()
        log = (await build([getattr(self, name)]).ainvoke({}))["log"]
        expected = "unhandled errors in a TaskGroup (1 sub-exception)"
        assert [line for line in log if line != "yields"][:1] == [expected]
        assert own is not None and own.cancelling() == 0

    @pytest.mark.parametrize("build", SHAPES)
    async def test_a_node_that_fails(self, build: Any) -> None:
        with pytest.raises(Exception, match="unhandled errors in a TaskGroup") as caught:
            await build([self.waits]).ainvoke({})
        assert type(caught.value).__name__ == "ExceptionGroup"

    async def test_it_is_retried(self) -> None:
        attempts: list[int] = []

        async def node(state: Any) -> Any:
            attempts.append(1)
            return await self.waits(state) if len(attempts) < 3 else {"log": ["done"]}

        policy = RetryPolicy(initial_interval=0, jitter=False, retry_on=Exception)
        builder = StateGraph(State).add_node("node", node, retry_policy=policy)
        assert (await builder.add_edge(START, "node").compile().ainvoke({}))["log"] == ["done"]

    @pytest.mark.parametrize("name", ["catches", "catches_in_the_body", "within", "waits"])
    async def test_a_run_that_is_cancelled_all_the_same(self, name: str) -> None:
        """By its caller, while the group winds up."""
        started = asyncio.Event()

        async def slow() -> None:
            try:
                await asyncio.sleep(PATIENCE)
            finally:
                started.set()
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.02)

        async def node(state: Any) -> Any:
            async with asyncio.TaskGroup() as group:
                group.create_task(slow())
                await getattr(self, name)(state)
                await asyncio.sleep(PATIENCE)

        run = asyncio.ensure_future(chain([node]).ainvoke({}))
        if name == "waits":
            await started.wait()
        else:
            await asyncio.sleep(0.01)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(run, PATIENCE)


async def test_a_called_task_that_is_cancelled_at_once_does_not_run() -> None:
    ran: list[int] = []

    @task
    def work() -> None:
        ran.append(1)

    @entrypoint()
    async def flow(_: Any) -> str:
        future = work()
        future.cancel()
        try:
            await future
        except asyncio.CancelledError:
            return "cancelled"
        return "done"

    assert await flow.ainvoke(1) == "cancelled"
    await asyncio.sleep(0.01)
    assert ran == []
