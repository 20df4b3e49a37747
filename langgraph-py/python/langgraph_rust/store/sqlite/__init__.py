"""Stores that keep items in a SQLite database, optionally with semantic search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_rust.store.sqlite.base import SqliteStore

if TYPE_CHECKING:
    from langgraph_rust.store.sqlite.aio import AsyncSqliteStore

__all__ = ["AsyncSqliteStore", "SqliteStore"]


def __getattr__(name: str) -> Any:
    # Kept out of the import, because it needs aiosqlite.
    if name == "AsyncSqliteStore":
        from langgraph_rust.store.sqlite.aio import AsyncSqliteStore

        return AsyncSqliteStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
