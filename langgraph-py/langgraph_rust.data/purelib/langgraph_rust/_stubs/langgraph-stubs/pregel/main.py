# Written by `make places`.
from langgraph_rust.pregel.main import NodeBuilder as NodeBuilder
from langgraph_rust.pregel.main import Pregel as Pregel

__all__ = [
    "NodeBuilder",
    "Pregel",
]
