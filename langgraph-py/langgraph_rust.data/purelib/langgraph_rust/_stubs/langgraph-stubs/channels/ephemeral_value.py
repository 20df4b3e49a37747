# Written by `make places`.
from langgraph_rust.channels.ephemeral_value import EphemeralValue as EphemeralValue

__all__ = [
    "EphemeralValue",
]
