"""What values look like in storage. These bytes are shared with upstream and must never change."""

from __future__ import annotations

import dataclasses
import decimal
import enum
import ipaddress
import pathlib
import re
import sys
import types
import uuid
import zoneinfo
from collections import deque
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, NamedTuple

import ormsgpack
import pytest
from _modes import as_in_drop_in_mode
from langchain_core.messages import HumanMessage
from pydantic import BaseModel, SecretStr

from langgraph_rust.checkpoint.serde.jsonplus import (
    JsonPlusSerializer,
    _msgpack_ext_hook_to_json,
)
from langgraph_rust.checkpoint.serde.types import _DeltaSnapshot
from langgraph_rust.store.base import GetOp, Item
from langgraph_rust.types import Command, Interrupt, Overwrite, Send, TimeoutPolicy

HERE = __name__
NOON = datetime(2024, 1, 2, 12, 0, 0, 6, tzinfo=timezone.utc)


def record(code: int, *parts: Any) -> ormsgpack.Ext:
    return ormsgpack.Ext(code, ormsgpack.packb(parts, option=ormsgpack.OPT_NON_STR_KEYS))


class Model(BaseModel):
    a: int
    b: str | None = None


class Vault(BaseModel):
    secret: SecretStr


class Legacy:
    """Shaped like a model of pydantic 1."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Legacy) and other.values == self.values

    def dict(self) -> dict[str, Any]:
        return self.values


@dataclasses.dataclass
class Plain:
    a: int
    b: Any = None


@dataclasses.dataclass(slots=True)
class Slotted:
    a: int


@dataclasses.dataclass(frozen=True)
class Packet:
    node: str
    arg: Any


@dataclasses.dataclass
class UnhashablePacket:
    node: str
    arg: Any


class Point(NamedTuple):
    x: int
    y: Any


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Tags(set):
    pass


ROUND_TRIPS = [
    (Send("n", {"x": 1}), record(1, "langgraph.types", "Send", ["n", {"x": 1}])),
    (
        Interrupt("why", id="i"),
        record(
            2, "langgraph.types", "Interrupt", {"value": "why", "id": "i", "response_schema": None}
        ),
    ),
    (
        Command(update={"a": 1}, goto="b"),
        record(
            2,
            "langgraph.types",
            "Command",
            {"graph": None, "update": {"a": 1}, "resume": None, "goto": "b"},
        ),
    ),
    (
        Overwrite([1]),
        record(2, "langgraph.types", "Overwrite", {"value": [1], "type": "__overwrite__"}),
    ),
    (
        TimeoutPolicy(run_timeout=5),
        record(
            2,
            "langgraph.types",
            "TimeoutPolicy",
            {"run_timeout": 5, "idle_timeout": None, "refresh_on": "auto"},
        ),
    ),
    (
        Send("n", 1, timeout=5),
        record(
            1,
            "langgraph.types",
            "Send",
            [
                "n",
                1,
                record(
                    2,
                    "langgraph.types",
                    "TimeoutPolicy",
                    {"run_timeout": 5.0, "idle_timeout": None, "refresh_on": "auto"},
                ),
            ],
        ),
    ),
    (
        Item(value={"a": 1}, key="k", namespace=("u",), created_at=NOON, updated_at=NOON),
        record(
            4,
            "langgraph.store.base",
            "Item",
            {
                "namespace": ["u"],
                "key": "k",
                "value": {"a": 1},
                "created_at": NOON.isoformat(),
                "updated_at": NOON.isoformat(),
            },
        ),
    ),
    (_DeltaSnapshot([1]), ormsgpack.Ext(7, ormsgpack.packb([1]))),
    (NOON, record(3, "datetime", "datetime", NOON.isoformat(), "fromisoformat")),
    (date(2024, 1, 2), record(1, "datetime", "date", [2024, 1, 2])),
    (
        time(1, 2, 3, 4, fold=1),
        record(
            2,
            "datetime",
            "time",
            {"hour": 1, "minute": 2, "second": 3, "microsecond": 4, "tzinfo": None, "fold": 1},
        ),
    ),
    (timedelta(1, 2, 3), record(1, "datetime", "timedelta", [1, 2, 3])),
    (
        timezone.utc,
        record(1, "datetime", "timezone", [record(1, "datetime", "timedelta", [0, 0, 0])]),
    ),
    (zoneinfo.ZoneInfo("UTC"), record(0, "zoneinfo", "ZoneInfo", "UTC")),
    (uuid.UUID(int=1), record(0, "uuid", "UUID", "0" * 31 + "1")),
    (decimal.Decimal("1.50"), record(0, "decimal", "Decimal", "1.50")),
    ({1}, record(0, "builtins", "set", [1])),
    (frozenset({"a"}), record(0, "builtins", "frozenset", ["a"])),
    (deque([1, 2]), record(0, "collections", "deque", [1, 2])),
    (Tags({1}), record(0, HERE, "Tags", [1])),
    (ipaddress.ip_address("127.0.0.1"), record(0, "ipaddress", "IPv4Address", "127.0.0.1")),
    (ipaddress.ip_interface("::1/64"), record(0, "ipaddress", "IPv6Interface", "::1/64")),
    (ipaddress.ip_network("10.0.0.0/8"), record(0, "ipaddress", "IPv4Network", "10.0.0.0/8")),
    (re.compile("a+", re.IGNORECASE), record(1, "re", "compile", ["a+", 34])),
    (Color.RED, record(0, HERE, "Color", "red")),
    (Level.LOW, record(0, HERE, "Level", 1)),
    (
        Point(1, Point(2, 3)),
        record(2, HERE, "Point", {"x": 1, "y": record(2, HERE, "Point", {"x": 2, "y": 3})}),
    ),
    (
        Plain(1, Slotted(2)),
        record(2, HERE, "Plain", {"a": 1, "b": record(2, HERE, "Slotted", {"a": 2})}),
    ),
    (Packet("n", 1), record(1, HERE, "Packet", ["n", 1])),
    (UnhashablePacket("n", 1), record(2, HERE, "UnhashablePacket", {"node": "n", "arg": 1})),
    (Model(a=1), record(5, HERE, "Model", {"a": 1, "b": None}, "model_validate_json")),
    (SecretStr("s"), record(0, "pydantic.types", "SecretStr", "s")),
    (
        Vault(secret="s"),
        record(
            5,
            HERE,
            "Vault",
            {"secret": record(0, "pydantic.types", "SecretStr", "s")},
            "model_validate_json",
        ),
    ),
    (Legacy(a=1), record(4, HERE, "Legacy", {"a": 1})),
    (
        HumanMessage("hi", id="1"),
        record(
            5,
            "langchain_core.messages.human",
            "HumanMessage",
            {
                "content": "hi",
                "additional_kwargs": {},
                "response_metadata": {},
                "type": "human",
                "name": None,
                "id": "1",
            },
            "model_validate_json",
        ),
    ),
]


@pytest.mark.parametrize(("value", "stored"), ROUND_TRIPS, ids=lambda value: type(value).__name__)
def test_extension_records(value: Any, stored: ormsgpack.Ext) -> None:
    serde = JsonPlusSerializer(allowed_msgpack_modules=True)
    tag, data = serde.dumps_typed(value)
    assert (tag, data) == ("msgpack", ormsgpack.packb(stored))
    loaded = serde.loads_typed((tag, data))
    assert loaded == value
    assert type(loaded) is type(value)


def test_paths_keep_their_parts() -> None:
    path = pathlib.Path("a/b")
    serde = JsonPlusSerializer()
    tag, data = serde.dumps_typed(path)
    expected = record(1, type(path).__module__, type(path).__name__, ["a", "b"])
    assert data == ormsgpack.packb(expected)
    assert serde.loads_typed((tag, data)) == path


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (None, ("null", b"")),
        (b"raw", ("bytes", b"raw")),
        (bytearray(b"raw"), ("bytearray", bytearray(b"raw"))),
        ("text", ("msgpack", b"\xa4text")),
        ({1: [None, True]}, ("msgpack", b"\x81\x01\x92\xc0\xc3")),
    ],
)
def test_tags(value: Any, stored: tuple[str, bytes]) -> None:
    serde = JsonPlusSerializer()
    assert serde.dumps_typed(value) == stored
    assert serde.loads_typed(stored) == value
    assert type(serde.loads_typed(stored)) is type(value)


@pytest.mark.parametrize(
    ("value", "loaded"),
    [
        ((1, (2,)), [1, [2]]),
        (ValueError("bad"), "ValueError('bad')"),
        ("\ud800", "?"),
    ],
)
def test_lossy_values(value: Any, loaded: Any) -> None:
    serde = JsonPlusSerializer()
    assert serde.loads_typed(serde.dumps_typed(value)) == loaded


def test_numpy_arrays_keep_type_shape_and_order() -> None:
    np = pytest.importorskip("numpy")
    serde = JsonPlusSerializer()
    grid = np.arange(12, dtype="<i4").reshape(3, 4)
    for array, order in ((grid, "C"), (np.asfortranarray(grid), "F"), (grid[:, ::2], "C")):
        tag, data = serde.dumps_typed(array)
        stored = ["<i4", list(array.shape), order, array.tobytes(order=order)]
        assert data == ormsgpack.packb(record(6, *stored))
        loaded = serde.loads_typed((tag, data))
        assert loaded.dtype == array.dtype
        np.testing.assert_array_equal(loaded, array)


def test_looks_decide_per_instance_not_per_class() -> None:
    class Chameleon:
        def __getattr__(self, name: str) -> Any:
            if name == "dict" and self.__dict__:
                return lambda: {"seen": True}
            raise AttributeError(name)

    serde = as_in_drop_in_mode()
    with pytest.raises(ormsgpack.MsgpackEncodeError):
        serde.dumps_typed(Chameleon())
    chameleon = Chameleon()
    chameleon.changed = True
    assert serde.loads_typed(serde.dumps_typed(chameleon)) == {"seen": True}


def test_unknown_objects_are_refused_or_pickled() -> None:
    value = {"f": range(3)}
    with pytest.raises(ormsgpack.MsgpackEncodeError):
        JsonPlusSerializer().dumps_typed(value)
    serde = JsonPlusSerializer(pickle_fallback=True)
    tag, data = serde.dumps_typed(value)
    assert tag == "pickle"
    assert serde.loads_typed((tag, data)) == value
    with pytest.raises(NotImplementedError, match="Unknown serialization type: pickle"):
        JsonPlusSerializer().loads_typed((tag, data))


def test_operations_are_stored_under_upstreams_name() -> None:
    stored = record(
        2, "langgraph.store.base", "GetOp", {"namespace": ["a"], "key": "k", "refresh_ttl": True}
    )
    serde = JsonPlusSerializer()
    assert serde.dumps_typed(GetOp(("a",), "k")) == ("msgpack", ormsgpack.packb(stored))
    loaded = serde.loads_typed(("msgpack", ormsgpack.packb(stored)))
    assert type(loaded) is GetOp


def test_modules_of_others_under_langgraph_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = types.ModuleType("langgraph.third_party")
    foreign.Thing = type("Thing", (Point,), {"__module__": foreign.__name__})
    monkeypatch.setitem(sys.modules, foreign.__name__, foreign)
    serde = JsonPlusSerializer(allowed_msgpack_modules=[foreign.Thing])
    tag, data = serde.dumps_typed(foreign.Thing(1, 2))
    assert data == ormsgpack.packb(record(2, "langgraph.third_party", "Thing", {"x": 1, "y": 2}))
    assert type(serde.loads_typed((tag, data))) is foreign.Thing


def test_models_that_no_longer_validate_come_back_unchecked_in_drop_in_mode() -> None:
    data = ormsgpack.packb(record(5, HERE, "Model", {"a": "no number"}, "model_validate_json"))
    loaded = as_in_drop_in_mode().loads_typed(("msgpack", data))
    assert isinstance(loaded, Model)
    assert loaded.a == "no number"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Model(a=1), {"a": 1, "b": None}),
        (Color.RED, "red"),
        (NOON, NOON.isoformat()),
        (Plain(1, {2}), {"a": 1, "b": [2]}),
        (Send("n", uuid.UUID(int=0)), Send("n", "00000000-0000-0000-0000-000000000000")),
    ],
)
def test_plain_data_hook_builds_nothing_but_packets(value: Any, plain: Any) -> None:
    serde = JsonPlusSerializer(__unpack_ext_hook__=_msgpack_ext_hook_to_json)
    assert serde.loads_typed(serde.dumps_typed(value)) == plain
