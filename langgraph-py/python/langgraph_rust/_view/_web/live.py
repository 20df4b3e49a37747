"""Telling when something was stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from langgraph_rust._storage.database import Unusable
from langgraph_rust._view._source.source import Source

_PAUSE = 0.4
"""Seconds between looks: each is one short question to the database."""


async def changes(source: Source, is_over: Callable[[], bool]) -> AsyncIterator[None]:
    """Yield whenever something was stored since the last time, until it `is_over`."""
    before = await _mark(source)
    while not is_over():
        await asyncio.sleep(_PAUSE)
        now = await _mark(source)
        if now != before:
            before = now
            yield


async def _mark(source: Source) -> object:
    try:
        return await asyncio.to_thread(source.mark)
    except Unusable:
        # Gone for a moment, such as a server that starts again.
        return None
