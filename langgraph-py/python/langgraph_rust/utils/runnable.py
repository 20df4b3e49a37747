"""Old import path of the runnable helpers."""

from __future__ import annotations

from langgraph_rust._internal._runnable import RunnableCallable, RunnableLike

__all__ = ("RunnableCallable", "RunnableLike")
