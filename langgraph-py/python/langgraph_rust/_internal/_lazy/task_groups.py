"""Requests to cancel a task that come from its own task groups.

A node that is alone in its superstep runs within its caller's asyncio task. A child that fails has
its group cancel the task that the group is in, to wake it. Before Python 3.13 a group that was
waiting for its children by then never takes that back; in a task of the node's own nobody would
notice, but here it would count as a request to cancel the run.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any


def take_back(waiting: Any) -> None:
    """Take back the requests of the groups that wait in `waiting`, which has been cancelled."""
    if sys.version_info < (3, 11) or sys.version_info >= (3, 13):
        return
    task = asyncio.current_task()
    for frame in _frames(waiting):
        if frame.f_code is asyncio.TaskGroup.__aexit__.__code__ and _asks(frame.f_locals, task):
            task.uncancel()  # type: ignore[union-attr]


def _asks(names: dict[str, Any], task: Any) -> bool:
    """Whether a group has asked since it began to wait: the task was not cancelled before that."""
    group, before = names["self"], names["et"]
    was_cancelled = before is not None and issubclass(before, asyncio.CancelledError)
    return group._parent_cancel_requested and group._parent_task is task and not was_cancelled


def _frames(waiting: Any) -> Iterator[FrameType]:
    """The frames of a coroutine and of those that it waits for."""
    while waiting is not None:
        for kind in ("cr", "gi"):
            if hasattr(waiting, f"{kind}_frame"):
                if (frame := getattr(waiting, f"{kind}_frame")) is not None:
                    yield frame
                waiting = getattr(waiting, "cr_await" if kind == "cr" else "gi_yieldfrom")
                break
        else:
            return
