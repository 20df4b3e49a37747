"""Answers of humans, each of which is given once, whoever dies while it is given.

A command is stored on the checkpoint that waits for it, and a task stores what it took as an
answer. To give the same command once more would answer the task's next question with it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._config import patch_configurable
from langgraph_rust._internal._constants import INTERRUPT, NULL_TASK_ID, RESUME
from langgraph_rust.checkpoint.single_writer import fork
from langgraph_rust.runs._worker._saver import LEASE_KEY
from langgraph_rust.types import Command

if TYPE_CHECKING:
    from langgraph_rust.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
    from langgraph_rust.checkpoint.postgres._plans import Rows
    from langgraph_rust.checkpoint.serde.base import SerializerProtocol

__all__ = ("Found", "describe", "left_of")


@dataclass(frozen=True)
class Found:
    """What an attempt found on the checkpoint that its run goes on from."""

    checkpoint: str | None
    """Its id."""
    writes: int
    """How many writes there are on it."""
    answers: Mapping[str, str]
    """For each task, and for all, digests of the answers and commands that were there at first.
    Those of tasks in subgraphs are here as well, by namespace and id."""
    waiting: Mapping[str, list[str]]
    """For each task the ids of the interrupts that waited at first."""
    changed: tuple[str, ...] = ()
    """The tasks whose answers are others by now."""
    rows: int = 0
    """How many rows the thread has, in all namespaces: whether an attempt got any further."""

    def since(self, first: Found) -> Found:
        """Return the same, compared with what the first attempt found."""
        changed = [t for t, digest in self.answers.items() if first.answers.get(t) != digest]
        return replace(self, answers=first.answers, waiting=first.waiting, changed=tuple(changed))

    def as_data(self) -> dict[str, Any]:
        """Return what a later attempt is told."""
        return {**asdict(self), "changed": ()}


def describe(
    found: CheckpointTuple | None, serde: SerializerProtocol, nested: Rows = (), rows: int = 0
) -> Found:
    """Describe a checkpoint, or that there is none.

    Args:
        found: The checkpoint.
        serde: Decodes its writes.
        nested: What is written on the checkpoints of subgraphs that waited with it, encoded.
        rows: See `Found`.
    """
    if found is None:
        return Found(None, 0, {}, {}, rows=rows)
    writes = found.pending_writes or []
    answers: defaultdict[str, Any] = defaultdict(hashlib.sha256)
    waiting = {}
    for task_id, channel, value in writes:
        if task_id == NULL_TASK_ID or channel == RESUME:
            kind, data = serde.dumps_typed(value)
            answers[task_id].update(f"{channel} {kind} {len(data)} ".encode() + data)
        elif channel == INTERRUPT:
            waiting[task_id] = [interrupt.id for interrupt in value]
    for row in nested:
        task_id, stored = f"{row['checkpoint_ns']}|{row['task_id']}", (row["type"], row["blob"])
        if row["channel"] == RESUME:
            answers[task_id].update(f"{row['type']} {len(row['blob'])} ".encode() + row["blob"])
        else:
            waiting[task_id] = [interrupt.id for interrupt in serde.loads_typed(stored)]
    digests = {task_id: digest.hexdigest() for task_id, digest in answers.items()}
    return Found(found.checkpoint["id"], len(writes), digests, waiting, rows=rows)


async def left_of(
    command: Command[Any],
    found: Found,
    stored: CheckpointTuple,
    saver: BaseCheckpointSaver,
    token: int,
) -> Command[Any]:
    """Return what of a command is to be given yet, which may be the answers to no questions.

    An answer to whoever asks next stays stored after a task has taken it. It is taken back then.
    """
    if not found.changed:
        return command
    taken = {one for task_id in found.changed for one in found.waiting.get(task_id, ())}
    if isinstance(command.resume, dict) and not taken.isdisjoint(command.resume):
        left = {key: value for key, value in command.resume.items() if key not in taken}
        return replace(command, resume=left) if left else _GO_ON
    if any(task_id != NULL_TASK_ID for task_id in found.changed):
        # The lease says who may; the checkpoint need not be the newest.
        place = patch_configurable(fork(stored.config), {LEASE_KEY: token})
        await saver.aput_writes(place, [(RESUME, None)], NULL_TASK_ID)
    return _GO_ON


_GO_ON: Command[Any] = Command(resume={})
"""Without an answer, as what was answered on an older checkpoint would be asked again there."""
