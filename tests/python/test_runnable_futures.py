"""Futures and queues across threads and event loops."""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import threading
from collections.abc import Iterator
from contextvars import ContextVar, copy_context
from typing import Any

import pytest

from langgraph_rust._internal._future import chain_future, run_coroutine_threadsafe
from langgraph_rust._internal._queue import AsyncQueue, SyncQueue

var: ContextVar[str] = ContextVar("var", default="outside")


@pytest.fixture
def other_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


class TestChainFuture:
    async def test_result_from_a_thread(self) -> None:
        source: Any = concurrent.futures.Future()
        destination = chain_future(source, asyncio.get_running_loop().create_future())
        threading.Thread(target=source.set_result, args=(1,)).start()
        assert await destination == 1  # type: ignore[misc]

    async def test_result_to_a_thread(self) -> None:
        source = asyncio.get_running_loop().create_future()
        destination: Any = chain_future(source, concurrent.futures.Future())
        source.set_result(1)
        assert await asyncio.to_thread(destination.result, 5) == 1

    async def test_errors_become_those_of_asyncio(self) -> None:
        source: Any = concurrent.futures.Future()
        destination: Any = chain_future(source, asyncio.get_running_loop().create_future())
        source.set_exception(concurrent.futures.InvalidStateError("x"))
        with pytest.raises(asyncio.InvalidStateError, match="x"):
            await destination

    async def test_cancellation_goes_both_ways(self) -> None:
        loop = asyncio.get_running_loop()
        source, destination = loop.create_future(), loop.create_future()
        chain_future(source, destination)
        destination.cancel()
        await asyncio.sleep(0)
        assert source.cancelled()
        source, threaded = loop.create_future(), concurrent.futures.Future()  # type: ignore[var-annotated]
        chain_future(source, threaded)
        source.cancel()
        await asyncio.sleep(0)
        assert threaded.cancelled()

    async def test_only_futures(self) -> None:
        destination: Any = concurrent.futures.Future()
        with pytest.raises(TypeError, match="required for source"):
            chain_future("x", destination)  # type: ignore[arg-type]
        assert isinstance(destination.exception(), TypeError)


class TestRunCoroutine:
    async def test_on_the_running_loop(self) -> None:
        async def work() -> str:
            return var.get()

        context = copy_context()
        context.run(var.set, "inside")
        loop = asyncio.get_running_loop()
        for lazy in (True, False):
            result = await run_coroutine_threadsafe(work(), loop, lazy=lazy, context=context)
            assert result in ("inside", "outside")

    async def test_on_another_loop(self, other_loop: asyncio.AbstractEventLoop) -> None:
        async def work() -> bool:
            return asyncio.get_running_loop() is other_loop

        done: Any = concurrent.futures.Future()
        future = run_coroutine_threadsafe(work(), other_loop, lazy=True)
        other_loop.call_soon_threadsafe(chain_future, future, done)
        assert await asyncio.to_thread(done.result, 5)


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


class TestSyncQueue:
    def test_order(self) -> None:
        items = SyncQueue()
        items.put(1)
        items.put(2)
        assert (items.qsize(), items.get(), items.get(), items.empty()) == (2, 1, 2, True)
        with pytest.raises(queue.Empty):
            items.get()
        with pytest.raises(queue.Empty):
            items.get(block=True, timeout=0.001)
        with pytest.raises(ValueError, match="non-negative"):
            items.get(timeout=-1)

    def test_wait_leaves_the_item(self) -> None:
        items = SyncQueue()
        threads = [threading.Thread(target=items.wait, args=(True, 5)) for _ in range(2)]
        for thread in threads:
            thread.start()
        items.put(1)
        for thread in threads:
            thread.join(5)
            assert not thread.is_alive()
        assert items.get() == 1
