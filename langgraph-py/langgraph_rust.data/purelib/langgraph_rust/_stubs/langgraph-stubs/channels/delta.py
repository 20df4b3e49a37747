# Written by `make places`.
from langgraph_rust.channels.delta import DeltaChannel as DeltaChannel

__all__ = [
    "DeltaChannel",
]
