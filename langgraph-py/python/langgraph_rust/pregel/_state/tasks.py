"""Tasks as state snapshots and checkpoint events show them: by what is recorded of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._constants import RETURN
from langgraph_rust.pregel._state.task_status import TaskStatus, read_task_statuses
from langgraph_rust.types import PregelExecutableTask, PregelTask, StateSnapshot

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import PendingWrite

_NOT_STARTED = TaskStatus()


def tasks_w_writes(
    tasks: Iterable[PregelTask | PregelExecutableTask],
    pending_writes: list[PendingWrite] | None,
    states: dict[str, RunnableConfig | StateSnapshot] | None,
    output_keys: str | Sequence[str],
    *,
    live: bool = False,
) -> tuple[PregelTask, ...]:
    """Describe tasks by what is recorded of them, for a state snapshot.

    With `live`, a task shows only the interrupts that still wait for an answer; otherwise all it
    raised in the step. A task that has not finished has no result.
    """
    statuses = read_task_statuses(pending_writes or [])
    return tuple(
        PregelTask(
            task.id,
            task.name,
            task.path,
            status.error,
            status.pending_interrupts if live else status.interrupts,
            states.get(task.id) if states else None,
            _task_result(status, output_keys) if status.finished else None,
        )
        for task in tasks
        for status in (statuses.get(task.id, _NOT_STARTED),)
    )


def _task_result(status: TaskStatus, output_keys: str | Sequence[str]) -> Any:
    for channel, value in status.output:
        if channel == RETURN:
            return value
    if isinstance(output_keys, str):
        writes = [w for w in status.output if w[0] == output_keys]
        return map_task_result_writes(writes).get(output_keys)
    return map_task_result_writes([w for w in status.output if w[0] in output_keys])


def is_multiple_channel_write(value: Any) -> bool:
    """Whether `value` already is the `{"$writes": [...]}` form of several writes."""
    return isinstance(value, dict) and isinstance(value.get("$writes"), list)


def map_task_result_writes(writes: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Fold a task's writes into a dict by channel.

    A channel written once maps to the value, one written more often to `{"$writes": [values]}`.
    """
    result: dict[str, Any] = {}
    for channel, value in writes:
        earlier = result.get(channel)
        if earlier is None:
            result[channel] = value
        elif is_multiple_channel_write(earlier):
            earlier["$writes"].append(value)
        else:
            result[channel] = {"$writes": [earlier, value]}
    return result
