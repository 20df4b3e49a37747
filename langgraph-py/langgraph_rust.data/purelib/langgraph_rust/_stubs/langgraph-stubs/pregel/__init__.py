# Written by `make places`.
from langgraph_rust.pregel import NodeBuilder as NodeBuilder
from langgraph_rust.pregel import Pregel as Pregel

__all__ = [
    "NodeBuilder",
    "Pregel",
]
