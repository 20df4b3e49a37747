# Written by `make places`.
from langgraph_rust.store.postgres import AsyncPostgresStore as AsyncPostgresStore
from langgraph_rust.store.postgres import PoolConfig as PoolConfig
from langgraph_rust.store.postgres import PostgresStore as PostgresStore

__all__ = [
    "AsyncPostgresStore",
    "PoolConfig",
    "PostgresStore",
]
