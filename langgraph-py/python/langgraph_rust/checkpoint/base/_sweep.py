"""Deleting what has expired from time to time: in a thread, for savers and stores alike."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

MINUTES = 5
"""Between sweeps, unless told otherwise."""


class Notices(NamedTuple):
    """What is logged of the sweeping, and where."""

    logger: logging.Logger
    owner: str
    """What is swept, such as a store."""
    swept: str
    """What is deleted, such as items."""

    def starting(self, seconds: float) -> None:
        """Say that sweeping begins."""
        text = "Starting %s TTL sweeper with interval %s minutes"
        self.logger.info(text, self.owner, seconds / 60)

    def counted(self, count: int) -> None:
        """Say what was deleted, if anything was."""
        if count:
            self.logger.info("%s swept %d expired %s", self.owner.capitalize(), count, self.swept)

    def failed(self) -> None:
        """Say that a sweep raised; the next one is tried all the same."""
        self.logger.exception("%s TTL sweep iteration failed", self.owner.capitalize())

    def stopping(self, worker: str) -> None:
        """Say that sweeping is told to end."""
        self.logger.info("Stopping TTL %s", worker)

    def stopped(self, worker: str, *, in_time: bool) -> bool:
        """Say, and return, whether it has ended."""
        if in_time:
            self.logger.info("TTL %s stopped", worker)
        else:
            self.logger.warning("Timed out waiting for TTL %s to stop", worker)
        return in_time


def seconds_between(ttl_config: Mapping[str, Any], minutes: float | None) -> float:
    """Return the time between sweeps: what was asked for, or is configured, or `MINUTES`."""
    return 60 * float(minutes or ttl_config.get("sweep_interval_minutes") or MINUTES)


class _Swept(Protocol):
    def sweep_ttl(self) -> int: ...


class Swept:
    """What has things that expire, and a thread that deletes those that have."""

    ttl_config: Any
    _notices: Notices
    _ttl_sweeper_thread: threading.Thread | None = None
    _ttl_future: Future[None] | None = None
    _ttl_stop_event: threading.Event | None = None

    def sweep_ttl(self) -> int:
        """Delete what has expired; return how much that was."""
        raise NotImplementedError

    def start_ttl_sweeper(self, sweep_interval_minutes: float | None = None) -> Future[None]:
        """Have what has expired deleted from time to time, by a thread that no process waits for.

        It ends with `stop_ttl_sweeper`, or when nobody has this object any more.

        Args:
            sweep_interval_minutes: Minutes in between; the configuration's, or else 5, if left out.

        Returns:
            A future that is done when the thread has ended. Cancelling it ends the thread. Without
            a configuration nothing is swept, and the future is done already.

        Raises:
            TypeError: a saver's `ttl_config` says something that is no number.
            ValueError: it has an unknown key, or a number that is not positive.
        """
        self._check_start(sweep_interval_minutes)
        if not self.ttl_config:
            done: Future[None] = Future()
            done.set_result(None)
            return done
        if (future := self._ttl_future) and self._is_swept():
            self._notices.logger.info("TTL sweeper thread is already running")
            return future
        # Its own: one that was told to end may not have looked yet.
        self._ttl_stop_event = stop = threading.Event()
        seconds = seconds_between(self.ttl_config, sweep_interval_minutes)
        self._notices.starting(seconds)
        future = self._ttl_future = Future()
        future.add_done_callback(lambda done: stop.set() if done.cancelled() else None)
        reference = weakref.ref(self, lambda _: stop.set())
        self._ttl_sweeper_thread = threading.Thread(
            target=_sweep,
            args=(reference, stop, seconds, future, self._notices),
            daemon=True,
            name="ttl-sweeper",
        )
        self._ttl_sweeper_thread.start()
        return future

    def _check_start(self, minutes: float | None) -> None:
        """Look at the configuration before sweeping begins, with the minutes that are given."""

    def _is_swept(self) -> bool:
        thread, stop = self._ttl_sweeper_thread, self._ttl_stop_event
        return bool(thread and thread.is_alive() and stop and not stop.is_set())

    def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """End the thread that `start_ttl_sweeper` began, if there is one.

        Args:
            timeout: Seconds to wait for it; `None` to wait until it has ended.

        Returns:
            Whether it has ended.
        """
        thread = self._ttl_sweeper_thread
        if thread is None or not thread.is_alive():
            self._ttl_sweeper_thread = None
            return True
        self._notices.stopping("sweeper thread")
        if stop := self._ttl_stop_event:
            stop.set()
        # The last reference may go in the thread itself, which cannot wait for its own end.
        if thread is not threading.current_thread():
            thread.join(timeout)
        has_ended = not thread.is_alive()
        if has_ended:
            self._ttl_sweeper_thread = None
        return self._notices.stopped("sweeper thread", in_time=has_ended)


def _sweep(
    reference: weakref.ref[_Swept],
    stop: threading.Event,
    seconds: float,
    future: Future[None],
    notices: Notices,
) -> None:
    while not stop.wait(seconds) and (swept := reference()):
        try:
            notices.counted(swept.sweep_ttl())
        except Exception:
            notices.failed()
        # Holding on to it while waiting would keep it alive for ever.
        del swept
    # Whoever has the future may have cancelled it.
    with suppress(InvalidStateError):
        future.set_result(None)
