"""Warm processes of one kind, and who gets one."""

# Ray is large, and not there where types are checked.
# pyright: reportMissingImports=false

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

import ray

from langgraph_rust.executors._later import Later
from langgraph_rust.executors._ray.remote import Warm


class Actors:
    """Up to `limit` actors, each of which runs one call at a time.

    One that is being made gets no call before it is there: the cluster may have no room for it,
    ever, while another is free again soon.

    Args:
        limit: How many there may be.
        options: What each has, as long as it lives.
        idle: After how many seconds without a call one is ended.
    """

    def __init__(self, limit: int, options: dict[str, Any], idle: float) -> None:
        self._limit = limit
        # Without resources among the options, Ray's default: an actor holds none while it lives.
        self._class = ray.remote(**options)(Warm) if options else ray.remote(Warm)
        self._idle = idle
        self._session = ray.get_runtime_context().get_job_id()
        self._lock = threading.Condition()
        self._free: list[tuple[Any, float]] = []
        self._coming: list[Any] = []
        self._there = 0
        self._waiting = 0
        self._waited = 0.0
        self._failure: BaseException | None = None
        self._is_closed = False
        self._later = Later(self._look_for_idle)

    @property
    def is_any_there(self) -> bool:
        """Whether there is an actor, free or with a call."""
        return self._there > 0

    def take(self, timeout: float) -> Any:
        """Take an actor; `None` if none is free for `timeout` seconds.

        Raises:
            RayError: One could not be made.
        """
        with self._lock:
            if not self._free:
                self._wait(timeout)
            if self._free:
                self._failure = None
                return self._free.pop()[0]
            failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        return None

    def _wait(self, timeout: float) -> None:
        """Wait for an actor, a new one or one that is given back; with the lock."""
        self._waited = time.monotonic()
        self._waiting += 1
        try:
            coming = len(self._coming)
            if coming < self._waiting and self._there + coming < self._limit:
                self._make()
            self._lock.wait_for(lambda: self._free or self._failure, timeout)
        finally:
            self._waiting -= 1

    def _make(self) -> None:
        actor = self._class.remote()
        self._coming.append(actor)
        # No thread waits: `ray.shutdown` ends a process in which one does.
        actor.is_there.remote().future().add_done_callback(partial(self._came, actor))
        self._later.begin(self._idle)

    def _came(self, actor: Any, there: Future[None]) -> None:
        with self._lock:
            if actor not in self._coming:
                return
            self._coming.remove(actor)
            failure = there.exception()
            if failure is None:
                self._there += 1
                self._put(actor)
            elif self._waiting:
                self._failure = failure
                self._lock.notify()

    def give(self, actor: Any) -> None:
        """Give back an actor whose call is over."""
        with self._lock:
            if not self._is_closed:
                return self._put(actor)
        self.lose(actor)

    def _put(self, actor: Any) -> None:
        self._free.append((actor, time.monotonic()))
        self._lock.notify()
        self._later.begin(self._idle)

    def lose(self, actor: Any) -> None:
        """Do without an actor: it is killed, if it is not dead."""
        self._end([actor])
        with self._lock:
            self._there -= 1
            self._lock.notify()

    def close(self) -> None:
        """End those that have no call, and those that are being made; the others end with it."""
        with self._lock:
            self._is_closed = True
            ended = self._retire(float("inf"))
        self._end(ended)

    def _look_for_idle(self) -> None:
        with self._lock:
            now = time.monotonic()
            ended = self._retire(now)
            unused = [since for _, since in self._free]
            if self._coming:
                unused.append(self._waited)
            if unused:
                self._later.begin(min(unused) + self._idle - now)
        self._end(ended)

    def _retire(self, now: float) -> list[Any]:
        """Let go of those that nobody has wanted for long; with the lock."""
        # In the order in which they were given back: the last one is taken first.
        ended = [actor for actor, since in self._free if now - since >= self._idle]
        del self._free[: len(ended)]
        self._there -= len(ended)
        if now - self._waited >= self._idle:
            ended += self._coming
            self._coming.clear()
        return ended

    def _end(self, actors: list[Any]) -> None:
        for actor in actors:
            # Those of another connection went with it.
            with suppress(Exception):
                if ray.is_initialized() and self._session == ray.get_runtime_context().get_job_id():
                    ray.kill(actor)
