"""Runs that wait in a database: asking for them, their streams, threads in order, answers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from _runs import PATIENCE, Gate, State, asking, chain, psycopg, says, working

from langgraph_rust.config import get_stream_writer
from langgraph_rust.runs import AsyncRuns, Runs, ThreadBusyError, UnknownRunError
from langgraph_rust.types import Command, StreamMode, interrupt

pytestmark = pytest.mark.asyncio


async def test_a_run_is_run_and_its_stream_can_be_read_from_any_event_on(database: str) -> None:
    def shows(state: State) -> State:
        get_stream_writer()({"half": True})
        return {"log": ["b"]}

    graphs = {"graph": chain(says("a"), shows)}
    async with asking(database) as runs, working(database, graphs) as worker:
        run = await runs.enqueue("graph", {"log": ["in"]}, stream_mode=["updates", "custom"])
        assert run.status == "pending" and run.result is None
        events = [event async for event in runs.stream(run.id)]
        again = [event async for event in runs.stream(run.id, after=2)]
        run = await runs.wait(run.id)
    assert [(event.id, event.mode, event.data) for event in events] == [
        (1, "updates", {"node0": {"log": ["a"]}}),
        (2, "custom", {"half": True}),
        (3, "updates", {"node1": {"log": ["b"]}}),
        (4, "end", {"status": "success"}),
    ]
    assert again == events[2:]
    assert (run.status, run.result, run.worker) == (
        "success",
        {"log": ["in", "a", "b"]},
        worker.name,
    )
    assert run.created <= run.started <= run.ended  # pyright: ignore


async def test_threads_and_loops_ask_alike(database: str) -> None:
    def ask() -> list[Any]:
        with Runs(database, graphs={"graph": graph}) as runs:
            runs.setup()
            run = runs.enqueue(graph, {"log": ["in"]}, thread_id="1")
            modes = [event.mode for event in runs.stream(run.id)]
            run = runs.wait(run.id, timeout=PATIENCE)
            assert runs.list(thread_id="1") == [run] == runs.list(status="success")
            assert runs.cancel(run.id) == runs.get(run.id) == run
            with pytest.raises(UnknownRunError):
                runs.get("00000000-0000-0000-0000-000000000000")
            return [*modes, run.result]

    graph = chain(says("a"))
    async with working(database, {"graph": graph}):
        assert await asyncio.to_thread(ask) == ["updates", "end", {"log": ["in", "a"]}]


async def test_a_run_appears_when_its_transaction_is_committed(database: str) -> None:
    with Runs(database) as runs:
        runs.setup()
        with psycopg.connect(database) as connection:
            gone = runs.enqueue("graph", None, connection=connection)
            connection.rollback()
            kept = runs.enqueue("graph", None, connection=connection, thread_id="1")
            with pytest.raises(ThreadBusyError):
                runs.enqueue(
                    "graph", None, connection=connection, thread_id="1", multitask_strategy="reject"
                )
            assert runs.list() == []
            connection.commit()
        assert [run.id for run in runs.list()] == [kept.id] != [gone.id]
    async with await psycopg.AsyncConnection.connect(database) as connection:
        async with AsyncRuns(database) as aruns:
            await aruns.enqueue("graph", None, connection=connection)
            await connection.rollback()
            assert len(await aruns.list()) == 1
        rows = await (
            await connection.execute("SELECT count(*) FROM procrastinate_jobs")
        ).fetchall()
        assert rows == [(1,)]


async def test_a_question_ends_a_run_and_another_answers(database: str) -> None:
    graph = chain(lambda state: {"log": [interrupt("first?"), interrupt("second?")]})
    async with asking(database) as runs, working(database, {"graph": graph}):
        results = []
        for input in ({"log": []}, Command(resume="1"), Command(resume="2")):
            run = await runs.enqueue("graph", input, thread_id="1")
            results.append(await runs.wait(run.id, timeout=PATIENCE))
    assert [run.status for run in results] == ["interrupted", "interrupted", "success"]
    assert [i.value for i in results[1].result["__interrupt__"]] == ["second?"]
    assert results[2].result == {"log": ["1", "2"]}


async def test_a_static_interrupt_is_one_too(database: str) -> None:
    graph = chain(says("a"), says("b"))
    async with asking(database) as runs, working(database, {"graph": graph}):
        first = await runs.enqueue("graph", {"log": []}, thread_id="1", interrupt_before=["node1"])
        first = await runs.wait(first.id, timeout=PATIENCE)
        second = await runs.enqueue("graph", None, thread_id="1", interrupt_before=["node1"])
        second = await runs.wait(second.id, timeout=PATIENCE)
    assert (first.status, first.result) == ("interrupted", {"log": ["a"]})
    assert (second.status, second.result) == ("success", {"log": ["a", "b"]})


async def test_what_goes_wrong_is_told(database: str) -> None:
    def fails(state: State) -> State:
        raise ValueError("no\0 luck")

    async def takes_long(state: State) -> State:
        await asyncio.sleep(PATIENCE)
        return {}

    graphs = {"fails": chain(says("a"), fails), "long": chain(takes_long)}
    async with asking(database) as runs, working(database, graphs, queues=[*graphs, "other"]):
        made = [
            await runs.enqueue("fails", {"log": []}),
            await runs.enqueue("long", {"log": []}, timeout=0.3),
        ]
        failed, late = [await runs.wait(run.id, timeout=PATIENCE) for run in made]
        events = [event async for event in runs.stream(failed.id)]
    assert failed.status == "error" and failed.failure is not None
    assert (failed.failure.type, failed.failure.message) == ("ValueError", "no luck")
    assert "in fails" in failed.failure.traceback
    assert [event.mode for event in events] == ["updates", "end"]
    assert late.status == "timeout"


async def test_a_run_waits_for_a_worker_that_has_its_graph(database: str) -> None:
    shared: Any = {"queues": ["shared"]}
    async with asking(database) as runs:
        run = await runs.enqueue("other", {"log": []}, queue="shared")
        async with working(database, {"graph": chain(says("a"))}, **shared):
            while (waits := await runs.get(run.id)).reason is None:
                await asyncio.sleep(0.05)
            assert waits.status == "pending" and "'other'; this one's are: graph" in waits.reason
            async with working(database, {"other": chain(says("b"))}, **shared):
                run = await runs.wait(run.id, timeout=PATIENCE)
    assert (run.status, run.result, run.reason) == ("success", {"log": ["b"]}, None)


async def test_runs_of_a_thread_wait_for_each_other_and_others_do_not(database: str) -> None:
    gate = Gate()
    async with asking(database) as runs, working(database, {"graph": chain(gate)}):
        first = await runs.enqueue("graph", {"log": ["1"]}, thread_id="1")
        second = await runs.enqueue("graph", {"log": ["2"]}, thread_id="1")
        await asyncio.wait_for(gate.begun.wait(), PATIENCE)
        other = await runs.enqueue("graph", {"log": ["3"]}, thread_id="2")
        while gate.count < 2:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        assert (await runs.get(second.id)).status == "pending"
        with pytest.raises(TimeoutError):
            await runs.wait(second.id, timeout=0.1)
        gate.may_end.set()
        done = [await runs.wait(run.id, timeout=PATIENCE) for run in (first, second, other)]
    assert done[1].result == {"log": ["1", "gate", "2", "gate"]}
    assert done[0].ended < done[1].started  # pyright: ignore
    # Nobody polled for it.
    assert done[1].started - done[0].ended < timedelta(seconds=0.15)  # pyright: ignore


async def test_priorities_and_times(database: str) -> None:
    seen: list[str] = []
    graph = chain(lambda state: seen.append(state["log"][-1]) or {})
    async with asking(database) as runs:
        later = await runs.enqueue("graph", {"log": ["later"]}, at=timedelta(seconds=1))
        low = await runs.enqueue("graph", {"log": ["low"]})
        high = await runs.enqueue("graph", {"log": ["high"]}, priority=1)
        async with working(database, {"graph": graph}, concurrency=1):
            done = [await runs.wait(run.id, timeout=PATIENCE) for run in (later, low, high)]
    assert seen == ["high", "low", "later"]
    assert done[0].started >= done[0].at  # pyright: ignore


async def test_what_cannot_be_enqueued(database: str) -> None:
    graph = chain(says("a"))
    async with asking(database, graphs={"graph": graph}) as runs:
        with pytest.raises(ValueError, match="no graph is called 'other'; there are: graph"):
            await runs.enqueue("other", None)
        with pytest.raises(ValueError, match="by name"):
            await runs.enqueue(chain(says("b")), None)
        with pytest.raises(ValueError, match="callbacks"):
            await runs.enqueue("graph", None, config={"callbacks": [object()]})  # pyright: ignore
        with pytest.raises(ValueError, match="40 bytes"):
            await runs.enqueue("graph", None, queue="q" * 41)
        with pytest.raises(ValueError, match="strategy"):
            await runs.enqueue("graph", None, multitask_strategy="retry")  # pyright: ignore
        with pytest.raises(TypeError, match="color"):
            await runs.enqueue("graph", None, color="red")  # pyright: ignore
        assert await runs.list() == []
        with suppress(UnknownRunError):
            await runs.cancel("00000000-0000-0000-0000-000000000000")


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=lambda e: repr(e))
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("mode", ["updates", "messages"])
async def test_a_node_that_would_end_the_process_ends_its_run(
    database: str, error: BaseException, is_async: bool, mode: StreamMode
) -> None:
    def exits(state: State) -> Any:
        raise error

    async def aexits(state: State) -> Any:
        raise error

    graphs = {"exits": chain(aexits if is_async else exits), "works": chain(says("a"))}
    async with asking(database) as runs, working(database, graphs):
        run = await runs.enqueue("exits", {"log": []}, stream_mode=mode)
        run = await runs.wait(run.id, timeout=PATIENCE)
        assert run.status == "error" and run.failure
        assert type(error).__name__ in run.failure.message and "exits" in run.failure.traceback
        run = await runs.enqueue("works", {"log": []})
        assert (await runs.wait(run.id, timeout=PATIENCE)).status == "success"


async def test_what_makes_no_sense_is_said_to_whoever_asks(database: str) -> None:
    from langgraph_rust.warnings import LangGraphMistakeWarning

    async with asking(database) as runs:
        for thread in ("a\0b", "\ud800"):
            with pytest.raises(ValueError, match="thread_id"):
                await runs.enqueue("graph", None, thread_id=thread)
        mistakes: Any = {"stream_mode": "update"}, {"durability": "synch"}
        for mistake in mistakes:
            with pytest.warns(LangGraphMistakeWarning, match=next(iter(mistake.values()))):
                await runs.enqueue("graph", None, **mistake)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize("error", [ValueError("\ud800"), Unspeakable()], ids=["half", "mute"])
async def test_a_failure_that_cannot_be_told_is_one(database: str, error: Exception) -> None:
    def fails(state: State) -> Any:
        raise error

    async with asking(database) as runs, working(database, {"graph": chain(fails)}):
        run = await runs.enqueue("graph", {"log": []})
        run = await runs.wait(run.id, timeout=PATIENCE)
    assert (run.status, run.attempt) == ("error", 1)


async def test_a_conflict_over_another_thread_is_a_failure(database: str) -> None:
    from langgraph_rust.checkpoint.single_writer import ThreadConflictError

    def fails(state: State) -> Any:
        raise ThreadConflictError(
            reason="fenced", thread_id="another", run_id="1", other_run_id="2"
        )

    async with asking(database) as runs, working(database, {"graph": chain(fails)}):
        run = await runs.enqueue("graph", {"log": []})
        run = await runs.wait(run.id, timeout=PATIENCE)
    assert (run.status, run.attempt) == ("error", 1)


async def test_ids_and_numbers_that_are_none_are_named(database: str) -> None:
    async with asking(database) as runs:
        for unknown in ("no-uuid", "a\0b", 7):
            with pytest.raises(UnknownRunError):
                await runs.get(unknown)  # type: ignore[arg-type]
        wrong: Any = {"timeout": "5"}, {"timeout": -1}, {"priority": 2**40}, {"thread_id": ""}
        for one in wrong:
            with pytest.raises(ValueError, match=next(iter(one))):
                await runs.enqueue("graph", None, **one)
