"""A run's events on their way into the database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from langgraph_rust.checkpoint.serde.base import SerializerProtocol
from langgraph_rust.runs._worker._keeping import Keeper
from langgraph_rust.runs._worker._plans import Claim, append

__all__ = ("EventLog", "LostRunError")

_PAUSE = 0.005
"""Seconds between two batches. The first event goes at once, those soon after it together."""

_BATCH = 500
"""How many events are stored at once."""

_MOST = 2000
"""How many may wait before the run waits for them."""


class LostRunError(Exception):
    """The run is another worker's by now."""


class EventLog:
    """Stores events in order and in batches, while the run goes on.

    What was added when `close` returns is stored.

    Args:
        run: Whose events.
        keeper: The database.
        serde: Encodes their data, when they are added: the run may change them later.
    """

    def __init__(self, run: Claim, keeper: Keeper, serde: SerializerProtocol) -> None:
        self._run = run
        self._keeper = keeper
        self._serde = serde
        self._last = run.last_event
        self._waiting: list[tuple[int, str, str, str, bytes]] = []
        self._added = asyncio.Event()
        self._stored = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def add(self, mode: str, data: Any, namespace: Sequence[str]) -> None:
        """Add an event.

        Raises:
            LostRunError: the run is another worker's by now.
            TypeError: it cannot be encoded.
        """
        if self._task is None:
            self._task = asyncio.create_task(self._store())
        kind, encoded = self._serde.dumps_typed(data)
        self._last += 1
        self._waiting.append((self._last, mode, "|".join(namespace), kind, encoded))
        self._added.set()
        while len(self._waiting) > _MOST and not self._task.done():
            self._stored.clear()
            await self._stored.wait()
        if self._task.done():
            # It ends only by failing.
            await self._task

    async def close(self) -> None:
        """Store what is left; see `add` for what is raised."""
        task, self._task = self._task, None
        if task is None:
            return
        if task.done():
            return await task
        # A batch that is under way is stored first, and not given up.
        self._added.set()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await self._store_all()

    async def _store(self) -> None:
        try:
            while True:
                await self._added.wait()
                self._added.clear()
                storing = asyncio.ensure_future(self._store_all())
                try:
                    await asyncio.shield(storing)
                except asyncio.CancelledError:
                    await storing
                    raise
                self._stored.set()
                await asyncio.sleep(_PAUSE)
        finally:
            self._stored.set()

    async def _store_all(self) -> None:
        while self._waiting:
            batch = self._waiting[:_BATCH]
            if not await self._keeper.keep(lambda batch=batch: append(self._run, batch)):
                raise LostRunError(self._run.id)
            del self._waiting[: len(batch)]
