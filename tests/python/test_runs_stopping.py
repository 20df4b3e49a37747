"""Runs that are stopped: because somebody asks, for another run of the thread, with a worker."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from _runs import PATIENCE, Gate, asking, chain, psycopg, says, working

from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph_rust.runs import ThreadBusyError
from langgraph_rust.types import Command, interrupt

pytestmark = pytest.mark.asyncio


async def state(database: str, graph: Any, thread_id: str = "1") -> Any:
    async with AsyncPostgresSaver.from_conn_string(database) as saver:
        config = {"configurable": {"thread_id": thread_id}}
        return (await graph.copy({"checkpointer": saver}).aget_state(config)).values


async def begun(gate: Gate) -> None:
    await asyncio.wait_for(gate.begun.wait(), PATIENCE)
    gate.begun.clear()


@pytest.mark.parametrize("how", [{}, {"drain": True}, {"action": "rollback"}])
async def test_a_run_is_cancelled(database: str, how: Any) -> None:
    gate = Gate()
    graph = chain(says("a"), gate, says("c"))
    async with asking(database) as runs, working(database, {"graph": graph}):
        first = await runs.enqueue("graph", {"log": ["first"]}, thread_id="1")
        gate.may_end.set()
        await runs.wait(first.id)
        gate.may_end.clear()
        gate.begun.clear()
        run = await runs.enqueue("graph", {"log": ["in"]}, thread_id="1")
        await begun(gate)
        assert (await runs.cancel(run.id, **how)).status == "running"
        if how.get("drain"):
            await asyncio.sleep(0.5)
            assert (await runs.get(run.id)).status == "running"
            gate.may_end.set()
        run = await runs.wait(run.id, timeout=PATIENCE)
        events = [event async for event in runs.stream(run.id)]
    assert (run.status, run.reason, run.result) == ("cancelled", "it was asked for", None)
    assert events[-1].data == {"status": "cancelled"}
    left = (await state(database, graph))["log"][4:]
    done = ["in", "a", "gate"] if how.get("drain") else ["in", "a"]
    assert left == ([] if how.get("action") else done)


async def test_what_waits_is_cancelled_at_once(database: str) -> None:
    async with asking(database) as runs:
        run = await runs.enqueue("graph", {"log": []})
        assert (await runs.cancel(run.id)).status == "cancelled"
        assert [event.mode async for event in runs.stream(run.id)] == ["end"]
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT * FROM procrastinate_jobs").fetchall() == []


@pytest.mark.parametrize("strategy", ["interrupt", "rollback"])
async def test_a_run_takes_the_place_of_others(database: str, strategy: Any) -> None:
    gate = Gate()
    graph = chain(says("a"), gate, says("c"))
    async with asking(database) as runs, working(database, {"graph": graph}):
        running = await runs.enqueue("graph", {"log": ["1"]}, thread_id="1")
        await begun(gate)
        waiting = await runs.enqueue("graph", {"log": ["2"]}, thread_id="1")
        with pytest.raises(ThreadBusyError, match=running.id):
            await runs.enqueue("graph", {}, thread_id="1", multitask_strategy="reject")
        new = await runs.enqueue(
            "graph", {"log": ["3"]}, thread_id="1", multitask_strategy=strategy
        )
        await asyncio.sleep(0.5)
        gate.may_end.set()
        done = [await runs.wait(run.id, timeout=PATIENCE) for run in (running, waiting, new)]
        again = await runs.enqueue(
            "graph", {"log": ["4"]}, thread_id="1", multitask_strategy="reject"
        )
        await runs.wait(again.id)
    assert [run.status for run in done] == ["cancelled", "cancelled", "success"]
    assert done[0].reason == f"{strategy}: run {new.id} was enqueued"
    stayed = {"interrupt": ["1", "a", "gate"], "rollback": []}[strategy]
    assert done[2].result == {"log": [*stayed, "3", "a", "gate", "c"]}


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_worker_that_stops_gives_its_runs_to_another(database: str, at_once: bool) -> None:
    gate = Gate()
    graph = chain(says("a"), gate, says("c"))
    async with asking(database) as runs:
        async with working(database, {"graph": graph}, name="first") as worker:
            run = await runs.enqueue("graph", {"log": ["in"]})
            await begun(gate)
            if at_once:
                worker.stop()
            else:
                worker.drain()
                await asyncio.sleep(0.3)
                gate.may_end.set()
                await asyncio.sleep(0.3)
        assert (await runs.get(run.id)).status == "pending"
        gate.may_end.set()
        async with working(database, {"graph": graph}, name="second"):
            run = await runs.wait(run.id, timeout=PATIENCE)
        events = [event async for event in runs.stream(run.id)]
    assert (run.status, run.worker, run.attempt) == ("success", "second", 2)
    assert run.result == {"log": ["in", "a", "gate", "c"]}
    assert gate.count == 1 + at_once
    assert [event.id for event in events] == [1, 2, 3, 4]


async def test_a_worker_does_not_wait_for_ever(database: str) -> None:
    gate = Gate()
    graph = chain(gate)
    async with asking(database) as runs:
        async with working(database, {"graph": graph}, drain_timeout=0.3) as worker:
            run = await runs.enqueue("graph", {"log": []})
            await begun(gate)
            worker.drain()
        assert (await runs.get(run.id)).status == "pending"


async def test_a_drained_run_can_be_cancelled_before_another_worker_takes_it(database: str) -> None:
    gate = Gate()
    graph = chain(says("a"), gate)
    async with asking(database) as runs:
        made = [await runs.enqueue("graph", {"log": []}, thread_id=name) for name in ("1", "2")]
        async with working(database, {"graph": graph}, concurrency=2) as worker:
            while gate.count < 2:
                await asyncio.sleep(0.01)
            worker.stop()
        assert (await runs.cancel(made[0].id)).status == "cancelled"
        assert (await runs.cancel(made[1].id, action="rollback")).status == "pending"
        async with working(database, {"graph": graph}):
            assert (await runs.wait(made[1].id, timeout=PATIENCE)).status == "cancelled"
    assert await state(database, graph, "1") == {"log": ["a"]}
    assert not await state(database, graph, "2")
    assert gate.count == 2


@pytest.mark.parametrize("way", ["cancel", "strategy"])
async def test_a_run_that_answered_is_rolled_back_with_its_answer(database: str, way: str) -> None:
    gate = Gate()
    graph = chain(lambda state: {"log": [interrupt("?")]}, gate)
    async with asking(database) as runs, working(database, {"graph": graph}):
        first = await runs.enqueue("graph", {"log": []}, thread_id="1")
        assert (await runs.wait(first.id, timeout=PATIENCE)).status == "interrupted"
        wrong = await runs.enqueue("graph", Command(resume="wrong"), thread_id="1")
        await asyncio.wait_for(gate.begun.wait(), PATIENCE)
        strategy: Any = "rollback"
        if way == "cancel":
            await runs.cancel(wrong.id, action="rollback")
            strategy = "enqueue"
        right = await runs.enqueue(
            "graph", Command(resume="right"), thread_id="1", multitask_strategy=strategy
        )
        assert (await runs.wait(wrong.id, timeout=PATIENCE)).status == "cancelled"
        gate.may_end.set()
        right = await runs.wait(right.id, timeout=PATIENCE)
    assert (right.status, right.result) == ("success", {"log": ["right", "gate"]})


async def test_whoever_asks_for_less_does_not_undo_a_rollback(database: str) -> None:
    gate = Gate()
    async with asking(database) as runs, working(database, {"graph": chain(says("a"), gate)}):
        run = await runs.enqueue("graph", {"log": []}, thread_id="1")
        await asyncio.wait_for(gate.begun.wait(), PATIENCE)
        with psycopg.connect(database, autocommit=True) as connection:
            await runs.cancel(run.id, action="rollback")
            await runs.cancel(run.id)
            await runs.cancel(run.id, drain=True)
            assert (await runs.wait(run.id, timeout=PATIENCE)).status == "cancelled"
            count = connection.execute("SELECT count(*) FROM checkpoints").fetchall()
    assert count == [(0,)]


async def test_what_a_program_stores_meanwhile_is_not_lost(database: str) -> None:
    from langgraph_rust.checkpoint.postgres import PostgresSaver

    gate = Gate()
    graph = chain(gate, says("b"))
    config: Any = {"configurable": {"thread_id": "1"}}
    async with asking(database) as runs, working(database, {"graph": graph}):
        run = await runs.enqueue("graph", {"log": []}, thread_id="1")
        await asyncio.wait_for(gate.begun.wait(), PATIENCE)
        with PostgresSaver.from_conn_string(database) as saver:
            mine = graph.copy({"checkpointer": saver})
            mine.update_state(config, {"log": ["mine"]}, as_node="node1")
            gate.may_end.set()
            run = await runs.wait(run.id, timeout=PATIENCE)
            assert mine.get_state(config).values == {"log": ["mine"]}
    assert run.status == "error" and run.failure
    assert "ThreadConflictError" in run.failure.type
