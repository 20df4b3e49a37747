# Written by `make places`.
from langgraph_rust.channels.base import BaseChannel as BaseChannel
from langgraph_rust.channels.base import Checkpoint as Checkpoint
from langgraph_rust.channels.base import Update as Update
from langgraph_rust.channels.base import Value as Value

__all__ = [
    "BaseChannel",
]
