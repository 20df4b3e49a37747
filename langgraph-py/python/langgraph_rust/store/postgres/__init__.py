"""Stores that keep items in a Postgres database, optionally with semantic search by pgvector."""

from langgraph_rust.checkpoint._extras import missing

try:
    import psycopg  # noqa: F401
    import psycopg_pool  # noqa: F401
except ModuleNotFoundError as error:
    raise missing(error, __name__) from error

from langgraph_rust.store.postgres.aio import AsyncPostgresStore
from langgraph_rust.store.postgres.base import PoolConfig, PostgresStore

__all__ = ["AsyncPostgresStore", "PoolConfig", "PostgresStore"]
