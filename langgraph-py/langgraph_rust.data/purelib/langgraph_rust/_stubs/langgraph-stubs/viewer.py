# Written by `make places`.
from langgraph_rust.viewer import Viewer as Viewer
from langgraph_rust.viewer import keep_open as keep_open

__all__ = [
    "Viewer",
]
