"""Tool calls that run side by side and ask: all of their interrupts come up together.

Each call is a part of the node's task, with answers of its own. What ends the node is what
LangGraph lets end it: of sync calls the first in their order that interrupts or fails, of async
ones the first in time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from langchain_core.runnables.config import var_child_runnable_config

from langgraph_rust._internal._asking import (
    can_have_parts,
    digits_of_task,
    parts_of,
    task_of_parts,
    with_part,
)
from langgraph_rust._internal._constants import CONF, CONFIG_KEY_PART
from langgraph_rust.errors import GraphInterrupt
from langgraph_rust.prebuilt._side_by_side import side_by_side

if TYPE_CHECKING:
    from langchain_core.messages import ToolCall
    from langchain_core.runnables import RunnableConfig

T = TypeVar("T")


def configs_of_parts(
    configs: Sequence[RunnableConfig], calls: Sequence[ToolCall]
) -> Sequence[RunnableConfig]:
    """Return the configs of calls, in each of which the call asks for itself, if it can."""
    conf = configs[0].get(CONF) or {}
    if not can_have_parts(conf):
        return configs
    names = [f"{call['id']}:{position}" for position, call in enumerate(calls)]
    parts = parts_of(conf, names)
    if parts is None:
        return configs
    made = map(with_part, configs, parts)
    return [cast("RunnableConfig", config) for config in made]


def _ask_in_order(configs: Sequence[RunnableConfig]) -> bool:
    """Tell whether questions are told apart by their order, so that calls must keep theirs."""
    conf = configs[0].get(CONF) or {}
    return CONFIG_KEY_PART not in conf and can_have_parts(conf)


def ask_side_by_side(
    runs: Sequence[Callable[[], T]], configs: Sequence[RunnableConfig], limit: int | None
) -> list[T]:
    """Do all runs, each with its config as the ambient one, and return their results in order.

    Raises:
        GraphInterrupt: Runs were interrupted, with the interrupts of all of them.
        BaseException: What a run raised before any of those, in their order.
    """
    if _ask_in_order(configs):
        return side_by_side(runs, 1)
    asked: dict[int, GraphInterrupt] = {}
    failed: list[int] = []

    def one(number: int) -> Any:
        var_child_runnable_config.set(configs[number])
        try:
            return runs[number]()
        except GraphInterrupt as interrupt:
            asked[number] = interrupt
        except BaseException:
            failed.append(number)
            raise

    try:
        results = side_by_side([partial(one, number) for number in range(len(runs))], limit)
    except Exception:
        if asked and failed and min(asked) < min(failed):
            raise _together(asked, configs[0]) from None
        raise
    if asked:
        raise _together(asked, configs[0])
    return results


async def aask_side_by_side(
    runs: Sequence[Coroutine[Any, Any, T]], configs: Sequence[RunnableConfig]
) -> list[T]:
    """Do the same with what is awaited, as asyncio tasks.

    Raises:
        GraphInterrupt: Runs were interrupted, with the interrupts of all of them.
        BaseException: What a run raised before any of those, in time.
    """
    if _ask_in_order(configs):
        return await _in_order(runs)
    asked: dict[int, GraphInterrupt] = {}

    async def one(number: int) -> Any:
        var_child_runnable_config.set(configs[number])
        try:
            return await runs[number]
        except GraphInterrupt as interrupt:
            asked[number] = interrupt

    try:
        results = await asyncio.gather(*map(one, range(len(runs))))
    except Exception:
        if asked:
            raise _together(asked, configs[0]) from None
        raise
    if asked:
        raise _together(asked, configs[0])
    return results


async def _in_order(runs: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    results: list[T] = []
    try:
        for run in runs:
            results.append(await asyncio.ensure_future(run))
    finally:
        for run in runs[len(results) + 1 :]:
            run.close()
    return results


def _together(asked: dict[int, GraphInterrupt], config: RunnableConfig) -> GraphInterrupt:
    """Return one interrupt with what all of them ask, in the order of the calls.

    What a graph within a tool asks comes up alone, as its questions cannot be told from those of
    other tasks: an answer without an id would be refused.
    """
    first = asked[min(asked)]
    own = [each for _, each in sorted(asked.items()) if _is_own(each, config)]
    if len(own) < 2 or own[0] is not first:
        return first
    return GraphInterrupt([question for each in own for question in each.args[0]])


def _is_own(asked: GraphInterrupt, config: RunnableConfig) -> bool:
    """Tell whether parts of the task that `config` is of ask, and no task within one."""
    questions = asked.args[0] if asked.args else ()
    task = task_of_parts([question.id for question in questions])
    return task is not None and task == digits_of_task(config[CONF])
