# Written by `make places`.
from langgraph_rust.channels.topic import Topic as Topic

__all__ = [
    "Topic",
]
