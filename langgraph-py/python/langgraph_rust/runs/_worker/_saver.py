"""The saver that runs have."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from psycopg import AsyncCursor, OperationalError
from psycopg.rows import DictRow

from langgraph_rust.checkpoint._writing.writer import LEASE_KEY
from langgraph_rust.checkpoint.postgres._plans import Rows
from langgraph_rust.checkpoint.postgres._runs import delete_for_runs
from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph_rust.runs._worker._keeping import is_outage
from langgraph_rust.runs._worker._log import EventLog
from langgraph_rust.runs._worker._plans import Claim, look_around

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata

__all__ = ("LEASE_KEY", "RunSaver", "UnreachableError")


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

    async def aroll_back(self, run_id: str, thread_id: str) -> None:
        """Delete what a run has stored on its thread; what it has on others is its nodes' doing.

        Raises:
            ValueError: checkpoints that others have stored since are rebuilt from it.
        """
        await self._write(delete_for_runs([run_id], thread_id), transaction=True)

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
        except OperationalError as error:
            if not is_outage(error):
                raise
            raise UnreachableError(*error.args) from error
