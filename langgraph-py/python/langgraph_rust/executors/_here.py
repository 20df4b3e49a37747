"""Whether this process is a worker. There, nodes of graphs within a node run on the spot."""

from __future__ import annotations

_is_worker = False


def enter() -> None:
    """This process is a worker, from now on."""
    global _is_worker
    _is_worker = True


def is_worker() -> bool:
    """Tell whether this process runs nodes for another."""
    return _is_worker
