"""The times in checkpoints' ids."""

from __future__ import annotations

from uuid import UUID

_SECOND = 10_000_000
"""Ticks of a UUID's clock."""


def later(checkpoint_id: str, seconds: float) -> str:
    """Return the id of a checkpoint that would have been made later; the same if it has no time."""
    try:
        found = UUID(checkpoint_id)
    except ValueError:
        return checkpoint_id
    if found.version != 6:
        return checkpoint_id
    number = found.int
    ticks = (number >> 80) << 12 | (number >> 64) & 0xFFF
    ticks += int(seconds * _SECOND)
    high, low = ticks >> 12, ticks & 0xFFF
    rest = number & ((1 << 64) - 1)
    return str(UUID(int=high << 80 | 6 << 76 | low << 64 | rest))
