"""What two ways of storing a thread must have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

STUB = -2
"""The step of a checkpoint of the state before the beginning, which only changes are stored on."""


def without_ids(state: list[Any]) -> list[Any]:
    """A state as the runner shows it, without the messages' ids, which may be random."""
    return [
        [one[:2] if isinstance(one, list) else one for one in part]
        if isinstance(part, list)
        else part
        for part in state
    ]


def differences(plain: list[Any], linear: list[Any]) -> Iterator[str]:
    """Where a thread stored as changes differs from one stored whole."""
    for number, (one, other) in enumerate(zip(plain, linear, strict=True)):
        for part in ("result", "raised"):
            if one.get(part) != other.get(part):
                yield f"action {number} ({one['do']}): {part}: {one.get(part)}, {other.get(part)}"
        yield from _apart(f"action {number} ({one['do']})", _states(one), _states(other))


def _states(done: dict[str, Any]) -> list[Any]:
    return [without_ids(state) for state in done["states"] if state[0] != STUB]


def _apart(place: str, one: list[Any], other: list[Any]) -> Iterator[str]:
    if len(one) != len(other):
        yield f"{place}: {len(one)} checkpoints, {len(other)}"
    for here, there in zip(one, other, strict=False):
        if here != there:
            yield f"{place}:\n  plain  {here}\n  linear {there}"
