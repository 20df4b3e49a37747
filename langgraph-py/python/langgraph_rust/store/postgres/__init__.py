"""Stores that keep items in a Postgres database, optionally with semantic search by pgvector."""

from langgraph_rust.store.postgres.aio import AsyncPostgresStore
from langgraph_rust.store.postgres.base import PoolConfig, PostgresStore

__all__ = ["AsyncPostgresStore", "PoolConfig", "PostgresStore"]
