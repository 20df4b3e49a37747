# Written by `make places`.
from langgraph_rust.checkpoint.sqlite import SqliteSaver as SqliteSaver

__all__ = [
    "SqliteSaver",
]
