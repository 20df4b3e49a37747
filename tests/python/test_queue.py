"""The queue that lets consumers wait without taking."""

from __future__ import annotations

import asyncio

import pytest

from langgraph_rust._internal._queue import AsyncQueue


class TestAsyncQueue:
    async def test_wait_leaves_the_item(self) -> None:
        items: AsyncQueue = AsyncQueue()
        waiter = asyncio.create_task(items.wait())
        await asyncio.sleep(0)
        assert not waiter.done()
        items.put_nowait(1)
        await waiter
        assert items.get_nowait() == 1

    async def test_a_cancelled_waiter_passes_its_turn_on(self) -> None:
        items: AsyncQueue = AsyncQueue()
        first = asyncio.create_task(items.wait())
        second = asyncio.create_task(items.wait())
        await asyncio.sleep(0)
        items.put_nowait(1)
        first.cancel()
        await asyncio.wait_for(second, 5)
        with pytest.raises(asyncio.CancelledError):
            await first
