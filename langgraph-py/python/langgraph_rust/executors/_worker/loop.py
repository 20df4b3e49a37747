"""The event loop of a worker: async nodes run on it one after the other.

What their modules keep, such as the connections of a client, belongs to the loop that it was made
on, and is of no use on another.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Collection, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakSet

__all__ = ("run",)

_in_use = threading.Lock()
_kept: tuple[int, asyncio.AbstractEventLoop] | None = None
"""The process that the loop was made in, and the loop: a fork must not use its parent's."""


def run(call: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine as `asyncio.run` does, but on the loop of the calls before it.

    Tasks, async generators and threads that it leaves behind are ended.

    Args:
        call: The coroutine. If another one has the loop, it gets a loop of its own.
    """
    if not _in_use.acquire(blocking=False):
        return asyncio.run(call)
    try:
        return _run(_loop(), call)
    finally:
        _in_use.release()


def _loop() -> asyncio.AbstractEventLoop:
    global _kept
    if _kept is None or _kept[0] != os.getpid() or _kept[1].is_closed():
        _kept = os.getpid(), asyncio.new_event_loop()
    return _kept[1]


def _run(loop: asyncio.AbstractEventLoop, call: Coroutine[Any, Any, Any]) -> Any:
    threads = _Threads(thread_name_prefix="asyncio")
    loop.set_default_executor(threads)
    generators: WeakSet[Any] = WeakSet()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(_noting(generators, call))
    finally:
        loop.run_until_complete(_end(generators, threads))
        asyncio.set_event_loop(None)


class _Threads(ThreadPoolExecutor):
    """The threads of one call: it is waited for them, as those of a loop that is closed are."""

    are_used = False

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        self.are_used = True
        return super().submit(*args, **kwargs)


async def _noting(generators: WeakSet[Any], call: Coroutine[Any, Any, Any]) -> Any:
    """Run the call, and note which async generators it begins."""
    # Those of the loop, which puts others back when it stops.
    begun = sys.get_asyncgen_hooks().firstiter

    def note(generator: Any) -> None:
        generators.add(generator)
        if begun is not None:
            begun(generator)

    sys.set_asyncgen_hooks(firstiter=note)
    return await call


async def _end(generators: WeakSet[Any], threads: _Threads) -> None:
    """End what a call has left behind."""
    loop = asyncio.get_running_loop()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await _all_over(tasks)
    await _all_over([one.aclose() for one in generators])
    if threads.are_used:
        ended = loop.create_future()
        # In a thread, as those that are waited for may need the loop.
        threading.Thread(target=_join, args=(threads, loop, ended)).start()
        await ended


async def _all_over(ends: Collection[Awaitable[Any]]) -> None:
    """Wait for all, and report those that fail: nobody else hears of them."""
    for end in await asyncio.gather(*ends, return_exceptions=True):
        if isinstance(end, Exception):
            said = "What a node has left behind failed when it was ended"
            report = {"message": said, "exception": end}
            asyncio.get_running_loop().call_exception_handler(report)


def _join(threads: _Threads, loop: asyncio.AbstractEventLoop, ended: asyncio.Future[None]) -> None:
    threads.shutdown()
    loop.call_soon_threadsafe(ended.set_result, None)
