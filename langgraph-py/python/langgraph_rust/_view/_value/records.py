"""Taking stored values apart."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from langgraph_rust._engine import _Decoder
from langgraph_rust.checkpoint.serde._records import EXT_DELTA_SNAPSHOT, EXT_NUMPY_ARRAY


class Record(NamedTuple):
    """What stands for an object, as it is stored."""

    code: int
    body: bytes


class Object(NamedTuple):
    """A record that was looked into."""

    type: str
    """Module and class."""
    content: Any
    """What it was stored with; may hold records."""


class Sealed(NamedTuple):
    """A value that is not looked into."""

    reason: str
    size: int


# Leaves records to the hook.
_PLAIN = _Decoder(lambda *_: None, lambda *_: False)


def decode(tag: str, data: bytes) -> Any:
    """Return a value as data: lists, dictionaries, texts, numbers, bytes, records, or `Sealed`."""
    try:
        if tag == "msgpack":
            return _PLAIN.decode(data, Record)
        if tag == "json":
            return json.loads(data)
    except (ValueError, TypeError, RecursionError) as error:
        return Sealed(f"broken: {error}", len(data))
    if tag in ("null", "empty"):
        return None
    if tag in ("bytes", "bytearray"):
        return data
    what = "is encrypted" if "+" in tag else "is not opened"
    return Sealed(f"stored as {tag!r}, which {what}", len(data))


def opened(record: Record) -> Object:
    """Look into a record."""
    content = decode("msgpack", record.body)
    if record.code == EXT_DELTA_SNAPSHOT:
        return Object("snapshot", content)
    if isinstance(content, Sealed):
        return Object(f"record {record.code}", content)
    if record.code == EXT_NUMPY_ARRAY and isinstance(content, list) and len(content) == 4:
        dtype, shape, _, buffer = content
        about = {"dtype": dtype, "shape": shape, "bytes": len(buffer or b"")}
        return Object("numpy.ndarray", about)
    if isinstance(content, list) and len(content) > 2 and isinstance(content[1], str):
        return Object(f"{content[0]}.{content[1]}", content[2])
    return Object(f"record {record.code}", content)


def inner(value: Any) -> Any:
    """Return what a value consists of: of a record, what it was stored with."""
    while isinstance(value, Record):
        value = opened(value).content
    return value


def step(value: Any, name: str) -> Any:
    """Return the part of a value that a step of a pointer names.

    Raises:
        LookupError: there is none.
    """
    value = inner(value)
    if isinstance(value, list):
        if name.isdecimal():
            return value[int(name)]
    elif isinstance(value, dict):
        if name in value:
            return value[name]
        for key, found in value.items():
            if key_text(key) == name:
                return found
    raise LookupError(f"there is no {name}")


def follow(value: Any, pointer: str) -> Any:
    """Return what a JSON pointer leads to.

    Raises:
        LookupError: nothing.
    """
    for name in steps(pointer):
        value = step(value, name)
    return value


def steps(pointer: str) -> list[str]:
    """Return the steps of a JSON pointer."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def key_text(key: Any) -> str:
    """Return a key of a dictionary as text."""
    return key if isinstance(key, str) else str(inner(key))
