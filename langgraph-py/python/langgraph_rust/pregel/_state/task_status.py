"""What the recorded writes of a superstep say about each of its tasks.

A saver keeps the writes of an open superstep as `(task id, channel, value)`. Two families exist:
control writes (an interrupt asked, a resume value received, an error, the node an error came from)
and output (channel writes, a function's return value, or the marker "wrote nothing").

A task that succeeded always recorded output, one that paused never did, so *output means
finished*. An interrupt waits for an answer only while its task is unfinished; a resume value says
nothing, since the task may have gone on to ask its next question.

Limits: tasks answered from the cache record nothing and look unfinished, and a task that failed
half-way may have recorded output and looks finished.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._constants import (
    ERROR,
    ERROR_SOURCE_NODE,
    INTERRUPT,
    NULL_TASK_ID,
    RESUME,
)

if TYPE_CHECKING:
    from langgraph_rust.checkpoint.base import PendingWrite
    from langgraph_rust.types import Interrupt

__all__ = ("CONTROL_WRITES", "TaskStatus", "read_task_statuses")

CONTROL_WRITES = frozenset((ERROR, ERROR_SOURCE_NODE, INTERRUPT, RESUME))
"""The channels that tell what happened to a task, as opposed to what it produced."""


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """One task's progress within its superstep."""

    output: tuple[tuple[str, Any], ...] = ()
    """`(channel, value)` pairs the task produced, in recorded order; empty while unfinished."""

    interrupts: tuple[Interrupt, ...] = ()
    """The interrupts of the task's latest pause, answered or not."""

    error: Exception | None = None
    """The first error recorded for the task."""

    @property
    def finished(self) -> bool:
        """Whether the task ran to its end."""
        return bool(self.output)

    @property
    def pending_interrupts(self) -> tuple[Interrupt, ...]:
        """The interrupts that still wait for an answer; none once the task finished."""
        return () if self.finished else self.interrupts


class _Record:
    """The writes of one task, sorted by what they mean."""

    __slots__ = ("error", "interrupts", "output")

    def __init__(self) -> None:
        self.output: list[tuple[str, Any]] = []
        self.interrupts: list[Interrupt] = []
        self.error: Exception | None = None

    def add(self, channel: str, value: Any) -> None:
        if channel not in CONTROL_WRITES:
            self.output.append((channel, value))
        elif channel == INTERRUPT:
            self.interrupts.extend(value if isinstance(value, Sequence) else (value,))
        elif channel == ERROR and self.error is None:
            self.error = value

    def status(self) -> TaskStatus:
        return TaskStatus(tuple(self.output), tuple(self.interrupts), self.error)


def read_task_statuses(pending_writes: Iterable[PendingWrite]) -> dict[str, TaskStatus]:
    """Map each task id with recorded writes to its status.

    Writes under the null task id are input of the superstep, not activity of a task, and are
    left out.
    """
    records: dict[str, _Record] = {}
    for task_id, channel, value in pending_writes:
        if task_id != NULL_TASK_ID:
            records.setdefault(task_id, _Record()).add(channel, value)
    return {task_id: record.status() for task_id, record in records.items()}
