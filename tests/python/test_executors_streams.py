"""What graphs within a remote node stream; workers that nobody has used for long."""

from __future__ import annotations

import asyncio
import operator
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from langgraph_rust.config import get_stream_writer
from langgraph_rust.executors import ProcessExecutor, RayExecutor, register
from langgraph_rust.executors._later import Later
from langgraph_rust.func import entrypoint, task
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.runtime import Runtime
from langgraph_rust.types import StreamWriter

ROOT = Path(__file__).parents[2]


class State(TypedDict, total=False):
    """What the graphs have."""

    log: Annotated[list[Any], operator.add]


@pytest.fixture(scope="module", autouse=True)
def pool() -> Iterator[None]:
    """One worker, gone after the tests."""
    executor = ProcessExecutor(workers=1)
    register("process", executor)
    yield
    executor.close()


def alone(name: str, node: Callable[..., Any], executor: Any = None) -> Any:
    """A graph of one node."""
    graph = StateGraph(State).add_node(name, node, executor=executor)
    return graph.add_edge(START, name).compile()


def asks(state: State) -> Any:
    """Write with what the config has."""
    get_stream_writer()("asked for")


def has(state: State, writer: StreamWriter) -> Any:
    """Write with a parameter."""
    writer("a parameter")


def runs(state: State, runtime: Runtime) -> Any:
    """Write with what the runtime has."""
    runtime.stream_writer("of the runtime")


def within() -> Any:
    """A graph whose nodes write."""
    return StateGraph(State).add_sequence([asks, has, runs]).add_edge(START, "asks").compile()


def calls(state: State) -> Any:
    """Call a graph, twice, and write before and after."""
    writer = get_stream_writer()
    for _ in range(2):
        writer("before")
        within().invoke({})
    writer("after")


async def awaits(state: State) -> Any:
    """Async twin of `calls`."""
    writer = get_stream_writer()
    await asyncio.gather(within().ainvoke({}))
    writer("after")


def nests(state: State) -> Any:
    """Call a graph that calls a graph."""
    alone("calls", calls).invoke({})
    get_stream_writer()("after")


def has_tasks(state: State) -> Any:
    """Call a function whose tasks write."""

    @task
    def one(n: int) -> int:
        get_stream_writer()(n)
        return n

    @entrypoint()
    def all_of_them(given: Any) -> list[int]:
        get_stream_writer()("around")
        return [one(n).result() for n in range(2)]

    all_of_them.invoke(0)


def seen(node: Any, executor: str, *, subgraphs: bool) -> list[Any]:
    """What a node and the graphs within it stream, without ids."""
    graph = alone("node", node, executor)
    options: Any = {"stream_mode": ["custom", "updates"], "subgraphs": subgraphs}

    async def listened() -> list[Any]:
        return [chunk async for chunk in graph.astream({}, **options)]

    is_async = asyncio.iscoroutinefunction(node)
    chunks = asyncio.run(listened()) if is_async else list(graph.stream({}, **options))
    if not subgraphs:
        return chunks
    return [([part.partition(":")[0] for part in place], *rest) for place, *rest in chunks]


@pytest.mark.parametrize("subgraphs", [True, False])
@pytest.mark.parametrize("node", [calls, awaits, nests, has_tasks])
def test_chunks_of_graphs_within_a_node_are_theirs(node: Any, subgraphs: bool) -> None:
    at_home = seen(node, "inline", subgraphs=subgraphs)
    assert seen(node, "process", subgraphs=subgraphs) == at_home
    assert not subgraphs or any(mode == "custom" and place for place, mode, _ in at_home)


def in_a_thread(state: State) -> Any:
    """Write where nothing is known of the node."""
    writer = get_stream_writer()
    said = []

    def write() -> None:
        try:
            said.append(writer("chunk"))
        except RuntimeError as error:
            said.append(str(error))

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    return {"log": said}


@pytest.mark.parametrize("mode", ["custom", "values"])
def test_a_chunk_of_a_plain_thread_is_an_error_if_somebody_listens(mode: Any) -> None:
    def given(executor: str) -> list[Any]:
        modes: Any = [mode, "updates"]
        return list(alone("node", in_a_thread, executor).stream({}, stream_mode=modes))

    at_home = given("inline")
    assert given("process") == at_home
    assert ("outside" in str(at_home)) == (mode == "custom")


def test_later_is_once_and_again_when_it_is_said() -> None:
    done = threading.Semaphore(0)
    later = Later(done.release)
    for seconds in (0.1, 0.2, 100.0):
        later.begin(seconds)
    assert done.acquire(timeout=20)
    assert not done.acquire(timeout=0.3)
    later.begin(-1.0)
    assert done.acquire(timeout=20)


@pytest.mark.parametrize("idle", [-1.0, "60", None])
def test_idle_seconds_that_nobody_can_mean_are_refused(idle: Any) -> None:
    with pytest.raises(ValueError, match="idle must be a number of seconds"):
        RayExecutor(idle=idle)
