"""Tool calls that run side by side and ask: all of their interrupts come up together.

Each call is a part of the node's task, with answers of its own. What ends the node is what
LangGraph lets end it: of sync calls the first in their order that interrupts or fails, of async
ones the first in time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_core.runnables.config import var_child_runnable_config

from langgraph_rust._internal._asking import Part, can_have_parts
from langgraph_rust._internal._constants import CONF, CONFIG_KEY_PART
from langgraph_rust.errors import GraphInterrupt
from langgraph_rust.prebuilt._side_by_side import side_by_side

if TYPE_CHECKING:
    from langchain_core.messages import ToolCall
    from langchain_core.runnables import RunnableConfig

T = TypeVar("T")


def configs_of_parts(
    configs: Sequence[RunnableConfig], calls: Sequence[ToolCall]
) -> list[RunnableConfig]:
    """Return the configs of calls, in each of which the call asks for itself."""
    return [
        _of_part(config, f"{call['id']}:{position}")
        for position, (config, call) in enumerate(zip(configs, calls, strict=True))
    ]


def _of_part(config: RunnableConfig, name: str) -> RunnableConfig:
    conf = config.get(CONF)
    if not conf or not can_have_parts(conf):
        return config
    return {**config, CONF: {**conf, CONFIG_KEY_PART: Part(conf, name)}}


def ask_side_by_side(
    runs: Sequence[Callable[[], T]], configs: Sequence[RunnableConfig], limit: int | None
) -> list[T]:
    """Do all runs, each with its config as the ambient one, and return their results in order.

    Raises:
        GraphInterrupt: Runs were interrupted, with the interrupts of all of them.
        BaseException: What a run raised before any of those, in their order.
    """
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
            raise _together(asked) from None
        raise
    if asked:
        raise _together(asked)
    return results


async def aask_side_by_side(
    runs: Sequence[Awaitable[T]], configs: Sequence[RunnableConfig]
) -> list[T]:
    """Do the same with what is awaited, as asyncio tasks.

    Raises:
        GraphInterrupt: Runs were interrupted, with the interrupts of all of them.
        BaseException: What a run raised before any of those, in time.
    """
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
            raise _together(asked) from None
        raise
    if asked:
        raise _together(asked)
    return results


def _together(asked: dict[int, GraphInterrupt]) -> GraphInterrupt:
    """Return one interrupt with what all of them ask, in the order of the calls."""
    if len(asked) == 1:
        return next(iter(asked.values()))
    each = [asked[number] for number in sorted(asked)]
    return GraphInterrupt([ask for one in each for ask in (one.args[0] if one.args else ())])
