"""Reading the `Command` that a run is given instead of an input, and refusing unusable answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_rust._engine import part_task_id
from langgraph_rust._internal._asking import part_question_of, task_of_parts
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_RESUME_MAP,
    CONFIG_KEY_STRICT_RESUME,
    CONFIG_KEY_TASK_ID,
    INTERRUPT,
    RESUME,
)
from langgraph_rust.errors import UnknownInterruptError
from langgraph_rust.pregel._build.asked import unknown_answers
from langgraph_rust.pregel._build.io import map_command
from langgraph_rust.pregel._build.utils import is_xxh3_128_hexdigest
from langgraph_rust.pregel._state.task_status import read_task_statuses

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import BaseCheckpointSaver
    from langgraph_rust.pregel._run.found import Found
    from langgraph_rust.types import Command

_MANY_PENDING = (
    "When there are multiple pending interrupts, you must specify the interrupt id when resuming. "
    "Docs: https://docs.langchain.com/oss/python/langgraph/interrupts"
    "#handling-multiple-interrupts."
)


def read_command(
    command: Command[Any],
    config: RunnableConfig,
    saver: BaseCheckpointSaver | None,
    found: Found,
) -> tuple[list[tuple[str, Any]], bool, bool]:
    """Return a command's writes, whether it answers questions, and whether it does so by id.

    Answers by id are put into `config` instead.

    Raises:
        RuntimeError: It answers without a saver, or without saying which of several questions.
        UnknownInterruptError: In strict mode, its answers are not for the questions that are open.
        InvalidUpdateError: It is meant for a parent graph.
    """
    answers = command.resume is not None
    by_id = False
    if answers:
        if saver is None:
            raise RuntimeError("Cannot use Command(resume=...) without checkpointer")
        resume = command.resume
        by_id = _names_interrupts(resume)
        pending = _open_questions(found)
        if not by_id and (question := _open_question_of_part(found, pending)):
            by_id, resume = True, {question: resume}
        _check_answers(resume, by_id, _is_strict(config, found), sorted(pending))
        if by_id and not _may_ask_again(config, found):
            _name_unknown(resume, sorted(pending))
        if by_id:
            config[CONF][CONFIG_KEY_RESUME_MAP] = resume
    writes = [
        (channel, value)
        for _, channel, value in map_command(command)
        if not (by_id and channel == RESUME)
    ]
    return writes, answers, by_id


def _names_interrupts(resume: Any) -> bool:
    return isinstance(resume, dict) and all(map(is_xxh3_128_hexdigest, resume))


def _is_strict(config: RunnableConfig, found: Found) -> bool:
    """Whether answers must fit: as asked for by the caller of the outermost graph.

    Never for a checkpoint the thread has moved past: tasks that finished may run again there, and
    ask again what is recorded as answered.
    """
    asked = config[CONF].get(CONFIG_KEY_STRICT_RESUME, False)
    return bool(asked) and not _may_ask_again(config, found)


def _may_ask_again(config: RunnableConfig, found: Found) -> bool:
    return CONFIG_KEY_TASK_ID in config[CONF] or found.superseded


def _name_unknown(resume: Any, pending: list[str]) -> None:
    if unknown := sorted(set(resume).difference(pending)):
        unknown_answers(unknown, pending)


def _open_questions(found: Found) -> list[str]:
    writes = found.saved.pending_writes if found.saved is not None else None
    statuses = read_task_statuses(writes or ())
    return [*dict.fromkeys(i.id for each in statuses.values() for i in each.pending_interrupts)]


def _open_question_of_part(found: Found, pending: list[str]) -> str | None:
    """Return the first question that waits, if parts of one task wait, and nobody else does.

    They have stopped their task together, and unnamed answers are taken in their order.
    """
    if task_of_parts(pending) is None or found.saved is None:
        return None
    writes = found.saved.pending_writes or ()
    answers = {task: value for task, channel, value in writes if channel == RESUME}
    holders = [task for task, channel, _ in writes if channel == INTERRUPT]
    for question in pending:
        part, answered = part_question_of(question)
        given = (answers.get(part_task_id(holder, part), ()) for holder in holders)
        # One that was answered waits no more, though its task failed before it could say so.
        if not any(len(one) > answered for one in given):
            return question
    return None


def _check_answers(resume: Any, by_id: bool, strict: bool, pending: list[str]) -> None:
    if not by_id:
        if len(pending) < 2:
            return
        if strict:
            raise UnknownInterruptError(_MANY_PENDING, reason="ambiguous", pending_ids=pending)
        raise RuntimeError(_MANY_PENDING)
    if not strict:
        return
    if not resume:
        raise UnknownInterruptError(
            "The resume map names no interrupt", reason="empty_map", pending_ids=pending
        )
    if unknown := sorted(set(resume).difference(pending)):
        raise UnknownInterruptError(
            f"Unknown or already-consumed interrupt: {unknown[0]}",
            reason="not_pending",
            interrupt_ids=unknown,
            pending_ids=pending,
        )
