"""Where in a stored value something is.

Only asked when reading has failed: the bytes are then looked through once more, and what could not
be rebuilt is tried again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from langgraph_rust._engine import _Decoder
from langgraph_rust.checkpoint.serde._records import (
    EXT_DELTA_SNAPSHOT,
    EXT_METHOD_SINGLE_ARG,
    EXT_PYDANTIC_V2,
)
from langgraph_rust.checkpoint.serde.errors import StoredValueError

_Path = tuple[str, ...]


@dataclasses.dataclass(slots=True)
class _Record:
    code: int
    body: bytes


# Leaves records as they are.
_PLAIN = _Decoder(lambda *_: None, lambda *_: False)

_SEND = ["langgraph.types", "Send"]


def locate(decoder: _Decoder, data: bytes, error: StoredValueError) -> _Path:
    """Return the steps to the record that `decoder` fails at with `error`; none if unknown."""
    try:
        value = _PLAIN.decode(data, _Record)
    except ValueError:
        return ()
    # What is being looked through, from the outermost in, and what is left to look at of each. The
    # decoder has the innermost first, too. No recursion: stored values may be deeper than stacks.
    around = [("", value, _children(value))]
    while around:
        _, value, children = around[-1]
        if (child := next(children, None)) is not None:
            around.append((*child, _children(child[1])))
            continue
        if isinstance(value, _Record) and _fails(decoder, value, error):
            return tuple(step for step, _, _ in around[1:])
        around.pop()
    return ()


def _children(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield steps and what they lead to, as the encoder calls them."""
    if isinstance(value, list):
        yield from ((f"[{index}]", item) for index, item in enumerate(value))
    elif isinstance(value, dict):
        yield from ((f"[{key!r}]", item) for key, item in value.items())
    elif isinstance(value, _Record):
        yield from _within(value)


def _within(record: _Record) -> Iterator[tuple[str, Any]]:
    parts = _parts(record)
    if record.code == EXT_DELTA_SNAPSHOT:
        yield from _children(parts)
    elif record.code <= EXT_PYDANTIC_V2 and isinstance(parts, list) and len(parts) > 2:
        argument = parts[2]
        if isinstance(argument, dict):
            yield from ((f".{name}", item) for name, item in argument.items())
        elif isinstance(argument, list) and parts[:2] == _SEND:
            yield from zip((".node", ".arg", ".timeout"), argument, strict=False)
        else:
            yield from _children(argument)


def is_whole(code: int, parts: Any) -> bool:
    """Whether a record of a class says all that it must: module, name, argument, method."""
    has_all = isinstance(parts, list) and len(parts) > 2 + (code == EXT_METHOD_SINGLE_ARG)
    names = (*parts[:2], *parts[3:4]) if has_all else (None,)
    return all(isinstance(name, str) for name in names)


def _parts(record: _Record) -> Any:
    try:
        return _PLAIN.decode(record.body, _Record)
    except ValueError:
        return None


def _fails(decoder: _Decoder, record: _Record, error: StoredValueError) -> bool:
    parts = _parts(record)
    if error.name is None and record.code in range(EXT_PYDANTIC_V2 + 1):
        return not is_whole(record.code, parts)
    named = parts[:2] if isinstance(parts, list) else None
    if error.name is not None and named != [error.module, error.name]:
        return False
    try:
        decoder.record(record.code, record.body)
    except ValueError:
        return True
    return False
