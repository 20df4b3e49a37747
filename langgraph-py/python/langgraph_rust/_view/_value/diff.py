"""What changed from one value to another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langgraph_rust._view._value.records import Record, inner, key_text, opened
from langgraph_rust._view._value.redaction import NOTHING, Redaction
from langgraph_rust._view._value.show import Shown, Window, show

MISSING = object()
"""In the place of a value that is not there."""

_WINDOW = Window(limit=20, inner=10, depth=3, text=4000)

Change = tuple[tuple[str, ...], Any, Any]
"""The steps to a part, what it was, and what it is."""


def diff(before: Any, after: Any, limit: int = 200, redaction: Redaction = NOTHING) -> Shown:
    """Return the parts that differ, as `changes` with `path`, `before` and `after`.

    Lists are compared from both ends: what lies between is compared one by one if it is as long as
    it was, and otherwise was taken out and put in.

    Args:
        before: A value, or `MISSING`.
        after: Another.
        limit: Changes at most; `more` says whether there are others.
        redaction: What is not shown.
    """
    changes: list[Shown] = []
    for path, old, new in _changes((), before, after):
        if len(changes) == limit:
            return {"changes": changes, "more": True}
        changes.append(_shown(path, old, new, redaction))
    return {"changes": changes, "more": False}


def _shown(path: tuple[str, ...], old: Any, new: Any, redaction: Redaction) -> Shown:
    is_hidden = any(map(redaction.hides, path))
    made: Shown = {"path": [redaction.text(name) for name in path]}
    for name, value in (("before", old), ("after", new)):
        if value is not MISSING:
            hidden = {"kind": "redacted"}
            made[name] = hidden if is_hidden else show(value, _WINDOW, redaction)
    return made


def _changes(path: tuple[str, ...], old: Any, new: Any) -> Iterator[Change]:
    if _is_same(old, new):
        return
    if isinstance(old, Record) and isinstance(new, Record):
        if opened(old).type != opened(new).type:
            yield path, old, new
            return
        old_in, new_in = inner(old), inner(new)
    else:
        old_in, new_in = old, new
    if isinstance(old_in, dict) and isinstance(new_in, dict):
        for key in dict.fromkeys((*old_in, *new_in)):
            own = (*path, key_text(key))
            yield from _changes(own, old_in.get(key, MISSING), new_in.get(key, MISSING))
    elif isinstance(old_in, list) and isinstance(new_in, list):
        yield from _in_list(path, old_in, new_in)
    else:
        yield path, old, new


def _in_list(path: tuple[str, ...], old: list[Any], new: list[Any]) -> Iterator[Change]:
    start, most = 0, min(len(old), len(new))
    while start < most and _is_same(old[start], new[start]):
        start += 1
    end = 0
    while end < most - start and _is_same(old[-1 - end], new[-1 - end]):
        end += 1
    if len(old) == len(new):
        for index in range(start, len(new) - end):
            yield from _changes((*path, str(index)), old[index], new[index])
        return
    for index in range(start, len(old) - end):
        yield (*path, str(index)), old[index], MISSING
    for index in range(start, len(new) - end):
        yield (*path, str(index)), MISSING, new[index]


def _is_same(old: Any, new: Any) -> bool:
    # To Python, `1`, `1.0` and `True` are the same, in whatever they are.
    if type(old) is not type(new):
        return False
    if isinstance(old, list):
        return len(old) == len(new) and all(map(_is_same, old, new))
    if isinstance(old, dict):
        return old.keys() == new.keys() and all(_is_same(old[key], new[key]) for key in old)
    return old == new
