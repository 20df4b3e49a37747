"""Managed values about how many steps a run has left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from langgraph_rust.managed.base import ManagedValue

if TYPE_CHECKING:
    from langgraph_rust._internal._scratchpad import PregelScratchpad

__all__ = ("IsLastStep", "RemainingStepsManager")


class IsLastStepManager(ManagedValue[bool]):
    """Computes `IsLastStep`."""

    @staticmethod
    def get(scratchpad: PregelScratchpad) -> bool:
        """Return whether the next step would exceed the recursion limit."""
        return scratchpad.step == scratchpad.stop - 1


IsLastStep = Annotated[bool, IsLastStepManager]
"""State field: whether this is the last step that the recursion limit allows."""


class RemainingStepsManager(ManagedValue[int]):
    """Computes `RemainingSteps`."""

    @staticmethod
    def get(scratchpad: PregelScratchpad) -> int:
        """Return how many steps the recursion limit still allows, this one included."""
        return scratchpad.stop - scratchpad.step


RemainingSteps = Annotated[int, RemainingStepsManager]
"""State field: how many steps the recursion limit still allows, this one included."""
