"""Durability `exit`: what was done is stored however a run ends, and the thread goes on from it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from _driver_graphs import PATIENCE, PlainSaver, State, thread
from typing_extensions import TypedDict

from langgraph_rust.cache.memory import InMemoryCache
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.errors import GraphDrained, GraphRecursionError
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.pregel import Pregel
from langgraph_rust.runtime import RunControl
from langgraph_rust.types import CachePolicy, Command, Send

SAVERS = [InMemorySaver, PlainSaver]
DONE = {"log": ["start", "n0", "n1", "n2"]}


class Line:
    """A graph of three nodes, the middle one of which does something else the first time."""

    def __init__(self, saver: Any, *, cached: bool = False, is_async: bool = False) -> None:
        self.trouble: Callable[[], Any] | None = None
        builder = StateGraph(State)
        for position in range(3):
            policy = CachePolicy() if cached and position == 1 else None
            builder.add_node(f"n{position}", self.node(position, is_async), cache_policy=policy)
            builder.add_edge(f"n{position - 1}" if position else START, f"n{position}")
        self.graph: Pregel = builder.compile(checkpointer=saver, cache=InMemoryCache())

    def node(self, position: int, is_async: bool) -> Callable[..., Any]:
        def node(_: State) -> State:
            if position == 1 and self.trouble is not None:
                trouble, self.trouble = self.trouble, None
                trouble()
            return {"log": [f"n{position}"]}

        async def anode(state: State) -> State:
            if position == 1 and self.trouble is not None and is_coroutine(self.trouble):
                trouble, self.trouble = self.trouble, None
                await trouble()
            return node(state)

        return anode if is_async else node

    def run(self, is_async: bool, input: Any = "fresh", **options: Any) -> Any:
        given = {"log": ["start"]} if input == "fresh" else input
        options = {"durability": "exit", **options}
        config = {**thread(), **options.pop("config", {})}
        if is_async:
            return asyncio.run(self.graph.ainvoke(given, config, **options))
        return self.graph.invoke(given, config, **options)

    def goes_on_like_an_undisturbed_run(self, is_async: bool, next_node: str = "n1") -> None:
        self.trouble = None
        state = self.graph.get_state(thread())
        expected = DONE["log"][: DONE["log"].index(next_node)]
        assert (state.next, state.values) == ((next_node,), {"log": expected})
        assert self.run(is_async, None) == DONE


def is_coroutine(function: Any) -> bool:
    return asyncio.iscoroutinefunction(function)


def raises(error: BaseException) -> Callable[[], None]:
    def trouble() -> None:
        raise error

    return trouble


@pytest.mark.parametrize("saver", SAVERS)
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
class TestEnds:
    @pytest.mark.parametrize("cached", [False, True], ids=["plain", "before a cached node"])
    @pytest.mark.parametrize("chunks", [1, 2])
    @pytest.mark.parametrize("mode", ["updates", "values", ["updates", "custom"]])
    def test_the_stream_is_closed(
        self, saver: Any, is_async: bool, cached: bool, chunks: int, mode: Any
    ) -> None:
        line = Line(saver(), cached=cached, is_async=is_async)
        options: Any = {"stream_mode": mode, "durability": "exit"}

        async def leave() -> None:
            stream = line.graph.astream({"log": ["start"]}, thread(), **options)
            for _ in range(chunks):
                await anext(stream)
            await stream.aclose()

        if is_async:
            asyncio.run(leave())
        else:
            stream = line.graph.stream({"log": ["start"]}, thread(), **options)
            for _ in range(chunks):
                next(stream)
            stream.close()
        state = line.graph.get_state(thread())
        seen = chunks if mode == "updates" or isinstance(mode, list) else chunks - 1
        assert state.values["log"][: seen + 1] == DONE["log"][: seen + 1]
        line.goes_on_like_an_undisturbed_run(is_async, state.next[0])

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
    @pytest.mark.parametrize("inside", [False, True], ids=["sync node", "own kind of node"])
    def test_a_node_raises(
        self, saver: Any, is_async: bool, error: type[BaseException], inside: bool
    ) -> None:
        line = Line(saver(), is_async=is_async and inside)
        line.trouble = raises(error("out"))
        with pytest.raises(error):
            line.run(is_async)
        line.goes_on_like_an_undisturbed_run(is_async)

    def test_the_recursion_limit(self, saver: Any, is_async: bool) -> None:
        line = Line(saver(), is_async=is_async)
        with pytest.raises(GraphRecursionError):
            line.run(is_async, config={"recursion_limit": 1})
        line.goes_on_like_an_undisturbed_run(is_async)

    def test_a_drain(self, saver: Any, is_async: bool) -> None:
        line, control = Line(saver(), is_async=is_async), RunControl()
        line.trouble = control.request_drain
        with pytest.raises(GraphDrained):
            line.run(is_async, control=control)
        line.goes_on_like_an_undisturbed_run(is_async, "n2")

    def test_a_step_takes_too_long(self, saver: Any, is_async: bool) -> None:
        line, release = Line(saver()), threading.Event()
        line.trouble = lambda: release.wait(PATIENCE)
        line.graph.step_timeout = 0.05
        # On Python 3.10 the two are not the same.
        with pytest.raises((TimeoutError, asyncio.TimeoutError)):
            if is_async:
                asyncio.run(self.releasing(line, release))
            else:
                line.run(is_async)
        release.set()
        line.graph.step_timeout = None
        line.goes_on_like_an_undisturbed_run(is_async)

    async def releasing(self, line: Line, release: threading.Event) -> None:
        try:
            await line.graph.ainvoke({"log": ["start"]}, thread(), durability="exit")
        finally:
            release.set()

    def test_interrupts(self, saver: Any, is_async: bool) -> None:
        line = Line(saver(), is_async=is_async)
        line.run(is_async, interrupt_before=["n1"])
        line.goes_on_like_an_undisturbed_run(is_async)


@pytest.mark.parametrize("saver", SAVERS)
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_an_exception_is_thrown_into_the_stream(saver: Any, is_async: bool) -> None:
    line = Line(saver(), is_async=is_async)
    options: Any = {"stream_mode": "updates", "durability": "exit"}

    async def throw() -> None:
        stream: Any = line.graph.astream({"log": ["start"]}, thread(), **options)
        await anext(stream)
        await stream.athrow(KeyError("consumer"))

    with pytest.raises(KeyError, match="consumer"):
        if is_async:
            asyncio.run(throw())
        else:
            stream: Any = line.graph.stream({"log": ["start"]}, thread(), **options)
            next(stream)
            stream.throw(KeyError("consumer"))
    line.goes_on_like_an_undisturbed_run(is_async)


@pytest.mark.parametrize("saver", SAVERS)
@pytest.mark.parametrize("how", ["cancel", "wait_for"])
def test_a_cancellation(saver: Any, how: str) -> None:
    line = Line(saver(), is_async=True)

    async def main() -> None:
        started = asyncio.Event()

        async def endless() -> None:
            started.set()
            await asyncio.Event().wait()

        line.trouble = endless
        run = line.graph.ainvoke({"log": ["start"]}, thread(), durability="exit")
        if how == "wait_for":
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(run, 0.02)
            return
        own = asyncio.ensure_future(run)
        await started.wait()
        own.cancel()
        with pytest.raises(asyncio.CancelledError):
            await own

    asyncio.run(main())
    line.goes_on_like_an_undisturbed_run(True)


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_coroutine_that_is_closed_by_hand(durability: Any, stream: bool) -> None:
    line = Line(InMemorySaver(), is_async=True)

    async def endless() -> None:
        while True:
            await asyncio.sleep(0)

    async def main() -> None:
        line.trouble = endless
        options: Any = {"durability": durability}
        if stream:
            chunks = line.graph.astream({"log": ["start"]}, thread(), **options)
            await anext(chunks)
            run: Any = anext(chunks).__await__()
        else:
            run = line.graph.ainvoke({"log": ["start"]}, thread(), **options)
        for _ in range(3):
            run.send(None)
        run.close()

    asyncio.run(main())
    line.goes_on_like_an_undisturbed_run(True)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_reducer_that_fails(is_async: bool, durability: Any) -> None:
    failing = [True]

    def join(old: list[str], new: list[str]) -> list[str]:
        if failing[0] and "b" in new:
            raise ValueError("reducer")
        return old + new

    # Not a class: the annotations of one here would be text that names a local function.
    own = TypedDict("own", {"log": Annotated[list[str], join]})  # noqa: UP013
    builder = StateGraph(own)
    for before, name in ((START, "a"), ("a", "b"), ("b", "c")):
        builder.add_node(name, lambda _, name=name: {"log": [name]}).add_edge(before, name)
    graph = builder.compile(checkpointer=InMemorySaver())

    def go(input: Any) -> Any:
        if is_async:
            return asyncio.run(graph.ainvoke(input, thread(), durability=durability))
        return graph.invoke(input, thread(), durability=durability)

    with pytest.raises(ValueError, match="reducer"):
        go({"log": ["start"]})
    failing[0] = False
    assert go(None) == {"log": ["start", "a", "b", "c"]}


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("kind", ["sync", "async", "async router"])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_node_whose_branch_failed_runs_again(
    durability: Any, beside: bool, kind: str, error: type[BaseException]
) -> None:
    failing, ran = [True], []

    def route(_: State) -> str:
        if failing[0]:
            raise error("route")
        return "after"

    async def aroute(state: State) -> str:
        await asyncio.sleep(0)
        return route(state)

    def node(_: State) -> State:
        ran.append("node")
        return {"log": ["node"]}

    builder = StateGraph(State)
    builder.add_node("node", node).add_edge(START, "node")
    builder.add_node("after", lambda _: {"log": ["after"]})
    builder.add_conditional_edges("node", aroute if kind == "async router" else route, ["after"])
    if beside:
        builder.add_node("beside", lambda _: {}).add_edge(START, "beside")
    graph = builder.compile(checkpointer=InMemorySaver())

    def go(input: Any) -> Any:
        if kind == "sync":
            return graph.invoke(input, thread(), durability=durability)
        return asyncio.run(graph.ainvoke(input, thread(), durability=durability))

    with pytest.raises(error):
        go({})
    failing[0] = False
    assert "node" in graph.get_state(thread()).next
    assert go(None)["log"] == ["node", "after"] and ran == ["node", "node"]


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_tasks_writes_are_stored_whole_or_not_at_all(is_async: bool, durability: Any) -> None:
    bad: list[Any] = [threading.Lock()]

    def sends(_: State) -> Command[Any]:
        middle = bad[0] if bad else 2
        return Command(update={"log": ["s"]}, goto=[Send("w", 1), Send("w", middle), Send("w", 3)])

    builder = StateGraph(State)
    builder.add_node("sends", sends).add_edge(START, "sends")
    builder.add_node("w", lambda number: {"log": [number]})
    graph = builder.compile(checkpointer=InMemorySaver())

    def go(input: Any) -> Any:
        if is_async:
            return asyncio.run(graph.ainvoke(input, thread(), durability=durability))
        return graph.invoke(input, thread(), durability=durability)

    with pytest.raises(TypeError):
        go({"log": ["start"]})
    bad.clear()
    again = go({"log": ["start"]} if durability == "exit" else None)
    assert again == {"log": ["start", "s", 1, 2, 3]}


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_the_saver_itself_stores_writes_whole_or_not_at_all(is_async: bool) -> None:
    saver = InMemorySaver()
    place = {"configurable": {"thread_id": "1", "checkpoint_ns": "", "checkpoint_id": "c"}}
    writes = [("a", 1), ("b", threading.Lock()), ("c", 3)]
    with pytest.raises(TypeError):
        if is_async:
            asyncio.run(saver.aput_writes(place, writes, "task"))
        else:
            saver.put_writes(place, writes, "task")
    assert not any(saver.writes.values())


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, BaseException])
def test_no_handler_handles_what_is_to_end_the_program(
    error: type[BaseException], is_async: bool
) -> None:
    def node(_: State) -> State:
        raise error

    handled = []
    builder = StateGraph(State).add_edge(START, "node")
    graph = builder.add_node("node", node, error_handler=lambda _: handled.append(1)).compile()
    with pytest.raises(error):
        asyncio.run(graph.ainvoke({})) if is_async else graph.invoke({})
    assert not handled
