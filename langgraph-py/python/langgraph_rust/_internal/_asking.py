"""Who asks in an interrupt, and where the answers are: a task, or a part of one.

Several tool calls of one node are parts of its task. They run side by side, so that the order in
which they ask is not stable, and each is to be answered for itself: a part has interrupt ids and
answers of its own. The answers are kept under an id that no task has, which others pass over. An
answer that names no interrupt is never for a part: whoever reads it names the question it is for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from xxhash import xxh3_64_hexdigest, xxh3_128_hexdigest

from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_PART,
    CONFIG_KEY_RESUME_MAP,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_SEND,
    RESUME,
)

__all__ = (
    "Asker",
    "Part",
    "asker_in",
    "can_have_parts",
    "digits_of_task",
    "is_of_part",
    "part_question_id",
    "part_question_of",
    "parts_of",
    "task_of_parts",
    "with_part",
)

_OF_PART = re.compile(r"[0-9a-f]{24}000000[0-9a-f]{2}")
_TASK, _PART = 16, 24
"""Where the digits of the task's namespace end in the id of a part's question, and the part's."""


class Asker:
    """A task that asks.

    Args:
        conf: The `configurable` of its config.
    """

    part: str | None = None
    """The digits of the part that asks; `None` for the task itself."""

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

    def refuse(self, index: int) -> None:
        """Have an answer that does not fit not stored, nor those after it: it can be given anew."""


class Part(Asker):
    """A part of a task that asks for itself.

    An answer that is given to it is kept at once, whether it gets to ask or not.

    Args:
        conf: The `configurable` of the config around it; its task `can_have_parts`.
        name: Tells parts apart that are made in one place, the same whenever the task runs.
    """

    def __init__(self, conf: Mapping[str, Any], name: str) -> None:
        super().__init__(conf)
        around = asker_in(conf).part
        self._own = _digits(self.task.name_part(f"{around}/{name}" if around else name))
        self.part = self._own
        self._count = count()
        self._answers: list[Any] | None = None
        if CONFIG_KEY_RESUME_MAP in conf:
            self._answers = self.task.part_resume(self._own)

    def next_index(self) -> int:
        return next(self._count)

    @property
    def answers(self) -> list[Any]:
        answers = self._answers
        if answers is None:
            answers = self._answers = self.task.part_resume(self._own)
        return answers

    def take_unnamed(self) -> Any:
        return None

    def keep(self, answers: list[Any]) -> None:
        """Nothing: they were kept when they were given."""

    def refuse(self, index: int) -> None:
        self.task.keep_part_resume(self._own, self.answers[:index])


def can_have_parts(conf: Mapping[str, Any]) -> bool:
    """Tell whether parts of the task with this `configurable` can have answers of their own.

    Those of tasks that a server runs itself cannot.
    """
    return hasattr(type(conf.get(CONFIG_KEY_SCRATCHPAD)), "part_resume")


def asker_in(conf: Mapping[str, Any]) -> Asker:
    """Return who asks in code that has this `configurable`."""
    part = conf.get(CONFIG_KEY_PART)
    # A task within the part asks for itself.
    if part is not None and part.task is conf[CONFIG_KEY_SCRATCHPAD]:
        return part
    return Asker(conf)


def parts_of(conf: Mapping[str, Any], names: Sequence[str]) -> list[Part] | None:
    """Return parts of the task with this `configurable`, or `None` if they must ask as the task.

    Such is a task that has asked before, and whose parts have not: LangGraph stopped it amid them,
    or it asks itself before they do. It is answered by the order of its questions.
    """
    parts = [Part(conf, name) for name in names]
    asked = parts[0].task.asked_before() or ()
    # Stored as LangGraph has it, or by somebody else as a single one.
    questions = asked if isinstance(asked, Sequence) else (asked,)
    if questions and not any(is_of_part(question.id) for question in questions):
        return parts if any(part.answers for part in parts) else None
    return parts


def with_part(config: Mapping[str, Any], part: Part) -> dict[str, Any]:
    """Return the config for code that is this part of the task that `config` is of."""
    return {**config, CONF: {**config[CONF], CONFIG_KEY_PART: part}}


# --- Ids of questions ----------------------------------------------------------------------------


def part_question_id(task: str, part: str, answered: int) -> str:
    """Return the id of a part's question.

    Args:
        task: The id of its task's first question.
        part: The part's digits.
        answered: How many answers the part has had.
    """
    return f"{task[:_TASK]}{part}{answered:08x}"


def is_of_part(question: str) -> bool:
    """Tell whether an interrupt's id is that of a part's question; one in 16 million others is."""
    return _OF_PART.fullmatch(question) is not None


def part_question_of(question: str) -> tuple[str, int]:
    """Return the digits of the part whose question this is, and how many answers it had had."""
    return question[_TASK:_PART], int(question[_PART:], 16)


def digits_of_task(conf: Mapping[str, Any]) -> str:
    """Return what the ids of questions of parts of the task with this `configurable` begin with."""
    return xxh3_128_hexdigest(conf[CONFIG_KEY_CHECKPOINT_NS].encode())[:_TASK]


def task_of_parts(questions: Sequence[str]) -> str | None:
    """Return what the ids of parts' questions begin with, if all are of one task's parts."""
    tasks = {question[:_TASK] if is_of_part(question) else None for question in questions}
    return tasks.pop() if len(tasks) == 1 else None


def _digits(name: str) -> str:
    return xxh3_64_hexdigest(name.encode())[: _PART - _TASK]
