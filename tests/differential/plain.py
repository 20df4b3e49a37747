"""Anything a graph gives out, as JSON that says everything but addresses."""

from __future__ import annotations

import dataclasses
import re
from collections import deque
from typing import Any

from langchain_core.messages import BaseMessage
from pydantic import BaseModel

_TASK = re.compile(r"(During|Before) task with name ")
_ADDRESS = re.compile(r"0x[0-9a-f]+")


def plain(thing: Any) -> Any:
    """`thing` as JSON; types that JSON lacks are named in an object."""
    if thing is None or isinstance(thing, (bool, int, str)):
        return thing if type(thing) in (bool, int, str, type(None)) else _named(thing, str(thing))
    if isinstance(thing, float):
        return thing
    if isinstance(thing, list):
        return [plain(item) for item in thing]
    if isinstance(thing, dict):
        items = {_key(key): plain(item) for key, item in thing.items()}
        return items if type(thing) is dict else _named(thing, items)
    if isinstance(thing, tuple):
        return _tuple(thing)
    if isinstance(thing, (set, frozenset, deque)):
        items = [plain(item) for item in thing]
        return _named(thing, items if isinstance(thing, deque) else sorted(items, key=str))
    return _object(thing)


def error(raised: BaseException) -> dict[str, Any]:
    """An exception: its type, what it says, and what was noted on it."""
    # This package notes more (docs/mistakes.md), and never in these words.
    theirs = filter(_TASK.match, getattr(raised, "__notes__", ()))
    notes = [_ADDRESS.sub("0x", note) for note in theirs]
    said = {"type": type(raised).__name__, "args": [_text(item) for item in raised.args]}
    return {"raised": said | ({"notes": notes} if notes else {})}


def _text(thing: Any) -> Any:
    return _ADDRESS.sub("0x", thing) if isinstance(thing, str) else plain(thing)


def _key(key: Any) -> str:
    return key if isinstance(key, str) else repr(key)


def _tuple(thing: tuple) -> dict[str, Any]:
    if hasattr(thing, "_fields"):
        return _named(thing, {name: plain(getattr(thing, name)) for name in thing._fields})
    return _named(thing, [plain(item) for item in thing])


def _object(thing: Any) -> dict[str, Any]:
    if isinstance(thing, BaseException):
        return error(thing)
    if isinstance(thing, BaseMessage):
        kept = {"content": thing.content, "id": thing.id, "name": thing.name}
        return _named(thing, kept)
    if isinstance(thing, BaseModel):
        return _named(
            thing, {name: plain(getattr(thing, name)) for name in type(thing).model_fields}
        )
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        fields = sorted(field.name for field in dataclasses.fields(thing))
        return _named(thing, {name: plain(getattr(thing, name, "(unset)")) for name in fields})
    slots = [name for name in sorted(getattr(type(thing), "__slots__", ())) if name[0] != "_"]
    if slots:
        return _named(thing, {name: plain(getattr(thing, name, "(unset)")) for name in slots})
    return _named(thing, _ADDRESS.sub("0x", repr(thing)).replace("langgraph_rust.", "langgraph."))


def _named(thing: Any, content: Any) -> dict[str, Any]:
    return {f"<{type(thing).__name__}>": content}
