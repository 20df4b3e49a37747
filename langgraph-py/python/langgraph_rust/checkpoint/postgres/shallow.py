"""Deprecated savers that keep the newest checkpoint of a thread only, in tables of their own."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from psycopg import AsyncPipeline, Pipeline

from langgraph_rust.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_serializable_checkpoint_metadata,
)
from langgraph_rust.checkpoint.base._elsewhere import SyncFromElsewhere
from langgraph_rust.checkpoint.postgres import (
    _ainternal,
    _internal,
    _plans,
    _prune,
    _rows,
    _sql,
)
from langgraph_rust.checkpoint.postgres._async import AsyncPostgres
from langgraph_rust.checkpoint.postgres._sync import SyncPostgres
from langgraph_rust.checkpoint.postgres.base import BasePostgresSaver
from langgraph_rust.checkpoint.serde.base import SerializerProtocol
from langgraph_rust.checkpoint.serde.types import TASKS

if TYPE_CHECKING:
    from datetime import datetime

    from langchain_core.runnables import RunnableConfig

__all__ = ("AsyncShallowPostgresSaver", "ShallowPostgresSaver")

MIGRATIONS = [
    _sql.MIGRATIONS_TABLE,
    """CREATE TABLE IF NOT EXISTS checkpoints (
    thread_id TEXT NOT NULL,
    checkpoint_ns TEXT NOT NULL DEFAULT '',
    type TEXT,
    checkpoint JSONB NOT NULL,
    metadata JSONB NOT NULL DEFAULT '{}',
    PRIMARY KEY (thread_id, checkpoint_ns)
)""",
    """CREATE TABLE IF NOT EXISTS checkpoint_blobs (
    thread_id TEXT NOT NULL,
    checkpoint_ns TEXT NOT NULL DEFAULT '',
    channel TEXT NOT NULL,
    type TEXT NOT NULL,
    blob BYTEA,
    PRIMARY KEY (thread_id, checkpoint_ns, channel)
)""",
    _sql.WRITES_TABLE,
    *_sql.INDEXES,
    _sql.TASK_PATH_COLUMN,
]
"""As those of the other savers, for tables with one checkpoint for each thread and namespace."""

SELECT_SQL = f"""
SELECT
    thread_id, checkpoint, checkpoint_ns, metadata,
    ({_sql.SELECT_BLOBS}
    ) AS channel_values,
    ({_sql.SELECT_WRITES}(checkpoints.checkpoint ->> 'id')
    ) AS pending_writes,
    (
        SELECT array_agg(
            ARRAY[convert_to(w.type, 'UTF8'), w.blob] ORDER BY w.task_path, w.task_id, w.idx
        )
        FROM checkpoint_writes w
        WHERE w.thread_id = checkpoints.thread_id
            AND w.checkpoint_ns = checkpoints.checkpoint_ns
            AND w.channel = '{TASKS}'
    ) AS pending_sends
FROM checkpoints """
"""Checkpoints with their values, pending writes and packets; ends where conditions begin."""

UPSERT_CHECKPOINT_BLOBS_SQL = """
INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, type, blob)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (thread_id, checkpoint_ns, channel)
DO UPDATE SET type = EXCLUDED.type, blob = EXCLUDED.blob
"""
"""Stores a channel's value in the place of the one before."""

UPSERT_CHECKPOINTS_SQL = """
INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint, metadata)
VALUES (%s, %s, %s, %s)
ON CONFLICT (thread_id, checkpoint_ns)
DO UPDATE SET checkpoint = EXCLUDED.checkpoint, metadata = EXCLUDED.metadata
"""
"""Stores a checkpoint in the place of the one before."""

UPSERT_CHECKPOINT_WRITES_SQL = _sql.UPSERT_CHECKPOINT_WRITES_SQL
"""Stores a write that may come again with another value (errors, interrupts)."""
INSERT_CHECKPOINT_WRITES_SQL = _sql.INSERT_CHECKPOINT_WRITES_SQL
"""Stores a write of a task; one that is there stays."""

_DELETE_WRITES_SQL = """
DELETE FROM checkpoint_writes
WHERE thread_id = %s AND checkpoint_ns = %s AND checkpoint_id NOT IN (%s, %s)
"""


def _warn(name: str, invoke: str) -> None:
    warnings.warn(
        f"{name} is deprecated as of version 2.0.20 and will be removed in 3.0.0. "
        f"Use {name.replace('Shallow', '')} instead, and invoke the graph with "
        f"`{invoke}(..., durability='exit')`.",
        DeprecationWarning,
        stacklevel=3,
    )


class _Shallow(BasePostgresSaver):
    """Rows and values of both."""

    SELECT_SQL = SELECT_SQL
    MIGRATIONS = MIGRATIONS
    UPSERT_CHECKPOINT_BLOBS_SQL = UPSERT_CHECKPOINT_BLOBS_SQL
    UPSERT_CHECKPOINTS_SQL = UPSERT_CHECKPOINTS_SQL
    UPSERT_CHECKPOINT_WRITES_SQL = UPSERT_CHECKPOINT_WRITES_SQL
    INSERT_CHECKPOINT_WRITES_SQL = INSERT_CHECKPOINT_WRITES_SQL
    _CHECKPOINT_ID = "(checkpoint ->> 'id')"

    linear_storage = False
    """There are no ancestors that a value could be rebuilt from."""

    def _checkpoint_batches(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
        writes: Iterable[Any] = (),
        claim: Any = None,
    ) -> list[_plans.Batch]:
        configurable = config["configurable"]
        thread = str(configurable["thread_id"]), configurable["checkpoint_ns"]
        rest: dict[str, Any] = {**checkpoint}
        values = rest.pop("channel_values")
        # Without the versions: of each channel there is one value.
        blobs = [(*row[:3], *row[4:]) for row in self._dump_blobs(*thread, values, new_versions)]
        facts = get_serializable_checkpoint_metadata(config, metadata)
        kept = checkpoint["id"], configurable.get("checkpoint_id", "")
        batches: list[_plans.Batch] = [
            (_DELETE_WRITES_SQL, [(*thread, *kept)]),
            (self.UPSERT_CHECKPOINT_BLOBS_SQL, blobs),
            (
                self.UPSERT_CHECKPOINTS_SQL,
                [(*thread, _rows.as_json(rest), _rows.as_json(facts))],
            ),
        ]
        return [batch for batch in batches if batch[1]]

    def _pruned(
        self,
        thread_ids: Sequence[str],
        strategy: str,
        last: int | None,
        newer_than: datetime | None,
    ) -> Iterator[_plans.Plan[None]]:
        pruning = _prune.Pruning.read(thread_ids, strategy, last, newer_than)
        # There is nothing older than the newest.
        return iter(()) if pruning.keep.newest else pruning.plans()

    def _found(self, config: RunnableConfig) -> _plans.Plan[_plans.Rows]:
        configurable = config["configurable"]
        return _plans.read(
            f"{self.SELECT_SQL}WHERE thread_id = %s AND checkpoint_ns = %s",
            (str(configurable["thread_id"]), configurable.get("checkpoint_ns", "")),
        )

    def _searched(
        self,
        config: RunnableConfig | None,
        filter: dict[str, Any] | None,
        before: RunnableConfig | None,
        limit: int | None,
    ) -> _plans.Plan[_plans.Rows]:
        where, parameters = self._search_where(config, filter, before)
        if limit is not None:
            where, parameters = f"{where} LIMIT %s", [*parameters, int(limit)]
        return _plans.read(self.SELECT_SQL + where, parameters)

    def _decoded(self, row: Mapping[str, Any]) -> CheckpointTuple:
        sends = [
            self.serde.loads_typed((kind.decode(), value))
            for kind, value in row["pending_sends"] or ()
        ]
        checkpoint: Any = {
            **row["checkpoint"],
            "channel_values": self._load_blobs(row["channel_values"]),
            "pending_sends": sends,
        }
        named: RunnableConfig = {
            "configurable": {
                "thread_id": row["thread_id"],
                "checkpoint_ns": row["checkpoint_ns"],
                "checkpoint_id": checkpoint["id"],
            }
        }
        writes = self._load_writes(row["pending_writes"])
        return CheckpointTuple(named, checkpoint, row["metadata"], pending_writes=writes)


class ShallowPostgresSaver(_Shallow, SyncPostgres):
    """Keeps the newest checkpoint of each thread, and no history. Deprecated.

    Use `PostgresSaver`, and `durability="exit"` where older checkpoints are not needed.

    Args:
        conn: As for `PostgresSaver`.
        pipe: As for `PostgresSaver`.
        serde: As for `PostgresSaver`.
    """

    def __init__(
        self,
        conn: _internal.Conn,
        pipe: Pipeline | None = None,
        serde: SerializerProtocol | None = None,
    ) -> None:
        _warn("ShallowPostgresSaver", "graph.invoke")
        super().__init__(conn, pipe, serde)

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the thread's checkpoint with all that belongs to it, or `None`."""
        rows = self._read(partial(self._found, config))
        return self._decoded(rows[0]) if rows else None

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Yield checkpoints, of each thread and namespace one; see `PostgresSaver.list`.

        `before`, and a `checkpoint_id` in `config`, are not supported: there is no such column.
        """
        for row in self._read(partial(self._searched, config, filter, before, limit)):
            yield self._decoded(row)

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint in the place of the one before; see `PostgresSaver.put`."""
        batches = self._checkpoint_batches(config, checkpoint, metadata, new_versions)
        self._put(batches, config, checkpoint["id"])
        return _rows.address_of(config, checkpoint["id"])

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store what a task wrote on top of a checkpoint; see `PostgresSaver.put_writes`."""
        self._put(self._write_batches(config, writes, task_id, task_path), config)

    def delete_thread(self, thread_id: str) -> None:
        """Delete everything stored for a thread; does nothing if there is nothing."""
        self._write(_plans.write(_sql.DELETE_THREAD_SQL, {"thread_id": str(thread_id)}))

    def prune(
        self,
        thread_ids: Sequence[str],
        *,
        strategy: str = "keep_latest",
        last: int | None = None,
        newer_than: datetime | None = None,
    ) -> None:
        """Delete threads with `strategy="delete"`; else nothing, for there is nothing old."""
        for plan in self._pruned(thread_ids, strategy, last, newer_than):
            self._write(plan, transaction=True)


class AsyncShallowPostgresSaver(SyncFromElsewhere, _Shallow, AsyncPostgres):
    """`ShallowPostgresSaver`, for asyncio. Deprecated.

    The sync methods work in other threads than the event loop's.

    Args:
        conn: As for `AsyncPostgresSaver`.
        pipe: As for `AsyncPostgresSaver`.
        serde: As for `AsyncPostgresSaver`.
    """

    def __init__(
        self,
        conn: _ainternal.Conn,
        pipe: AsyncPipeline | None = None,
        serde: SerializerProtocol | None = None,
    ) -> None:
        _warn("AsyncShallowPostgresSaver", "await graph.ainvoke")
        super().__init__(conn, pipe, serde)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the thread's checkpoint with all that belongs to it, or `None`."""
        rows = await self._read(partial(self._found, config))
        return self._decoded(rows[0]) if rows else None

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Yield checkpoints, of each thread and namespace one; see `ShallowPostgresSaver.list`."""
        for row in await self._read(partial(self._searched, config, filter, before, limit)):
            yield self._decoded(row)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint in the place of the one before; see `AsyncPostgresSaver.aput`."""
        batches = self._checkpoint_batches(config, checkpoint, metadata, new_versions)
        await self._put(batches, config, checkpoint["id"])
        return _rows.address_of(config, checkpoint["id"])

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store what a task wrote on top of a checkpoint; see `AsyncPostgresSaver.aput_writes`."""
        await self._put(self._write_batches(config, writes, task_id, task_path), config)

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete everything stored for a thread; does nothing if there is nothing."""
        await self._write(_plans.write(_sql.DELETE_THREAD_SQL, {"thread_id": str(thread_id)}))

    async def aprune(
        self,
        thread_ids: Sequence[str],
        *,
        strategy: str = "keep_latest",
        last: int | None = None,
        newer_than: datetime | None = None,
    ) -> None:
        """Delete threads with `strategy="delete"`; else nothing, for there is nothing old."""
        for plan in self._pruned(thread_ids, strategy, last, newer_than):
            await self._write(plan, transaction=True)
