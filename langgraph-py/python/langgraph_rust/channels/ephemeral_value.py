"""`EphemeralValue`: holds a value for the one step after it was written."""

from __future__ import annotations

from langgraph_rust._engine import EphemeralValue

__all__ = ("EphemeralValue",)
