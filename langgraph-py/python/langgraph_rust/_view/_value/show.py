"""Values for the page: a tree of nodes, cut where the page can ask for more.

A node has a `kind` (`list`, `map`, `text`, `number`, `bool`, `null`, `bytes`, `sealed`,
`redacted`), and `type`, if it stands for an object. Lists and maps have a `count` and, unless they
lie too deep, `items`: keys and nodes, from `offset` on. Texts have a `length`, in characters.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, NamedTuple

from langgraph_rust._view._value.records import Record, Sealed, follow, key_text, opened, steps
from langgraph_rust._view._value.redaction import NOTHING, Redaction

Shown = dict[str, Any]


class Window(NamedTuple):
    """How much of a value is shown."""

    offset: int = 0
    """Of the value itself: items or characters that are left out before."""
    limit: int = 50
    """Items of it."""
    inner: int = 20
    """Items of what it holds."""
    depth: int = 2
    """Levels of lists and maps whose items are shown."""
    text: int = 2000
    """Characters of a text."""


BRIEF = Window(limit=3, inner=3, depth=1, text=160)
"""The beginning of a value."""


def show_at(value: Any, pointer: str, window: Window, redaction: Redaction = NOTHING) -> Shown:
    """Show a part of a value.

    Args:
        value: The whole.
        pointer: A JSON pointer; keys that are no texts are spelled as such.
        window: How much.
        redaction: What is not.

    Raises:
        LookupError: the pointer leads to nothing.
    """
    if any(redaction.hides(name) for name in steps(pointer)):
        return {"kind": "redacted"}
    return show(follow(value, pointer), window, redaction)


def show(value: Any, window: Window = BRIEF, redaction: Redaction = NOTHING) -> Shown:
    """Show a value."""
    return _show(value, window, redaction, window.depth, window.offset, window.limit)


def _show(
    value: Any, window: Window, redaction: Redaction, depth: int, offset: int, limit: int
) -> Shown:
    if isinstance(value, Record):
        found = opened(value)
        shown = _show(found.content, window, redaction, depth, offset, limit)
        # What is within another, such as a value in a snapshot, has the name of the innermost.
        return {**shown, "type": shown.get("type", found.type)}
    if isinstance(value, list):
        return _container("list", value, window, redaction, depth, offset, limit)
    if isinstance(value, dict):
        return _container("map", value, window, redaction, depth, offset, limit)
    if isinstance(value, str):
        return _text(value, window, redaction, offset)
    if value is None:
        return {"kind": "null"}
    if isinstance(value, bool):
        return {"kind": "bool", "text": "true" if value else "false"}
    if isinstance(value, int | float):
        return _number(value, redaction)
    if isinstance(value, bytes):
        # A pattern cannot be looked for in bytes.
        start = "" if redaction else value[:32].hex(" ")
        return {"kind": "bytes", "length": len(value), "text": start}
    if isinstance(value, Sealed):
        return {"kind": "sealed", "text": value.reason, "length": value.size}
    return {"kind": "sealed", "text": type(value).__name__, "length": 0}


def _container(
    kind: str,
    value: Any,
    window: Window,
    redaction: Redaction,
    depth: int,
    offset: int,
    limit: int,
) -> Shown:
    shown: Shown = {"kind": kind, "count": len(value)}
    if depth <= 0:
        return shown
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    if isinstance(value, list):
        pairs = ((offset + i, item) for i, item in enumerate(value[offset : offset + limit]))
    else:
        pairs = islice(pairs, offset, offset + limit)
    items: list[Any] = []
    for key, item in pairs:
        name = key_text(key)
        if isinstance(value, dict) and redaction.hides(name):
            items.append([name, {"kind": "redacted"}])
        else:
            items.append(
                [
                    redaction.text(name),
                    _show(item, window, redaction, depth - 1, 0, window.inner),
                ]
            )
    return {**shown, "offset": offset, "items": items}


def _text(value: str, window: Window, redaction: Redaction, offset: int) -> Shown:
    # Before it is cut: what matches may lie across the cut. Half a surrogate is no JSON.
    whole = redaction.text(value).encode("utf-8", "replace").decode()
    part = whole[offset : offset + window.text]
    return {"kind": "text", "length": len(whole), "offset": offset, "text": part}


def _number(value: float, redaction: Redaction) -> Shown:
    # As text: not every number is one in a browser.
    text = repr(value)
    told = redaction.text(text)
    return {"kind": "number", "text": told} if told == text else {"kind": "redacted"}
