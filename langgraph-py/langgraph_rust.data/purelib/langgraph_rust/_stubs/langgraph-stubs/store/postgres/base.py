# Written by `make places`.
from langgraph_rust.store.postgres.base import ANNIndexConfig as ANNIndexConfig
from langgraph_rust.store.postgres.base import BasePostgresStore as BasePostgresStore
from langgraph_rust.store.postgres.base import C as C
from langgraph_rust.store.postgres.base import HNSWConfig as HNSWConfig
from langgraph_rust.store.postgres.base import IVFFlatConfig as IVFFlatConfig
from langgraph_rust.store.postgres.base import MIGRATIONS as MIGRATIONS
from langgraph_rust.store.postgres.base import Migration as Migration
from langgraph_rust.store.postgres.base import PLACEHOLDER as PLACEHOLDER
from langgraph_rust.store.postgres.base import PoolConfig as PoolConfig
from langgraph_rust.store.postgres.base import PostgresIndexConfig as PostgresIndexConfig
from langgraph_rust.store.postgres.base import PostgresStore as PostgresStore
from langgraph_rust.store.postgres.base import Row as Row
from langgraph_rust.store.postgres.base import VECTOR_MIGRATIONS as VECTOR_MIGRATIONS
from langgraph_rust.store.postgres.base import get_distance_operator as get_distance_operator

__all__ = [
    "MIGRATIONS",
    "PLACEHOLDER",
    "VECTOR_MIGRATIONS",
    "ANNIndexConfig",
    "BasePostgresStore",
    "HNSWConfig",
    "IVFFlatConfig",
    "Migration",
    "PoolConfig",
    "PostgresIndexConfig",
    "PostgresStore",
    "Row",
    "get_distance_operator",
]
