"""`LastValue`: one write a step, kept; `LastValueAfterFinish` shows it once the run is idle."""

from __future__ import annotations

from langgraph_rust._engine import LastValue, LastValueAfterFinish

__all__ = ("LastValue", "LastValueAfterFinish")
