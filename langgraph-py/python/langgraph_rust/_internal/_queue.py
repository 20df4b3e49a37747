"""A queue whose consumers can wait for an item without taking it.

Upstream's tests replace its `wait`; no run of this package has such a queue.
"""

from __future__ import annotations

import asyncio


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
