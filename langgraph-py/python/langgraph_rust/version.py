"""The version of LangGraph's Python API that this package implements."""

from __future__ import annotations

__all__ = ("__version__",)

__version__ = "1.2.24"
"""Upstream's version number; this package's own is `langgraph_rust.__version__`."""
