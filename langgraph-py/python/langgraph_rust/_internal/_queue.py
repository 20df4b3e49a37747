"""Queues whose consumers can wait for an item without taking it."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from types import GenericAlias
from typing import Any


class AsyncQueue(asyncio.Queue):
    """An `asyncio.Queue` with a `wait` method."""

    async def wait(self) -> None:
        """Return as soon as there is an item, and leave it in the queue."""
        while self.empty():
            waiter = asyncio.get_running_loop().create_future()
            self._getters.append(waiter)  # type: ignore[attr-defined]
            try:
                await waiter
            except BaseException:
                self._forget(waiter)
                raise

    def _forget(self, waiter: asyncio.Future[None]) -> None:
        """Withdraw a waiter that was cancelled; if its wake-up was on the way, pass that on."""
        woken = waiter.done() and not waiter.cancelled()
        waiter.cancel()
        if waiter in self._getters:  # type: ignore[attr-defined]
            self._getters.remove(waiter)  # type: ignore[attr-defined]
        if woken and not self.empty():
            self._wakeup_next(self._getters)  # type: ignore[attr-defined]


class SyncQueue:
    """An unbounded first-in-first-out queue between threads, with a `wait` method."""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._changed = threading.Condition()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add an item; never blocks, `block` and `timeout` are ignored."""
        with self._changed:
            self._items.append(item)
            self._changed.notify()

    def get(self, block: bool = False, timeout: float | None = None) -> Any:
        """Take the oldest item.

        Args:
            block: Whether to wait for one.
            timeout: Seconds to wait at most.

        Raises:
            queue.Empty: There is none (in time).
            ValueError: `timeout` is negative.
        """
        with self._changed:
            if not self._wait(block, timeout):
                raise queue.Empty
            return self._items.popleft()

    def wait(self, block: bool = True, timeout: float | None = None) -> None:
        """Return as soon as there is an item, or the time is up, and leave it in the queue.

        Raises:
            ValueError: `timeout` is negative.
        """
        with self._changed:
            if self._wait(block, timeout):
                # The wake-up was for the item, and this call does not take it.
                self._changed.notify()

    def empty(self) -> bool:
        """Tell whether there was no item a moment ago."""
        return not self._items

    def qsize(self) -> int:
        """Return how many items there were a moment ago."""
        return len(self._items)

    def _wait(self, block: bool, timeout: float | None) -> bool:
        if timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        if not block:
            return bool(self._items)
        return bool(self._changed.wait_for(lambda: self._items, timeout))

    __class_getitem__ = classmethod(GenericAlias)
