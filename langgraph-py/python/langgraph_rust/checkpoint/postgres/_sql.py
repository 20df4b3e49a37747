"""The tables that LangGraph's own Postgres savers share, and the statements on them.

`MIGRATIONS` is numbered by position: a database remembers how far it has come.
"""

from __future__ import annotations

from langgraph_rust.checkpoint.serde.types import TASKS

_ADDRESS = """
    thread_id TEXT NOT NULL,
    checkpoint_ns TEXT NOT NULL DEFAULT '',"""

MIGRATIONS_TABLE = "CREATE TABLE IF NOT EXISTS checkpoint_migrations (v INTEGER PRIMARY KEY)"

WRITES_TABLE = f"""CREATE TABLE IF NOT EXISTS checkpoint_writes ({_ADDRESS}
    checkpoint_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    idx INTEGER NOT NULL,
    channel TEXT NOT NULL,
    type TEXT,
    blob BYTEA NOT NULL,
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
)"""

INDEXES = tuple(
    f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {table}_thread_id_idx ON {table} (thread_id)"
    for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
)

TASK_PATH_COLUMN = (
    "ALTER TABLE checkpoint_writes ADD COLUMN IF NOT EXISTS task_path TEXT NOT NULL DEFAULT ''"
)

MIGRATIONS = [
    MIGRATIONS_TABLE,
    f"""CREATE TABLE IF NOT EXISTS checkpoints ({_ADDRESS}
    checkpoint_id TEXT NOT NULL,
    parent_checkpoint_id TEXT,
    type TEXT,
    checkpoint JSONB NOT NULL,
    metadata JSONB NOT NULL DEFAULT '{{}}',
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
)""",
    f"""CREATE TABLE IF NOT EXISTS checkpoint_blobs ({_ADDRESS}
    channel TEXT NOT NULL,
    version TEXT NOT NULL,
    type TEXT NOT NULL,
    blob BYTEA,
    PRIMARY KEY (thread_id, checkpoint_ns, channel, version)
)""",
    WRITES_TABLE,
    "ALTER TABLE checkpoint_blobs ALTER COLUMN blob DROP NOT NULL",
    "SELECT 1",  # upstream's number 5, once an empty text
    *INDEXES,
    TASK_PATH_COLUMN,
]
"""What `setup` does to a database, in order; a migration's number is its index."""

# --- reading ---

# Texts go through `convert_to`, for a cast to bytea takes backslashes for escapes.
SELECT_BLOBS = """
    SELECT array_agg(ARRAY[convert_to(b.channel, 'UTF8'), convert_to(b.type, 'UTF8'), b.blob])
    FROM jsonb_each_text(checkpoints.checkpoint -> 'channel_versions') AS v(channel, version)
    JOIN checkpoint_blobs b
        ON b.thread_id = checkpoints.thread_id
        AND b.checkpoint_ns = checkpoints.checkpoint_ns
        AND b.channel = v.channel"""

SELECT_WRITES = """
    SELECT array_agg(ARRAY[
        convert_to(w.task_id, 'UTF8'), convert_to(w.channel, 'UTF8'), convert_to(w.type, 'UTF8'),
        w.blob, convert_to(w.task_path, 'UTF8'), convert_to(w.idx::text, 'UTF8')
    ])
    FROM checkpoint_writes w
    WHERE w.thread_id = checkpoints.thread_id
        AND w.checkpoint_ns = checkpoints.checkpoint_ns
        AND w.checkpoint_id = """

SELECT_SQL = f"""
SELECT
    thread_id, checkpoint, checkpoint_ns, checkpoint_id, parent_checkpoint_id, metadata,
    ({SELECT_BLOBS}
        AND b.version = v.version
    ) AS channel_values,
    ({SELECT_WRITES}checkpoints.checkpoint_id
    ) AS pending_writes
FROM checkpoints """
"""Checkpoints with their values and pending writes; ends where conditions begin."""

SELECT_PENDING_SENDS_SQL = f"""
SELECT
    checkpoint_id,
    array_agg(ARRAY[convert_to(type, 'UTF8'), blob] ORDER BY task_path, task_id, idx) AS sends
FROM checkpoint_writes
WHERE thread_id = %s AND checkpoint_id = ANY(%s) AND channel = '{TASKS}'
GROUP BY checkpoint_id
"""
"""Packets written on some checkpoints of a thread: for formats before the fourth."""

# --- storing, row by row ---

BLOB_COLUMNS = "thread_id, checkpoint_ns, channel, version, type, blob"
WRITE_COLUMNS = (
    "thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob"
)
_CHECKPOINT_COLUMNS = (
    "thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata"
)
KEEP_BLOBS = "ON CONFLICT (thread_id, checkpoint_ns, channel, version) DO NOTHING"
KEEP_WRITES = "ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) DO NOTHING"
REPLACE_WRITES = (
    "ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) DO UPDATE "
    "SET channel = EXCLUDED.channel, type = EXCLUDED.type, blob = EXCLUDED.blob"
)


def _insert(table: str, columns: str, on_conflict: str) -> str:
    values = ", ".join(["%s"] * len(columns.split(",")))
    return f"INSERT INTO {table} ({columns}) VALUES ({values}) {on_conflict}"


UPSERT_CHECKPOINT_BLOBS_SQL = _insert("checkpoint_blobs", BLOB_COLUMNS, KEEP_BLOBS)
"""Stores a channel's value under its version; one that is there stays."""
_REPLACE_CHECKPOINTS = (
    "ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id) DO UPDATE "
    "SET checkpoint = EXCLUDED.checkpoint, metadata = EXCLUDED.metadata"
)
UPSERT_CHECKPOINTS_SQL = _insert("checkpoints", _CHECKPOINT_COLUMNS, _REPLACE_CHECKPOINTS)
"""Stores a checkpoint, or replaces it and its metadata."""
GUARDED_CHECKPOINTS_SQL = f"""INSERT INTO checkpoints ({_CHECKPOINT_COLUMNS})
    SELECT %s::text, %s::text, %s::text, %s::text, %s::jsonb, %s::jsonb FROM guard
    {_REPLACE_CHECKPOINTS}"""
"""Does so if there is a row of `guard`."""
UPSERT_CHECKPOINT_WRITES_SQL = _insert("checkpoint_writes", WRITE_COLUMNS, REPLACE_WRITES)
"""Stores a write that may come again with another value (errors, interrupts)."""
INSERT_CHECKPOINT_WRITES_SQL = _insert("checkpoint_writes", WRITE_COLUMNS, KEEP_WRITES)
"""Stores a write of a task; one that is there stays."""

# --- threads and runs, each in one statement ---

DELETE_THREAD_SQL = """
WITH
    written AS (DELETE FROM checkpoint_writes WHERE thread_id = %(thread_id)s),
    valued AS (DELETE FROM checkpoint_blobs WHERE thread_id = %(thread_id)s)
DELETE FROM checkpoints WHERE thread_id = %(thread_id)s
"""

# All parts see the tables as they were before. Where a thread lives on, a run may be beginning on
# its newest checkpoint at this moment, so what that needs stays even if it is deleted itself.
DELETE_RUNS_SQL = """
WITH
    gone AS (
        DELETE FROM checkpoints
        WHERE metadata ->> 'run_id' = ANY(%(run_ids)s)
            AND (%(thread_ids)s::text[] IS NULL OR thread_id = ANY(%(thread_ids)s))
        RETURNING thread_id, checkpoint_ns, checkpoint_id, checkpoint -> 'channel_versions' AS used
    ),
    written AS (
        DELETE FROM checkpoint_writes w USING gone
        WHERE (w.thread_id, w.checkpoint_ns, w.checkpoint_id)
            = (gone.thread_id, gone.checkpoint_ns, gone.checkpoint_id)
    ),
    kept AS (
        SELECT c.thread_id, c.checkpoint_ns, c.checkpoint_id,
            c.checkpoint -> 'channel_versions' AS used
        FROM checkpoints c
        WHERE (c.thread_id, c.checkpoint_ns) IN (SELECT thread_id, checkpoint_ns FROM gone)
            AND (c.thread_id, c.checkpoint_ns, c.checkpoint_id)
                NOT IN (SELECT thread_id, checkpoint_ns, checkpoint_id FROM gone)
    ),
    newest AS (
        SELECT DISTINCT ON (thread_id, checkpoint_ns) thread_id, checkpoint_ns, used FROM gone
        WHERE (thread_id, checkpoint_ns) IN (SELECT thread_id, checkpoint_ns FROM kept)
        ORDER BY thread_id, checkpoint_ns, checkpoint_id DESC
    ),
    garbage AS (
        SELECT thread_id, checkpoint_ns, key, value FROM gone, jsonb_each_text(used)
        EXCEPT (
            SELECT thread_id, checkpoint_ns, key, value FROM kept, jsonb_each_text(used)
            UNION ALL
            SELECT thread_id, checkpoint_ns, key, value FROM newest, jsonb_each_text(used)
        )
    )
DELETE FROM checkpoint_blobs b USING garbage g
WHERE (b.thread_id, b.checkpoint_ns, b.channel, b.version)
    = (g.thread_id, g.checkpoint_ns, g.key, g.value)
"""


def _copy(table: str, columns: str) -> str:
    others = columns.removeprefix("thread_id, ")
    return f"""INSERT INTO {table} ({columns})
        SELECT %(target)s, {others} FROM {table} WHERE thread_id = %(source)s
        ON CONFLICT DO NOTHING"""


COPY_THREAD_SQL = f"""
WITH
    written AS ({_copy("checkpoint_writes", WRITE_COLUMNS)}),
    valued AS ({_copy("checkpoint_blobs", BLOB_COLUMNS)})
{_copy("checkpoints", f"{_CHECKPOINT_COLUMNS}, type")}
"""
