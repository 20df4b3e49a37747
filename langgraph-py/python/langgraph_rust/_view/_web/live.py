"""Telling when something was stored, or a run begins or ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from langgraph_rust._storage.database import Unusable

_PAUSE = 0.4
"""Seconds between looks: each is one short question to the database."""


async def changes(
    look: Callable[[], object], before: object, is_over: Callable[[], bool]
) -> AsyncIterator[None]:
    """Yield whenever something has changed since the last time, until it `is_over`.

    Args:
        look: Returns what is another value once something has changed.
        before: What `mark` returned when it was looked at.
        is_over: Whether to stop.
    """
    while not is_over():
        await asyncio.sleep(_PAUSE)
        now = await mark(look)
        if now != before:
            before = now
            yield


async def mark(look: Callable[[], object]) -> object:
    """Look, which may ask a database."""
    try:
        return await asyncio.to_thread(look)
    except Unusable:
        # Gone for a moment, such as a server that starts again.
        return None
