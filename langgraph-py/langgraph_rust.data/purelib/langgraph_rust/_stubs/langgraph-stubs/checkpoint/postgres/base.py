# Written by `make places`.
from langgraph_rust.checkpoint.postgres.base import BasePostgresSaver as BasePostgresSaver
from langgraph_rust.checkpoint.postgres.base import INSERT_CHECKPOINT_WRITES_SQL as INSERT_CHECKPOINT_WRITES_SQL
from langgraph_rust.checkpoint.postgres.base import MIGRATIONS as MIGRATIONS
from langgraph_rust.checkpoint.postgres.base import MetadataInput as MetadataInput
from langgraph_rust.checkpoint.postgres.base import PRUNE_BLOBS_SQL as PRUNE_BLOBS_SQL
from langgraph_rust.checkpoint.postgres.base import PRUNE_CHECKPOINTS_SQL as PRUNE_CHECKPOINTS_SQL
from langgraph_rust.checkpoint.postgres.base import PRUNE_DELETE_THREADS_SQL as PRUNE_DELETE_THREADS_SQL
from langgraph_rust.checkpoint.postgres.base import PRUNE_DELTA_THREADS_SQL as PRUNE_DELTA_THREADS_SQL
from langgraph_rust.checkpoint.postgres.base import PRUNE_HEADS_SQL as PRUNE_HEADS_SQL
from langgraph_rust.checkpoint.postgres.base import PRUNE_PARENTS_SQL as PRUNE_PARENTS_SQL
from langgraph_rust.checkpoint.postgres.base import PRUNE_REFERENCED_BLOBS_SQL as PRUNE_REFERENCED_BLOBS_SQL
from langgraph_rust.checkpoint.postgres.base import PRUNE_SNAPSHOT_SQL as PRUNE_SNAPSHOT_SQL
from langgraph_rust.checkpoint.postgres.base import PRUNE_STRATEGIES as PRUNE_STRATEGIES
from langgraph_rust.checkpoint.postgres.base import PRUNE_SUBGRAPH_CALLS_SQL as PRUNE_SUBGRAPH_CALLS_SQL
from langgraph_rust.checkpoint.postgres.base import PRUNE_UNKEPT_SQL as PRUNE_UNKEPT_SQL
from langgraph_rust.checkpoint.postgres.base import PRUNE_WRITES_SQL as PRUNE_WRITES_SQL
from langgraph_rust.checkpoint.postgres.base import SELECT_PENDING_SENDS_SQL as SELECT_PENDING_SENDS_SQL
from langgraph_rust.checkpoint.postgres.base import SELECT_SQL as SELECT_SQL
from langgraph_rust.checkpoint.postgres.base import UPSERT_CHECKPOINTS_SQL as UPSERT_CHECKPOINTS_SQL
from langgraph_rust.checkpoint.postgres.base import UPSERT_CHECKPOINT_BLOBS_SQL as UPSERT_CHECKPOINT_BLOBS_SQL
from langgraph_rust.checkpoint.postgres.base import UPSERT_CHECKPOINT_WRITES_SQL as UPSERT_CHECKPOINT_WRITES_SQL

__all__ = [
    "INSERT_CHECKPOINT_WRITES_SQL",
    "MIGRATIONS",
    "PRUNE_BLOBS_SQL",
    "PRUNE_CHECKPOINTS_SQL",
    "PRUNE_DELETE_THREADS_SQL",
    "PRUNE_DELTA_THREADS_SQL",
    "PRUNE_HEADS_SQL",
    "PRUNE_PARENTS_SQL",
    "PRUNE_REFERENCED_BLOBS_SQL",
    "PRUNE_SNAPSHOT_SQL",
    "PRUNE_STRATEGIES",
    "PRUNE_SUBGRAPH_CALLS_SQL",
    "PRUNE_UNKEPT_SQL",
    "PRUNE_WRITES_SQL",
    "SELECT_PENDING_SENDS_SQL",
    "SELECT_SQL",
    "UPSERT_CHECKPOINTS_SQL",
    "UPSERT_CHECKPOINT_BLOBS_SQL",
    "UPSERT_CHECKPOINT_WRITES_SQL",
    "BasePostgresSaver",
    "MetadataInput",
]
