"""Cycles through what graphs and runs hold are collected."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from _driver_graphs import State, chain, fan_out, thread
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableConfig
from typing_extensions import TypedDict

from langgraph_rust.cache.memory import InMemoryCache
from langgraph_rust.channels import BinaryOperatorAggregate
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.func import entrypoint, task
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.pregel import NodeBuilder, Pregel
from langgraph_rust.store.memory import InMemoryStore
from langgraph_rust.types import CachePolicy, RetryPolicy, Send, StreamWriter, TimeoutPolicy


@pytest.fixture(autouse=True, scope="module")
def quick_rounds() -> Iterator[None]:
    """The collector need not look again and again at what was there before."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Owner:
    """Owns what refers to it."""

    graph: Any
    run: Any

    def node(self, _: Any) -> State:
        return {"log": [1]}

    async def anode(self, _: Any) -> State:
        await asyncio.sleep(0)
        return {"log": [1]}

    def says_yes(self, *_: Any) -> bool:
        return True

    def key(self, *_: Any) -> str:
        return "key"

    def add(self, old: Any, new: Any) -> Any:
        return old

    def route(self, _: Any) -> str:
        return "end"


class Listener(BaseCallbackHandler):
    owner: Owner


class Number(int):
    """A number that can refer to its owner."""

    owner: Owner


@dataclass
class Context:
    owner: Owner


class Reducer:
    """Has no hash, or `typing` would keep what it is in."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, owner: Owner) -> None:
        self.owner = owner

    def __call__(self, old: list[int], new: list[int]) -> list[int]:
        return old + new


def one(function: Any, **options: Any) -> StateGraph:
    builder = StateGraph(State).add_node("node", function, **options)
    return builder.add_edge(START, "node")


def with_default(owner: Owner) -> Any:
    def node(_: State, config: RunnableConfig, writer: StreamWriter = owner) -> State:  # type: ignore[assignment]
        return {}

    return node


def with_schema(owner: Owner) -> Any:
    # Not a class: the annotations of one here would be text that names a local function.
    own = TypedDict("own", {"log": Annotated[list[int], Reducer(owner)]})  # noqa: UP013
    builder = StateGraph(own).add_node("node", owner.node)
    return builder.add_edge(START, "node").compile()


def with_branch(owner: Owner) -> Any:
    builder = StateGraph(State).add_node("node", owner.node).add_edge(START, "node")
    return builder.add_conditional_edges("node", owner.route, {"end": "__end__"}).compile()


def with_path_map(owner: Owner) -> Any:
    key = Number(7)
    key.owner = owner
    builder = StateGraph(State).add_node("node", owner.node).add_edge(START, "node")
    return builder.add_conditional_edges("node", lambda _: 7, {key: "__end__"}).compile()


def with_sends(owner: Owner) -> Any:
    builder = StateGraph(State).add_node("node", owner.node)
    return builder.add_conditional_edges(START, lambda _: [Send("node", owner)], ["node"]).compile()


def with_channel(owner: Owner) -> Any:
    node = NodeBuilder().subscribe_only("in").do(owner.node).write_to("out")
    channels = {name: BinaryOperatorAggregate(list, owner.add) for name in ("in", "out")}
    return Pregel(
        nodes={"node": node}, channels=channels, input_channels="in", output_channels="out"
    )


def with_handler(owner: Owner) -> Any:
    def fails(_: Any) -> Any:
        raise ValueError("own")

    return one(fails, error_handler=owner.node).compile()


def with_task(owner: Owner) -> Any:
    work = task(owner.node, retry_policy=RetryPolicy(retry_on=owner.says_yes))
    return entrypoint()(lambda state: work(state).result())


def cached(owner: Owner) -> Any:
    policy = CachePolicy(key_func=owner.key)
    return one(owner.node, cache_policy=policy).compile(cache=InMemoryCache())


GRAPHS: dict[str, Callable[[Owner], Any]] = {
    "node": lambda owner: one(owner.node).compile(),
    "async node": lambda owner: one(owner.anode).compile(),
    "nested": lambda owner: chain([one(owner.node).compile()]),
    "retry policy": lambda owner: one(
        owner.node, retry_policy=RetryPolicy(retry_on=owner.says_yes)
    ).compile(),
    "cache policy": cached,
    "metadata": lambda owner: one(owner.node, metadata={"owner": owner}).compile(),
    "default": lambda owner: one(with_default(owner)).compile(),
    "reducer": with_schema,
    "router": with_branch,
    "path map": with_path_map,
    "packet": with_sends,
    "channel": with_channel,
    "error handler": with_handler,
    "task": with_task,
    "config": lambda owner: one(owner.node).compile().with_config({"metadata": {"owner": owner}}),
    "saver": lambda owner: one(owner.node).compile(checkpointer=attached(InMemorySaver(), owner)),
    "store": lambda owner: one(owner.node).compile(store=attached(Store(), owner)),
}

CONFIGS: dict[str, Callable[[Owner], Any]] = {
    "configurable": lambda owner: {"config": {"configurable": {"owner": owner}}},
    "metadata": lambda owner: {"config": {"metadata": {"owner": owner}}},
    "callbacks": lambda owner: {"config": {"callbacks": [attached(Listener(), owner)]}},
    "tags": lambda owner: {"config": {"tags": [attached(Text("tag"), owner)]}},
    "context": lambda owner: {"context": Context(owner)},
}


class Store(InMemoryStore):
    """A store that can refer to its owner."""

    owner: Owner


class Text(str):
    """Text that can refer to its owner."""

    owner: Owner


def attached(thing: Any, owner: Owner) -> Any:
    thing.owner = owner
    return thing


def is_collected(make: Callable[[], Any]) -> bool:
    """Whether what `make` returns a reference to goes when the collector comes."""
    reference = make()
    gone = threading.Event()
    weakref.finalize(reference(), gone.set) if reference() is not None else gone.set()
    for _ in range(10):
        gc.collect()
        # A worker that has just ended a task may still have it in its hands.
        if gone.wait(0.05):
            return True
    return False


def used(owner: Owner, how: str, **options: Any) -> None:
    config = {**thread(), **options.pop("config", {})}
    config["configurable"] = {**thread()["configurable"], **config["configurable"]}
    options["config"] = config
    graph = owner.graph
    if how == "invoke":
        graph.invoke({"log": []}, **options)
    elif how == "ainvoke":
        asyncio.run(graph.ainvoke({"log": []}, **options))
    else:
        owner.run = graph.stream({"log": []}, stream_mode=["values", "updates"], **options)
        next(owner.run)


@pytest.mark.parametrize(
    ("what", "how"),
    [
        (what, how)
        for what in GRAPHS
        for how in (["ainvoke"] if what == "async node" else ["invoke", "ainvoke", "stream"])
    ],
)
def test_what_a_graph_refers_to(what: str, how: str) -> None:
    def make() -> Any:
        owner = Owner()
        owner.graph = GRAPHS[what](owner)
        if what == "channel":
            owner.graph.invoke([1])
        elif what == "task" and how == "stream":
            owner.run = owner.graph.stream(1)
            next(owner.run)
        else:
            used(owner, how)
        return weakref.ref(owner)

    assert is_collected(make)


@pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream"])
@pytest.mark.parametrize("what", CONFIGS)
def test_what_a_run_is_given(what: str, how: str) -> None:
    def make() -> Any:
        owner = Owner()
        builder = StateGraph(State, context_schema=Context).add_node("node", owner.node)
        owner.graph = builder.add_edge(START, "node").compile()
        used(owner, how, **CONFIGS[what](owner))
        return weakref.ref(owner)

    assert is_collected(make)


@pytest.mark.parametrize("policy", [0.5, TimeoutPolicy(idle_timeout=5)])
def test_timeout_policies(policy: Any) -> None:
    def make() -> Any:
        owner = Owner()
        owner.graph = one(owner.anode, timeout=policy).compile()
        used(owner, "ainvoke")
        return weakref.ref(owner)

    assert is_collected(make)


@pytest.mark.parametrize(
    "given",
    CONFIGS,
)
@pytest.mark.parametrize("shape", [chain, fan_out])
def test_an_abandoned_async_stream(shape: Any, given: str) -> None:
    def make() -> Any:
        async def begin() -> Any:
            owner = Owner()
            owner.graph = shape([owner.anode, owner.anode])
            owner.run = owner.graph.astream({}, stream_mode="values", **CONFIGS[given](owner))
            await anext(owner.run)
            return weakref.ref(owner)

        return asyncio.run(begin())

    assert is_collected(make)


@pytest.mark.parametrize("values", [False, True])
def test_a_state_view(values: bool) -> None:
    def make() -> Any:
        owner = Owner()
        owner.graph = one(owner.node).compile(checkpointer=attached(InMemorySaver(), owner))
        owner.graph.invoke({"log": []}, thread())
        owner.run = owner.graph.get_state(thread(), subgraphs=values)
        owner.graph.update_state(thread(), {"log": [2]})
        list(owner.graph.get_state_history(thread()))
        return weakref.ref(owner)

    assert is_collected(make)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failed_run(error: type[BaseException]) -> None:
    def make() -> Any:
        owner = Owner()

        def fails(_: Any) -> Any:
            raise attached(error("own"), owner)

        owner.graph = fan_out([fails, owner.node], checkpointer=None)
        try:
            owner.graph.invoke({"value": owner})
        except error as caught:
            owner.run = caught
        return weakref.ref(owner)

    assert is_collected(make)


def test_a_stream_abandoned_before_a_task_begins() -> None:
    def make() -> Any:
        owner = Owner()
        stream = one(owner.node).compile().stream({"log": [owner]}, stream_mode="tasks")
        owner.run = stream
        next(stream)
        return weakref.ref(owner)

    assert is_collected(make)


@pytest.mark.parametrize("is_closed", [False, True], ids=["stopped", "closed"])
def test_an_error_that_comes_when_the_event_loop_has_ended(is_closed: bool) -> None:
    """Its traceback leads to the run, and the run to where results of its loop arrive."""
    heard, released, ended = threading.Event(), threading.Event(), threading.Event()

    def make() -> Any:
        owner = Owner()

        @task
        def waits() -> None:
            released.wait(10)

        def calls(_: Any, writer: StreamWriter) -> None:
            future = waits()
            writer("begun")
            try:
                future.result()
            except BaseException as error:
                attached(error, owner)
                heard.set()
                released.wait(10)
                raise
            finally:
                ended.set()

        async def begin() -> None:
            stream = owner.graph.astream(1, stream_mode="custom")
            await anext(stream)
            # As the traceback of an error has it that went through the stream.
            owner.run = stream.ag_frame.f_locals
            await stream.aclose()

        owner.graph = entrypoint()(calls)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(begin())
        assert heard.wait(10)
        if is_closed:
            loop.close()
        released.set()
        assert ended.wait(10)
        time.sleep(0.05)  # The worker tells the loop.
        loop.close()
        return weakref.ref(owner)

    assert is_collected(make)
