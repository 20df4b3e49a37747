"""Values computed by the engine that a state schema may declare as fields."""

from __future__ import annotations

from langgraph_rust.managed.is_last_step import IsLastStep, RemainingSteps

__all__ = ("IsLastStep", "RemainingSteps")
