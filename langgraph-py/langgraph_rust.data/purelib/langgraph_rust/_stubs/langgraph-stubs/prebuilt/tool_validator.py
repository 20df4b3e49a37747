# Written by `make places`.
from langgraph_rust.prebuilt.tool_validator import FormatError as FormatError
from langgraph_rust.prebuilt.tool_validator import ValidationNode as ValidationNode

__all__ = [
    "ValidationNode",
]
