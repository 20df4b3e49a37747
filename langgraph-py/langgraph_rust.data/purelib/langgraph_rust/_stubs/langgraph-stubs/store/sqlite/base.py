# Written by `make places`.
from langgraph_rust.store.sqlite.base import BaseSqliteStore as BaseSqliteStore
from langgraph_rust.store.sqlite.base import MIGRATIONS as MIGRATIONS
from langgraph_rust.store.sqlite.base import NS_MATCH_FUNCTION as NS_MATCH_FUNCTION
from langgraph_rust.store.sqlite.base import PreparedGetQuery as PreparedGetQuery
from langgraph_rust.store.sqlite.base import SqliteIndexConfig as SqliteIndexConfig
from langgraph_rust.store.sqlite.base import SqliteStore as SqliteStore
from langgraph_rust.store.sqlite.base import VECTOR_MIGRATIONS as VECTOR_MIGRATIONS
from langgraph_rust.store.sqlite.base import _escape_glob_literal as _escape_glob_literal
from langgraph_rust.store.sqlite.base import _namespace_match_pattern as _namespace_match_pattern

__all__ = [
    "MIGRATIONS",
    "NS_MATCH_FUNCTION",
    "VECTOR_MIGRATIONS",
    "BaseSqliteStore",
    "PreparedGetQuery",
    "SqliteIndexConfig",
    "SqliteStore",
    "_escape_glob_literal",
    "_namespace_match_pattern",
]
