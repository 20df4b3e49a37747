"""Calls that run side by side in threads, each in a copy of the caller's context.

The caller takes part, and the engine's workers join it when calls do not get done because they
wait for something. A single call takes no worker at all. Only where the caller's thread runs an
event loop do all calls leave it: they may run a loop of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from typing import TypeVar

from langgraph_rust._engine import side_by_side as _side_by_side

T = TypeVar("T")


def side_by_side(calls: Sequence[Callable[[], T]], limit: int | None = None) -> list[T]:
    """Do all calls, and return their results in order.

    After a failure no further call begins; those that have begun are waited for.

    Args:
        calls: What to do.
        limit: How many of them may run at the same time; all by default.

    Raises:
        ValueError: The limit is less than 1.
        BaseException: What a call raised; of several the first, in the order of the calls.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"max_concurrency must be greater than 0, got {limit}")
    takes_part = not _runs_event_loop()
    if len(calls) == 1 and takes_part:
        return [copy_context().run(calls[0])]
    return _side_by_side([partial(copy_context().run, call) for call in calls], limit, takes_part)


def _runs_event_loop() -> bool:
    """Whether an event loop runs on this thread; of none is anything known before it is loaded."""
    events = sys.modules.get("asyncio.events")
    return events is not None and events._get_running_loop() is not None
