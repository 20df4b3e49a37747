"""`max_concurrency` holds for everything a run runs, and tasks may wait for tasks."""

from __future__ import annotations

import asyncio
import concurrent.futures
import math
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from _async_graphs import AsyncMeeting
from _driver_graphs import PATIENCE, Meeting, State, fan_out

from langgraph_rust.func import entrypoint, task
from langgraph_rust.types import RetryPolicy

LIMITS = [1, 2, 3]


def by_result(futures: list[Any]) -> list[Any]:
    return [future.result() for future in futures]


def by_wait(futures: list[Any]) -> list[Any]:
    done, late = concurrent.futures.wait(futures, PATIENCE)
    assert not late
    return [future.result() for future in done]


def by_first_wait(futures: list[Any]) -> list[Any]:
    late, results = set(futures), []
    while late:
        done, late = concurrent.futures.wait(
            late, PATIENCE, return_when=concurrent.futures.FIRST_COMPLETED
        )
        assert done
        results += [future.result() for future in done]
    return results


def by_as_completed(futures: list[Any]) -> list[Any]:
    return [done.result() for done in concurrent.futures.as_completed(futures, PATIENCE)]


async def by_await(futures: list[Any]) -> list[Any]:
    return [await future for future in futures]


async def by_gather(futures: list[Any]) -> list[Any]:
    return await asyncio.gather(*futures)


async def by_asyncio_wait(futures: list[Any]) -> list[Any]:
    done, late = await asyncio.wait(futures, timeout=PATIENCE)
    assert not late
    return [future.result() for future in done]


async def by_asyncio_as_completed(futures: list[Any]) -> list[Any]:
    return [await done for done in asyncio.as_completed(futures, timeout=PATIENCE)]


SYNC_WAITS = [by_result, by_wait, by_first_wait, by_as_completed]
ASYNC_WAITS = [by_await, by_gather, by_asyncio_wait, by_asyncio_as_completed]


def ends(run: Any) -> Any:
    """Return the result of an async run, which must end in time."""
    return asyncio.run(asyncio.wait_for(run, 4 * PATIENCE))


class Busy:
    """Counts how many are at work at the same time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = self.most = 0

    def __enter__(self) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: Any) -> None:
        with self.lock:
            self.now -= 1

    def work(self) -> None:
        with self:
            time.sleep(0.0005)

    async def awork(self) -> None:
        with self:
            await asyncio.sleep(0)


@pytest.mark.parametrize("limit", LIMITS)
class TestCalledTasks:
    @pytest.mark.parametrize("wait", SYNC_WAITS)
    def test_sync(self, limit: int, wait: Any) -> None:
        meeting = Meeting(limit)
        leaf = task(lambda state: meeting(state), name="leaf")

        @entrypoint()
        def flow(_: Any) -> Any:
            return len(wait([leaf({}) for _ in range(6)]))

        assert flow.invoke(1, {"max_concurrency": limit}) == 6
        assert meeting.most == limit

    @pytest.mark.parametrize("wait", ASYNC_WAITS)
    @pytest.mark.parametrize("is_async", [True, False], ids=["async tasks", "sync tasks"])
    def test_async(self, limit: int, wait: Any, is_async: bool) -> None:
        met: list[Any] = []

        @task
        async def awork(_: Any) -> Any:
            return await met[0]({})

        @task
        def work(_: Any) -> Any:
            return met[0]({})

        @entrypoint()
        async def flow(_: Any) -> Any:
            met.append(AsyncMeeting(limit) if is_async else Meeting(limit))
            return len(await wait([(awork if is_async else work)({}) for _ in range(6)]))

        assert ends(flow.ainvoke(1, {"max_concurrency": limit})) == 6
        assert met[0].most == limit

    @pytest.mark.parametrize("wait", SYNC_WAITS)
    def test_sync_tasks_that_call_tasks(self, limit: int, wait: Any) -> None:
        """Who waits for tasks it called does not count; who works before or after that does."""
        busy = Busy()

        @task
        def leaf(_: Any) -> int:
            busy.work()
            return 1

        @task
        def twig(_: Any) -> int:
            busy.work()
            total = sum(wait([leaf(0) for _ in range(3)]))
            busy.work()
            return total

        @entrypoint()
        def tree(_: Any) -> int:
            return sum(wait([twig(0) for _ in range(6)]))

        assert tree.invoke(1, {"max_concurrency": limit}) == 18
        assert busy.most <= limit

    @pytest.mark.parametrize("wait", ASYNC_WAITS)
    def test_async_tasks_that_call_tasks(self, limit: int, wait: Any) -> None:
        busy = Busy()

        @task
        async def leaf(_: Any) -> int:
            await busy.awork()
            return 1

        @task
        async def twig(_: Any) -> int:
            await busy.awork()
            total = sum(await wait([leaf(0) for _ in range(3)]))
            await busy.awork()
            return total

        @entrypoint()
        async def tree(_: Any) -> int:
            return sum(await wait([twig(0) for _ in range(6)]))

        assert ends(tree.ainvoke(1, {"max_concurrency": limit})) == 18
        assert busy.most <= limit

    @pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
    def test_tasks_called_one_after_another(self, limit: int, is_async: bool) -> None:
        @task
        def leaf(number: int) -> int:
            return number

        @task
        def twig(number: int) -> int:
            return sum(leaf(each).result() for each in range(number))

        @entrypoint()
        def tree(_: Any) -> int:
            return sum(twig(number).result() for number in range(5))

        @entrypoint()
        async def atree(_: Any) -> int:
            return sum([await twig(number) for number in range(5)])

        config: Any = {"max_concurrency": limit}
        assert (ends(atree.ainvoke(1, config)) if is_async else tree.invoke(1, config)) == 10


@pytest.mark.parametrize("limit", [*LIMITS, None])
@pytest.mark.parametrize("kind", ["sync", "async", "sync tasks of an async run"])
def test_called_tasks_that_are_tried_again(kind: str, limit: int | None) -> None:
    """Whoever waits for a task waits for all of its attempts."""
    config: Any = {} if limit is None else {"max_concurrency": limit}
    calls: list[int] = []
    policy = RetryPolicy(initial_interval=0, jitter=False, max_attempts=3)

    def attempt(number: int) -> int:
        calls.append(number)
        if calls.count(number) < 3:
            raise ConnectionError(number)
        return number

    @task(retry_policy=policy)
    def work(number: int) -> int:
        return attempt(number)

    @task(retry_policy=policy)
    async def awork(number: int) -> int:
        await asyncio.sleep(0)
        return attempt(number)

    @entrypoint()
    def flow(_: Any) -> int:
        return sum(by_wait([work(number) for number in range(4)]))

    @entrypoint()
    async def aflow(_: Any) -> int:
        called = awork if kind == "async" else work
        return sum(await asyncio.gather(*[called(number) for number in range(4)]))

    assert (flow.invoke(1, config) if kind == "sync" else ends(aflow.ainvoke(1, config))) == 6
    assert len(calls) == 12


@pytest.mark.parametrize("limit", [*LIMITS, None])
def test_deep_calls(limit: int | None) -> None:
    """Each of many tasks waits for tasks of its own, which do so too."""
    config: Any = {} if limit is None else {"max_concurrency": limit}

    @task
    def deep(depth: int) -> int:
        return 1 if not depth else sum(by_result([deep(depth - 1) for _ in range(3)]))

    @task
    async def adeep(depth: int) -> int:
        if not depth:
            return 1
        return sum(await asyncio.gather(*[adeep(depth - 1) for _ in range(3)]))

    tree = entrypoint()(lambda depth: deep(depth).result())

    @entrypoint()
    async def atree(depth: int) -> int:
        return await adeep(depth)

    assert tree.invoke(4, config) == 81
    assert ends(atree.ainvoke(4, config)) == 81


def test_many_sync_tasks_of_an_async_run_that_wait_for_tasks() -> None:
    leaf = task(lambda number: number, name="leaf")
    twig = task(lambda number: leaf(number).result(), name="twig")

    @entrypoint()
    async def tree(width: int) -> Any:
        return len(await asyncio.gather(*[twig(number) for number in range(width)]))

    assert asyncio.run(asyncio.wait_for(tree.ainvoke(40), 1)) == 40


def ways(is_async: bool) -> Iterable[Callable[[Any], Any]]:
    if is_async:
        yield lambda config: ends(fan_out([anode] * 5).ainvoke({}, config))["log"]
        yield lambda config: ends(fan_out([node] * 5).ainvoke({}, config))["log"]
    else:
        yield lambda config: fan_out([node] * 5).invoke({}, config)["log"]
        yield lambda config: list(fan_out([node] * 5).stream({}, config))


def node(_: State) -> State:
    return {"log": [1]}


async def anode(_: State) -> State:
    await asyncio.sleep(0)
    return {"log": [1]}


class TestNumbers:
    @pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
    @pytest.mark.parametrize(
        "limit", [None, 1.0, 2.0, 2.5, True, 10**6, sys.maxsize, 2**70, 1e300, math.inf]
    )
    def test_any_number_lets_a_run_end(self, limit: Any, is_async: bool) -> None:
        for run in ways(is_async):
            assert len(run({"max_concurrency": limit})) == 5

    # What follows is what Python's thread pools and semaphores make of such numbers, as upstream.

    @pytest.mark.parametrize("zero", [0, 0.0, False])
    def test_zero_is_no_limit_in_async_runs_and_refused_in_sync_ones(self, zero: Any) -> None:
        graph = fan_out([AsyncMeeting(4)] * 4)
        assert len(ends(graph.ainvoke({}, {"max_concurrency": zero}))["log"]) == 4
        with pytest.raises(ValueError, match="must be greater than 0"):
            fan_out([node] * 4).invoke({}, {"max_concurrency": zero})

    def test_a_fraction_of_a_thread_is_a_thread(self) -> None:
        meeting = Meeting(3)
        config: Any = {"max_concurrency": 2.9}
        fan_out([meeting] * 6).invoke({}, config)
        assert meeting.most == 3

    def test_a_semaphore_that_never_comes_to_zero_is_no_limit(self) -> None:
        config: Any = {"max_concurrency": 2.9}
        assert len(ends(fan_out([AsyncMeeting(4)] * 4).ainvoke({}, config))["log"]) == 4
