"""How channels with a reducer start and fold writes."""

from __future__ import annotations

import collections.abc
import operator
from collections.abc import Callable
from typing import Annotated, Any, Optional

import pytest
from typing_extensions import NotRequired, Required

from langgraph_rust._internal._typing import MISSING
from langgraph_rust.channels import BinaryOperatorAggregate
from langgraph_rust.errors import InvalidUpdateError
from langgraph_rust.types import Overwrite


def folded(reducer: Callable[[Any, Any], Any], left: Any, writes: list[Any]) -> Any:
    channel = BinaryOperatorAggregate(object, reducer).from_checkpoint(left)
    channel.update(writes)
    return channel.get()


@pytest.mark.parametrize(
    ("typ", "initial"),
    [
        (list, []),
        (list[int], []),
        (collections.abc.Sequence, []),
        (collections.abc.MutableSequence[int], []),
        (collections.abc.Set[str], set()),
        (collections.abc.MutableSet, set()),
        (collections.abc.Mapping[str, int], {}),
        (collections.abc.MutableMapping, {}),
        (Annotated[NotRequired[list[int]], "note"], []),
        (Required[dict], {}),
        (Optional[list], MISSING),  # noqa: UP045
        (int | str, MISSING),
        (Any, MISSING),
        (range, MISSING),
        ("a name", MISSING),
    ],
)
def test_initial_value(typ: Any, initial: Any) -> None:
    channel = BinaryOperatorAggregate(typ, operator.add)
    assert channel.value == initial
    assert channel.is_available() is (initial is not MISSING)
    assert channel.from_checkpoint(MISSING).value == initial


def test_initial_values_are_not_shared() -> None:
    channel = BinaryOperatorAggregate(list, lambda left, right: left.append(right) or left)
    other = channel.from_checkpoint(MISSING)
    channel.update([1])
    assert (channel.get(), other.get()) == ([1], [])


def test_without_an_initial_value_the_first_write_is_taken_as_it_is() -> None:
    channel = BinaryOperatorAggregate(Any, operator.add)
    channel.update(["a", "b"])
    assert channel.get() == "ab"


def test_no_writes_change_nothing() -> None:
    channel = BinaryOperatorAggregate(int, operator.add)
    assert channel.update([]) is False
    assert channel.get() == 0


class Tagged(list):
    """A list with an addition of its own."""

    def __radd__(self, other: Any) -> Any:
        return ["radd", *other, *self]


class Growing:
    """An addend that makes the left side its own."""

    def __radd__(self, other: list) -> list:
        Growing.seen = other
        return other


@pytest.mark.parametrize(
    ("left", "writes"),
    [
        ([1], [[2], [3, 4], []]),
        ([], [[], []]),
        ([1], [[2], Tagged([3]), [4], [5]]),
        (Tagged([1]), [[2], [3]]),
        ("a", ["b", "c"]),
        (1, [2.5, True]),
        ((1,), [(2,), (3,)]),
    ],
)
def test_operator_add(left: Any, writes: list[Any]) -> None:
    expected = left
    for write in writes:
        expected = expected + write
    result = folded(operator.add, left, writes)
    assert result == expected
    assert type(result) is type(expected)


def test_operator_add_makes_a_new_list() -> None:
    left, first, second = [1], [2], [3]
    result = folded(operator.add, left, [first, second, left])
    assert result == [1, 2, 3, 1]
    assert (left, first, second) == ([1], [2], [3])
    # nor does it grow a list that a write has got hold of
    result = folded(operator.add, [1], [[2], Growing(), [3], [4]])
    assert (result, Growing.seen) == ([1, 2, 3, 4], [1, 2])


@pytest.mark.parametrize("write", [1, "ab", (1,), None])
def test_operator_add_raises_what_addition_raises(write: Any) -> None:
    with pytest.raises(TypeError) as expected:
        operator.add([], write)
    with pytest.raises(TypeError) as raised:
        folded(operator.add, [], [[1], write])
    assert str(raised.value) == str(expected.value)


def test_any_callable_is_called_for_each_write() -> None:
    calls = []

    def reduce(left: str, right: str) -> str:
        calls.append((left, right))
        return left + right

    assert folded(reduce, "a", ["b", "c"]) == "abc"
    assert calls == [("a", "b"), ("ab", "c")]


def test_an_error_of_the_reducer_keeps_its_traceback() -> None:
    def reduce(left: Any, right: Any) -> Any:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine") as error:
        folded(reduce, 1, [2])
    assert error.traceback[-1].name == "reduce"


@pytest.mark.parametrize(
    "overwrite",
    [
        Overwrite([9]),
        {"__overwrite__": [9]},
        {"type": "__overwrite__", "value": [9]},
        {"value": [9], "type": "__overwrite__", "more": 1},
    ],
)
def test_overwrite_replaces_the_value(overwrite: Any) -> None:
    assert folded(operator.add, [1], [overwrite]) == [9]
    assert folded(operator.add, [1], [[2], overwrite, [3]]) == [9]


@pytest.mark.parametrize(
    "write",
    [
        {"value": [9]},
        {"type": "__overwrite__"},
        {"type": "human", "value": [9]},
        {"type": ["__overwrite__"], "value": [9]},
        {"__overwrite__": [9], "other": 1},
        {},
        "__overwrite__",
    ],
)
def test_what_is_no_overwrite(write: Any) -> None:
    assert folded(lambda left, right: right, None, [write]) == write


def test_two_overwrites_in_one_step() -> None:
    with pytest.raises(InvalidUpdateError, match="Can receive only one Overwrite value per super"):
        folded(operator.add, [1], [Overwrite([2]), Overwrite([3])])


def test_writes_before_an_overwrite_are_still_reduced() -> None:
    with pytest.raises(TypeError):
        folded(operator.add, [1], [2, Overwrite([3])])
