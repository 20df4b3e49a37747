# Written by `make places`.
from langgraph_rust.store.sqlite.aio import AsyncSqliteStore as AsyncSqliteStore

__all__ = [
    "AsyncSqliteStore",
]
