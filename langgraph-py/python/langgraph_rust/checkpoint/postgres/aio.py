"""The saver for asyncio programs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from langgraph_rust.checkpoint._writing.claim import claim_of
from langgraph_rust.checkpoint._writing.leases import Change, Held
from langgraph_rust.checkpoint._writing.leasing import Leasing
from langgraph_rust.checkpoint._writing.writer import SingleWriter
from langgraph_rust.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
)
from langgraph_rust.checkpoint.base._elsewhere import SyncFromElsewhere, call_from_elsewhere
from langgraph_rust.checkpoint.postgres import (
    _ainternal,
    _delta,
    _plans,
    _prune,
    _reads,
    _runs,
    _single_writer,
    _sql,
)
from langgraph_rust.checkpoint.postgres._async import AsyncPostgres
from langgraph_rust.checkpoint.postgres._rows import address_of
from langgraph_rust.checkpoint.postgres.base import _DELTA_PAGE_SIZE
from langgraph_rust.checkpoint.postgres.shallow import AsyncShallowPostgresSaver

if TYPE_CHECKING:
    from datetime import datetime

    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import SuperstepWrites

__all__ = ("AsyncPostgresSaver", "AsyncShallowPostgresSaver", "Conn")

Conn = _ainternal.Conn
"""What a saver may be given: an async connection whose rows are dicts, or a pool of such."""


class AsyncPostgresSaver(SyncFromElsewhere, AsyncPostgres, SingleWriter, Leasing):
    """Keeps checkpoints in a Postgres database, in tables that LangGraph's own saver shares.

    As `PostgresSaver`, for asyncio: calls wait for each other only where they share a connection.
    The sync methods work in other threads than the event loop's.

    Args:
        conn: An async connection of psycopg with `autocommit=True`, or a pool of such; see
            `PostgresSaver`.
        pipe: The pipeline that a connection is in, if it is in one.
        serde: Encodes values; a `JsonPlusSerializer` if left out.

    Raises:
        ValueError: a pool has no pipeline.
    """

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` names with all that belongs to it, or `None`.

        Without a `checkpoint_id`, that is the newest of the thread and namespace.
        """
        found = await self._read(partial(_reads.find, self, config))
        rows = found.settled(self)
        return await self._load_checkpoint_tuple(rows[0]) if rows else None

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Yield checkpoints, newest first. The saver can be used meanwhile.

        Args:
            config: Limits them to its thread and, if it has them, namespace and id; `None` for all.
            filter: Metadata entries they must have.
            before: Names a checkpoint; only older ones are returned.
            limit: How many to return at most.
        """
        search = _reads.Search(self, config, filter, before, limit)
        while not search.is_over:
            found = await self._read(search.next_page)
            for row in found.settled(self):
                yield await self._load_checkpoint_tuple(row)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint and return the config that names it.

        Args:
            config: Thread and namespace, and the parent's id as `checkpoint_id`.
            checkpoint: What to store.
            metadata: Facts about it.
            new_versions: The channels whose version changed since the parent; the values of the
                others are stored already.
        """
        return await self.aput_superstep(config, checkpoint, metadata, new_versions, ())

    async def aput_superstep(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
        writes: Sequence[SuperstepWrites],
    ) -> RunnableConfig:
        """Store a checkpoint and the writes before it in one transaction; see `aput`.

        Args:
            config: As for `aput`.
            checkpoint: As for `aput`.
            metadata: As for `aput`.
            new_versions: As for `aput`.
            writes: For each task the id of the checkpoint that it wrote on, its own id, its path,
                and `(channel, value)` pairs.

        Raises:
            ThreadConflictError: the thread was gone on with meanwhile; see `single_writer`.
        """
        claim = claim_of(self, config, checkpoint["id"], [write[:2] for write in writes])
        given = config, checkpoint, metadata, new_versions, writes, claim
        await self._put(self._checkpoint_batches(*given), config, checkpoint["id"], claim)
        return address_of(config, checkpoint["id"])

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store what a task wrote on top of the checkpoint that `config` names.

        Writes to reserved channels replace earlier ones; of the others, those stored first stay.

        Args:
            config: Thread, namespace and id of the checkpoint.
            writes: `(channel, value)` pairs.
            task_id: Id of the task.
            task_path: Path of the task, which decides the order among tasks.

        Raises:
            ThreadConflictError: as for `aput_superstep`.
        """
        wrote = [(config["configurable"]["checkpoint_id"], task_id)]
        claim = claim_of(self, config, None, wrote)
        batches = self._write_batches(config, writes, task_id, task_path, claim)
        await self._put(batches, config, claim=claim)

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete everything stored for a thread; does nothing if there is nothing."""
        await self._write(_plans.write(_sql.DELETE_THREAD_SQL, {"thread_id": str(thread_id)}))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints that runs have left, and what only they needed.

        Raises:
            ValueError: checkpoints that stay are rebuilt from these; nothing is deleted. In drop-in
                mode all are.
        """
        await self._write(_runs.delete_for_runs(_prune.run_ids_of(run_ids)), transaction=True)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy everything stored for a thread to another; what is there already stays."""
        named = {"source": str(source_thread_id), "target": str(target_thread_id)}
        await self._write(_plans.write(_sql.COPY_THREAD_SQL, named))

    async def aprune(
        self,
        thread_ids: Sequence[str],
        *,
        strategy: str = "keep_latest",
        last: int | None = None,
        newer_than: datetime | None = None,
    ) -> None:
        """Delete old checkpoints of threads, and what only they needed.

        See `PostgresSaver.prune` for what stays, and what is raised.

        Args:
            thread_ids: Their ids.
            strategy: `"keep_latest"` or `"delete"`.
            last: How many checkpoints of each namespace stay; one if left out.
            newer_than: Those that were made at this time or later stay, too.
        """
        pruning = _prune.Pruning.read(thread_ids, strategy, last, newer_than)
        await self._read(pruning.refuse)
        for plan in pruning.plans():
            await self._write(plan, transaction=True)

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return what rebuilds delta channels as of the checkpoint that `config` names (beta)."""
        if not channels:
            return {}
        given = _reads.address(config), [*dict.fromkeys(channels)], self._ingest_stage1_page
        history = await self._read(partial(_delta.find_history, *given, _DELTA_PAGE_SIZE))
        return _delta.decoded(self.serde, history)

    async def _load_checkpoint_tuple(self, value: dict[str, Any]) -> CheckpointTuple:
        return self._decoded(value)

    # --- for other threads ---

    def put_superstep(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
        writes: Sequence[SuperstepWrites],
    ) -> RunnableConfig:
        """`aput_superstep`, for other threads than the event loop's."""
        given = config, checkpoint, metadata, new_versions, writes
        return call_from_elsewhere(self, partial(self.aput_superstep, *given))

    async def _achange_lease(self, thread_id: str, change: Change) -> Any:
        try:
            plan = _single_writer.change_lease(thread_id, change)
            return await self._write(plan, transaction=True)
        except _single_writer.NO_TABLE:
            await self._write(_single_writer.make_table())
        plan = _single_writer.change_lease(thread_id, change)
        return await self._write(plan, transaction=True)

    async def _alook_at_lease(self, thread_id: str) -> tuple[Held, float]:
        return await self._read(partial(_single_writer.look_at_lease, thread_id))

    def _change_lease(self, thread_id: str, change: Change) -> Any:
        return call_from_elsewhere(self, partial(self._achange_lease, thread_id, change))

    def _look_at_lease(self, thread_id: str) -> tuple[Held, float]:
        return call_from_elsewhere(self, partial(self._alook_at_lease, thread_id))
