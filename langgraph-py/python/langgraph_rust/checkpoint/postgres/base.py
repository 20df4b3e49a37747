"""What the Postgres savers share: rows to values and back, and what is searched for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from langgraph_rust.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
    next_text_version,
    writes_sort_key,
)
from langgraph_rust.checkpoint.postgres import _rows, _single_writer, _sql
from langgraph_rust.checkpoint.postgres._delta import Walk
from langgraph_rust.checkpoint.postgres._plans import Batch, Rows
from langgraph_rust.checkpoint.postgres._prune import (
    PRUNE_BLOBS_SQL,
    PRUNE_CHECKPOINTS_SQL,
    PRUNE_DELETE_THREADS_SQL,
    PRUNE_DELTA_THREADS_SQL,
    PRUNE_HEADS_SQL,
    PRUNE_PARENTS_SQL,
    PRUNE_REFERENCED_BLOBS_SQL,
    PRUNE_SNAPSHOT_SQL,
    PRUNE_STRATEGIES,
    PRUNE_SUBGRAPH_CALLS_SQL,
    PRUNE_UNKEPT_SQL,
    PRUNE_WRITES_SQL,
)
from langgraph_rust.checkpoint.postgres._sql import (
    INSERT_CHECKPOINT_WRITES_SQL,
    MIGRATIONS,
    SELECT_PENDING_SENDS_SQL,
    SELECT_SQL,
    UPSERT_CHECKPOINT_BLOBS_SQL,
    UPSERT_CHECKPOINT_WRITES_SQL,
    UPSERT_CHECKPOINTS_SQL,
)
from langgraph_rust.checkpoint.serde._channels import dump_channel, in_checkpoint, load_channel
from langgraph_rust.checkpoint.serde.types import TASKS

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint._writing.claim import Claim
    from langgraph_rust.checkpoint.base import SuperstepWrites

__all__ = (
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
)

MetadataInput = dict[str, Any] | None
"""Metadata entries to search for."""

_DELTA_PAGE_SIZE = 1024
"""Ancestors that are read at once for the history of delta channels."""

_STORING_SQL = {
    name: getattr(_sql, name)
    for name in (
        "UPSERT_CHECKPOINT_BLOBS_SQL",
        "UPSERT_CHECKPOINTS_SQL",
        "UPSERT_CHECKPOINT_WRITES_SQL",
        "INSERT_CHECKPOINT_WRITES_SQL",
    )
}


class BasePostgresSaver(BaseCheckpointSaver[str]):
    """What is the same whichever way Postgres is reached.

    A subclass may have statements of its own, with the parameters and columns of those here.
    """

    SELECT_SQL = SELECT_SQL
    """Checkpoints with their values and pending writes."""
    SELECT_PENDING_SENDS_SQL = SELECT_PENDING_SENDS_SQL
    """Packets written on some checkpoints."""
    MIGRATIONS = MIGRATIONS
    """What `setup` does to a database, in order."""
    UPSERT_CHECKPOINT_BLOBS_SQL = UPSERT_CHECKPOINT_BLOBS_SQL
    """Stores a channel's value."""
    UPSERT_CHECKPOINTS_SQL = UPSERT_CHECKPOINTS_SQL
    """Stores a checkpoint."""
    UPSERT_CHECKPOINT_WRITES_SQL = UPSERT_CHECKPOINT_WRITES_SQL
    """Stores a write that may come again with another value."""
    INSERT_CHECKPOINT_WRITES_SQL = INSERT_CHECKPOINT_WRITES_SQL
    """Stores a write; one that is there stays."""

    _CHECKPOINT_ID = "checkpoint_id"
    """What gives a checkpoint's id, in SQL."""

    supports_pipeline: bool
    """Whether the client's libpq can send statements without waiting for each."""
    linear_storage: bool | Collection[str] | None = None
    _is_linear = True

    def get_next_version(self, current: str | None, channel: None) -> str:
        """Return the version after `current`; see `next_text_version`. `channel` is unused."""
        return next_text_version(current)

    # --- for subclasses; names and rows are upstream's ---

    def _dump_blobs(
        self,
        thread_id: str,
        checkpoint_ns: str,
        values: dict[str, Any],
        versions: ChannelVersions,
    ) -> list[tuple[str, str, str, str, str, bytes | None]]:
        """Encode the values of the channels that have a new version."""
        rows: list[tuple[str, str, str, str, str, bytes | None]] = []
        for channel, version in versions.items():
            kind, value = "empty", None
            if channel in values:
                kind, value = dump_channel(self.serde, channel, values[channel])
            rows.append((thread_id, checkpoint_ns, channel, str(version), kind, value))
        return rows

    def _load_blobs(self, blob_values: Sequence[tuple[bytes, bytes, bytes]]) -> dict[str, Any]:
        """Decode values: channel, type and value of each."""
        return {
            (name := channel.decode()): load_channel(self.serde, name, (kind.decode(), value))
            for channel, kind, value in blob_values or ()
            if kind != b"empty"
        }

    def _dump_writes(
        self,
        thread_id: str,
        checkpoint_ns: str,
        checkpoint_id: str,
        task_id: str,
        task_path: str,
        writes: Sequence[tuple[str, Any]],
    ) -> list[tuple[str, str, str, str, str, int, str, str, bytes]]:
        """Encode a task's writes."""
        place = thread_id, checkpoint_ns, checkpoint_id, task_id, task_path
        return [
            (
                *(*place, WRITES_IDX_MAP.get(channel, index), channel),
                *dump_channel(self.serde, channel, value),
            )
            for index, (channel, value) in enumerate(writes)
        ]

    def _load_writes(
        self, writes: Sequence[tuple[bytes, bytes, bytes, bytes, bytes, bytes]] | None
    ) -> list[tuple[str, str, Any]]:
        """Decode writes: task, channel, type, value, path and index of each; in their order."""

        def order(write: tuple[bytes, ...]) -> tuple[str, str, int]:
            return writes_sort_key(write[4].decode(), write[0].decode(), int(write[5]))

        return [
            (
                task_id.decode(),
                (name := channel.decode()),
                load_channel(self.serde, name, (kind.decode(), value)),
            )
            for task_id, channel, kind, value, _, _ in sorted(writes or (), key=order)
        ]

    def _migrate_pending_sends(
        self,
        pending_sends: Sequence[tuple[bytes, bytes]],
        checkpoint: dict[str, Any],
        channel_values: list[Any],
    ) -> None:
        """Give a checkpoint of a format before 4 the packets that are written on its parent."""
        if not pending_sends:
            return
        sends = [self.serde.loads_typed((kind.decode(), value)) for kind, value in pending_sends]
        kind, value = self.serde.dumps_typed(sends)
        channel_values.append((TASKS.encode(), kind.encode(), value))
        versions = checkpoint["channel_versions"]
        newest = max(versions.values()) if versions else self.get_next_version(None, None)
        versions[TASKS] = newest

    def _search_where(
        self,
        config: RunnableConfig | None,
        filter: MetadataInput,
        before: RunnableConfig | None = None,
    ) -> tuple[str, list[Any]]:
        """Return the condition that `list` searches with, `WHERE` included, and its parameters."""
        conditions: list[tuple[str, Any]] = []
        if config:
            configurable = config["configurable"]
            conditions.append(("thread_id = %s", str(configurable["thread_id"])))
            checkpoint_ns = configurable.get("checkpoint_ns")
            if checkpoint_ns is not None:
                conditions.append(("checkpoint_ns = %s", checkpoint_ns))
            if checkpoint_id := get_checkpoint_id(config):
                conditions.append(("checkpoint_id = %s", checkpoint_id))
        if filter:
            conditions.append(("metadata @> %s", _rows.as_json(filter)))
        if before is not None:
            conditions.append(("checkpoint_id < %s", get_checkpoint_id(before)))
        if not conditions:
            return "", []
        texts, parameters = zip(*conditions, strict=True)
        return "WHERE " + " AND ".join(texts), [*parameters]

    @staticmethod
    def _ingest_stage1_page(rows: Rows, walk: Walk) -> str | None:
        """Take a page of ancestors into a walk; return where the next page begins, if anywhere."""
        return walk.take_in(rows)

    def _decoded(self, row: Mapping[str, Any]) -> CheckpointTuple:
        """Decode a row that `SELECT_SQL` gives.

        Raises:
            StoredValueError: something cannot be read; it says what, of which checkpoint.
        """
        try:
            return self._read_row(row)
        except ValueError as error:
            place = row["thread_id"], row["checkpoint_ns"], row["checkpoint_id"]
            raise in_checkpoint(error, place) from error.__cause__

    def _read_row(self, row: Mapping[str, Any]) -> CheckpointTuple:
        def named(checkpoint_id: str) -> RunnableConfig:
            return {
                "configurable": {
                    "thread_id": row["thread_id"],
                    "checkpoint_ns": row["checkpoint_ns"],
                    "checkpoint_id": checkpoint_id,
                }
            }

        checkpoint: Checkpoint = row["checkpoint"]
        parent_id = row["parent_checkpoint_id"]
        values = {
            **(checkpoint.get("channel_values") or {}),
            **self._load_blobs(row["channel_values"]),
        }
        return CheckpointTuple(
            named(row["checkpoint_id"]),
            {**checkpoint, "channel_values": values},
            row["metadata"],
            named(parent_id) if parent_id else None,
            self._load_writes(row["pending_writes"]),
        )

    # --- what is stored: batches, each a statement and its rows, to be one transaction ---

    def _checkpoint_batches(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
        writes: Iterable[SuperstepWrites],
        claim: Claim | None = None,
    ) -> list[Batch]:
        """Encode a checkpoint and the writes before it; see `_batches`."""
        configurable = config["configurable"]
        thread = str(configurable["thread_id"]), configurable["checkpoint_ns"]
        groups = [
            self._task_rows((*thread, before), own, task_id, task_path)
            for before, task_id, task_path, own in writes
        ]
        rest, values = _rows.split(checkpoint)
        versions = {name: new for name, new in new_versions.items() if name in values}
        blobs = self._dump_blobs(*thread, values, versions)
        return self._batches(groups, blobs, _rows.checkpoint_row(config, rest, metadata), claim)

    def _write_batches(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        path: str,
        claim: Claim | None = None,
    ) -> list[Batch]:
        """Encode a task's writes; see `_batches`."""
        rows = self._task_rows(_rows.place(config), writes, task_id, path)
        return self._batches([rows], claim=claim)

    def _task_rows(
        self, place: tuple[str, str, str], writes: Sequence[tuple[str, Any]], task: str, path: str
    ) -> _rows.WriteRows:
        replaces = all(channel in WRITES_IDX_MAP for channel, _ in writes)
        return _rows.WriteRows(replaces, self._dump_writes(*place, task, path, writes))

    def _batches(
        self,
        groups: Sequence[_rows.WriteRows],
        blobs: Sequence[_rows.Row] = (),
        checkpoint: _rows.Row | None = None,
        claim: Claim | None = None,
    ) -> list[Batch]:
        """Put rows into statements. With a claim, the last one tells if they were stored."""
        is_standard = all(getattr(self, name) is sql for name, sql in _STORING_SQL.items())
        if is_standard and _rows.fits_one(groups, blobs):
            keep, replace = _rows.settle(groups)
            guard = claim and _single_writer.guard_of(claim)
            statement = _rows.joined(keep, replace, blobs, checkpoint, guard)
            return [statement] if statement else []
        # A subclass has statements of its own, or one would be too large.
        keep_sql, replace_sql = self.INSERT_CHECKPOINT_WRITES_SQL, self.UPSERT_CHECKPOINT_WRITES_SQL
        batches: list[Batch] = [
            (replace_sql if group.replaces else keep_sql, group.rows) for group in groups
        ]
        batches.append((self.UPSERT_CHECKPOINT_BLOBS_SQL, blobs))
        batches.append((self.UPSERT_CHECKPOINTS_SQL, [checkpoint] if checkpoint else []))
        batches = [batch for batch in batches if batch[1]]
        if claim is not None and batches:
            # Without the condition: it is asked before.
            guard = _single_writer.guard_of(claim)
            return [(guard.sql, [guard.parameters]), *batches]
        return batches
