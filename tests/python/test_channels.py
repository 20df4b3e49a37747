"""The native channel kinds, used as objects."""

from __future__ import annotations

import gc
import operator
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from langgraph_rust._internal._typing import MISSING
from langgraph_rust.channels import (
    AnyValue,
    BaseChannel,
    BinaryOperatorAggregate,
    EphemeralValue,
    LastValue,
    LastValueAfterFinish,
    NamedBarrierValue,
    NamedBarrierValueAfterFinish,
    Topic,
    UntrackedValue,
)
from langgraph_rust.checkpoint.serde.types import _DeltaSnapshot
from langgraph_rust.errors import EmptyChannelError, InvalidUpdateError

VALUE_KINDS: list[Callable[[], BaseChannel]] = [
    lambda: LastValue(int),
    lambda: AnyValue(int),
    lambda: EphemeralValue(int),
    lambda: UntrackedValue(int),
]
BARRIER_KINDS = [NamedBarrierValue, NamedBarrierValueAfterFinish]


def assert_empty(channel: BaseChannel) -> None:
    assert not channel.is_available()
    with pytest.raises(EmptyChannelError):
        channel.get()


@pytest.mark.parametrize("make", VALUE_KINDS)
def test_value_kinds_start_empty_and_keep_a_write(make: Callable[[], BaseChannel]) -> None:
    channel = make()
    assert_empty(channel)
    assert channel.value is MISSING
    assert channel.checkpoint() is MISSING
    assert channel.update([3]) is True
    assert channel.get() == channel.value == 3
    assert channel.is_available()
    assert channel.ValueType is channel.UpdateType is channel.typ is int


@pytest.mark.parametrize("make", VALUE_KINDS)
def test_none_is_a_value(make: Callable[[], BaseChannel]) -> None:
    channel = make()
    channel.update([None])
    assert channel.is_available()
    assert channel.get() is None


@pytest.mark.parametrize("make", VALUE_KINDS)
def test_value_can_be_set_and_taken_away(make: Callable[[], BaseChannel]) -> None:
    channel = make()
    channel.value = 5
    assert channel.get() == 5
    channel.value = MISSING
    assert_empty(channel)


@pytest.mark.parametrize("kind", [LastValue, AnyValue, EphemeralValue])
def test_stored_value_comes_back(kind: type[BaseChannel]) -> None:
    channel = kind(int)
    channel.key = "k"
    channel.update([3])
    restored = channel.from_checkpoint(channel.checkpoint())
    assert type(restored) is kind
    assert (restored.get(), restored.key, restored.typ) == (3, "k", int)
    assert_empty(channel.from_checkpoint(MISSING))


def test_untracked_value_is_never_stored_but_copied() -> None:
    channel = UntrackedValue(int)
    channel.update([3])
    assert channel.checkpoint() is MISSING
    assert_empty(channel.from_checkpoint(3))
    assert channel.copy().get() == 3


def test_step_without_writes() -> None:
    kept, shared, passing = LastValue(int), AnyValue(int), EphemeralValue(int)
    for channel in (kept, shared, passing):
        channel.update([1])
    assert kept.update([]) is False
    assert kept.get() == 1
    for channel in (shared, passing):
        assert channel.update([]) is True
        assert_empty(channel)
        assert channel.update([]) is False


def test_two_writes_where_one_is_allowed() -> None:
    last = LastValue(int, "total")
    with pytest.raises(InvalidUpdateError) as error:
        last.update([1, 2])
    assert str(error.value) == (
        "At key 'total': Can receive only one value per step. Use an Annotated key to handle "
        "multiple values.\nFor troubleshooting, visit: https://docs.langchain.com/oss/python/"
        "langgraph/errors/INVALID_CONCURRENT_GRAPH_UPDATE"
    )
    assert_empty(last)
    for channel in (EphemeralValue(int), UntrackedValue(int)):
        channel.key = "k"
        with pytest.raises(InvalidUpdateError) as error:
            channel.update([1, 2])
        assert str(error.value) == (
            f"At key 'k': {type(channel).__name__}(guard=True) can receive only one value per "
            "step. Use guard=False if you want to store any one of multiple values."
        )


@pytest.mark.parametrize(
    "channel", [AnyValue(int), EphemeralValue(int, guard=False), UntrackedValue(int, False)]
)
def test_last_of_several_writes(channel: BaseChannel) -> None:
    channel.update((1, 2))
    assert channel.get() == 2


def test_last_value_after_finish() -> None:
    channel = LastValueAfterFinish(str)
    assert channel.finish() is False
    assert channel.update(["a", "b"]) is True
    assert_empty(channel)
    assert channel.checkpoint() == ("b", False)
    assert channel.consume() is False
    assert channel.finish() is True
    assert channel.finished and channel.get() == "b"
    restored = channel.from_checkpoint(channel.checkpoint())
    assert restored.finished and restored.get() == "b"
    assert channel.from_checkpoint(["b", True]).get() == "b"
    assert channel.consume() is True
    assert_empty(channel)
    assert channel.checkpoint() is MISSING


def test_barrier_opens_when_all_names_were_written() -> None:
    channel = NamedBarrierValue(str, {"a", "b"})
    assert channel.update(["a", "a"]) is True
    assert channel.update(["a"]) is False
    assert_empty(channel)
    assert channel.checkpoint() == {"a"}
    restored = channel.from_checkpoint({"a"})
    assert restored.update(["b"]) is True
    assert restored.is_available() and restored.get() is None
    assert restored.finish() is False
    assert restored.consume() is True
    assert restored.seen == set()
    assert restored.consume() is False
    assert channel.seen == {"a"}


def test_barrier_after_finish_opens_at_the_end() -> None:
    channel = NamedBarrierValueAfterFinish(str, {"a"})
    assert channel.finish() is False
    channel.update(["a"])
    assert_empty(channel)
    assert channel.checkpoint() == ({"a"}, False)
    assert channel.finish() is True
    assert channel.get() is None
    assert channel.copy().is_available()
    assert channel.from_checkpoint(channel.checkpoint()).finished is True
    assert channel.consume() is True
    assert (channel.seen, channel.finished) == (set(), False)


@pytest.mark.parametrize("kind", BARRIER_KINDS)
def test_barrier_refuses_other_names(kind: type[BaseChannel]) -> None:
    channel = kind(str, {"a"})
    channel.key = "join"
    for wrong in ("z", 7):
        with pytest.raises(InvalidUpdateError) as error:
            channel.update([wrong])
        assert str(error.value) == f"At key 'join': Value {wrong} not in {{'a'}}"
    with pytest.raises(TypeError, match="strings, not 7"):
        kind(str, {"a", 7})


def test_topic_holds_one_step() -> None:
    channel = Topic(str)
    assert channel.ValueType == Sequence[str]
    assert channel.UpdateType == str | list[str]
    assert channel.update([]) is False
    assert channel.update(["a", ["b", "c"], []]) is True
    assert channel.get() == channel.values == ["a", "b", "c"]
    assert channel.get() is not channel.get()
    assert channel.update([[]]) is True
    assert_empty(channel)
    assert channel.checkpoint() == []


def test_topic_accumulates() -> None:
    channel = Topic(str, accumulate=True)
    channel.update(["a"])
    assert channel.update([]) is False
    stored = channel.checkpoint()
    channel.update(["b"])
    assert channel.get() == ["a", "b"]
    assert channel.from_checkpoint(stored).get() == ["a"]
    assert channel.from_checkpoint((None, ["old"])).get() == ["old"]


def test_attributes_can_be_set() -> None:
    topic, guarded, barrier = Topic(int), EphemeralValue(int), NamedBarrierValue(str, {"a"})
    topic.values, topic.accumulate, guarded.guard = [1], True, False
    barrier.names, barrier.seen = {"x", "y"}, {"x"}
    total = BinaryOperatorAggregate(int, operator.add)
    total.operator = operator.mul
    total.value = 5
    total.update([4])
    assert (topic.get(), topic.accumulate, guarded.guard) == ([1], True, False)
    assert (barrier.names, barrier.seen, total.get()) == ({"x", "y"}, {"x"}, 20)
    topic.typ = str
    assert topic.ValueType == Sequence[str]


@pytest.mark.parametrize(
    ("make", "other"),
    [
        (lambda: LastValue(int), AnyValue(int)),
        (lambda: AnyValue(int), LastValue(int)),
        (lambda: LastValueAfterFinish(int), LastValue(int)),
        (lambda: EphemeralValue(int), EphemeralValue(int, guard=False)),
        (lambda: UntrackedValue(int), UntrackedValue(int, guard=False)),
        (lambda: Topic(int), Topic(int, accumulate=True)),
        (lambda: NamedBarrierValue(str, {"a", "b"}), NamedBarrierValue(str, {"a"})),
        (
            lambda: NamedBarrierValueAfterFinish(str, {"a"}),
            NamedBarrierValue(str, {"a"}),
        ),
        (
            lambda: BinaryOperatorAggregate(int, operator.add),
            BinaryOperatorAggregate(int, operator.mul),
        ),
        (
            lambda: BinaryOperatorAggregate(int, lambda left, right: left),
            LastValue(int),
        ),
    ],
)
def test_equality_is_about_kind_and_setting(make: Callable[[], Any], other: Any) -> None:
    used = make()
    used.typ = str
    assert make() == used
    assert not make() != used
    assert make() != other
    with pytest.raises(TypeError, match="unhashable"):
        hash(used)


def test_names_and_modules_are_those_of_the_package() -> None:
    assert f"{LastValue.__module__}.{LastValue.__name__}" == (
        "langgraph_rust.channels.last_value.LastValue"
    )
    assert repr(Topic(int)).startswith("<langgraph_rust.channels.topic.Topic object at ")
    assert LastValue[int](int).typ is int


def test_arguments_are_checked() -> None:
    with pytest.raises(TypeError, match="typ"):
        LastValue()
    with pytest.raises(TypeError, match="operator"):
        BinaryOperatorAggregate(int)
    with pytest.raises(TypeError, match="nope"):
        Topic(int, nope=1)


@pytest.mark.parametrize(
    "channel",
    [
        LastValue(list, "k"),
        EphemeralValue(list, guard=False),
        BinaryOperatorAggregate(list, operator.add),
    ],
)
def test_copies_are_independent(channel: BaseChannel) -> None:
    channel.update([[1]])
    copied = channel.copy()
    assert copied == channel and copied.key == channel.key
    copied.update([[2]])
    assert channel.get() == [1]


def test_snapshot_of_a_delta_channel_is_unwrapped() -> None:
    channel = BinaryOperatorAggregate(list, operator.add)
    assert channel.from_checkpoint(_DeltaSnapshot([1, 2])).get() == [1, 2]


@pytest.mark.parametrize("share", [lambda channel: channel, lambda channel: channel.copy()])
def test_cycles_through_channels_are_collected(
    share: Callable[[BinaryOperatorAggregate], BinaryOperatorAggregate],
) -> None:
    gone = make_cycle(share)
    gc.collect()
    assert gone() is None


class Holder:
    channels: list[BaseChannel]


def make_cycle(
    share: Callable[[BinaryOperatorAggregate], BinaryOperatorAggregate],
) -> weakref.ref[Holder]:
    holder = Holder()
    channel = BinaryOperatorAggregate(list, lambda left, right: [holder])
    topic = Topic(object, accumulate=True)
    topic.update([holder])
    holder.channels = [channel, share(channel), topic]
    return weakref.ref(holder)
