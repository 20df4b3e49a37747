"""The viewer's values: taken apart as data, in parts; what changed; what is not shown."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langgraph_rust._view._value.diff import MISSING, diff
from langgraph_rust._view._value.records import Record, Sealed, decode, follow
from langgraph_rust._view._value.redaction import INSTEAD, Redaction
from langgraph_rust._view._value.show import Window, show, show_at
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer

built: list[object] = []


@dataclasses.dataclass
class Trap:
    """Says when it is built."""

    secret: str

    def __post_init__(self) -> None:
        built.append(self)


def stored(value: Any) -> Any:
    return decode(*JsonPlusSerializer().dumps_typed(value))


def plain(node: dict[str, Any]) -> Any:
    """Return what a node shows, without what the page needs beside it."""
    if node["kind"] == "list":
        return [plain(item) for _, item in node["items"]]
    if node["kind"] == "map":
        return {key: plain(item) for key, item in node["items"]}
    return node.get("text", node["kind"])


DEEP = Window(depth=9)


def test_nothing_is_built() -> None:
    value = stored({"trap": Trap("x")})
    built.clear()
    node = show(value, DEEP)
    assert node["items"][0][1]["type"] == f"{__name__}.Trap"
    assert plain(node) == {"trap": {"secret": "x"}}
    assert built == []


def test_a_list_of_objects_is_not_looked_into_until_it_is_shown() -> None:
    value = stored([HumanMessage(str(number)) for number in range(1000)])
    assert all(isinstance(item, Record) for item in value)
    node = show(value, Window(offset=990, limit=50, depth=1))
    assert [key for key, _ in node["items"]] == [str(number) for number in range(990, 1000)]
    assert node["count"] == 1000
    assert "items" not in node["items"][0][1]


def test_simple_objects_are_their_text() -> None:
    own = uuid.uuid4()
    day = datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)
    node = show(stored({"id": own, "day": day, "some": {1, 2}}), DEEP)
    shown = dict(node["items"])
    assert shown["id"]["type"] == "uuid.UUID"
    assert uuid.UUID(shown["id"]["text"]) == own
    assert shown["day"] == {
        "kind": "text", "length": 25, "offset": 0, "text": day.isoformat(),
        "type": "datetime.datetime",
    }  # fmt: skip
    assert sorted(plain(shown["some"])) == ["1", "2"]


def test_numbers_are_text_as_browsers_have_fewer() -> None:
    assert show(stored(2**63))["text"] == str(2**63)
    assert show(stored(float("nan")))["text"] == "nan"


def test_a_pointer_leads_into_lists_objects_and_odd_keys() -> None:
    value = stored({"a/b~c": [{"x": AIMessage("hello", id="m")}], "n": {1: "one"}})
    assert show_at(value, "/a~1b~0c/0/x/content", DEEP)["text"] == "hello"
    assert follow(value, "/n/1") == "one"
    with pytest.raises(LookupError):
        follow(value, "/a~1b~0c/5")


def test_long_texts_come_in_parts() -> None:
    value = stored("".join(map(str, range(5000))))
    first = show(value, Window(text=100))
    then = show(value, Window(offset=100, text=100))
    assert first["text"] + then["text"] == value[:200]
    assert first["length"] == len(value)


@pytest.mark.parametrize("tag", ["pickle", "msgpack+aes", "new"])
def test_what_cannot_be_taken_apart_is_said(tag: str) -> None:
    found = decode(tag, b"\x80\x04.")
    assert isinstance(found, Sealed)
    assert show(found)["kind"] == "sealed"


def test_broken_bytes_are_said() -> None:
    assert show(decode("msgpack", b"\x93\x01"))["kind"] == "sealed"
    # Within a list, the rest is shown.
    node = show([Record(5, b"\xc1"), "whole"], DEEP)
    assert node["items"][0][1]["kind"] == "sealed"
    assert node["items"][1][1]["text"] == "whole"


def test_lone_surrogates_are_shown_as_something() -> None:
    assert show("a\ud800b")["text"] == "a?b"


# --- changes ---


def changes(old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    found = diff(stored(old), stored(new))
    return [
        ("/".join(one["path"]), *(plain(one[side]) if side in one else None
                                  for side in ("before", "after")))
        for one in found["changes"]
    ]  # fmt: skip


def test_changes_are_as_deep_as_they_can_be() -> None:
    old = {"a": {"b": 1, "c": [1, 2, 3]}, "gone": True}
    new = {"a": {"b": 2, "c": [1, 2, 3]}, "new": None}
    assert changes(old, new) == [("a/b", "1", "2"), ("gone", "true", None), ("new", None, "null")]


def test_lists_are_compared_from_both_ends() -> None:
    assert changes([1, 2, 3], [1, 2, 3, 4]) == [("3", None, "4")]
    assert changes([1, 2, 3], [2, 3]) == [("0", "1", None)]
    assert changes([1, 2, 3], [1, 9, 3]) == [("1", "2", "9")]


def test_within_an_object_the_field_is_named() -> None:
    old, new = HumanMessage("a", id="m"), HumanMessage("b", id="m")
    assert changes([old], [new]) == [("0/content", "a", "b")]


def test_what_python_calls_equal_is_not() -> None:
    assert changes([1], [True]) == [("0", "1", "true")]


def test_changes_are_cut() -> None:
    found = diff([0] * 500, [1] * 500, limit=10)
    assert len(found["changes"]) == 10 and found["more"]
    assert diff(MISSING, [1])["changes"][0]["path"] == []


# --- redaction ---


def test_keys_are_hidden_in_dictionaries_and_objects() -> None:
    rules = Redaction(["api_key", "*secret*"])
    value = stored({"API_KEY": "k", "deep": [{"my_secret_x": 1}], "trap": Trap("s")})
    node = show(value, DEEP, rules)
    assert plain(node) == {
        "API_KEY": "redacted",
        "deep": [{"my_secret_x": "redacted"}],
        "trap": {"secret": "redacted"},
    }
    assert show_at(value, "/trap/secret", DEEP, rules) == {"kind": "redacted"}


def test_patterns_are_hidden_across_the_cut() -> None:
    rules = Redaction([], [r"sk-\d+", r"^4111$"])
    value = stored({"text": "x" * 95 + "sk-123456", "number": 4111})
    node = show(value, Window(text=98, depth=2), rules)
    assert "sk-" not in str(node)
    assert dict(node["items"])["number"] == {"kind": "redacted"}
    later = show_at(value, "/text", Window(offset=95), rules)
    assert later["text"] == INSTEAD


def test_changes_hide_what_is_hidden() -> None:
    found = diff({"key": "a"}, {"key": "b"}, redaction=Redaction(["key"]))
    assert found["changes"] == [
        {"path": ["key"], "before": {"kind": "redacted"}, "after": {"kind": "redacted"}}
    ]


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no regular expression"):
        Redaction([], ["("])
