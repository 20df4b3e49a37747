# Written by `make places`.
from langgraph_rust.checkpoint.postgres.shallow import AsyncShallowPostgresSaver as AsyncShallowPostgresSaver
from langgraph_rust.checkpoint.postgres.shallow import INSERT_CHECKPOINT_WRITES_SQL as INSERT_CHECKPOINT_WRITES_SQL
from langgraph_rust.checkpoint.postgres.shallow import MIGRATIONS as MIGRATIONS
from langgraph_rust.checkpoint.postgres.shallow import SELECT_SQL as SELECT_SQL
from langgraph_rust.checkpoint.postgres.shallow import ShallowPostgresSaver as ShallowPostgresSaver
from langgraph_rust.checkpoint.postgres.shallow import UPSERT_CHECKPOINTS_SQL as UPSERT_CHECKPOINTS_SQL
from langgraph_rust.checkpoint.postgres.shallow import UPSERT_CHECKPOINT_BLOBS_SQL as UPSERT_CHECKPOINT_BLOBS_SQL
from langgraph_rust.checkpoint.postgres.shallow import UPSERT_CHECKPOINT_WRITES_SQL as UPSERT_CHECKPOINT_WRITES_SQL

__all__ = [
    "AsyncShallowPostgresSaver",
    "ShallowPostgresSaver",
]
