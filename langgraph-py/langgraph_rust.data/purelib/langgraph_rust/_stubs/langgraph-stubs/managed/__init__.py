# Written by `make places`.
from langgraph_rust.managed import IsLastStep as IsLastStep
from langgraph_rust.managed import RemainingSteps as RemainingSteps

__all__ = [
    "IsLastStep",
    "RemainingSteps",
]
