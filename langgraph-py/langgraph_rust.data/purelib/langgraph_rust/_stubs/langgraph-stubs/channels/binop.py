# Written by `make places`.
from langgraph_rust.channels.binop import BinaryOperatorAggregate as BinaryOperatorAggregate

__all__ = [
    "BinaryOperatorAggregate",
]
