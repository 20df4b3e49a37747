"""Telling when something was stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from langgraph_rust._storage.database import Unusable
from langgraph_rust._view._source.source import Source

_PAUSE = 0.4
"""Seconds between looks: each is one short question to the database."""


async def changes(
    source: Source, before: object, is_over: Callable[[], bool]
) -> AsyncIterator[None]:
    """Yield whenever something was stored since the last time, until it `is_over`.

    Args:
        source: Where.
        before: What `mark` returned when it was looked at.
        is_over: Whether to stop.
    """
    while not is_over():
        await asyncio.sleep(_PAUSE)
        now = await mark(source)
        if now != before:
            before = now
            yield


async def mark(source: Source) -> object:
    """Return what is another value once something was stored."""
    try:
        return await asyncio.to_thread(source.mark)
    except Unusable:
        # Gone for a moment, such as a server that starts again.
        return None
