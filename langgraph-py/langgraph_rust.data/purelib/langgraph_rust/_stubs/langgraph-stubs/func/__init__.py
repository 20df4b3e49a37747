# Written by `make places`.
from langgraph_rust.func import R as R
from langgraph_rust.func import S as S
from langgraph_rust.func import entrypoint as entrypoint
from langgraph_rust.func import task as task

__all__ = [
    "entrypoint",
    "task",
]
