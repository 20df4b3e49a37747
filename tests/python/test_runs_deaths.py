"""Runs whose workers die, and that others go on with: nothing is done twice that was done."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from _runs import (
    PATIENCE,
    Gate,
    State,
    asking,
    asking_twice,
    attempts,
    chain,
    psycopg,
    says,
    working,
)

from langgraph_rust.graph import START, StateGraph
from langgraph_rust.runs._worker._execution import Execution
from langgraph_rust.runs._worker._log import LostRunError
from langgraph_rust.types import Command, interrupt

pytestmark = pytest.mark.asyncio


async def test_an_answer_that_a_task_took_is_not_given_to_its_next_question(database: str) -> None:
    gate = Gate()
    graph = asking_twice(gate)
    async with asking(database) as runs, attempts(database, graph) as attempt:
        await attempt(await runs.enqueue("graph", {"log": []}, thread_id="1"))
        run = await runs.enqueue("graph", Command(resume="1"), thread_id="1")
        await attempt(run, gate.begun)
        gate.begun.clear()
        await attempt(run, gate.begun)
        gate.may_end.set()
        await attempt(run)
        run = await runs.get(run.id)
        assert (run.status, run.attempt) == ("interrupted", 3)
        assert [one.value for one in run.result["__interrupt__"]] == ["second?"]
        last = await runs.enqueue("graph", Command(resume="2"), thread_id="1")
        await attempt(last)
        assert (await runs.get(last.id)).result == {"log": ["1", "2"]}


async def test_an_answer_that_nobody_took_is_there(database: str) -> None:
    gate = Gate()

    async def asks(state: State) -> State:
        await gate(state)
        return {"log": [interrupt("?")]}

    graph = chain(asks)
    gate.may_end.set()
    async with asking(database) as runs, attempts(database, graph) as attempt:
        await attempt(await runs.enqueue("graph", {"log": []}, thread_id="1"))
        gate.begun.clear()
        gate.may_end.clear()
        run = await runs.enqueue("graph", Command(resume="1"), thread_id="1")
        await attempt(run, gate.begun)
        gate.may_end.set()
        await attempt(run)
        assert (await runs.get(run.id)).result == {"log": ["1"]}


async def test_of_several_answers_those_are_given_that_are_left(database: str) -> None:
    gate = Gate()
    asked: list[str] = []
    is_answering = False

    async def quick(state: State) -> State:
        asked.append("quick")
        return {"log": [interrupt("quick?")]}

    async def slow(state: State) -> State:
        if is_answering:
            await gate(state)
        return {"log": [interrupt("slow?")]}

    builder = StateGraph(State).add_node("quick", quick).add_node("slow", slow)
    graph = builder.add_edge(START, "quick").add_edge(START, "slow").compile()
    async with asking(database) as runs, attempts(database, graph) as attempt:
        first = await runs.enqueue("graph", {"log": []}, thread_id="1")
        await attempt(first)
        waiting = (await runs.get(first.id)).result["__interrupt__"]
        is_answering = True
        answers = {one.id: one.value.upper() for one in waiting}
        run = await runs.enqueue("graph", Command(resume=answers), thread_id="1")
        await attempt(run, gate.begun)
        gate.may_end.set()
        await attempt(run)
        assert sorted((await runs.get(run.id)).result["log"]) == ["QUICK?", "SLOW?"]
    assert asked == ["quick"] * 2


async def test_what_has_finished_is_not_repeated_and_shown_in_any_case(database: str) -> None:
    gate = Gate()
    count = 0

    async def quick(state: State) -> State:
        nonlocal count
        count += 1
        return {"log": ["quick"]}

    builder = StateGraph(State).add_node("first", says("first")).add_edge(START, "first")
    for name, node in (("quick", quick), ("slow", gate)):
        builder.add_node(name, node).add_edge("first", name)
    graph = builder.compile()
    async with asking(database) as runs, attempts(database, graph) as attempt:
        run = await runs.enqueue("graph", {"log": []}, thread_id="1")
        await attempt(run, gate.begun)
        gate.may_end.set()
        await attempt(run)
        assert (await runs.get(run.id)).result == {"log": ["first", "quick", "gate"]}
        events = [event async for event in runs.stream(run.id)]
    assert (count, gate.count) == (1, 2)
    assert [event.id for event in events] == [*range(1, len(events) + 1)]
    shown = [name for event in events for name in event.data if event.attempt == 2]
    assert shown == ["quick", "__metadata__", "slow", "status"]
    assert events[0].data == {"first": {"log": ["first"]}} and events[0].attempt == 1


@pytest.mark.parametrize("before", [None, ["node1"]])
async def test_a_run_that_only_could_not_say_so_has_ended(
    database: str, before: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def says_nothing(*_: object, **__: object) -> None:
        pass

    seen: list[int] = []
    graph = chain(says("a"), lambda state: seen.append(1) or {"log": ["b"]})
    async with asking(database) as runs, attempts(database, graph) as attempt:
        run = await runs.enqueue("graph", {"log": []}, thread_id="1", interrupt_before=before)
        with monkeypatch.context() as patch:
            patch.setattr(Execution, "_end", says_nothing)
            await attempt(run)
        await attempt(run)
        run = await runs.get(run.id)
    expected = ("interrupted", {"log": ["a"]}) if before else ("success", {"log": ["a", "b"]})
    assert (run.status, run.result) == expected
    assert len(seen) == (0 if before else 1)


async def test_a_run_that_kills_its_workers_ends(database: str) -> None:
    gate = Gate()
    graph = chain(says("a"), gate)
    async with asking(database) as runs, attempts(database, graph) as attempt:
        run = await runs.enqueue("graph", {"log": []}, thread_id="1")
        for _ in range(5):
            gate.begun.clear()
            await attempt(run, gate.begun)
        await attempt(run)
        run = await runs.get(run.id)
    assert run.status == "error" and run.failure is not None
    assert "5 attempts at this run were cut off" in run.failure.message
    assert gate.count == 5


async def test_whoever_has_lost_a_run_stores_no_event_of_it(database: str) -> None:
    gate = Gate()
    graph = chain(says("a"), gate)
    async with asking(database) as runs, attempts(database, graph) as attempt:
        run = await runs.enqueue("graph", {"log": []}, thread_id="1")
        log = await attempt(run, gate.begun)
        gate.may_end.set()
        await attempt(run)
        before = [event async for event in runs.stream(run.id)]
        with pytest.raises(LostRunError):
            await log.add("updates", {"late": True}, ())
        assert [event async for event in runs.stream(run.id)] == before


async def test_a_job_of_a_worker_that_is_gone_is_given_to_another(database: str) -> None:
    graph = chain(says("a"))
    async with asking(database) as runs:
        run = await runs.enqueue("graph", {"log": []})
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
            connection.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = 1")
            connection.execute(
                "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '0.5 s'"
            )
        async with working(database, {"graph": graph}):
            with pytest.raises(TimeoutError):
                await runs.wait(run.id, timeout=0.3)
            run = await runs.wait(run.id, timeout=PATIENCE)
    assert (run.status, run.attempt) == ("success", 1)


async def test_a_worker_ends_no_job_that_is_another_workers(database: str) -> None:
    gate = Gate()
    graph = chain(gate)
    async with asking(database) as runs:
        async with working(database, {"graph": graph}):
            run = await runs.enqueue("graph", {"log": []})
            await asyncio.wait_for(gate.begun.wait(), PATIENCE)
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
                connection.execute("UPDATE procrastinate_jobs SET worker_id = 2")
                gate.may_end.set()
                await runs.wait(run.id, timeout=PATIENCE)
                await asyncio.sleep(0.3)
                rows = connection.execute("SELECT status, worker_id FROM procrastinate_jobs")
                assert rows.fetchall() == [("doing", 2)]


async def test_whoever_was_only_held_to_be_dead_stores_nothing_more(database: str) -> None:
    gate = Gate()
    graph = chain(says("a"), gate, says("c"))
    async with asking(database) as runs, attempts(database, graph) as attempt:
        run = await runs.enqueue("graph", {"log": []}, thread_id="1")
        late = asyncio.create_task(attempt(run))
        await asyncio.wait_for(gate.begun.wait(), PATIENCE)
        gate.begun.clear()
        other = asyncio.create_task(attempt(run))
        await asyncio.wait_for(gate.begun.wait(), PATIENCE)
        gate.may_end.set()
        await asyncio.wait_for(asyncio.gather(late, other), PATIENCE)
        run = await runs.get(run.id)
        assert (run.status, run.attempt, run.result) == ("success", 2, {"log": ["a", "gate", "c"]})
        events = [event async for event in runs.stream(run.id)]
        assert [event.id for event in events] == [*range(1, len(events) + 1)]
        assert [event.attempt for event in events] == sorted(event.attempt for event in events)
    with psycopg.connect(database) as connection:
        parents = connection.execute(
            "SELECT parent_checkpoint_id FROM checkpoints GROUP BY 1 HAVING count(*) > 1"
        )
        assert parents.fetchall() == []
