# Written by `make places`.
from langgraph_rust.channels.any_value import AnyValue as AnyValue

__all__ = [
    "AnyValue",
]
