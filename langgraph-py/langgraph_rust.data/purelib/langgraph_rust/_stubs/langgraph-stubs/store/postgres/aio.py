# Written by `make places`.
from langgraph_rust.store.postgres.aio import AsyncPostgresStore as AsyncPostgresStore
from langgraph_rust.store.postgres.aio import PoolConfig as PoolConfig
from langgraph_rust.store.postgres.aio import PostgresIndexConfig as PostgresIndexConfig
from langgraph_rust.store.postgres.aio import Row as Row
from langgraph_rust.store.postgres.aio import _decode_ns_bytes as _decode_ns_bytes
from langgraph_rust.store.postgres.aio import _ensure_index_config as _ensure_index_config
from langgraph_rust.store.postgres.aio import _group_ops as _group_ops
from langgraph_rust.store.postgres.aio import _row_to_item as _row_to_item
from langgraph_rust.store.postgres.aio import _row_to_search_item as _row_to_search_item

__all__ = [
    "AsyncPostgresStore",
    "PoolConfig",
    "PostgresIndexConfig",
    "Row",
    "_decode_ns_bytes",
    "_ensure_index_config",
    "_group_ops",
    "_row_to_item",
    "_row_to_search_item",
]
