"""The tasks of a checkpoint: which ran on it, which wait, and what they left there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langgraph_rust._view._source.source import Stored, Written
from langgraph_rust._view._value.records import Record, decode, inner
from langgraph_rust._view._value.redaction import Redaction
from langgraph_rust._view._value.show import BRIEF, Shown, Window, show

_NULL_TASK = "00000000-0000-0000-0000-000000000000"
_TO = "branch:to:"
_PACKETS = "__pregel_tasks"
_ABOUT = {"__error__": "error", "__interrupt__": "interrupts", "__resume__": "resumes"}
"""Reserved channels, and what is said of a task by a write to one."""

_WHOLE = Window(limit=20, inner=20, depth=6, text=20_000)
_LARGE = 1 << 16
"""Bytes of a write beyond which it is not looked into unless asked for."""


def waiting(stored: Stored, value: Callable[[Stored, str], Any]) -> list[str]:
    """Return the nodes that run next, as far as a checkpoint says so without its graph.

    Joins of several nodes, and nodes with triggers of their own, are known to graphs alone.
    """
    found = [
        channel.removeprefix(_TO)
        for channel in stored.values
        if channel.startswith(_TO) and _is_newer(stored, channel)
    ]
    if _PACKETS in stored.values:
        packets = value(stored, _PACKETS)
        for packet in packets if isinstance(packets, list) else ():
            sent = inner(packet) if isinstance(packet, Record) else None
            if isinstance(sent, list) and sent and isinstance(sent[0], str):
                found.append(sent[0])
    if "__start__" in stored.values and not found:
        found.append("__start__")
    return found


def _is_newer(stored: Stored, channel: str) -> bool:
    node = channel.removeprefix(_TO)
    return stored.versions.get(channel) != stored.seen.get(node, {}).get(channel)


def tasks_of(stored: Stored, writes: Sequence[Written], redaction: Redaction) -> list[Shown]:
    """Return the tasks that left something on a checkpoint, in the order of their paths."""
    found: dict[str, Shown] = {}
    for one in writes:
        task = found.setdefault(
            one.task,
            {
                "id": one.task,
                "name": _name(one),
                "path": one.path,
                "writes": [],
                "error": None,
                "interrupts": [],
                "resumes": [],
            },
        )
        about = _ABOUT.get(one.channel)
        if about is None:
            task["name"] = task["name"] or _signed(one)
            task["writes"].append(_write(one, redaction))
            continue
        told = show(decode(one.held.tag, one.held.read()), _WHOLE, redaction)
        if about == "error":
            task["error"] = told
        else:
            task[about].extend([node for _, node in told["items"]] if _is_list(told) else [told])
    for task in found.values():
        task["state"] = _state(task)
        task["name"] = task["name"] or "(unknown)"
    return list(found.values())


def _is_list(told: Shown) -> bool:
    return told["kind"] == "list" and "items" in told


def _name(one: Written) -> str:
    """Return the node of a task, or what it was called by."""
    if one.task == _NULL_TASK:
        return "(input)"
    parts = one.path.removeprefix("~").split(", ")
    # Under durability `exit` the number of the superstep comes first.
    if parts[0].startswith("~"):
        parts = parts[1:]
    return parts[1] if len(parts) == 2 and parts[0].endswith("__pregel_pull") else parts[-1]


def _signed(one: Written) -> str:
    """Return a node's name, if a write has it.

    In rows from before there were paths, nodes of a `StateGraph` start those that follow with their
    own name: in a channel of that name, or the input's with `__start__`.
    """
    if one.held.size > _LARGE or not one.held.size:
        return ""
    value = decode(one.held.tag, one.held.read())
    return value if value in (one.channel, "__start__") else ""


def _state(task: Shown) -> str:
    if task["writes"]:
        return "finished"
    if task["error"] is not None:
        return "failed"
    if task["interrupts"]:
        return "answered" if task["resumes"] else "interrupted"
    return "written"


def _write(one: Written, redaction: Redaction) -> Shown:
    shown: Shown = {"channel": one.channel, "index": one.idx, "size": one.held.size}
    if redaction.hides(one.channel):
        shown["value"] = {"kind": "redacted"}
    elif one.held.size <= _LARGE:
        shown["value"] = show(decode(one.held.tag, one.held.read()), BRIEF, redaction)
    return shown
