"""`add_messages` in a channel: the same as calling it for each write."""

from __future__ import annotations

import uuid
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    RemoveMessage,
    ToolMessage,
)

from langgraph_rust.channels import BinaryOperatorAggregate
from langgraph_rust.graph.message import REMOVE_ALL_MESSAGES, add_messages

ids = st.one_of(st.none(), st.sampled_from("abc"))
messages = st.one_of(
    ids.map(lambda id: HumanMessage("h", id=id)),
    ids.map(lambda id: AIMessage("a", id=id)),
    ids.map(lambda id: ToolMessage("t", tool_call_id="1", id=id)),
)
inputs = st.one_of(
    messages,
    messages,
    messages,
    ids.map(lambda id: AIMessageChunk("c", id=id)),
    st.sampled_from(["a", "b", REMOVE_ALL_MESSAGES]).map(lambda id: RemoveMessage(id=id)),
    st.just(("user", "text")),
    ids.map(lambda id: {"role": "ai", "content": "d", "id": id}),
    st.just("text"),
)
writes = st.lists(st.one_of(inputs, st.lists(inputs, max_size=3), st.none()), max_size=4)


@pytest.fixture
def numbered_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    number_ids(monkeypatch)


def number_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count()
    monkeypatch.setattr(uuid, "uuid4", lambda: f"id-{next(numbers)}")


def outcome(action: Any) -> Any:
    """What happens, in a form that can be compared."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        number_ids(monkeypatch)
        try:
            return [(type(message), message) for message in action()]
        except Exception as error:
            return type(error), str(error)


def one_by_one(left: Any, writes: list[Any]) -> Any:
    for write in writes:
        left = add_messages(left, write)
    return left


def in_a_channel(left: Any, writes: list[Any]) -> Any:
    channel = BinaryOperatorAggregate(list, add_messages).from_checkpoint(left)
    channel.update(writes)
    return channel.get()


def clone(value: Any) -> Any:
    if isinstance(value, list):
        return [clone(item) for item in value]
    return value.model_copy() if hasattr(value, "model_copy") else value


@settings(max_examples=400, deadline=None)
@given(left=st.lists(st.one_of(messages, inputs), max_size=4), writes=writes)
def test_same_as_the_function(left: list[Any], writes: list[Any]) -> None:
    expected = outcome(lambda: one_by_one(clone(left), clone(writes)))
    assert outcome(lambda: in_a_channel(clone(left), clone(writes))) == expected


def test_appends_to_a_new_list() -> None:
    left = [HumanMessage("1", id="a")]
    first, second = AIMessage("2", id="b"), HumanMessage("3", id="c")
    result = in_a_channel(left, [first, [second]])
    assert result == [left[0], first, second]
    assert all(one is other for one, other in zip(result, [left[0], first, second], strict=True))
    assert len(left) == 1


def test_a_known_id_is_replaced_in_place() -> None:
    left = [HumanMessage("1", id="a"), AIMessage("2", id="b")]
    new = AIMessage("3", id="a")
    result = in_a_channel(left, [[new, AIMessage("4", id="c"), AIMessage("5", id="c")]])
    assert [message.content for message in result] == ["3", "2", "5"]
    assert result[0] is new


@pytest.mark.usefixtures("numbered_ids")
def test_missing_ids_are_given_out_in_order() -> None:
    left = [HumanMessage("1"), AIMessage("2", id="a")]
    result = in_a_channel(left, [AIMessage("3"), [HumanMessage("4"), AIMessage("5")]])
    assert [message.id for message in result] == ["id-0", "a", "id-1", "id-2", "id-3"]
    assert left[0].id == "id-0"


def test_the_same_message_twice() -> None:
    message = HumanMessage("1")
    assert in_a_channel([], [message, [message]]) == [message]


def test_random_ids_are_uuids() -> None:
    (message,) = in_a_channel([], [HumanMessage("1")])
    assert uuid.UUID(message.id).version == 4


def test_options_are_heard() -> None:
    channel = BinaryOperatorAggregate(list, add_messages(format="nope"))
    with pytest.raises(ValueError, match="Unrecognized format='nope'"):
        channel.update([HumanMessage("1", id="a")])
