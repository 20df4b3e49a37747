"""Leases on threads: for runs that wait for each other, and for those who have workers."""

from __future__ import annotations

import asyncio
import operator
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from _one_writer import aopened, opened
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.single_writer import Lease, ThreadConflictError
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.graph import START, StateGraph
from tests.python._postgres import Databases, databases

THREAD: Any = {"configurable": {"thread_id": "1"}}
KINDS = "memory", "sqlite", "postgres"
PATIENCE = 20


class State(TypedDict, total=False):
    items: Annotated[list[str], operator.add]


@pytest.fixture(scope="module")
def make() -> Iterator[Databases]:
    with databases() as make:
        yield make


@pytest.fixture(params=KINDS)
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with opened(request.param, request, tmp_path) as saver:
        yield saver


def graph(saver: Any, *nodes: Callable[[Any], Any]) -> Any:
    builder = StateGraph(State)
    for number, node in enumerate(nodes):
        builder.add_node(f"n{number}", node)
        builder.add_edge(f"n{number - 1}" if number else START, f"n{number}")
    return builder.compile(checkpointer=saver)


def under(lease: Lease) -> Any:
    return {"configurable": {"thread_id": "1", "__langgraph_rust_lease": lease.token}}


class TestLeases:
    def test_one_has_it_at_a_time(self, saver: Any) -> None:
        first = saver.take_lease("1", "first")
        with pytest.raises(ThreadConflictError, match="which first has") as refused:
            saver.take_lease("1", "second")
        assert (refused.value.reason, refused.value.run_id) == ("held", "second")
        assert saver.take_lease("2", "second").token == 1
        first.renew()
        first.release()
        second = saver.take_lease("1", "second")
        assert (first.token, second.token) == (1, 2)
        first.release()
        with pytest.raises(ThreadConflictError, match="second has it") as lost:
            first.renew()
        assert (lost.value.reason, lost.value.other_run_id) == ("fenced", "second")
        second.renew()

    def test_one_that_is_not_renewed_runs_out(self, saver: Any) -> None:
        first = saver.take_lease("1", "first", ttl=0.05)
        time.sleep(0.1)
        first.renew()
        assert saver.take_lease("1", "second", wait=PATIENCE).token == 2

    def test_tokens_are_never_given_out_again(self, saver: Any) -> None:
        saver.take_lease("1", "first").release()
        saver.delete_thread("1")
        assert saver.take_lease("1", "second").token == 2
        assert saver.take_lease("1", "third", steal=True).token == 3

    def test_a_ttl_must_be_some_time(self, saver: Any) -> None:
        with pytest.raises(ValueError, match="ttl must be"):
            saver.take_lease("1", "first", ttl=0)

    def test_those_who_wait_are_served_in_turn(self, saver: Any) -> None:
        if not isinstance(saver, InMemorySaver):
            pytest.skip("a connection that is shared by threads has turns of its own")
        held, order = saver.take_lease("1", "holder"), []

        def take(name: str) -> None:
            with_it = saver.take_lease("1", name, wait=PATIENCE)
            order.append(name)
            with_it.release()

        threads = [threading.Thread(target=take, args=(str(n),)) for n in range(4)]
        for thread in threads:
            thread.start()
            time.sleep(0.1)
        held.release()
        # Whoever wants it again goes to the end.
        take("holder")
        for thread in threads:
            thread.join()
        assert order == ["0", "1", "2", "3", "holder"]

    @pytest.mark.parametrize("kind", KINDS)
    async def test_async_ones(
        self, kind: str, request: pytest.FixtureRequest, tmp_path: Path
    ) -> None:
        async with aopened(kind, request, tmp_path) as saver:
            first = await saver.atake_lease("1", "first")
            with pytest.raises(ThreadConflictError, match="first has"):
                await saver.atake_lease("1", "second", wait=0.05)
            waiting = asyncio.ensure_future(saver.atake_lease("1", "cancelled", wait=PATIENCE))
            await asyncio.sleep(0.05)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await first.arenew()
            await first.arelease()
            second = await saver.atake_lease("1", "second", wait=PATIENCE)
            with pytest.raises(ThreadConflictError):
                await first.arenew()
            await asyncio.to_thread(second.renew)
            await asyncio.to_thread(second.release)

    async def test_a_sync_saver_has_no_async_ones(self, tmp_path: Path) -> None:
        with SqliteSaver.from_conn_string(str(tmp_path / "db")) as saver:
            with pytest.raises(NotImplementedError):
                await saver.atake_lease("1", "first")


class TestFencing:
    @pytest.mark.parametrize("mode", ["refuse", "off"])
    @pytest.mark.parametrize("durability", ["sync", "async", "exit"])
    def test_a_run_whose_lease_was_taken_stores_nothing_more(
        self, saver: Any, mode: Any, durability: Any
    ) -> None:
        saver.single_writer = mode
        lease = saver.take_lease("1", "slow worker")

        def steal(_: Any) -> Any:
            saver.take_lease("1", "new worker", steal=True)
            return {"items": ["late"]}

        slow = graph(saver, steal, lambda _: {"items": ["later"]})
        with pytest.raises(ThreadConflictError, match="new worker has it now") as refused:
            slow.invoke({"items": ["0"]}, under(lease), durability=durability)
        assert refused.value.reason == "fenced"
        begun = [] if durability == "exit" else ["0"]
        assert slow.get_state(THREAD).values.get("items", []) == begun

    def test_a_run_under_a_lease_that_counts(self, saver: Any) -> None:
        inner = graph(None, lambda _: {"items": ["inner"]})
        own = graph(saver, inner, lambda _: {"items": ["end"]})
        lease = saver.take_lease("1", "worker")
        own.invoke({"items": ["0"]}, under(lease))
        assert "__langgraph_rust_lease" not in str(own.get_state(THREAD).metadata)
        lease.release()
        with pytest.raises(ThreadConflictError, match="nobody has it"):
            own.invoke({"items": ["1"]}, under(lease))
        # Whoever has none is not asked for it.
        own.invoke({"items": ["2"]}, THREAD)

    def test_graphs_within_are_fenced_too(self, saver: Any) -> None:
        lease = saver.take_lease("1", "worker")

        def steal(_: Any) -> Any:
            saver.take_lease("1", "other", steal=True)
            return {"items": ["late"]}

        own = graph(saver, graph(None, steal, lambda _: {}))
        with pytest.raises(ThreadConflictError, match="other has it"):
            own.invoke({"items": ["0"]}, under(lease))
        assert own.get_state(THREAD).values["items"] == ["0"]


class TestWaiting:
    def test_runs_of_a_thread_follow_each_other(self, saver: Any) -> None:
        saver.single_writer = "wait"

        def slow(_: Any) -> Any:
            running.append(1)
            assert len(running) == 1
            time.sleep(0.01)
            running.pop()
            return {"items": ["x"]}

        running: list[int] = []
        own, failed = graph(saver, slow), []

        def work(number: int) -> None:
            try:
                for _ in range(3):
                    if number % 2:
                        own.invoke({"items": [f"{number}"]}, THREAD)
                    else:
                        own.update_state(THREAD, {"items": [f"{number}"]}, as_node="n0")
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert failed == []
        assert len(own.get_state(THREAD).values["items"]) == 2 * 3 + 2 * 3 * 2

    @pytest.mark.parametrize("kind", KINDS)
    async def test_async_ones_do(
        self, kind: str, request: pytest.FixtureRequest, tmp_path: Path
    ) -> None:
        async with aopened(kind, request, tmp_path) as saver:
            saver.single_writer = "wait"

            async def slow(_: Any) -> Any:
                await asyncio.sleep(0.01)
                return {"items": ["x"]}

            own = graph(saver, slow)
            await asyncio.gather(*(own.ainvoke({"items": [str(n)]}, THREAD) for n in range(4)))

            async def stream() -> None:
                async for _ in own.astream({"items": ["s"]}, THREAD):
                    break

            await asyncio.wait_for(asyncio.gather(*(stream() for _ in range(2))), PATIENCE)
            values = (await own.aget_state(THREAD)).values["items"]
            assert sorted(values[:8]) == ["0", "1", "2", "3", *"xxxx"]

    def test_whoever_waits_too_long_is_told_who_has_it(self, saver: Any) -> None:
        saver.single_writer, saver.single_writer_timeout = "wait", 0.05
        lease = saver.take_lease("1", "somebody")
        own = graph(saver, lambda _: {"items": ["x"]})
        for call in (
            lambda: own.invoke({"items": []}, THREAD),
            lambda: own.update_state(THREAD, {"items": []}, as_node="n0"),
        ):
            with pytest.raises(ThreadConflictError, match="which somebody has") as refused:
                call()
            assert (refused.value.reason, refused.value.other_run_id) == ("held", "somebody")
        lease.release()
        own.invoke({"items": []}, THREAD)

    def test_a_run_does_not_wait_for_itself(self, saver: Any) -> None:
        saver.single_writer = "wait"
        inner = graph(None, lambda _: {"items": ["inner"]})
        own = graph(saver, inner, lambda _: {"items": ["end"]})
        own.invoke({"items": []}, THREAD)
        for call in (
            lambda _: own.invoke({"items": []}, THREAD),
            lambda _: own.update_state(THREAD, {"items": []}, as_node="n1"),
        ):
            with pytest.raises(ThreadConflictError, match="would wait for itself"):
                graph(saver, call).invoke({"items": []}, THREAD)
        # Another thread is nobody else's.
        other: Any = {"configurable": {"thread_id": "2"}}
        graph(saver, lambda _: own.invoke({"items": []}, other) and {}).invoke({}, THREAD)

    def test_it_is_given_back_however_a_run_ends(self, saver: Any) -> None:
        saver.single_writer, saver.single_writer_timeout = "wait", 1.0

        def fail(_: Any) -> Any:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            graph(saver, fail).invoke({"items": []}, THREAD)
        stream = graph(saver, lambda _: {}, lambda _: {}).stream({"items": []}, THREAD)
        next(stream)
        stream.close()
        graph(saver, lambda _: {}).invoke({"items": []}, THREAD)

    def test_a_long_run_keeps_it(self, saver: Any) -> None:
        saver.single_writer, saver.single_writer_ttl = "wait", 0.3

        def long(_: Any) -> Any:
            time.sleep(1.0)
            with pytest.raises(ThreadConflictError):
                saver.take_lease("1", "other")
            return {"items": ["done"]}

        assert graph(saver, long).invoke({"items": []}, THREAD)["items"] == ["done"]

    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_long_async_run_does(
        self, kind: str, request: pytest.FixtureRequest, tmp_path: Path
    ) -> None:
        async with aopened(kind, request, tmp_path) as saver:
            saver.single_writer, saver.single_writer_ttl = "wait", 0.3

            async def long(_: Any) -> Any:
                await asyncio.sleep(1.0)
                with pytest.raises(ThreadConflictError):
                    await saver.atake_lease("1", "other")
                return {"items": ["done"]}

            result = await graph(saver, long).ainvoke({"items": []}, THREAD)
            assert result["items"] == ["done"]

    def test_one_that_others_have_taken_ends_the_run(self, saver: Any) -> None:
        saver.single_writer = "wait"

        def steal(_: Any) -> Any:
            saver.take_lease("1", "thief", steal=True)
            return {"items": ["late"]}

        with pytest.raises(ThreadConflictError, match="thief has it"):
            graph(saver, steal).invoke({"items": ["0"]}, THREAD)
