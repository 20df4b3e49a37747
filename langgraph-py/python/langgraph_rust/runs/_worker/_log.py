"""A run's events on their way into the database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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

_BYTES = 8 << 20
"""How many bytes of them are stored at once, and may wait: the events of a run share a connection
with its checkpoints, and a worker's memory with others."""

_LARGEST = 256 << 20
"""How many bytes an event may have."""


class LostRunError(Exception):
    """The run is another worker's by now."""


class EventLog:
    """Stores events in order and in batches, while the run goes on.

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
        # Those being stored stay in it until they are, so that storing can be cancelled.
        self._waiting: list[tuple[int, str, str, str, bytes]] = []
        self._bytes = 0
        self._added = asyncio.Event()
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def add(self, mode: str, data: Any, namespace: Sequence[str]) -> None:
        """Add an event, which is stored soon.

        Raises:
            LostRunError: the run is another worker's by now.
            TypeError: it cannot be encoded.
            ValueError: it is too large.
        """
        if self._task is None:
            self._task = asyncio.create_task(self._store_soon())
        kind, encoded = self._serde.dumps_typed(data)
        if len(encoded) > _LARGEST:
            raise ValueError(
                f"an event of the stream mode '{mode}' has {len(encoded) >> 20} MB; at most "
                f"{_LARGEST >> 20} can be stored: stream less of it, or a reference"
            )
        self._bytes += len(encoded)
        self._last += 1
        self._waiting.append((self._last, mode, "|".join(namespace), kind, encoded))
        self._added.set()
        if len(self._waiting) > _MOST or self._bytes > _BYTES or self._task.done():
            await self.flush()

    async def flush(self) -> None:
        """Wait until all that was added is stored; see `add` for what is raised."""
        if not self._waiting:
            return
        async with self._lock:
            while self._waiting:
                batch = self._next_batch()
                if not await self._keeper.keep(lambda batch=batch: append(self._run, batch)):
                    raise LostRunError(self._run.id)
                del self._waiting[: len(batch)]
                self._bytes -= sum(len(event[-1]) for event in batch)

    def _next_batch(self) -> list[tuple[int, str, str, str, bytes]]:
        size, batch = 0, []
        for event in self._waiting[:_BATCH]:
            size += len(event[-1])
            if batch and size > _BYTES:
                break
            batch.append(event)
        return batch

    async def close(self) -> None:
        """Store what is left; see `add` for what is raised."""
        if self._task is not None:
            self._task.cancel()
            # What it has failed with, `flush` fails with, too.
            await asyncio.wait({self._task})
        await self.flush()

    async def _store_soon(self) -> None:
        while True:
            await self._added.wait()
            self._added.clear()
            await self.flush()
            await asyncio.sleep(_PAUSE)
