"""Nodes for the tests of async runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

from _driver_graphs import State


async def quick(_: State) -> State:
    return {"log": ["quick"]}


async def yields(_: State) -> State:
    await asyncio.sleep(0)
    return {"log": ["yields"]}


def log_thread(_: State) -> State:
    return {"log": [threading.get_ident()]}


class Endless:
    """A node that never ends by itself, and notes how it ended."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.ended: list[str] = []

    async def __call__(self, state: State) -> State:
        self.started.set()
        try:
            await asyncio.Event().wait()
        except BaseException as error:
            self.ended.append(type(error).__name__)
            raise
        return {}


class AsyncMeeting:
    """A node that waits until `size` of its kind run at the same time, and counts them."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.running = self.most = self.arrived = 0
        self.all_there = asyncio.Event()

    async def __call__(self, state: State) -> State:
        self.running += 1
        self.arrived += 1
        self.most = max(self.most, self.running)
        if self.arrived % self.size == 0:
            self.all_there.set()
            self.all_there = asyncio.Event()
        else:
            await self.all_there.wait()
        self.running -= 1
        return {"log": ["met"]}


async def drain(stream: AsyncIterator[Any]) -> list[Any]:
    return [chunk async for chunk in stream]
