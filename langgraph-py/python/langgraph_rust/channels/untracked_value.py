"""`UntrackedValue`: the last write, never stored in a checkpoint."""

from __future__ import annotations

from langgraph_rust._engine import UntrackedValue

__all__ = ("UntrackedValue",)
