# Written by `make places`.
from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver as AsyncPostgresSaver
from langgraph_rust.checkpoint.postgres.aio import AsyncShallowPostgresSaver as AsyncShallowPostgresSaver
from langgraph_rust.checkpoint.postgres.aio import Conn as Conn

__all__ = [
    "AsyncPostgresSaver",
    "AsyncShallowPostgresSaver",
    "Conn",
]
