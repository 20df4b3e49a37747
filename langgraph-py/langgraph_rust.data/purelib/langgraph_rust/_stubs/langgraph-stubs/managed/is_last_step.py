# Written by `make places`.
from langgraph_rust.managed.is_last_step import IsLastStep as IsLastStep
from langgraph_rust.managed.is_last_step import IsLastStepManager as IsLastStepManager
from langgraph_rust.managed.is_last_step import RemainingSteps as RemainingSteps
from langgraph_rust.managed.is_last_step import RemainingStepsManager as RemainingStepsManager

__all__ = [
    "IsLastStep",
    "RemainingStepsManager",
]
