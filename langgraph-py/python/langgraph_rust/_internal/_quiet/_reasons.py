"""Why calls were not quick, counted."""

from __future__ import annotations

__all__ = ("count_quick", "count_reason", "quick", "reasons")

_reasons: dict[str, int] = {}
_quick = {"model": 0, "token": 0, "tool": 0}


def reasons() -> dict[str, int]:
    """Return why calls of this process took the ordinary way: how many for each reason.

    Threads that count at the same time may lose a few.
    """
    return dict(_reasons)


def quick() -> dict[str, int]:
    """Return how many calls of tools and of models were quick, and how many tokens.

    `{"model": ..., "token": ..., "tool": ...}`
    """
    return dict(_quick)


def count_reason(reason: str) -> None:
    """Count a call that takes the ordinary way."""
    _reasons[reason] = _reasons.get(reason, 0) + 1


def count_quick(kind: str) -> None:
    """Count a quick call."""
    _quick[kind] += 1
