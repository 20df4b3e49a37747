"""Where the attempts after the first go on: no further, no earlier, and with each answer once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from _runs import (
    PATIENCE,
    AsyncDatabase,
    Gate,
    RunSaver,
    State,
    _plans,
    asking,
    asking_twice,
    async_pool,
    attempts,
    chain,
    psycopg,
    says,
    working,
)

from langgraph_rust.graph import START, StateGraph
from langgraph_rust.runs._worker._execution import Execution
from langgraph_rust.runs._worker._keeping import is_outage
from langgraph_rust.runs._worker._log import LostRunError
from langgraph_rust.runs._worker._worker import Worker
from langgraph_rust.types import Command

pytestmark = pytest.mark.asyncio


async def newest(database: str) -> str:
    async with await psycopg.AsyncConnection.connect(database) as connection:
        found = await connection.execute("SELECT max(checkpoint_id) FROM checkpoints")
        return (await found.fetchone())[0]


def at(checkpoint_id: str) -> Any:
    return {"configurable": {"checkpoint_id": checkpoint_id}}


@pytest.mark.parametrize("is_older", [False, True])
async def test_where_it_began_it_passes_a_breakpoint(database: str, is_older: bool) -> None:
    gate = Gate()
    builder = StateGraph(State).add_sequence([("plan", says("plan")), ("act", gate)])
    graph = builder.add_edge(START, "plan").compile(interrupt_before=["act"])
    async with asking(database) as runs, attempts(database, graph) as attempt:
        await attempt(await runs.enqueue("graph", {"log": []}, thread_id="1"))
        config = at(await newest(database)) if is_older else None
        if is_older:
            gate.may_end.set()
            await attempt(await runs.enqueue("graph", None, thread_id="1"))
            gate.may_end.clear()
            gate.begun.clear()
        run = await runs.enqueue("graph", None, thread_id="1", config=config)
        await attempt(run, gate.begun)
        gate.may_end.set()
        await attempt(run)
        run = await runs.get(run.id)
    assert (run.status, run.result) == ("success", {"log": ["plan", "gate"]})


async def test_an_answer_to_an_older_checkpoint_is_given_once(database: str) -> None:
    gate = Gate()
    graph = asking_twice(gate)
    async with asking(database) as runs, attempts(database, graph) as attempt:
        await attempt(await runs.enqueue("graph", {"log": []}, thread_id="1"))
        older = await newest(database)
        await attempt(await runs.enqueue("graph", {"log": ["later"]}, thread_id="1"))
        run = await runs.enqueue("graph", Command(resume="1"), thread_id="1", config=at(older))
        await attempt(run, gate.begun)
        gate.may_end.set()
        await attempt(run)
        run = await runs.get(run.id)
        assert [one.value for one in run.result["__interrupt__"]] == ["second?"]


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_a_subgraph_with_a_memory_gets_the_input_once(database: str, durability: Any) -> None:
    gate, remembered = Gate(), list[str]()
    memory = StateGraph(State).add_node("turn", says("turn")).add_edge(START, "turn")
    inner = memory.compile(checkpointer=True)

    async def calls(state: State) -> State:
        remembered[:] = (await inner.ainvoke({"log": state["log"][-1:]}))["log"]
        return {}

    graph = chain(calls, gate)
    gate.may_end.set()
    async with asking(database) as runs, attempts(database, graph) as attempt:
        first = {"thread_id": "1", "durability": durability}
        await attempt(await runs.enqueue("graph", {"log": ["1"]}, **first))
        gate.may_end.clear()
        gate.begun.clear()
        run = await runs.enqueue("graph", {"log": ["2"]}, **first)
        await attempt(run, gate.begun)
        gate.may_end.set()
        await attempt(run)
        assert (await runs.get(run.id)).status == "success"
    assert remembered == ["1", "turn", "2", "turn"]


@pytest.mark.parametrize("where", ["interrupt_before", "interrupt_after"])
@pytest.mark.parametrize("nodes", ["*", ["node0"]])
@pytest.mark.parametrize("stored", [1, 2, 3])
async def test_it_stops_where_it_was_to_stop(
    database: str, where: str, nodes: Any, stored: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it had stored when it died."""
    put, count = RunSaver.aput, 0

    async def puts(self: RunSaver, *args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += 1
        if count > stored:
            raise LostRunError("1")
        return await put(self, *args, **kwargs)

    async def says_nothing(*_: object, **__: object) -> None:
        pass

    async with (
        asking(database) as runs,
        attempts(database, chain(says("a"), says("b"))) as attempt,
    ):
        run = await runs.enqueue("graph", {"log": ["in"]}, thread_id="1", **{where: nodes})
        with monkeypatch.context() as patch:
            patch.setattr(RunSaver, "aput", puts)
            patch.setattr(Execution, "_end", says_nothing)
            await attempt(run)
        await attempt(run)
        run = await runs.get(run.id)
    expected = ["in"] if where == "interrupt_before" else ["in", "a"]
    assert (run.status, run.result) == ("interrupted", {"log": expected})


async def test_a_transaction_that_stood_still_is_no_failure_of_the_run() -> None:
    assert is_outage(psycopg.errors.IdleInTransactionSessionTimeout("terminating connection"))
    assert not is_outage(psycopg.errors.InFailedSqlTransaction("aborted"))


async def test_a_worker_ends_if_what_it_looks_with_hears_of_no_cancellation(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, look = asyncio.Event(), Worker._look_at_own

    async def looks_deafly(self: Worker) -> None:
        looks.set()
        try:
            await asyncio.sleep(PATIENCE)
        except asyncio.CancelledError:
            await look(self)

    monkeypatch.setattr(Worker, "_look_at_own", looks_deafly)
    async with working(database, {"graph": chain(says("a"))}):
        await asyncio.wait_for(looks.wait(), PATIENCE)


async def test_the_next_run_of_a_thread_begins_at_once(database: str) -> None:
    async with asking(database) as runs, working(database, {"graph": chain(says("a"))}, poll=15.0):
        # A worker that has only begun may have to look for the first.
        for patience in [PATIENCE, *[10.0] * 50]:
            run = await runs.enqueue("graph", {"log": []}, thread_id="1")
            await asyncio.wait_for(runs.wait(run.id), patience)


async def test_the_job_of_a_run_that_is_over_keeps_nobody_waiting(database: str) -> None:
    async with asking(database) as runs, async_pool(database, 2) as pool:
        over = await runs.enqueue("gone", {"log": []}, thread_id="1")
        lost = await runs.enqueue("gone", {"log": []}, thread_id="2")
        async with pool.connection() as connection:
            await connection.execute("UPDATE procrastinate_jobs SET status = 'doing'")
            ended = "UPDATE langgraph_rust_runs SET status = 'success' WHERE id = %s"
            await connection.execute(ended, (over.id,))
            assert await AsyncDatabase(pool).carry_out(_plans.revive(1.0, 0)) == 1
            left = await connection.execute(
                "SELECT args ->> 'run_id' AS run, status FROM procrastinate_jobs"
            )
            jobs = [(row["run"], row["status"]) for row in await left.fetchall()]
        assert jobs == [(lost.id, "todo")]
