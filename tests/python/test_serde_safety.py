"""What decoding may construct in drop-in mode, as upstream, and what it does with the rest.

What holds under the own name is in `test_serde_strict.py`.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterator
from typing import Any

import ormsgpack
import pytest
from _modes import as_in_drop_in_mode
from langchain_core.messages import AIMessage

from langgraph_rust.checkpoint.serde import _decode, _msgpack, jsonplus
from langgraph_rust.checkpoint.serde.event_hooks import (
    SerdeEvent,
    emit_serde_event,
    register_serde_event_listener,
)
from langgraph_rust.checkpoint.serde.jsonplus import InvalidModuleError, JsonPlusSerializer
from langgraph_rust.types import Interrupt, Send

HERE = __name__
LOGGER = "langgraph.checkpoint.serde.jsonplus"


@dataclasses.dataclass
class Mine:
    a: int


@pytest.fixture
def events() -> Iterator[list[SerdeEvent]]:
    seen: list[SerdeEvent] = []
    unregister = register_serde_event_listener(seen.append)
    yield seen
    unregister()


@pytest.fixture(autouse=True)
def nothing_warned_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("unregistered", "blocked", "unreconstructable"):
        monkeypatch.setattr(_decode, f"_warned_{name}_types", set())


def stored(value: Any) -> tuple[str, bytes]:
    return as_in_drop_in_mode().dumps_typed(value)


def test_unlisted_types_are_built_with_one_warning(
    caplog: pytest.LogCaptureFixture, events: list[SerdeEvent]
) -> None:
    serde = as_in_drop_in_mode()
    assert serde.loads_typed(stored([Mine(1), Mine(2)])) == [Mine(1), Mine(2)]
    event = {"kind": "msgpack_unregistered_allowed", "module": HERE, "name": "Mine"}
    assert events == [event, event]
    (warning,) = caplog.records
    assert warning.name == LOGGER
    assert f"Deserializing unregistered type {HERE}.Mine from checkpoint" in warning.getMessage()
    assert f"[('{HERE}', 'Mine')]" in warning.getMessage()


def test_without_allowlist_unlisted_types_come_back_as_data(
    caplog: pytest.LogCaptureFixture, events: list[SerdeEvent]
) -> None:
    serde = as_in_drop_in_mode(allowed_msgpack_modules=None)
    assert serde.loads_typed(stored([Mine(1), Mine(2)])) == [{"a": 1}, {"a": 2}]
    assert events[0] == {"kind": "msgpack_blocked", "module": HERE, "name": "Mine"}
    (warning,) = caplog.records
    assert f"Blocked deserialization of {HERE}.Mine" in warning.getMessage()


@pytest.mark.parametrize("allowed", [(HERE, "Mine"), Mine])
def test_listed_types_are_built_silently(
    allowed: Any, caplog: pytest.LogCaptureFixture, events: list[SerdeEvent]
) -> None:
    serde = as_in_drop_in_mode(allowed_msgpack_modules=[allowed])
    assert serde.loads_typed(stored(Mine(1))) == Mine(1)
    assert not caplog.records
    assert not events


def test_safe_types_need_no_listing(caplog: pytest.LogCaptureFixture) -> None:
    serde = as_in_drop_in_mode(allowed_msgpack_modules=None)
    for value in (Send("n", 1), Interrupt("v", id="i"), AIMessage("x"), {1}):
        assert serde.loads_typed(stored(value)) == value
    assert not caplog.records


def test_our_module_names_may_be_used_in_allowlists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_msgpack, "SAFE_MSGPACK_TYPES", frozenset())
    blocked = as_in_drop_in_mode(allowed_msgpack_modules=None)
    assert blocked.loads_typed(stored(Send("n", 1))) == ["n", 1]
    for allowed in (Send, ("langgraph_rust.types", "Send"), ("langgraph.types", "Send")):
        serde = as_in_drop_in_mode(allowed_msgpack_modules=[allowed])
        assert serde.loads_typed(stored(Send("n", 1))) == Send("n", 1)


def test_strict_mode_changes_only_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_msgpack, "STRICT_MSGPACK_ENABLED", True)
    assert as_in_drop_in_mode().loads_typed(stored(Mine(1))) == {"a": 1}
    permissive = as_in_drop_in_mode(allowed_msgpack_modules=True)
    assert permissive.loads_typed(stored(Mine(1))) == Mine(1)


def test_only_known_methods_are_called(
    caplog: pytest.LogCaptureFixture, events: list[SerdeEvent]
) -> None:
    body = ormsgpack.packb(["builtins", "str", "text", "upper"])
    data = ormsgpack.packb(ormsgpack.Ext(3, body))
    assert as_in_drop_in_mode().loads_typed(("msgpack", data)) == "text"
    assert [event["kind"] for event in events] == ["msgpack_method_blocked"]
    assert "Blocked deserialization of method call builtins.str.upper" in caplog.text


def test_what_cannot_be_rebuilt_comes_back_as_data(caplog: pytest.LogCaptureFixture) -> None:
    body = ormsgpack.packb([HERE, "Gone", {"a": 1}])
    data = ormsgpack.packb([ormsgpack.Ext(2, body)] * 2)
    assert as_in_drop_in_mode().loads_typed(("msgpack", data)) == [{"a": 1}] * 2
    assert caplog.text.count(f"Could not reconstruct {HERE}.Gone from checkpoint") == 1
    assert "(AttributeError)" in caplog.text


@pytest.mark.parametrize("code", [*range(9), 100])
def test_broken_records_become_none(code: int) -> None:
    data = ormsgpack.packb(ormsgpack.Ext(code, ormsgpack.packb([])))
    loaded = as_in_drop_in_mode().loads_typed(("msgpack", data))
    assert loaded is None or code == jsonplus.EXT_DELTA_SNAPSHOT


class TestWideningTheAllowlist:
    def test_a_copy_also_builds_the_new_types(self) -> None:
        serde = as_in_drop_in_mode(allowed_msgpack_modules=None)
        wider = serde.with_msgpack_allowlist([Mine])
        assert wider.loads_typed(stored(Mine(1))) == Mine(1)
        assert serde.loads_typed(stored(Mine(1))) == {"a": 1}

    def test_nothing_new_means_no_copy(self) -> None:
        permissive = as_in_drop_in_mode(allowed_msgpack_modules=True)
        assert permissive.with_msgpack_allowlist([Mine]) is permissive
        listed = as_in_drop_in_mode(allowed_msgpack_modules=[Mine])
        assert listed.with_msgpack_allowlist([(HERE, "Mine")]) is listed
        closed = as_in_drop_in_mode(allowed_msgpack_modules=None)
        assert closed.with_msgpack_allowlist([]) is closed

    def test_a_custom_hook_is_kept(self) -> None:
        serde = as_in_drop_in_mode(
            allowed_msgpack_modules=None, __unpack_ext_hook__=lambda code, data: code
        )
        wider = serde.with_msgpack_allowlist([Mine])
        assert wider is not serde
        assert wider.loads_typed(stored(Mine(1))) == jsonplus.EXT_CONSTRUCTOR_KW_ARGS


def constructor(*symbol: str, **entries: Any) -> dict[str, Any]:
    return {"lc": 2, "type": "constructor", "id": list(symbol), **entries}


def load_json(serde: JsonPlusSerializer, value: Any) -> Any:
    return serde.loads_typed(("json", json.dumps(value).encode()))


class TestOldJson:
    def test_plain_data_and_safe_types(self) -> None:
        value = {
            "plain": [1, {"x": None}],
            "set": constructor("builtins", "set", args=[[1]]),
            "packet": constructor("langgraph", "types", "Send", args=["n", 1]),
            "message": constructor(
                "langchain_core", "messages", "ai", "AIMessage", kwargs={"content": "hi"}
            ),
        }
        assert load_json(as_in_drop_in_mode(), value) == {
            "plain": [1, {"x": None}],
            "set": {1},
            "packet": Send("n", 1),
            "message": AIMessage("hi"),
        }

    def test_langchain_objects(self) -> None:
        value = {
            "lc": 1,
            "type": "constructor",
            "id": ["langchain", "schema", "messages", "AIMessage"],
            "kwargs": {"content": "hi"},
        }
        assert load_json(as_in_drop_in_mode(), value) == AIMessage("hi")

    def test_other_types_need_an_exact_entry(self, caplog: pytest.LogCaptureFixture) -> None:
        symbol = (*HERE.split("."), "Mine")
        value = constructor(*symbol, kwargs={"a": 1})
        assert load_json(as_in_drop_in_mode(), value) == value
        assert not caplog.records
        other = as_in_drop_in_mode(allowed_json_modules=[("some", "Other")])
        assert load_json(other, value) == value
        assert "Symbol is not in the deserialization allowlist" in caplog.text
        for allowed in (True, [symbol]):
            serde = as_in_drop_in_mode(allowed_json_modules=allowed)
            assert load_json(serde, value) == Mine(1)

    def test_refusals_say_how_to_allow(self) -> None:
        with pytest.raises(InvalidModuleError) as refusal:
            as_in_drop_in_mode()._revive_lc2(constructor("os", "getcwd"))
        assert "Refused to deserialize JSON constructor: os.getcwd." in refusal.value.message
        assert "allowed_json_modules=[('os', 'getcwd'), ...]" in refusal.value.message

    def test_methods_are_not_called_and_exceptions_not_built(self) -> None:
        serde = as_in_drop_in_mode(allowed_json_modules=True)
        value = constructor("builtins", "dict", method="fromkeys", kwargs={"a": 1})
        assert load_json(serde, value) == {"a": 1}
        assert load_json(serde, constructor("builtins", "ValueError", args=["x"])) is None

    def test_what_cannot_be_built_becomes_none(self, caplog: pytest.LogCaptureFixture) -> None:
        value = constructor("decimal", "Decimal", args=["no number"], method=["x"])
        assert load_json(as_in_drop_in_mode(), value) is None
        assert "Failed to revive lc:2 envelope decimal.Decimal" in caplog.text
        assert "legacy_method_field=True, error=InvalidOperation" in caplog.text


def test_failing_listeners_do_not_disturb_the_others(
    caplog: pytest.LogCaptureFixture, events: list[SerdeEvent]
) -> None:
    def broken(event: SerdeEvent) -> None:
        raise RuntimeError("no")

    unregister = register_serde_event_listener(broken)
    after: list[SerdeEvent] = []
    unregister_after = register_serde_event_listener(after.append)
    event: SerdeEvent = {"kind": "msgpack_blocked", "module": "m", "name": "n"}
    with caplog.at_level(logging.WARNING):
        emit_serde_event(event)
    assert events == after == [event]
    assert "Serde listener failed" in caplog.text
    for stop in (unregister, unregister, unregister_after):
        stop()
    emit_serde_event(event)
    assert after == [event]
