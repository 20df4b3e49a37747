"""Bytes to decode: what the encoder makes of values of all kinds, and what becomes of that."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import random
import uuid
from collections import deque
from typing import Any, NamedTuple

import ormsgpack
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from pydantic import BaseModel

from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph_rust.checkpoint.serde.types import _DeltaSnapshot
from langgraph_rust.types import Command, Interrupt, Send


class Model(BaseModel):
    """A model that no serializer is told of."""

    n: int
    names: list[str] = []


@dataclasses.dataclass
class Plain:
    """A dataclass likewise."""

    a: Any


class Pair(NamedTuple):
    """A named tuple likewise."""

    x: Any
    y: Any


class Color(enum.Enum):
    """An enum likewise."""

    RED = 1


USAGE: Any = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
CALL: Any = {"name": "f", "args": {"x": 1}, "id": "1", "type": "tool_call"}
VALUES: list[Any] = [
    None,
    [True, False, 0, -1, 127, 128, -129, 65536, 2**63, 1.5, "", "text", "é" * 40, b"", b"x" * 300],
    {"a": 1, 2: "b", None: [], (1, "x"): {}, b"k": 0, 1.5: 1},
    [[[[[]]]], {"k": {"k": {"k": [1]}}}],
    HumanMessage("hello", id="1", name="n", additional_kwargs={"k": [1, {"x": None}]}),
    AIMessage("", tool_calls=[CALL], usage_metadata=USAGE),
    ToolMessage([{"type": "text", "text": "x"}], tool_call_id="1", artifact={"a": 1}),
    Document(page_content="p", metadata={"m": 1}),
    [Send("n", {"x": 1}), Interrupt("why"), Command(goto="n", update={"a": 1})],
    _DeltaSnapshot([HumanMessage("x")]),
    [datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc), datetime.date(2024, 1, 2)],
    [datetime.timedelta(1), datetime.time(1, 2), uuid.UUID(int=7), decimal.Decimal("1.5")],
    [{1, 2}, frozenset("ab"), deque([1, 2])],
    [Model(n=1), Plain([Pair(1, Color.RED)]), Plain(Model(n=2, names=["x"]))],
    {f"k{number}": [number, str(number)] for number in range(30)},
]
BODIES = [JsonPlusSerializer().dumps_typed([value])[1] for value in VALUES]

_MARKERS = bytes(range(0x80, 0x100))


REFERENCES = [
    ("pathlib", "Path"),
    ("langgraph.types", "Send"),
    ("langchain_core.messages.human", "HumanMessage"),
    ("builtins", "set"),
    ("nowhere", "Nothing"),
]


def nested(chance: random.Random) -> bytes:
    """Records within records."""
    body = chance.choice(BODIES)
    for _ in range(chance.randrange(1, 60)):
        around = bytearray(chance.choice(BODIES))
        place = chance.randrange(len(around))
        if chance.random() < 0.3:
            body = bytes(around[:place] + body + around[place:])
        texts = b"".join(map(ormsgpack.packb, chance.choice(REFERENCES)))
        parts = chance.choice((b"\x93" + texts + body, b"\x94" + texts + body + body[:9]))
        body = ormsgpack.packb(ormsgpack.Ext(chance.randrange(8), parts))
        if len(body) > 20_000:
            break
    return body


def broken(seed: int) -> bytes:
    """Bytes that the seed names: of one value, or of two, changed in a few places."""
    chance = random.Random(seed)
    body = bytearray(nested(chance) if chance.random() < 0.1 else chance.choice(BODIES))
    if chance.random() < 0.2:
        other = chance.choice(BODIES)
        cut = chance.randrange(len(other))
        body[chance.randrange(len(body)) :] = other[cut:]
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        if not body:
            break
        place = chance.randrange(len(body))
        match chance.randrange(5):
            case 0:
                body[place] = chance.randrange(256)
            case 1:
                body[place] = chance.choice(_MARKERS)
            case 2:
                del body[place : place + chance.randrange(1, 9)]
            case 3:
                body[place:place] = bytes(body[place : place + chance.randrange(1, 9)])
            case _:
                body[place:place] = b"\xff\xff\xff\xff"[: chance.randrange(1, 5)]
    return bytes(body)
