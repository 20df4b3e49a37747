"""A saver that keeps checkpoints in a SQLite database."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from langgraph_rust.checkpoint._writing.leases import Change, Held
from langgraph_rust.checkpoint._writing.leasing import Leasing
from langgraph_rust.checkpoint._writing.writer import SingleWriter
from langgraph_rust.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
    get_checkpoint_id,
    next_text_version,
)
from langgraph_rust.checkpoint.base._expiry import Expiring, chunks, limit
from langgraph_rust.checkpoint.base._failed import name_place
from langgraph_rust.checkpoint.base._prune import Keep
from langgraph_rust.checkpoint.serde.base import SerializerProtocol
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph_rust.checkpoint.sqlite import _expiry, _rows
from langgraph_rust.checkpoint.sqlite._commits import Commits
from langgraph_rust.checkpoint.sqlite._delta import read_history
from langgraph_rust.checkpoint.sqlite._prune import delete_for_runs, prune
from langgraph_rust.checkpoint.sqlite._single_writer import LeaseWork, checked, look_at_lease
from langgraph_rust.checkpoint.sqlite.utils import search_where

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import SuperstepWrites

__all__ = ("SqliteSaver",)

_PAGE = 32
"""Checkpoints that a search reads at once."""

_PATIENCE = 30
"""Seconds to wait for others who write to the database."""

_NO_ASYNC = (
    "The SqliteSaver does not support async methods. Consider using AsyncSqliteSaver instead:\n"
    "from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver\n"
    "It requires the aiosqlite package: `pip install aiosqlite`"
)


class SqliteSaver(BaseCheckpointSaver[str], Expiring, SingleWriter, Leasing):
    """Keeps checkpoints in a SQLite database, in tables that LangGraph's own saver shares.

    The database is put into WAL mode, and every call that stores is one transaction, on disk when
    it returns (unless the connection was set to less than SQLite's `synchronous=FULL`). Calls from
    several threads share commits. For use without asyncio.

    Args:
        conn: The connection. Made with `check_same_thread=False`, it may be used from any thread.
            How long it waits for other writers is its `timeout`.
        serde: Encodes values; a `JsonPlusSerializer` if left out.

    Raises:
        TypeError: it is given the path of a file, which `from_conn_string` opens.
    """

    linear_storage: bool | Collection[str] | None = None
    _is_linear = True
    conn: sqlite3.Connection
    is_setup: bool
    """Whether the tables are known to be there."""

    def __init__(
        self, conn: sqlite3.Connection, *, serde: SerializerProtocol | None = None
    ) -> None:
        _rows.check_connection(type(self).__name__, "sqlite3", conn)
        super().__init__(serde=serde)
        self.jsonplus_serde = JsonPlusSerializer()
        self.conn = conn
        self.is_setup = False
        self.lock = threading.Lock()
        self._commits = Commits()
        self._task_path = "task_path"

    @classmethod
    @contextmanager
    def from_conn_string(cls, conn_string: str) -> Iterator[SqliteSaver]:
        """Open a database for as long as a `with` block lasts.

        Args:
            conn_string: Path of the file, or `":memory:"`.
        """
        connection = sqlite3.connect(conn_string, timeout=_PATIENCE, check_same_thread=False)
        with closing(connection) as conn:
            saver = cls(conn)
            try:
                yield saver
            finally:
                saver.stop_ttl_sweeper()

    def setup(self) -> None:
        """Make the tables unless they are there. Called when needed.

        Raises:
            sqlite3.Error: the database cannot be used.
        """
        if not self.is_setup:
            self._task_path = _rows.set_up(self.conn)
            self.is_setup = True

    @contextmanager
    def cursor(self, transaction: bool = True) -> Iterator[sqlite3.Cursor]:
        """Give a cursor, with the connection to oneself; then commit, with `transaction`."""
        with self.lock:
            self.setup()
            with closing(self.conn.cursor()) as cursor:
                try:
                    yield cursor
                finally:
                    if transaction:
                        self.conn.commit()

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` names with all that belongs to it, or `None`.

        Without a `checkpoint_id`, that is the newest of the thread and namespace.
        """
        configurable = config["configurable"]
        thread_id = str(configurable["thread_id"])
        checkpoint_ns = configurable.get("checkpoint_ns", "")
        checkpoint_id = get_checkpoint_id(config)
        with self.lock:
            conn = self._connect()
            found = _rows.find(conn, thread_id, checkpoint_ns, checkpoint_id, self._task_path)
        return found and _rows.decoded(self.serde, found, config if checkpoint_id else None)

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
        where, parameters = search_where(config, filter, before)
        with self.lock:
            keys = _rows.search(self._connect(), where, parameters, limit)
        for start in range(0, len(keys), _PAGE):
            with self.lock:
                page = _rows.read(self._connect(), keys[start : start + _PAGE], self._task_path)
            for found in page:
                yield _rows.decoded(self.serde, found)

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
            new_versions: Not used: all values are in the one row.
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
        rows = _rows.superstep_rows(self.serde, config, writes)
        row = _rows.checkpoint_row(self.serde, config, checkpoint, metadata)
        work = _rows.store(rows, row)
        self._put(work, config, [write[:2] for write in writes], checkpoint["id"])
        configurable = config["configurable"]
        return _rows.address_of(
            configurable["thread_id"], configurable["checkpoint_ns"], checkpoint["id"]
        )

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
        rows = _rows.write_rows(self.serde, _rows.place(config), writes, task_id, task_path)
        wrote = [(config["configurable"]["checkpoint_id"], task_id)]
        self._put(_rows.store([rows]), config, wrote)

    def delete_thread(self, thread_id: str) -> None:
        """Delete everything stored for a thread; does nothing if there is nothing."""
        self._store(_rows.delete_thread(str(thread_id)))

    def delete_expired(self, ttl: timedelta, *, now: datetime | None = None) -> list[str]:
        """Delete the threads that nobody has gone on with for some time; return their ids.

        A thread's age is that of its newest checkpoint, in whichever namespace, by its id. One that
        becomes newer meanwhile stays.

        Args:
            ttl: How old the newest checkpoint must be; much longer than a run takes.
            now: The time that ages are counted from; the clock's if left out.

        Raises:
            TypeError: `ttl` is no `timedelta`.
            ValueError: it is not positive, or `now` has no time zone.
        """
        below, deleted = limit(ttl, now), []
        with self.lock:
            found = _expiry.find(self._connect(), below)
        for chunk in chunks(found):
            deletion = _expiry.Deletion(chunk, below)
            self._store(deletion)
            deleted += deletion.deleted
        return deleted

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints that runs have left, and the writes on them.

        Raises:
            ValueError: checkpoints that stay are rebuilt from these; nothing is deleted. In drop-in
                mode all are.
        """
        self._store(delete_for_runs(self.serde, run_ids))

    def prune(
        self,
        thread_ids: Sequence[str],
        *,
        strategy: str = "keep_latest",
        last: int | None = None,
        newer_than: datetime | None = None,
    ) -> None:
        """Delete old checkpoints of the given threads, and the writes on them.

        Of each namespace the newest `last` stay, those that were made at `newer_than` or later, and
        what the values of these are rebuilt from. `strategy="delete"` deletes everything. Each
        thread is a transaction of its own.

        Raises:
            TypeError: `thread_ids` is one text, or what is to stay of another type.
            ValueError: no strategy is called so, or what is to stay makes no sense: `"delete"`
                keeps nothing.
        """
        for work in prune(self.serde, thread_ids, Keep.read(strategy, last, newer_than)):
            self._store(work)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all checkpoints and writes of a thread to another."""
        self._store(_rows.copy_thread(source_thread_id, target_thread_id))

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return what rebuilds delta channels as of the checkpoint that `config` names (beta)."""
        if not channels:
            return {}
        address = _rows.address(config)
        with self.lock:
            return read_history(self._connect(), self.serde, address, channels, self._task_path)

    def get_next_version(self, current: str | None, channel: None) -> str:
        """Return the version after `current`; see `next_text_version`. `channel` is unused."""
        return next_text_version(current)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Not supported; raises `NotImplementedError`."""
        raise NotImplementedError(_NO_ASYNC)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Not supported; raises `NotImplementedError`."""
        raise NotImplementedError(_NO_ASYNC)
        yield

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Not supported; raises `NotImplementedError`."""
        raise NotImplementedError(_NO_ASYNC)

    # --- helpers ---

    # The lock is taken by a `with` statement wherever it is needed: an interrupt that arrives while
    # a function takes it for its caller would leave it held.

    def _connect(self) -> sqlite3.Connection:
        """Give the connection; only with the lock."""
        self.setup()
        return self.conn

    def _put(
        self,
        work: _rows.Work,
        config: RunnableConfig,
        wrote: Sequence[tuple[str, str]],
        made: str | None = None,
    ) -> None:
        try:
            self._store(checked(self, config, made, work, wrote))
        except sqlite3.Error as error:
            name_place(error, config, made)
            raise

    def _store(self, work: _rows.Work) -> None:
        self._commits.store(work, self.lock, self._connect)

    def _change_lease(self, thread_id: str, change: Change) -> Any:
        work = LeaseWork(thread_id, change)
        self._store(work)
        return work.answer

    def _look_at_lease(self, thread_id: str) -> tuple[Held, float]:
        with self.lock:
            return look_at_lease(self._connect(), thread_id)
