# Written by `make places`.
from langgraph_rust.checkpoint.postgres import BasePostgresSaver as BasePostgresSaver
from langgraph_rust.checkpoint.postgres import Conn as Conn
from langgraph_rust.checkpoint.postgres import PostgresSaver as PostgresSaver
from langgraph_rust.checkpoint.postgres import ShallowPostgresSaver as ShallowPostgresSaver

__all__ = [
    "BasePostgresSaver",
    "Conn",
    "PostgresSaver",
    "ShallowPostgresSaver",
]
