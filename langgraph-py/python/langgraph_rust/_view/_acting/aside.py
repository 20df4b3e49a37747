"""Running one task of a checkpoint again, without anything of it being stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph_rust._internal._constants import (
    ERROR,
    ERROR_SOURCE_NODE,
    INTERRUPT,
    NO_WRITES,
    NULL_TASK_ID,
    RESUME,
)
from langgraph_rust._view._acting.refused import Refused
from langgraph_rust._view._source.source import Place
from langgraph_rust.checkpoint.base import BaseCheckpointSaver, CheckpointTuple, PendingWrite
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.constants import START

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import DeltaChannelHistory
    from langgraph_rust.types import StateSnapshot


class Planned(NamedTuple):
    """A task of a checkpoint, as its graph is now."""

    stored: str
    """The id that its writes are stored under."""
    task: str
    """The id that it has now. LangGraph has changed how they are made."""
    rest: list[str]
    """The ids of the checkpoint's other tasks."""


def planned(snapshot: StateSnapshot, task: str, name: str) -> Planned:
    """Find a task by the id that it was stored with, or else by its name.

    Raises:
        Refused: the task is none of the checkpoint's, or it cannot be told which.
    """
    if START in (name, *(one.name for one in snapshot.tasks if one.id == task)):
        raise Refused("the input is no task of a node's")
    ids = [one.id for one in snapshot.tasks]
    found = [task] if task in ids else [one.id for one in snapshot.tasks if one.name == name]
    if len(found) != 1:
        raise Refused(
            "the graph has no such task on this checkpoint: it has changed since, or the task is "
            "part of another one"
        )
    return Planned(task, found[0], [one for one in ids if one != found[0]])


class Aside(InMemorySaver):
    """A saver in memory that begins with one checkpoint of another saver.

    One task of the checkpoint is still to be run; the others count as finished, with what they
    wrote. Graphs within the task begin anew.

    Args:
        saver: The other. Nothing is stored in it.
        place: The checkpoint; of the root graph.
        planned: The task.
    """

    single_writer = "off"
    linear_storage = False

    def __init__(self, saver: BaseCheckpointSaver[Any], place: Place, planned: Planned) -> None:
        super().__init__(serde=saver.serde)
        self._saver = saver
        self._place = place
        self._planned = planned

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return what was kept here, or else the checkpoint."""
        found = await super().aget_tuple(config)
        asked: Mapping[str, Any] = config.get("configurable", {})
        own = asked.get("checkpoint_id") or self._place.checkpoint
        if found or asked.get("checkpoint_ns") or own != self._place.checkpoint:
            return found
        place = {**asked, "checkpoint_id": self._place.checkpoint}
        stored = await self._saver.aget_tuple({"configurable": place})
        if stored is None:
            raise Refused("there is no such checkpoint any more")
        return stored._replace(pending_writes=self._as_if_over(stored.pending_writes or []))

    def _as_if_over(self, writes: Sequence[PendingWrite]) -> list[PendingWrite]:
        """Return the writes of the other tasks, and what the task itself was answered."""
        stored, now, rest = self._planned
        kept: list[PendingWrite] = []
        for task, channel, value in writes:
            if task != stored and channel not in _UNFINISHED:
                kept.append((task, channel, value))
            elif task == stored and channel == RESUME:
                kept.append((now, channel, value))
        have = {task for task, channel, _ in kept if channel != RESUME and task != NULL_TASK_ID}
        return kept + [(task, NO_WRITES, None) for task in rest if task not in have]

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return what the values of channels are made of, which came before the checkpoint."""
        asked: Mapping[str, Any] = config.get("configurable", {})
        if asked.get("checkpoint_id") != self._place.checkpoint:
            return await super().aget_delta_channel_history(config=config, channels=channels)
        return await self._saver.aget_delta_channel_history(config=config, channels=channels)

    def get_next_version(self, current: Any, channel: None) -> Any:
        """Return the version that comes next, as the other saver counts."""
        return self._saver.get_next_version(current, channel)


_UNFINISHED = (ERROR, ERROR_SOURCE_NODE, INTERRUPT)
"""What is written of a task that did not come to its end."""
