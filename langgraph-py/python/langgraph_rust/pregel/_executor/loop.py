"""The class of a graph's runs, under the names that other programs look for."""

from __future__ import annotations

from langgraph_rust._engine import GraphRun

PregelLoop = GraphRun
"""A run: one class, native, for sync and async ones."""
SyncPregelLoop = PregelLoop
AsyncPregelLoop = PregelLoop
