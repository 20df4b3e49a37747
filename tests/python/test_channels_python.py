"""Channels that are written, or changed, in Python."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import pytest

from langgraph_rust._internal._typing import MISSING
from langgraph_rust.channels import (
    BaseChannel,
    BinaryOperatorAggregate,
    LastValue,
    NamedBarrierValue,
    Topic,
)
from langgraph_rust.errors import EmptyChannelError

Value = TypeVar("Value")


class Maximum(Generic[Value], BaseChannel[Value, Value, Value]):
    """Keeps the largest write."""

    def __init__(self, typ: Any, floor: Value) -> None:
        super().__init__(typ)
        self.floor = floor
        self.value: Any = MISSING

    @property
    def ValueType(self) -> Any:
        return self.typ

    @property
    def UpdateType(self) -> Any:
        return self.typ

    def from_checkpoint(self, checkpoint: Any) -> Maximum[Value]:
        fresh = Maximum(self.typ, self.floor)
        fresh.key, fresh.value = self.key, checkpoint
        return fresh

    def get(self) -> Value:
        if self.value is MISSING:
            raise EmptyChannelError()
        return self.value

    def update(self, values: Sequence[Value]) -> bool:
        self.value = max(self.floor, *values)
        return True


def test_what_the_base_class_provides() -> None:
    channel = Maximum[int](int, 2)
    assert (channel.typ, channel.key) == (int, "")
    assert not channel.is_available()
    assert channel.checkpoint() is MISSING
    assert channel.consume() is channel.finish() is False
    channel.update([1, 7])
    assert channel.is_available()
    assert channel.checkpoint() == 7
    copied = channel.copy()
    assert type(copied) is Maximum and copied.get() == 7


def test_errors_of_get_are_not_swallowed() -> None:
    class Broken(Maximum):
        def get(self) -> Any:
            raise ZeroDivisionError

    channel = Broken(int, 0)
    for method in (channel.is_available, channel.checkpoint, channel.copy):
        with pytest.raises(ZeroDivisionError):
            method()


def test_the_base_class_itself_is_abstract() -> None:
    with pytest.raises(TypeError, match="abstract"):
        BaseChannel(int)

    class Nothing(BaseChannel):
        pass

    channel = Nothing(int)
    for call in (channel.get, lambda: channel.update([]), lambda: channel.from_checkpoint(1)):
        with pytest.raises(NotImplementedError):
            call()
    with pytest.raises(NotImplementedError):
        channel.ValueType  # noqa: B018


class Logged(LastValue):
    """A native channel with state of its own."""

    def __init__(self, typ: Any, key: str = "") -> None:
        super().__init__(typ, key)
        self.log: list[Any] = []

    def update(self, values: Sequence[Any]) -> bool:
        self.log.append(list(values))
        return super().update(values)


def test_derived_from_a_native_kind() -> None:
    channel = Logged(int, "k")
    channel.update([1])
    restored = channel.from_checkpoint(channel.checkpoint())
    copied = channel.copy()
    for other in (restored, copied):
        assert type(other) is Logged
        assert (other.get(), other.key, other.log) == (1, "k", [])
    assert channel.log == [[1]]
    assert channel == LastValue(int)


def test_derived_kinds_without_a_constructor() -> None:
    class Sum(BinaryOperatorAggregate):
        pass

    class Join(NamedBarrierValue):
        pass

    class Inbox(Topic):
        pass

    for channel, writes in (
        (Sum(int, operator.add), [1, 2]),
        (Join(str, {"a"}), ["a"]),
        (Inbox(int, accumulate=True), [1]),
    ):
        channel.update(writes)
        for other in (channel.copy(), channel.from_checkpoint(channel.checkpoint())):
            assert type(other) is type(channel)
            assert other.get() == channel.get()


def test_a_reducer_may_come_back_to_its_channel() -> None:
    seen = []

    def reduce(left: int, right: int) -> int:
        seen.append(channel.get())
        return left + right

    channel = BinaryOperatorAggregate(int, reduce)
    channel.update([1, 2])
    assert channel.get() == 3
    assert seen == [0, 0]


def test_a_destructor_may_come_back_to_its_channel() -> None:
    seen = []

    class Value:
        def __del__(self) -> None:
            seen.append(channel.get())

    channel = LastValue(object)
    channel.update([Value()])
    channel.update([2])
    channel.value = Value()
    channel.value = 3
    assert seen == [2, 3]
