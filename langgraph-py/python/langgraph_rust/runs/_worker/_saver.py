"""The saver that runs have."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from psycopg import AsyncCursor, DatabaseError, OperationalError
from psycopg.rows import DictRow

from langgraph_rust.checkpoint._writing.leases import NOBODY
from langgraph_rust.checkpoint._writing.writer import LEASE_KEY
from langgraph_rust.checkpoint.postgres._plans import Rows
from langgraph_rust.checkpoint.postgres._single_writer import NO_TABLE
from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph_rust.checkpoint.single_writer import Lease, ThreadConflictError
from langgraph_rust.runs._worker._keeping import is_outage
from langgraph_rust.runs._worker._log import EventLog
from langgraph_rust.runs._worker._plans import Claim, look_around, roll_back

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata

__all__ = ("LEASE_KEY", "RunSaver", "UnreachableError")


_RUNS = "run ", "rollback of run "
"""How the holders of runs' leases begin."""


class UnreachableError(OperationalError):
    """The saver could not reach the database, which is not the fault of the run."""


class RunSaver(AsyncPostgresSaver):
    """Stores nothing of a run before what the run has shown is stored.

    Whoever dies after that has shown it, and what is done again is shown again: no event is lost.
    Because these two methods are overridden, a superstep's last writes are not stored together with
    its checkpoint, of which there would be nothing to see before both are stored.
    """

    single_writer = "refuse"
    """Among workers the lease of an attempt says who writes; programs need not know of leases."""

    logs: dict[tuple[str, int | None], EventLog]
    """The logs of the attempts that go on here, by thread and the token of its lease."""

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint, after the run's events."""
        await self._show(config)
        return await super().aput(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store a task's writes, after the run's events."""
        await self._show(config)
        await super().aput_writes(config, writes, task_id, task_path)

    async def atake_thread(self, thread_id: str, holder: str, *, ttl: float) -> Lease:
        """Take a thread's lease from whichever run has it; wait for a program that is at work.

        Runs of a thread come one after the other, so another's is of one that is gone.
        """
        while True:
            try:
                held, now = await self._alook_at_lease(thread_id)
            except NO_TABLE:
                held, now = NOBODY, 0.0
            if held.is_free(now) or (held.holder or "").startswith(_RUNS):
                return await self.atake_lease(thread_id, holder, ttl=ttl, steal=True)
            with suppress(ThreadConflictError):
                return await self.atake_lease(thread_id, holder, ttl=ttl, wait=ttl)

    async def aroll_back(self, run: Claim) -> None:
        """Have a thread as it was before a run; what it has on others is its nodes' doing.

        Raises:
            ValueError: others have built on it.
        """
        await self._write(roll_back(run), transaction=True)

    async def alook_around(self, run: Claim) -> tuple[Rows, int]:
        """Return what stands on the checkpoints of subgraphs that waited, and the thread's rows."""
        return await self._read(partial(look_around, run))

    async def _show(self, config: RunnableConfig) -> None:
        configurable = config["configurable"]
        # Without a lease, it is another thread that a node goes on with.
        place = configurable["thread_id"], configurable.get(LEASE_KEY)
        if log := self.logs.get(place):
            await log.flush()

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        try:
            async with super()._cursor(pipeline=pipeline) as cursor:
                yield cursor
        except DatabaseError as error:
            if not is_outage(error):
                raise
            raise UnreachableError(*error.args) from error
