# Written by `make places`.
from langgraph_rust.checkpoint.sqlite.aio import AsyncSqliteSaver as AsyncSqliteSaver
from langgraph_rust.checkpoint.sqlite.aio import T as T
from langgraph_rust.checkpoint.sqlite.aio import connect as connect

__all__ = [
    "AsyncSqliteSaver",
]
