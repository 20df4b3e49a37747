"""Sync code of quick async calls: called by the engine's workers, which hand over quickly.

langchain-core gives it to the default executor of the event loop. Where that is a program's own, or
the event loop is not asyncio's, it still goes there.
"""

from __future__ import annotations

import asyncio
from asyncio import BaseEventLoop
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import MethodType
from typing import Any, TypeVar

from langchain_core.runnables.config import run_in_executor

from langgraph_rust._engine import Pace, call_paced
from langgraph_rust._internal._quiet._known.memo import Memo

__all__ = ("on_worker",)

T = TypeVar("T")

_pace_of: Memo[Any, Pace] = Memo(lambda _: Pace())


async def on_worker(subject: Any, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Do what `await run_in_executor(None, function, *args, **kwargs)` does.

    Args:
        subject: The function or class that decides how long it takes, and that lives on.
        function: What to call in a thread, in a copy of the current context.
        args: Its arguments.
        kwargs: Its keyword arguments.

    Raises:
        RuntimeError: It raised `StopIteration`, which a future cannot hold.
    """
    if not _is_for_workers(asyncio.get_running_loop()):
        return await run_in_executor(None, function, *args, **kwargs)
    if type(subject) is MethodType:
        subject = subject.__func__
    code = partial(_without_stop, function, *args, **kwargs)
    is_done, result = call_paced(code, _pace_of(subject))
    return result if is_done else await result


def _is_for_workers(loop: Any) -> bool:
    """Tell whether the loop's default executor is what asyncio itself makes of threads."""
    own = getattr(type(loop), "run_in_executor", None)
    if own is not BaseEventLoop.run_in_executor or "run_in_executor" in vars(loop):
        return False
    executor = loop._default_executor
    return executor is None or (
        type(executor) is ThreadPoolExecutor and executor._thread_name_prefix == "asyncio"
    )


def _without_stop(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    try:
        return function(*args, **kwargs)
    except StopIteration as error:
        raise RuntimeError from error
