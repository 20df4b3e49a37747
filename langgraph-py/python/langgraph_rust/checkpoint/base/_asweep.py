"""Deleting what has expired from time to time: in a task of an event loop."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any, Protocol

from langgraph_rust.checkpoint.base._sweep import Notices, seconds_between


class _Swept(Protocol):
    async def sweep_ttl(self) -> int: ...


class AsyncSwept:
    """What has things that expire, and a task that deletes those that have."""

    ttl_config: Any
    _notices: Notices
    _ttl_sweeper_task: asyncio.Task[None] | None = None
    _ttl_stop_event: asyncio.Event | None = None

    async def sweep_ttl(self) -> int:
        """Delete what has expired; return how much that was."""
        raise NotImplementedError

    async def start_ttl_sweeper(
        self, sweep_interval_minutes: float | None = None
    ) -> asyncio.Task[None]:
        """Have what has expired deleted from time to time.

        Args:
            sweep_interval_minutes: Minutes in between; the configuration's, or else 5, if left out.

        Returns:
            The task that does it; cancelling it stops it. Without a configuration nothing is swept,
            and the task ends at once.

        Raises:
            TypeError: a saver's `ttl_config` says something that is no number.
            ValueError: it has an unknown key, or a number that is not positive.
        """
        self._check_start(sweep_interval_minutes)
        if not self.ttl_config:
            return asyncio.create_task(asyncio.sleep(0))
        task, stop = self._ttl_sweeper_task, self._ttl_stop_event
        if task and not task.done() and stop and not stop.is_set():
            return task
        # Its own: one that was told to end may not have looked yet.
        self._ttl_stop_event = stop = asyncio.Event()
        seconds = seconds_between(self.ttl_config, sweep_interval_minutes)
        self._notices.starting(seconds)
        sweeping = _sweep(weakref.ref(self), stop, seconds, self._notices)
        self._ttl_sweeper_task = asyncio.create_task(sweeping, name="ttl_sweeper")
        return self._ttl_sweeper_task

    async def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """End the task that `start_ttl_sweeper` began, if there is one.

        Args:
            timeout: Seconds to wait for it, after which it is cancelled; `None` to wait until it
                has ended.

        Returns:
            Whether it has ended in time.
        """
        task = self._ttl_sweeper_task
        if task is None or task.done():
            self._ttl_sweeper_task = None
            return True
        self._notices.stopping("sweeper task")
        self._tell_sweeper_to_stop()
        done, _ = await asyncio.wait([task], timeout=timeout)
        if done:
            self._ttl_sweeper_task = None
        else:
            task.cancel()
        return self._notices.stopped("sweeper task", in_time=bool(done))

    def _check_start(self, minutes: float | None) -> None:
        """Look at the configuration before sweeping begins, with the minutes that are given."""

    def _tell_sweeper_to_stop(self) -> None:
        """End the task without waiting for it."""
        if self._ttl_stop_event:
            self._ttl_stop_event.set()


async def _sweep(
    reference: weakref.ref[_Swept], stop: asyncio.Event, seconds: float, notices: Notices
) -> None:
    while not await _is_set_within(stop, seconds) and (swept := reference()):
        try:
            notices.counted(await swept.sweep_ttl())
        except asyncio.CancelledError:
            return
        except Exception:
            notices.failed()
        # Holding on to it while waiting would keep it alive for ever.
        del swept


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except asyncio.TimeoutError:
        return False
    return True
