"""`DeltaChannel`: stores what is written to it, and its value only now and then."""

from __future__ import annotations

from langgraph_rust._engine import DeltaChannel

__all__ = ("DeltaChannel",)
