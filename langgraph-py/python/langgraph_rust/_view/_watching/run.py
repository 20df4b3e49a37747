"""A run of this process, as it is shown."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timezone
from itertools import islice
from typing import Any

from langgraph_rust._view._value.show import Shown

_MOST = 5000
"""Events that are kept of a run, the last ones."""

_MOST_LETTERS = 2_000_000
"""What they may take together."""


class WatchedRun:
    """What a run has shown so far. Any thread adds to it; event loops follow it.

    Args:
        thread: Its thread's id; empty if it keeps none.
        by: Who runs it, in words.
        changed: Called when it begins or ends.
    """

    def __init__(self, thread: str, by: str, changed: Callable[[], object]) -> None:
        self.id = uuid.uuid4().hex
        self.thread = thread
        self.by = by
        self.status = "running"
        self._changed = changed
        self._began = datetime.now(timezone.utc)
        self._clock = time.monotonic()
        self._seconds = 0.0
        self._lock = threading.Lock()
        self._events: deque[str] = deque()
        self._letters = 0
        self._count = 0
        self._wakes: set[Callable[[], object]] = set()

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.status != "running"

    def add(self, event: Shown) -> None:
        """Add an event. Nothing is added to a run that is over."""
        text = json.dumps(event)
        with self._lock:
            if not self.is_over:
                self._append(text)

    def end(self, status: str, event: Shown) -> None:
        """Add the last event; the first end counts.

        Args:
            status: `success`, `interrupted`, `error` or `cancelled`.
            event: The last.
        """
        with self._lock:
            if self.is_over:
                return
            self._append(json.dumps(event))
            self.status, self._seconds = status, time.monotonic() - self._clock
        self._changed()

    def _append(self, text: str) -> None:
        self._events.append(text)
        self._count += 1
        self._letters += len(text)
        while len(self._events) > _MOST or (
            self._letters > _MOST_LETTERS and len(self._events) > 1
        ):
            self._letters -= len(self._events.popleft())
        # Who has not looked since needs no other word.
        wakes, self._wakes = self._wakes, set()
        for wake in wakes:
            wake()

    def told(self) -> Shown:
        """Return what a list of runs says of it."""
        seconds = self._seconds if self.is_over else time.monotonic() - self._clock
        return {
            "id": self.id,
            "thread": self.thread,
            "by": self.by,
            "status": self.status,
            "began": self._began.isoformat(),
            "seconds": seconds,
        }

    async def follow(self, after: int) -> AsyncIterator[tuple[int, str]]:
        """Yield events as JSON with their numbers, which count from 1, until the run is over.

        Args:
            after: The number of the last event that is known.
        """
        loop, woken = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> Any:
            try:
                loop.call_soon_threadsafe(woken.set)
            except RuntimeError:
                # The loop is closed, with whoever followed.
                return None

        try:
            while True:
                woken.clear()
                with self._lock:
                    count, is_over = self._count, self.is_over
                    if count <= after and not is_over:
                        self._wakes.add(wake)
                    new = list(islice(reversed(self._events), max(count - after, 0)))
                for number, text in enumerate(reversed(new), start=count - len(new) + 1):
                    yield number, text
                after = count
                if is_over:
                    return
                if not new:
                    await woken.wait()
        finally:
            with self._lock:
                self._wakes.discard(wake)
