# Written by `make places`.
from langgraph_rust.store.sqlite import AsyncSqliteStore as AsyncSqliteStore
from langgraph_rust.store.sqlite import SqliteStore as SqliteStore

__all__ = [
    "AsyncSqliteStore",
    "SqliteStore",
]
