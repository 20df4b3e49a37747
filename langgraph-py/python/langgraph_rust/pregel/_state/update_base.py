"""What a superstep of updates builds on, and how what it makes is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph_rust._engine import StateView
from langgraph_rust._internal._constants import INTERRUPT, PUSH
from langgraph_rust.pregel._build.utils import get_new_channel_versions
from langgraph_rust.pregel._state.savers import joins, versioning_of
from langgraph_rust.pregel._state.single_writer import Turn
from langgraph_rust.pregel._state.snapshot import planned_tasks
from langgraph_rust.pregel._state.twins import Call, Steps

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import (
        BaseCheckpointSaver,
        CheckpointTuple,
        SuperstepWrites,
    )
    from langgraph_rust.pregel._state.subgraphs import AnyPregel


class Writes(NamedTuple):
    """Writes of one update."""

    task_id: str
    writes: list[tuple[str, Any]]
    position: int | None
    """Its place among the updates of the superstep; `None` for an input."""

    @property
    def path(self) -> str:
        """The task's path, as savers sort by it."""
        return f"~{INTERRUPT}, {self.position:010d}"

    @property
    def stored_path(self) -> str:
        """The path that it is stored with."""
        return "" if self.position is None else self.path

    def stored_with(self, pushed: bool) -> list[tuple[str, Any]]:
        """Return the writes that schedule calls, or the others."""
        return [write for write in self.writes if (write[0] == PUSH) is pushed]


class Base(NamedTuple):
    """What a superstep of updates builds on."""

    graph: AnyPregel
    saver: BaseCheckpointSaver
    config: RunnableConfig
    """The complete config of the call."""
    saved: CheckpointTuple | None
    """The checkpoint, unless the thread has none yet."""
    view: StateView
    """Its state, which updates are applied to."""
    step: int
    """Its number."""
    place: RunnableConfig
    """The config to store under."""
    superseded: bool
    """Whether the caller chose the checkpoint, and the thread has moved past it."""
    turn: Turn | None
    """What the update is to the thread, if the saver cares."""
    sealed: set[str]
    """Delta channels whose values are to be stored: what is stored would not give them."""

    @property
    def versioning(self) -> Any:
        return versioning_of(self.saver)

    @property
    def metadata(self) -> Any:
        return self.saved.metadata if self.saved else None

    def planned(self, ahead: int = 1) -> Any:
        """Return the tasks that would be next, by id."""
        return planned_tasks(self.view, self.saved.config, self.step + ahead) if self.saved else {}

    @property
    def joins(self) -> bool:
        """Whether all of an update is stored at once: what is refused leaves nothing then."""
        return self.turn is not None and joins(self.saver)

    def put(
        self,
        number: int,
        source: str,
        step: int,
        updated: Iterable[str] | None,
        made: Sequence[Writes] = (),
    ) -> Steps[RunnableConfig]:
        """Store the state as a checkpoint; return the config that names it.

        Args:
            number: What the checkpoint's id is made for.
            source: How it came to be.
            step: Its number.
            updated: The channels that were written to.
            made: What is to be stored with it, if that is done at once.
        """
        checkpoint, counters = self.view.updated_checkpoint(
            number, self.metadata, set(updated or ()), self.sealed, self.versioning
        )
        # What changed is not all that is due: a step that was to come is still to come.
        checkpoint["updated_channels"] = None
        before = self.saved.checkpoint["channel_versions"] if self.saved else {}
        changed = get_new_channel_versions(before, checkpoint["channel_versions"])
        parents = self.metadata.get("parents", {}) if self.saved else {}
        metadata = {"source": source, "step": step, "parents": parents, **counters}
        given = (self.place, checkpoint, metadata, changed)
        if not self.joins:
            return (yield Call(self.saver, "put", given))
        writes = [*self._before(made), *_scheduled(made, checkpoint["id"])]
        return (yield Call(self.saver, "put_superstep", (*given, writes)))

    def _before(self, made: Sequence[Writes]) -> Iterator[SuperstepWrites]:
        if self.saved is not None and not self.superseded:
            for written in made:
                if writes := written.stored_with(pushed=False):
                    yield self.saved.checkpoint["id"], written.task_id, written.stored_path, writes


def _scheduled(made: Sequence[Writes], checkpoint_id: str) -> Iterator[SuperstepWrites]:
    """Yield the writes that schedule calls, which are on the new checkpoint."""
    for written in made:
        if pushed := written.stored_with(pushed=True):
            yield checkpoint_id, written.task_id, "", pushed
