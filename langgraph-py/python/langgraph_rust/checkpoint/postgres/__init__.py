"""A saver that keeps checkpoints in a Postgres database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from langgraph_rust.checkpoint._extras import missing

try:
    import psycopg  # noqa: F401
    import psycopg_pool  # noqa: F401
except ModuleNotFoundError as error:
    raise missing(error, __name__) from error

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
from langgraph_rust.checkpoint.postgres import (
    _delta,
    _internal,
    _plans,
    _prune,
    _reads,
    _runs,
    _single_writer,
    _sql,
)
from langgraph_rust.checkpoint.postgres._rows import address_of
from langgraph_rust.checkpoint.postgres._sync import SyncPostgres
from langgraph_rust.checkpoint.postgres.base import _DELTA_PAGE_SIZE, BasePostgresSaver
from langgraph_rust.checkpoint.postgres.shallow import ShallowPostgresSaver

if TYPE_CHECKING:
    from datetime import datetime

    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import SuperstepWrites

__all__ = ("BasePostgresSaver", "Conn", "PostgresSaver", "ShallowPostgresSaver")

Conn = _internal.Conn
"""What a saver may be given: a connection whose rows are dicts, or a pool of such connections."""


class PostgresSaver(SyncPostgres, SingleWriter, Leasing):
    """Keeps checkpoints in a Postgres database, in tables that LangGraph's own saver shares.

    Every call that stores is one transaction and one round trip. Values are encoded before a
    connection is taken, and decoded after it is given back. For use without asyncio, from any
    thread.

    Args:
        conn: A connection of psycopg with `autocommit=True`, or a pool of such, which serves as
            many calls at a time as it has connections. Statements are prepared as its
            `prepare_threshold` says; behind PgBouncer, that may have to be `None`.
        pipe: The pipeline that a connection is in, if it is in one.
        serde: Encodes values; a `JsonPlusSerializer` if left out.

    Raises:
        ValueError: a pool has no pipeline.
    """

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` names with all that belongs to it, or `None`.

        Without a `checkpoint_id`, that is the newest of the thread and namespace.
        """
        found = self._read(partial(_reads.find, self, config))
        rows = found.settled(self)
        return self._load_checkpoint_tuple(rows[0]) if rows else None

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Yield checkpoints, newest first. The saver can be used meanwhile.

        Args:
            config: Limits them to its thread and, if it has them, namespace and id; `None` for all.
            filter: Metadata entries they must have.
            before: Names a checkpoint; only older ones are returned.
            limit: How many to return at most.
        """
        search = _reads.Search(self, config, filter, before, limit)
        while not search.is_over:
            found = self._read(search.next_page)
            for row in found.settled(self):
                yield self._load_checkpoint_tuple(row)

    def put(
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
        return self.put_superstep(config, checkpoint, metadata, new_versions, ())

    def put_superstep(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
        writes: Sequence[SuperstepWrites],
    ) -> RunnableConfig:
        """Store a checkpoint and the writes before it in one transaction; see `put`.

        Args:
            config: As for `put`.
            checkpoint: As for `put`.
            metadata: As for `put`.
            new_versions: As for `put`.
            writes: For each task the id of the checkpoint that it wrote on, its own id, its path,
                and `(channel, value)` pairs.

        Raises:
            ThreadConflictError: the thread was gone on with meanwhile; see `single_writer`.
        """
        claim = claim_of(self, config, checkpoint["id"], [write[:2] for write in writes])
        given = config, checkpoint, metadata, new_versions, writes, claim
        self._put(self._checkpoint_batches(*given), config, checkpoint["id"], claim)
        return address_of(config, checkpoint["id"])

    def put_writes(
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
            ThreadConflictError: as for `put_superstep`.
        """
        wrote = [(config["configurable"]["checkpoint_id"], task_id)]
        claim = claim_of(self, config, None, wrote)
        batches = self._write_batches(config, writes, task_id, task_path, claim)
        self._put(batches, config, claim=claim)

    def delete_thread(self, thread_id: str) -> None:
        """Delete everything stored for a thread; does nothing if there is nothing."""
        self._write(_plans.write(_sql.DELETE_THREAD_SQL, {"thread_id": str(thread_id)}))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints that runs have left, and what only they needed.

        Raises:
            ValueError: checkpoints that stay are rebuilt from these; nothing is deleted. In drop-in
                mode all are.
        """
        self._write(_runs.delete_for_runs(_prune.run_ids_of(run_ids)), transaction=True)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy everything stored for a thread to another; what is there already stays."""
        named = {"source": str(source_thread_id), "target": str(target_thread_id)}
        self._write(_plans.write(_sql.COPY_THREAD_SQL, named))

    def prune(
        self,
        thread_ids: Sequence[str],
        *,
        strategy: str = "keep_latest",
        last: int | None = None,
        newer_than: datetime | None = None,
    ) -> None:
        """Delete old checkpoints of threads, and what only they needed.

        `"delete"` deletes all there is of the threads, in one transaction.

        `"keep_latest"` leaves the newest checkpoints of each namespace with the writes on them, and
        what the values of these are rebuilt from; the oldest has no parent then. The namespace of a
        subgraph's call goes with the checkpoint that the call began on. Each thread is a
        transaction of its own on one snapshot, so a run may go on with it meanwhile, but not fork
        or replay from what is deleted.

        Args:
            thread_ids: Their ids.
            strategy: `"keep_latest"` or `"delete"`.
            last: How many checkpoints of each namespace stay; one if left out.
            newer_than: Those that were made at this time or later stay, too.

        Raises:
            TypeError: `thread_ids` is one text, or what is to stay of another type.
            ValueError: there is no such strategy, or what is to stay makes no sense: `"delete"`
                keeps nothing.
            NotImplementedError: a thread has a delta channel of LangGraph.js, or, in drop-in mode
                and with neither `last` nor `newer_than`, any: so LangGraph answers. Nothing is
                deleted, unless it has one only since.
            psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected: others delete
                from a thread at the same time. Threads before it are pruned; trying again is safe.
        """
        pruning = _prune.Pruning.read(thread_ids, strategy, last, newer_than)
        self._read(pruning.refuse)
        for plan in pruning.plans():
            self._write(plan, transaction=True)

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return what rebuilds delta channels as of the checkpoint that `config` names (beta)."""
        if not channels:
            return {}
        given = _reads.address(config), [*dict.fromkeys(channels)], self._ingest_stage1_page
        history = self._read(partial(_delta.find_history, *given, _DELTA_PAGE_SIZE))
        return _delta.decoded(self.serde, history)

    def _load_checkpoint_tuple(self, value: dict[str, Any]) -> CheckpointTuple:
        return self._decoded(value)

    def _change_lease(self, thread_id: str, change: Change) -> Any:
        try:
            plan = _single_writer.change_lease(thread_id, change)
            return self._write(plan, transaction=True)
        except _single_writer.NO_TABLE:
            self._write(_single_writer.make_table())
        plan = _single_writer.change_lease(thread_id, change)
        return self._write(plan, transaction=True)

    def _look_at_lease(self, thread_id: str) -> tuple[Held, float]:
        return self._read(partial(_single_writer.look_at_lease, thread_id))
