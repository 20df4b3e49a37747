"""What deletes expired things from time to time, whatever they are."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import weakref
from typing import Any

import pytest

from langgraph_rust.checkpoint.base._asweep import AsyncSwept
from langgraph_rust.checkpoint.base._sweep import Notices, Swept, seconds_between

NOTICES = Notices(logging.getLogger("swept"), "shelf", "jars")
PATIENCE = 30
SOON = 1e-5
"""Minutes."""


class Shelf(Swept):
    _notices = NOTICES

    def __init__(self, **ttl_config: Any) -> None:
        self.ttl_config = ttl_config
        self.swept = threading.Semaphore(0)
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def sweep_ttl(self) -> int:
        self.swept.release()
        self.may_go_on.wait()
        return 2


class AsyncShelf(AsyncSwept):
    _notices = NOTICES

    def __init__(self, **ttl_config: Any) -> None:
        self.ttl_config = ttl_config
        self.swept = asyncio.Semaphore(0)
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def sweep_ttl(self) -> int:
        self.swept.release()
        await self.may_go_on.wait()
        return 2


class Broken(Shelf):
    def sweep_ttl(self) -> int:
        super().sweep_ttl()
        raise RuntimeError("no such luck")


@pytest.mark.parametrize(
    ("configured", "asked", "seconds"),
    [({}, None, 300), ({"sweep_interval_minutes": 2}, None, 120), ({}, 0.5, 30)],
)
def test_seconds_between(configured: Any, asked: float | None, seconds: float) -> None:
    assert seconds_between(configured, asked) == seconds


class TestThread:
    def test_nothing_is_swept_without_a_configuration(self) -> None:
        shelf = Shelf()
        assert shelf.start_ttl_sweeper().result(0) is None
        assert shelf._ttl_sweeper_thread is None and shelf.stop_ttl_sweeper()

    def test_until_it_is_stopped(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        shelf = Shelf(default_ttl=1)
        future = shelf.start_ttl_sweeper(SOON)
        assert shelf.start_ttl_sweeper() is future
        assert shelf.swept.acquire(timeout=PATIENCE) and shelf.swept.acquire(timeout=PATIENCE)
        assert shelf.stop_ttl_sweeper(PATIENCE) and future.done()
        assert "Shelf swept 2 expired jars" in caplog.text

    def test_one_that_is_told_to_stop_does_not_count_as_running(self) -> None:
        shelf = Shelf(default_ttl=1)
        shelf.may_go_on.clear()
        old = shelf.start_ttl_sweeper(SOON)
        assert shelf.swept.acquire(timeout=PATIENCE)
        assert not shelf.stop_ttl_sweeper(0)
        new = shelf.start_ttl_sweeper(SOON)
        assert new is not old
        shelf.may_go_on.set()
        assert old.result(PATIENCE) is None and not new.done()
        assert shelf.stop_ttl_sweeper(PATIENCE)

    def test_goes_on_after_a_failure(self, caplog: pytest.LogCaptureFixture) -> None:
        shelf = Broken(default_ttl=1)
        shelf.start_ttl_sweeper(SOON)
        assert shelf.swept.acquire(timeout=PATIENCE) and shelf.swept.acquire(timeout=PATIENCE)
        shelf.stop_ttl_sweeper()
        assert "no such luck" in caplog.text

    def test_until_nobody_has_it(self) -> None:
        shelf = Shelf(default_ttl=1)
        future, gone = shelf.start_ttl_sweeper(), weakref.ref(shelf)
        del shelf
        gc.collect()
        assert gone() is None and future.result(PATIENCE) is None


class TestTask:
    async def test_nothing_is_swept_without_a_configuration(self) -> None:
        shelf = AsyncShelf()
        await (await shelf.start_ttl_sweeper())
        assert await shelf.stop_ttl_sweeper()

    async def test_until_it_is_stopped(self) -> None:
        shelf = AsyncShelf(default_ttl=1)
        task = await shelf.start_ttl_sweeper(SOON)
        assert await shelf.start_ttl_sweeper() is task
        await asyncio.wait_for(shelf.swept.acquire(), PATIENCE)
        assert await shelf.stop_ttl_sweeper(PATIENCE) and task.done()

    async def test_one_that_does_not_stop_in_time_is_cancelled(self) -> None:
        shelf = AsyncShelf(default_ttl=1)
        shelf.may_go_on.clear()
        task = await shelf.start_ttl_sweeper(SOON)
        await asyncio.wait_for(shelf.swept.acquire(), PATIENCE)
        assert not await shelf.stop_ttl_sweeper(0)
        new = await shelf.start_ttl_sweeper(SOON)
        assert new is not task
        await asyncio.wait([task], timeout=PATIENCE)
        assert task.done() and not new.done()
        new.cancel()
