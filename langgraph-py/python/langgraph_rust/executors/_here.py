"""Whether this is code of a node that runs for another process. Graphs within it stay with it."""

from __future__ import annotations

from contextvars import ContextVar

_is_worker: ContextVar[bool] = ContextVar("_is_worker", default=False)


def enter() -> None:
    """All that is called in this context is part of such a node, from now on."""
    _is_worker.set(True)


def is_worker() -> bool:
    """Tell whether the caller is part of such a node."""
    return _is_worker.get()
