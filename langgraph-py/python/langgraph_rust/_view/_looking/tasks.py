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
_PULL, _PUSH = "__pregel_pull", "__pregel_push"
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
    found += [node for node, _ in packets(stored, value) if node]
    if "__start__" in stored.values and not found:
        found.append("__start__")
    return found


def packets(stored: Stored, value: Callable[[Stored, str], Any]) -> list[tuple[str, Any]]:
    """Return the nodes that something was sent to, and what; an empty name for what is none."""
    if _PACKETS not in stored.values:
        return []
    held = value(stored, _PACKETS)
    return [_packet(one) for one in held] if isinstance(held, list) else []


def _packet(value: Any) -> tuple[str, Any]:
    sent = inner(value) if isinstance(value, Record) else None
    if isinstance(sent, list) and sent and isinstance(sent[0], str):
        return sent[0], sent[1] if len(sent) > 1 else None
    return "", None


def _is_newer(stored: Stored, channel: str) -> bool:
    node = channel.removeprefix(_TO)
    return stored.versions.get(channel) != stored.seen.get(node, {}).get(channel)


def tasks_of(
    sent: Sequence[tuple[str, Any]], writes: Sequence[Written], redaction: Redaction
) -> list[Shown]:
    """Return the tasks that left something on a checkpoint, in the order of their paths.

    Args:
        sent: What was sent to nodes, which is the input of their tasks. Others read the state.
        writes: On the checkpoint.
        redaction: What is not shown.
    """
    found: dict[str, Shown] = {}
    for one in writes:
        if one.task not in found:
            found[one.task] = _task(one, sent, redaction)
        task = found[one.task]
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
    # An answer that names no question is stored apart from the task that asked.
    answers = found[_NULL_TASK]["resumes"] if _NULL_TASK in found else []
    for task in found.values():
        task["state"] = _state(task, answers)
        task["name"] = task["name"] or "(unknown)"
    return list(found.values())


def _is_list(told: Shown) -> bool:
    return told["kind"] == "list" and "items" in told


def _task(one: Written, sent: Sequence[tuple[str, Any]], redaction: Redaction) -> Shown:
    """Return a task of which nothing but one of its writes is known."""
    name, packet = ("(input)", None) if one.task == _NULL_TASK else _named(one.path, sent)
    made: Shown = {"id": one.task, "name": name, "path": one.path, "writes": [], "error": None}
    made |= {"interrupts": [], "resumes": []}
    if packet is not None:
        hidden = {"kind": "redacted"}
        made["input"] = hidden if redaction.hides(_PACKETS) else show(packet, _WHOLE, redaction)
    return made


def _named(path: str, sent: Sequence[tuple[str, Any]]) -> tuple[str, Any]:
    """Return the node of a task and what it was sent, or who called it."""
    parts = [part.lstrip("~") for part in path.split(", ")]
    # Under durability `exit` the number of the superstep comes first.
    start = next((at for at, part in enumerate(parts) if part in (_PULL, _PUSH)), 0)
    kind, *rest = parts[start:]
    if kind == _PULL:
        return ", ".join(rest), None
    if kind != _PUSH:
        return parts[-1], None
    if _PULL in rest:
        # Functions that tasks call are not stored by name.
        caller = rest[rest.index(_PULL) + 1]
        return f"called by {caller}", None
    number = int(rest[0]) if rest and rest[0].isdecimal() else len(sent)
    node, packet = sent[number] if number < len(sent) else ("", None)
    return node or "(sent)", packet


def _signed(one: Written) -> str:
    """Return a node's name, if a write has it.

    In rows from before there were paths, nodes of a `StateGraph` start those that follow with their
    own name: in a channel of that name, or the input's with `__start__`.
    """
    if one.held.size > _LARGE or not one.held.size:
        return ""
    value = decode(one.held.tag, one.held.read())
    return value if value in (one.channel, "__start__") else ""


def _state(task: Shown, answers: Sequence[Shown]) -> str:
    if task["writes"]:
        return "finished"
    if task["error"] is not None:
        return "failed"
    if task["interrupts"]:
        return "answered" if task["resumes"] or answers else "interrupted"
    return "written"


def _write(one: Written, redaction: Redaction) -> Shown:
    shown: Shown = {"channel": one.channel, "index": one.idx, "size": one.held.size}
    if redaction.hides(one.channel):
        shown["value"] = {"kind": "redacted"}
    elif one.held.size <= _LARGE:
        shown["value"] = show(decode(one.held.tag, one.held.read()), BRIEF, redaction)
    return shown
