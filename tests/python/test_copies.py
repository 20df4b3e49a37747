"""Copies and pickles: of channels, builders, compiled graphs, entrypoints and serializers."""

from __future__ import annotations

import copy
import operator
import pickle
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from langgraph_rust._internal._typing import MISSING
from langgraph_rust.channels import (
    AnyValue,
    BaseChannel,
    BinaryOperatorAggregate,
    DeltaChannel,
    EphemeralValue,
    LastValue,
    LastValueAfterFinish,
    NamedBarrierValue,
    NamedBarrierValueAfterFinish,
    Topic,
    UntrackedValue,
)
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph_rust.errors import EmptyChannelError
from langgraph_rust.func import entrypoint, task
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.pregel._build.read import DEFAULT_BOUND
from langgraph_rust.pregel._build.write import PASSTHROUGH, SKIP_WRITE


class State(TypedDict):
    items: Annotated[list[int], operator.add]
    count: int


def add_one(state: State) -> dict[str, Any]:
    return {"items": [1], "count": state["count"] + 1}


def pick(state: State) -> str:
    return "last"


def fold(value: list[int] | None, writes: Sequence[list[int]]) -> list[int]:
    return [*(value or []), *(item for write in writes for item in write)]


def through_pickle(value: Any, protocol: int = pickle.HIGHEST_PROTOCOL) -> Any:
    return pickle.loads(pickle.dumps(value, protocol))


WAYS = [copy.copy, copy.deepcopy, through_pickle, partial(through_pickle, protocol=2)]
CONFIG: Any = {"configurable": {"thread_id": "1"}}
EMPTY: Any = {"items": [], "count": 0}


class Doubled(LastValue):
    """A derived class with attributes, and a constructor, of its own."""

    __slots__ = ("__dict__", "factor")

    def __init__(self, typ: Any, *, factor: int) -> None:
        super().__init__(typ)
        self.factor = factor


class Written(BaseChannel):
    """A kind of channel written in Python."""

    def __init__(self, typ: Any, values: list[int]) -> None:
        super().__init__(typ, "own")
        self.held = values


CHANNELS: dict[str, Callable[[], BaseChannel]] = {
    "last": lambda: LastValue(list),
    "last after finish": lambda: LastValueAfterFinish(list),
    "any": lambda: AnyValue(list),
    "ephemeral": lambda: EphemeralValue(list, guard=False),
    "untracked": lambda: UntrackedValue(list, guard=False),
    "aggregate": lambda: BinaryOperatorAggregate(list, operator.add),
    "delta": lambda: DeltaChannel(fold, list, snapshot_frequency=7),
    "topic": lambda: Topic(int, accumulate=True),
    "barrier": lambda: NamedBarrierValue(str, {"a", "b"}),
    "barrier after finish": lambda: NamedBarrierValueAfterFinish(str, {"a", "b"}),
}
ATTRIBUTES = (
    "typ key value finished guard operator reducer snapshot_frequency accumulate values names seen"
).split()


def seen_of(channel: BaseChannel) -> dict[str, Any]:
    attributes = {name: getattr(channel, name) for name in ATTRIBUTES if hasattr(channel, name)}
    return {**attributes, "class": type(channel), "available": channel.is_available()}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", CHANNELS.values(), ids=CHANNELS)
def test_a_copy_of_a_channel_has_all_that_it_has(make: Any, way: Any) -> None:
    channel = make()
    channel.key = "k"
    assert seen_of(way(channel)) == seen_of(channel)
    channel.update(["a"] if hasattr(channel, "names") else [[3]])
    channel.finish()
    copied = way(channel)
    assert seen_of(copied) == seen_of(channel)
    copied.update(["b"] if hasattr(channel, "names") else [[4]])
    assert seen_of(copied) != seen_of(channel)


def test_an_empty_channel_stays_empty() -> None:
    for way in WAYS:
        with pytest.raises(EmptyChannelError):
            way(LastValue(int)).get()
    emptied = BinaryOperatorAggregate(list, operator.add)
    emptied.value = MISSING
    assert not copy.deepcopy(emptied).is_available()


def test_only_deep_copies_copy_values() -> None:
    channel = LastValue(list)
    channel.update([[1]])
    assert copy.copy(channel).get() is channel.get()
    assert copy.deepcopy(channel).get() is not channel.get()


@pytest.mark.parametrize("way", WAYS)
def test_derived_classes_keep_what_is_theirs(way: Any) -> None:
    channel = Doubled(int, factor=2)
    channel.update([3])
    channel.note = "n"
    copied = way(channel)
    assert (copied.factor, copied.note, copied.get()) == (2, "n", 3)
    written = way(Written(int, [5]))
    assert (written.typ, written.key, written.held) == (int, "own", [5])


def test_the_state_of_a_channel_is_that_of_a_class_with_slots() -> None:
    channel = LastValue(int, "k")
    channel.update([3])
    assert channel.__getstate__() == (None, {"key": "k", "typ": int, "value": 3})


def test_a_state_without_what_the_constructor_takes_is_refused() -> None:
    with pytest.raises(TypeError, match="operator"):
        BinaryOperatorAggregate.__new__(BinaryOperatorAggregate).__setstate__((None, {"typ": int}))


@pytest.mark.parametrize("marker", [MISSING, PASSTHROUGH, SKIP_WRITE, DEFAULT_BOUND])
def test_markers_stay_the_objects_they_are(marker: Any) -> None:
    assert all(way(marker) is marker for way in WAYS)


def make_builder() -> StateGraph[State]:
    builder = StateGraph(State)
    for name in ("first", "second", "last"):
        builder.add_node(name, add_one)
    builder.add_edge(START, "first")
    builder.add_edge("first", "second")
    builder.add_conditional_edges("second", pick, {"last": "last"})
    return builder


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_of_a_builder_compiles_and_runs(way: Any) -> None:
    copied = way(make_builder())
    assert copied.compile().invoke(EMPTY) == {"items": [1, 1, 1], "count": 3}


def test_a_copy_of_a_builder_is_its_own() -> None:
    builder = make_builder()
    copied = copy.deepcopy(builder)
    copied.add_node("more", add_one)
    copied.add_edge("last", "more")
    assert copied.compile().invoke(EMPTY)["count"] == 4
    assert builder.compile().invoke(EMPTY)["count"] == 3


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("has_run", [False, True])
def test_a_copy_of_a_compiled_graph_runs(way: Any, has_run: bool) -> None:
    graph = make_builder().compile()
    if has_run:
        graph.invoke(EMPTY)
    copied = way(graph)
    assert copied.invoke(EMPTY) == {"items": [1, 1, 1], "count": 3}
    assert copied.get_graph().draw_mermaid() == graph.get_graph().draw_mermaid()


def test_a_deep_copy_of_a_graph_with_a_saver_has_a_saver_of_its_own() -> None:
    graph = make_builder().compile(checkpointer=InMemorySaver())
    graph.invoke(EMPTY, CONFIG)
    copied = copy.deepcopy(graph)
    copied.invoke(EMPTY, CONFIG)
    assert copied.get_state(CONFIG).values == {"items": [1] * 6, "count": 3}
    assert graph.get_state(CONFIG).values == {"items": [1] * 3, "count": 3}


def test_a_copy_of_a_graph_with_a_subgraph_runs() -> None:
    outer = StateGraph(State)
    outer.add_node("inner", make_builder().compile())
    outer.add_edge(START, "inner")
    for way in WAYS:
        assert way(outer).compile().invoke(EMPTY)["count"] == 3
        assert way(outer.compile()).invoke(EMPTY)["count"] == 3


def test_a_deep_copy_of_an_entrypoint_runs() -> None:
    @task
    def double(value: int) -> int:
        return 2 * value

    @entrypoint(checkpointer=InMemorySaver())
    def run(value: int) -> int:
        return double(value).result()

    assert copy.deepcopy(run).invoke(2, CONFIG) == 4


def hook(code: int, body: bytes) -> Any:
    return code


def test_a_copied_serializer_reads_what_the_first_would() -> None:
    serializer = JsonPlusSerializer(allowed_msgpack_modules=[State])
    stored = serializer.dumps_typed({1, 2})
    for way in WAYS:
        copied = way(serializer)
        assert copied.loads_typed(stored) == {1, 2}
        assert copied._allowed_msgpack_modules == serializer._allowed_msgpack_modules
        hooked = way(JsonPlusSerializer(__unpack_ext_hook__=hook))
        assert hooked._unpack_ext_hook is hook
