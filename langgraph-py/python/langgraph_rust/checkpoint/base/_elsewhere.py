"""Sync calls to async savers, from other threads than the event loop's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from langgraph_rust.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
)

if TYPE_CHECKING:
    from datetime import datetime

    from langchain_core.runnables import RunnableConfig


def call_from_elsewhere(saver: Any, call: Callable[[], Any]) -> Any:
    """Have the saver's event loop await what `call` returns, and wait for the result.

    Args:
        saver: Its `loop` is used.
        call: A method of the saver, with its arguments.

    Raises:
        asyncio.InvalidStateError: it is called in the event loop, which would wait for itself.
    """
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        running = None
    if running is saver.loop:
        raise asyncio.InvalidStateError(
            f"Synchronous calls to {type(saver).__name__} are only allowed from a different "
            "thread. From the main thread, use the async interface. For example, use "
            "`await checkpointer.aget_tuple(...)` or `await graph.ainvoke(...)`."
        )

    async def awaited() -> Any:
        return await call()

    return asyncio.run_coroutine_threadsafe(awaited(), saver.loop).result()


class SyncFromElsewhere(BaseCheckpointSaver[str]):
    """The sync methods of an async saver, for other threads than its event loop's.

    A saver that stores supersteps at once adds `put_superstep`, whose being there says so.
    """

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """`aget_tuple`, for other threads than the event loop's."""
        return call_from_elsewhere(self, partial(self.aget_tuple, config))

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """`alist`, for other threads than the event loop's."""
        found = self.alist(config, filter=filter, before=before, limit=limit)
        while True:
            try:
                yield call_from_elsewhere(self, partial(anext, found))
            except StopAsyncIteration:
                return

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """`aput`, for other threads than the event loop's."""
        given = config, checkpoint, metadata, new_versions
        return call_from_elsewhere(self, partial(self.aput, *given))

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """`aput_writes`, for other threads than the event loop's."""
        given = config, writes, task_id, task_path
        return call_from_elsewhere(self, partial(self.aput_writes, *given))

    def delete_thread(self, thread_id: str) -> None:
        """`adelete_thread`, for other threads than the event loop's."""
        return call_from_elsewhere(self, partial(self.adelete_thread, thread_id))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """`adelete_for_runs`, for other threads than the event loop's."""
        return call_from_elsewhere(self, partial(self.adelete_for_runs, run_ids))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """`acopy_thread`, for other threads than the event loop's."""
        given = source_thread_id, target_thread_id
        return call_from_elsewhere(self, partial(self.acopy_thread, *given))

    def prune(
        self,
        thread_ids: Sequence[str],
        *,
        strategy: str = "keep_latest",
        last: int | None = None,
        newer_than: datetime | None = None,
    ) -> None:
        """`aprune`, for other threads than the event loop's."""
        given: dict[str, Any] = {"strategy": strategy, "last": last, "newer_than": newer_than}
        return call_from_elsewhere(self, partial(self.aprune, thread_ids, **given))

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """`aget_delta_channel_history`, for other threads than the event loop's."""
        given = {"config": config, "channels": channels}
        return call_from_elsewhere(self, partial(self.aget_delta_channel_history, **given))
