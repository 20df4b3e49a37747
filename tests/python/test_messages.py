"""Message lists and user interface events as state."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, get_type_hints
from uuid import UUID

import pytest
from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    HumanMessage,
    RemoveMessage,
)

from langgraph_rust._internal._config import run_in_config_context
from langgraph_rust._internal._constants import CONF, CONFIG_KEY_RUNTIME, CONFIG_KEY_SEND
from langgraph_rust.graph import MessagesState, add_messages, message
from langgraph_rust.graph.message import REMOVE_ALL_MESSAGES, push_message
from langgraph_rust.graph.ui import delete_ui_message, push_ui_message, ui_message_reducer
from langgraph_rust.runtime import Runtime


def human(text: str, id: str | None = None) -> HumanMessage:
    return HumanMessage(text, id=id)


def test_importing_it_loads_no_messages() -> None:
    code = """
import sys
from langgraph_rust.graph import add_messages
from langgraph_rust.graph.message import REMOVE_ALL_MESSAGES
assert add_messages([], []) == [] and "langchain_core" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


class TestAddMessages:
    def test_appends(self) -> None:
        left, right = [human("a", "1")], [human("b", "2")]
        merged = add_messages(left, right)
        assert merged == [*left, *right]
        assert merged is not left and left == [human("a", "1")]

    def test_single_messages_are_lists_of_one(self) -> None:
        assert add_messages(human("a", "1"), human("b", "2")) == [human("a", "1"), human("b", "2")]

    def test_replaces_by_id(self) -> None:
        left = [human("a", "1"), human("b", "2")]
        assert add_messages(left, [human("c", "1")]) == [human("c", "1"), human("b", "2")]

    def test_the_last_of_several_with_an_id_stays(self) -> None:
        assert add_messages([], [human("a", "1"), human("b", "1")]) == [human("b", "1")]

    def test_missing_ids_are_made_up(self) -> None:
        merged: Any = add_messages([human("a")], [human("b"), human("c")])
        assert len({UUID(m.id, version=4) for m in merged}) == 3

    def test_an_object_listed_twice_gets_one_id(self) -> None:
        twice = human("a")
        assert add_messages([], [twice, twice]) == [twice]

    def test_removes(self) -> None:
        left = [human("a", "1"), human("b", "2")]
        assert add_messages(left, RemoveMessage(id="1")) == [human("b", "2")]
        assert add_messages(left, [RemoveMessage(id="1"), human("c", "1")]) == [
            human("c", "1"),
            human("b", "2"),
        ]
        with pytest.raises(ValueError, match=r"ID that doesn't exist \('3'\)"):
            add_messages(left, RemoveMessage(id="3"))

    def test_removes_all_before(self) -> None:
        right = [human("b"), RemoveMessage(id=REMOVE_ALL_MESSAGES), human("c", "3")]
        assert add_messages([human("a")], right) == [human("c", "3")]

    def test_an_ordinary_message_may_have_the_reserved_id(self) -> None:
        odd = human("a", REMOVE_ALL_MESSAGES)
        assert add_messages([human("b", "1")], odd) == [human("b", "1"), odd]

    def test_other_forms_are_converted(self) -> None:
        merged: Any = add_messages(
            [("user", "a"), {"role": "assistant", "content": "b"}],
            [AIMessageChunk(content="c", id="3"), "d"],
        )
        assert [(type(m), m.content) for m in merged] == [
            (HumanMessage, "a"),
            (AIMessage, "b"),
            (AIMessage, "c"),
            (HumanMessage, "d"),
        ]

    def test_formats(self) -> None:
        block = [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]
        merge: Any = add_messages(format="langchain-openai")
        (formatted,) = merge([], [HumanMessage(block, id="1")])  # type: ignore[arg-type]
        assert formatted.content == "a"
        with pytest.raises(ValueError, match="Unrecognized format='x'"):
            add_messages([], [], format="x")

    def test_both_sides_are_needed(self) -> None:
        with pytest.raises(ValueError, match="Only received: 'left'"):
            add_messages([human("a")], None)


def test_messages_state() -> None:
    assert get_type_hints(MessagesState, include_extras=True)["messages"].__metadata__ == (
        add_messages,
    )
    assert MessagesState is message.MessagesState
    assert MessagesState.__module__ == "langgraph_rust.graph.message"

    class Mine(MessagesState):
        more: int

    assert set(get_type_hints(Mine)) == {"messages", "more"}


def test_names_that_programs_import_from_here() -> None:
    assert message.AnyMessage is AnyMessage
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        message.nope  # noqa: B018


class _Node:
    """Runs functions as a node would, and keeps what they write."""

    def __init__(self, **config: Any) -> None:
        self.writes: list[Any] = []
        self.chunks: list[Any] = []
        runtime: Runtime[Any] = Runtime(stream_writer=self.chunks.append)
        conf = {CONFIG_KEY_SEND: self.writes.extend, CONFIG_KEY_RUNTIME: runtime}
        self.config: Any = {CONF: conf, "metadata": {}, "callbacks": None, **config}

    def run(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        return run_in_config_context(self.config, lambda: func(*args, **kwargs))


class TestPushMessage:
    def test_writes_to_the_state(self) -> None:
        node = _Node()
        pushed = node.run(push_message, {"role": "user", "content": "a", "id": "1"})
        assert pushed == human("a", "1")
        assert node.writes == [("messages", pushed)]

    def test_only_if_there_is_a_key(self) -> None:
        node = _Node()
        node.run(push_message, human("a", "1"), state_key=None)
        assert node.writes == []

    def test_needs_an_id(self) -> None:
        with pytest.raises(ValueError, match="Message ID is required"):
            _Node().run(push_message, human("a"))


class TestUi:
    def test_push_and_delete(self) -> None:
        node = _Node(run_name="n", tags=["t"])
        shown = node.run(push_ui_message, "card", {"a": 1}, id="1", message=human("x", "m"))
        assert shown == {
            "type": "ui",
            "id": "1",
            "name": "card",
            "props": {"a": 1},
            "metadata": {
                "merge": False,
                "run_id": None,
                "tags": ["t"],
                "name": "n",
                "message_id": "m",
            },
        }
        removed = node.run(delete_ui_message, "1")
        assert removed == {"type": "remove-ui", "id": "1"}
        assert node.chunks == [shown, removed]
        assert node.writes == [("ui", shown), ("ui", removed)]

    def test_reducer(self) -> None:
        def event(id: str, merge: bool = False, **props: int) -> Any:
            metadata = {"merge": merge}
            return {"type": "ui", "id": id, "name": "n", "props": props, "metadata": metadata}

        left = [event("1", a=1), event("2", b=1)]
        merged = ui_message_reducer(left, event("1", merge=True, b=2))
        assert merged[0]["props"] == {"a": 1, "b": 2}  # type: ignore[typeddict-item]
        assert left[0]["props"] == {"a": 1}
        assert ui_message_reducer(left, event("1", c=3))[0] == event("1", c=3)
        assert ui_message_reducer(left, {"type": "remove-ui", "id": "1"}) == left[1:]
        with pytest.raises(ValueError, match="Attempting to delete an UI message"):
            ui_message_reducer(left, {"type": "remove-ui", "id": "9"})


def test_handlers_of_all_forms_of_callbacks() -> None:
    handler = BaseCallbackHandler()
    assert list(message._handlers(None)) == []
    assert list(message._handlers([handler])) == [handler]
    assert list(message._handlers(CallbackManager([handler]))) == [handler]
