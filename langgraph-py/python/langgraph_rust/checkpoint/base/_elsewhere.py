"""Sync calls to async savers, from other threads than the event loop's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


def call_from_elsewhere(saver: Any, call: Callable[[], Any]) -> Any:
    """Have the saver's event loop await what `call` returns, and wait for the result.

    Args:
        saver: Its `loop` is used.
        call: A method of the saver, with its arguments.

    Raises:
        asyncio.InvalidStateError: it is called in the event loop, which would wait for itself.
    """
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        running = None
    if running is saver.loop:
        raise asyncio.InvalidStateError(
            f"Synchronous calls to {type(saver).__name__} are only allowed from a different "
            "thread. From the main thread, use the async interface. For example, use "
            "`await checkpointer.aget_tuple(...)` or `await graph.ainvoke(...)`."
        )

    async def awaited() -> Any:
        return await call()

    return asyncio.run_coroutine_threadsafe(awaited(), saver.loop).result()
