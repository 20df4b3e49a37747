"""Who asks in an interrupt, and where the answers are: a task, or a part of one.

Several tool calls of one node are parts of its task. They run side by side, so that the order in
which they ask is not stable, and each is to be answered for itself: a part has interrupt ids and
answers of its own. These are kept under an id that no task has, which others pass over.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from langgraph_rust._internal._constants import (
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_PART,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_SEND,
    RESUME,
)

__all__ = ("PART_PREFIX", "Asker", "Part", "asker_in", "can_have_parts")

PART_PREFIX = 16
"""How many digits the interrupt ids of the parts of one task have in common."""


class Asker:
    """A task that asks.

    Args:
        conf: The `configurable` of its config.
    """

    part: str | None = None
    """The name of the part that asks; `None` for the task itself."""

    def __init__(self, conf: Mapping[str, Any]) -> None:
        self.task = conf[CONFIG_KEY_SCRATCHPAD]
        self._conf = conf

    def next_index(self) -> int:
        """Number the next interrupt, from 0."""
        return self.task.interrupt_counter()

    @property
    def answers(self) -> list[Any]:
        """What was answered so far, in the order of the interrupts."""
        return self.task.resume

    @property
    def namespace(self) -> str:
        """What the ids of the interrupts are made of."""
        return self._conf[CONFIG_KEY_CHECKPOINT_NS]

    def take_unnamed(self) -> Any:
        """Take the answer that names no interrupt; `None` if there is none."""
        return self.task.get_null_resume(True)

    def keep(self, answers: list[Any]) -> None:
        """Have the answers stored, for when the task runs again."""
        self._conf[CONFIG_KEY_SEND]([(RESUME, answers)])


class Part(Asker):
    """A part of a task that asks for itself.

    Args:
        conf: The `configurable` of the task's config; the task `can_have_parts`.
        name: Tells the task's parts apart, the same whenever the task runs.
    """

    def __init__(self, conf: Mapping[str, Any], name: str) -> None:
        super().__init__(conf)
        self.part = self._name = name
        self._count = count()
        self._answers: list[Any] | None = None

    def next_index(self) -> int:
        return next(self._count)

    @property
    def answers(self) -> list[Any]:
        answers = self._answers
        if answers is None:
            answers = self._answers = self.task.part_resume(self._name)
        return answers

    def keep(self, answers: list[Any]) -> None:
        self.task.keep_part_resume(self._name, answers)


def can_have_parts(conf: Mapping[str, Any]) -> bool:
    """Tell whether parts of the task with this `configurable` can have answers of their own.

    A task that was answered by the order of its interrupts, by LangGraph, goes on so. Tasks that a
    server runs itself have no parts.
    """
    task: Any = conf.get(CONFIG_KEY_SCRATCHPAD)
    return hasattr(type(task), "part_resume") and not task.resume


def asker_in(conf: Mapping[str, Any]) -> Asker:
    """Return who asks in code that has this `configurable`."""
    part = conf.get(CONFIG_KEY_PART)
    # A task within the part asks for itself.
    if part is not None and part.task is conf[CONFIG_KEY_SCRATCHPAD]:
        return part
    return Asker(conf)
