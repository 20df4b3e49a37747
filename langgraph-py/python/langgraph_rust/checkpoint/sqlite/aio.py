"""The saver for asyncio programs: SQLite in a thread of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph_rust.checkpoint._extras import missing

try:
    import aiosqlite
except ModuleNotFoundError as error:
    raise missing(error, __name__) from error

from langgraph_rust.checkpoint._writing.leases import Change, Held
from langgraph_rust.checkpoint._writing.leasing import Leasing
from langgraph_rust.checkpoint._writing.writer import SingleWriter
from langgraph_rust.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
    get_checkpoint_id,
    next_text_version,
)
from langgraph_rust.checkpoint.base._aexpiry import AsyncExpiring
from langgraph_rust.checkpoint.base._elsewhere import SyncFromElsewhere, call_from_elsewhere
from langgraph_rust.checkpoint.base._expiry import chunks, limit
from langgraph_rust.checkpoint.base._failed import name_place
from langgraph_rust.checkpoint.base._prune import Keep
from langgraph_rust.checkpoint.serde.base import SerializerProtocol
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph_rust.checkpoint.sqlite import _PAGE, _PATIENCE, _expiry, _rows
from langgraph_rust.checkpoint.sqlite._commits import Commits
from langgraph_rust.checkpoint.sqlite._delta import read_history
from langgraph_rust.checkpoint.sqlite._prune import delete_for_runs, prune
from langgraph_rust.checkpoint.sqlite._single_writer import LeaseWork, checked, look_at_lease
from langgraph_rust.checkpoint.sqlite.utils import search_where

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import SuperstepWrites

__all__ = ("AsyncSqliteSaver",)

T = TypeVar("T")


def connect(conn_string: str, **options: Any) -> aiosqlite.Connection:
    """Make a connection that waits for other writers, and whose thread no process waits for.

    Args:
        conn_string: Path of the file, or `":memory:"`.
        options: What else `sqlite3.connect` takes.
    """
    connection = aiosqlite.connect(conn_string, timeout=_PATIENCE, **options)
    # Before aiosqlite 0.22 the connection is the thread.
    thread: Any = getattr(connection, "_thread", connection)
    thread.daemon = True
    return connection


class AsyncSqliteSaver(SyncFromElsewhere, AsyncExpiring, SingleWriter, Leasing):
    """Keeps checkpoints in a SQLite database, in tables that LangGraph's own saver shares.

    As `SqliteSaver`, for asyncio: the database is used in the connection's thread, with one trip
    there per call. The sync methods work in other threads than the event loop's.

    Args:
        conn: The connection of `aiosqlite`.
        serde: Encodes values; a `JsonPlusSerializer` if left out.

    Raises:
        TypeError: it is given the path of a file, which `from_conn_string` opens.
    """

    linear_storage: bool | Collection[str] | None = None
    _is_linear = True
    lock: asyncio.Lock
    """Held while the connection is used."""
    is_setup: bool
    """Whether the tables are known to be there."""
    _path: str | None = None

    def __init__(
        self, conn: aiosqlite.Connection, *, serde: SerializerProtocol | None = None
    ) -> None:
        _rows.check_connection(type(self).__name__, "aiosqlite", conn)
        super().__init__(serde=serde)
        self.jsonplus_serde = JsonPlusSerializer()
        self.conn = conn
        self.lock = asyncio.Lock()
        self.loop = asyncio.get_running_loop()
        self.is_setup = False
        self._commits = Commits()
        self._task_path = "task_path"

    @classmethod
    @asynccontextmanager
    async def from_conn_string(cls, conn_string: str) -> AsyncIterator[AsyncSqliteSaver]:
        """Open a database for as long as an `async with` block lasts.

        A process that ends within the block is not kept by the connection's thread.

        Args:
            conn_string: Path of the file, or `":memory:"`.
        """
        async with connect(conn_string) as conn:
            saver = cls(conn)
            saver._path = conn_string
            try:
                yield saver
            finally:
                await saver.stop_ttl_sweeper()

    async def setup(self) -> None:
        """Make the tables unless they are there. Called when needed.

        Raises:
            sqlite3.Error: the database cannot be used.
        """
        async with self.lock:
            if not self.is_setup:
                if self.conn._connection is None:
                    await self.conn
                self._task_path = await self._trip(_rows.set_up)
                self.is_setup = True

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` names with all that belongs to it, or `None`.

        Without a `checkpoint_id`, that is the newest of the thread and namespace.
        """
        await self._ready()
        thread_id, checkpoint_ns, _ = _rows.address(config)
        checkpoint_id = get_checkpoint_id(config)
        found = await self._in_thread(
            _rows.find, thread_id, checkpoint_ns, checkpoint_id, self._task_path
        )
        return found and _rows.decoded(self.serde, found, config if checkpoint_id else None)

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
        await self._ready()
        where, parameters = search_where(config, filter, before)
        keys = await self._in_thread(_rows.search, where, parameters, limit)
        for start in range(0, len(keys), _PAGE):
            own = keys[start : start + _PAGE]
            for found in await self._in_thread(_rows.read, own, self._task_path):
                yield _rows.decoded(self.serde, found)

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
            new_versions: Not used: all values are in the one row.
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
        rows = _rows.superstep_rows(self.serde, config, writes)
        row = _rows.checkpoint_row(self.serde, config, checkpoint, metadata)
        work = _rows.store(rows, row)
        await self._put(work, config, [write[:2] for write in writes], checkpoint["id"])
        configurable = config["configurable"]
        return _rows.address_of(
            configurable["thread_id"], configurable["checkpoint_ns"], checkpoint["id"]
        )

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
        rows = _rows.write_rows(self.serde, _rows.place(config), writes, task_id, task_path)
        wrote = [(config["configurable"]["checkpoint_id"], task_id)]
        await self._put(_rows.store([rows]), config, wrote)

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete everything stored for a thread; does nothing if there is nothing."""
        await self._store(_rows.delete_thread(str(thread_id)))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints that runs have left, and the writes on them.

        Raises:
            ValueError: checkpoints that stay are rebuilt from these; nothing is deleted. In drop-in
                mode all are.
        """
        await self._store(delete_for_runs(self.serde, run_ids))

    async def adelete_expired(self, ttl: timedelta, *, now: datetime | None = None) -> list[str]:
        """Delete the threads that nobody has gone on with for some time; return their ids.

        See `SqliteSaver.delete_expired`.
        """
        below, deleted = limit(ttl, now), []
        await self._ready()
        for chunk in chunks(await self._in_thread(_expiry.find, below)):
            deletion = _expiry.Deletion(chunk, below)
            await self._store(deletion)
            deleted += deletion.deleted
        return deleted

    async def aprune(
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
            ValueError: no strategy is called so, or what is to stay makes no sense.
        """
        for work in prune(self.serde, thread_ids, Keep.read(strategy, last, newer_than)):
            await self._store(work)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all checkpoints and writes of a thread to another."""
        await self._store(_rows.copy_thread(source_thread_id, target_thread_id))

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return what rebuilds delta channels as of the checkpoint that `config` names (beta)."""
        if not channels:
            return {}
        await self._ready()
        address = _rows.address(config)
        return await self._in_thread(read_history, self.serde, address, channels, self._task_path)

    def get_next_version(self, current: str | None, channel: None) -> str:
        """Return the version after `current`; see `next_text_version`. `channel` is unused."""
        return next_text_version(current)

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

    # --- helpers ---

    async def _ready(self) -> None:
        if not self.is_setup:
            await self.setup()

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        """Call `work` in the connection's thread with what `sqlite3` has, to oneself."""
        async with self.lock:
            return await self._trip(work, *arguments)

    async def _trip(self, work: Callable[..., T], *arguments: Any) -> T:
        return await self.conn._execute(lambda: work(self.conn._conn, *arguments))

    async def _put(
        self,
        work: _rows.Work,
        config: RunnableConfig,
        wrote: Sequence[tuple[str, str]],
        made: str | None = None,
    ) -> None:
        try:
            await self._store(checked(self, config, made, work, wrote))
        except sqlite3.Error as error:
            name_place(error, config, made)
            raise

    async def _store(self, work: _rows.Work) -> None:
        await self._ready()
        await self._commits.astore(work, self.lock, self._trip)

    async def _achange_lease(self, thread_id: str, change: Change) -> Any:
        work = LeaseWork(thread_id, change)
        await self._store(work)
        return work.answer

    async def _alook_at_lease(self, thread_id: str) -> tuple[Held, float]:
        await self._ready()
        return await self._in_thread(look_at_lease, thread_id)

    def _change_lease(self, thread_id: str, change: Change) -> Any:
        return call_from_elsewhere(self, partial(self._achange_lease, thread_id, change))

    def _look_at_lease(self, thread_id: str) -> tuple[Held, float]:
        return call_from_elsewhere(self, partial(self._alook_at_lease, thread_id))
