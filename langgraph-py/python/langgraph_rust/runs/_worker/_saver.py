"""The saver that runs have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph_rust.runs._worker._log import EventLog

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata

__all__ = ("RunSaver",)


class RunSaver(AsyncPostgresSaver):
    """Stores nothing of a run before what the run has shown by then is stored.

    Whoever dies after that has shown it, and what is done again is shown again: no event is lost.
    Because these two methods are overridden, a superstep's last writes are not stored together with
    its checkpoint, of which there would be nothing to see before both are stored.
    """

    logs: dict[str, EventLog]
    """The logs of the runs that go on, by thread."""

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

    async def _show(self, config: RunnableConfig) -> None:
        log = self.logs.get(config["configurable"]["thread_id"])
        if log is not None:
            await log.flush()
