"""`Topic`: collects all writes of a step in a list."""

from __future__ import annotations

from langgraph_rust._engine import Topic

__all__ = ("Topic",)
