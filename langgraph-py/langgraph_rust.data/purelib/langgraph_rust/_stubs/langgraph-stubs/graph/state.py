# Written by `make places`.
from langgraph_rust.graph.state import CompiledStateGraph as CompiledStateGraph
from langgraph_rust.graph.state import StateGraph as StateGraph

__all__ = [
    "CompiledStateGraph",
    "StateGraph",
]
