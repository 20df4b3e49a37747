"""Worker threads: how many, for how long, and what if one cannot be had or breaks down."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from _async_graphs import yields
from _driver_graphs import PATIENCE, Meeting, State, chain, fan_out, thread

from langgraph_rust import _engine
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.errors import NodeError
from langgraph_rust.func import entrypoint, task
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import RetryPolicy


def workers() -> set[threading.Thread]:
    return {one for one in threading.enumerate() if one.name == "langgraph-worker"}


def node(_: State) -> State:
    return {"log": ["done"]}


async def anode(_: State) -> State:
    await asyncio.sleep(0)
    return {"log": ["done"]}


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_very_many_called_tasks_have_few_threads(is_async: bool) -> None:
    """All tasks are called before the first of them can end."""
    all_called, at_work, most = threading.Event(), [], []
    before = workers()

    @task
    def work(number: int) -> int:
        at_work.append(number)
        assert all_called.wait(PATIENCE)
        most.append(len(at_work))
        at_work.remove(number)
        return number

    @entrypoint()
    def flow(_: Any) -> int:
        futures = [work(number) for number in range(300)]
        all_called.set()
        return sum(future.result() for future in futures)

    @entrypoint()
    async def aflow(_: Any) -> int:
        futures = [work(number) for number in range(300)]
        all_called.set()
        return sum(await asyncio.gather(*futures))

    assert (asyncio.run(aflow.ainvoke(1)) if is_async else flow.invoke(1)) == 44850
    # As many as Python's own executors have; idle workers of earlier runs may be among them.
    assert max(most) <= 32
    assert len(workers() - before) <= 32


def test_workers_without_work_end() -> None:
    fan_out([Meeting(6)] * 6).invoke({})
    idle = workers()
    assert len(idle) >= 5
    for one in idle:
        one.join(15)
        assert not one.is_alive()
    assert len(fan_out([Meeting(6)] * 6).invoke({})["log"]) == 6


THREADLESS = """
import asyncio, threading
from _driver_graphs import chain, fan_out
from langgraph_rust.func import entrypoint, task

def refuse(self):
    raise RuntimeError("can't start new thread")

threading.Thread.start = refuse

def node(_):
    return {"log": [1]}

async def anode(_):
    await asyncio.sleep(0)
    return {"log": [1]}

@task
def work(number):
    return number

@task
async def awork(number):
    await asyncio.sleep(0)
    return number

@entrypoint()
def flow(_):
    return sum(future.result() for future in [work(1) for _ in range(3)])

@entrypoint()
async def aflow(_):
    return sum(await asyncio.gather(*[awork(1) for _ in range(3)]))

@entrypoint()
async def mixed(_):
    return sum(await asyncio.gather(*[work(1) for _ in range(3)]))

def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 5))

async def drain(stream):
    return [chunk async for chunk in stream]

WAYS = {
    "invoke": lambda: chain([node]).invoke({}),
    "invoke beside": lambda: fan_out([node] * 3).invoke({}),
    "stream": lambda: list(chain([node]).stream({})),
    "stream beside": lambda: list(fan_out([node] * 3).stream({})),
    "stream custom": lambda: list(fan_out([node] * 3).stream({}, stream_mode="custom")),
    "nested": lambda: chain([fan_out([node] * 3)]).invoke({}),
    "ainvoke": lambda: run(chain([anode]).ainvoke({})),
    "ainvoke beside": lambda: run(fan_out([anode] * 3).ainvoke({})),
    "ainvoke sync": lambda: run(chain([node]).ainvoke({})),
    "ainvoke sync beside": lambda: run(fan_out([node] * 3).ainvoke({})),
    "astream sync": lambda: run(drain(fan_out([node, anode]).astream({}))),
    "called": lambda: flow.invoke(1),
    "called async": lambda: run(aflow.ainvoke(1)),
    "called sync in async": lambda: run(mixed.ainvoke(1)),
}
for name, way in WAYS.items():
    try:
        way()
        print(name, "done", sep=": ")
    except RuntimeError as error:
        print(name, error, sep=": ")
    except BaseException as error:
        print(name, "WRONG", repr(error), sep=": ")
"""


def test_a_thread_that_cannot_be_started(run_program: Any) -> None:
    """The work is done by those who are there, or fails; nothing hangs."""
    lines = run_program(THREADLESS).stdout.splitlines()
    results = dict(line.split(": ", 1) for line in lines)
    assert len(results) == 14
    assert set(results.values()) == {"done", "can't start new thread"}
    for way in ("invoke", "invoke beside", "stream", "nested", "ainvoke", "ainvoke beside"):
        assert results[way] == "done"
    assert results["called async"] == "done"


def one(function: Any, **options: Any) -> Any:
    builder = StateGraph(State).add_node("fragile", function, **options)
    return builder.add_edge(START, "fragile")


def beside(function: Any, **options: Any) -> Any:
    builder = one(function, **options)
    for name in ("left", "right"):
        builder.add_node(name, yields if function is anode else node).add_edge(START, name)
    return builder


def called(is_async: bool, is_async_task: bool) -> Any:
    work = task(anode if is_async_task else node, name="fragile")

    async def aflow(state: Any) -> Any:
        return await work(state)

    def flow(state: Any) -> Any:
        return work(state).result()

    return entrypoint(checkpointer=InMemorySaver())(aflow if is_async else flow)


def saved(builder: Any) -> Any:
    return builder.compile(checkpointer=InMemorySaver())


GRAPHS: dict[str, tuple[bool, Callable[[], Any]]] = {
    "alone": (False, lambda: saved(one(node))),
    "beside": (False, lambda: saved(beside(node))),
    "nested": (False, lambda: chain([one(node).compile()], checkpointer=InMemorySaver())),
    "nested, beside": (
        False,
        lambda: fan_out([beside(node).compile(), node], checkpointer=InMemorySaver()),
    ),
    "called": (False, lambda: called(False, False)),
    "async: alone": (True, lambda: saved(one(anode))),
    "async: beside": (True, lambda: saved(beside(anode))),
    "async: sync, alone": (True, lambda: saved(one(node))),
    "async: sync, beside": (True, lambda: saved(beside(node))),
    "async: nested": (True, lambda: chain([one(anode).compile()], checkpointer=InMemorySaver())),
    "async: nested, beside": (
        True,
        lambda: fan_out([beside(anode).compile(), anode], checkpointer=InMemorySaver()),
    ),
    "async: called": (True, lambda: called(True, True)),
    "async: sync, called": (True, lambda: called(True, False)),
}


class TestPanics:
    """A fault of the engine while it runs a task fails that task."""

    @staticmethod
    def run(graph: Any, is_async: bool, mode: str | None, input: Any) -> Any:
        if is_async:

            async def main() -> Any:
                if mode is None:
                    return await graph.ainvoke(input, thread())
                return [x async for x in graph.astream(input, thread(), stream_mode=mode)]

            return asyncio.run(asyncio.wait_for(main(), PATIENCE))
        if mode is None:
            return graph.invoke(input, thread())
        return list(graph.stream(input, thread(), stream_mode=mode))

    @pytest.mark.parametrize("mode", [None, "updates", "values", "custom"])
    @pytest.mark.parametrize("way", GRAPHS)
    def test_it_is_the_tasks_failure_and_the_thread_goes_on(
        self, way: str, mode: str | None, capfd: Any
    ) -> None:
        is_async, make = GRAPHS[way]
        graph = make()
        _engine._panic_at("fragile")
        with pytest.raises(RuntimeError, match="'fragile' ended by a panic"):
            self.run(graph, is_async, mode, {"value": 1})
        assert graph.get_state(thread()).next
        fresh = make()
        again = self.run(graph, is_async, None, None)
        assert again == self.run(fresh, is_async, None, {"value": 1})

    @pytest.mark.parametrize("way", [one, beside])
    @pytest.mark.parametrize("is_async", [False, True])
    def test_no_retry_hides_it(self, way: Any, is_async: bool, capfd: Any) -> None:
        policy = RetryPolicy(initial_interval=0, jitter=False, retry_on=lambda _: True)
        graph = saved(way(anode if is_async else node, retry_policy=policy))
        _engine._panic_at("fragile")
        with pytest.raises(RuntimeError, match="ended by a panic"):
            self.run(graph, is_async, None, {})

    @pytest.mark.parametrize("way", [one, beside])
    @pytest.mark.parametrize("is_async", [False, True])
    def test_error_handlers_hear_of_it(self, way: Any, is_async: bool, capfd: Any) -> None:
        def handler(_: State, error: NodeError) -> State:
            return {"log": [type(error.error).__name__]}

        graph = saved(way(anode if is_async else node, error_handler=handler))
        _engine._panic_at("fragile")
        assert "RuntimeError" in self.run(graph, is_async, None, {})["log"]
