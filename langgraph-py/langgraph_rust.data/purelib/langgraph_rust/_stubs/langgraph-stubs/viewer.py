# Written by `make places`.
from langgraph_rust.viewer import Viewer as Viewer

__all__ = [
    "Viewer",
]
