"""`AnyValue`: keeps the last of several writes that are taken to be equal."""

from __future__ import annotations

from langgraph_rust._engine import AnyValue

__all__ = ("AnyValue",)
