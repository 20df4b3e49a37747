"""Runs and what happens meanwhile: programs store, connections are cut, nodes do not end."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest
from _runs import PATIENCE, Gate, State, asking, attempts, chain, psycopg, says, working
from psycopg import errors

from langgraph_rust.checkpoint.postgres import PostgresSaver
from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph_rust.checkpoint.serde.errors import StoredValueError
from langgraph_rust.config import get_stream_writer
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.runs import AsyncRuns, Runs, ThreadBusyError
from langgraph_rust.runs._worker import _execution, _log
from langgraph_rust.runs._worker._keeping import is_outage
from langgraph_rust.types import Command, interrupt

pytestmark = pytest.mark.asyncio

THREAD: Any = {"configurable": {"thread_id": "1"}}


@dataclass
class Progress:
    """What a stream holds and its reader may not build."""

    done: int


class TestBetweenAttempts:
    async def test_an_input_is_not_applied_again(self, database: str) -> None:
        gate = Gate()
        graph = chain(says("a"), gate)
        async with asking(database) as runs, attempts(database, graph) as attempt:
            run = await runs.enqueue("graph", {"log": ["in"]}, thread_id="1")
            await attempt(run, gate.begun)
            with PostgresSaver.from_conn_string(database) as saver:
                mine = graph.copy({"checkpointer": saver})
                mine.update_state(THREAD, {"log": ["mine"]}, as_node="node1")
            await attempt(run)
            run = await runs.get(run.id)
            with PostgresSaver.from_conn_string(database) as saver:
                values = graph.copy({"checkpointer": saver}).get_state(THREAD).values
        assert run.status == "error" and run.failure and "cut off" in run.failure.message
        assert values == {"log": ["in", "a", "mine"]}

    async def test_an_answer_is_not_given_to_another_question(self, database: str) -> None:
        gate = Gate()

        async def asks(state: State) -> State:
            answer = interrupt("first?")
            await gate(state)
            return {"log": [answer]}

        graph = chain(asks, lambda _: {"log": [interrupt("second?")]})
        async with asking(database) as runs, attempts(database, graph) as attempt:
            await attempt(await runs.enqueue("graph", {"log": []}, thread_id="1"))
            run = await runs.enqueue("graph", Command(resume="first!"), thread_id="1")
            await attempt(run, gate.begun)
            with PostgresSaver.from_conn_string(database) as saver:
                mine = graph.copy({"checkpointer": saver})
                mine.update_state(THREAD, {"log": ["mine"]}, as_node="node0")
                mine.invoke(None, THREAD)
            await attempt(run)
            run = await runs.get(run.id)
            with PostgresSaver.from_conn_string(database) as saver:
                state = graph.copy({"checkpointer": saver}).get_state(THREAD)
        assert run.status == "error" and run.failure and "cut off" in run.failure.message
        assert state.next == ("node1",) and state.values == {"log": ["mine"]}

    async def test_what_tasks_of_a_run_have_done_is_not_done_again(self, database: str) -> None:
        gate, done = Gate(0.3), []
        builder = StateGraph(State).add_node("asks", lambda _: {"log": [str(interrupt("go?"))]})
        builder.add_node("quick", lambda _: done.append(1) or {"log": ["quick"]})
        builder.add_node("gate", gate).add_edge(START, "asks")
        graph = builder.add_edge("asks", "quick").add_edge("asks", "gate").compile()
        async with asking(database) as runs, attempts(database, graph) as attempt:
            given: Any = {"thread_id": "1", "interrupt_after": ["asks"]}
            await attempt(await runs.enqueue("graph", {"log": []}, **given))
            run = await runs.enqueue("graph", Command(resume="yes"), **given)
            await attempt(run)
            assert (await runs.get(run.id)).status == "interrupted"
            run = await runs.enqueue("graph", None, thread_id="1")
            await attempt(run, gate.begun)
            with PostgresSaver.from_conn_string(database) as saver:
                mine = graph.copy({"checkpointer": saver})
                mine.update_state(THREAD, {"log": ["mine"]}, as_node="asks")
            await attempt(run)
            run = await runs.get(run.id)
        assert run.status == "error" and run.failure and "cut off" in run.failure.message
        assert len(done) == 1

    async def test_what_was_not_begun_begins_on_what_is_there(self, database: str) -> None:
        graph = chain(says("a"))
        async with asking(database) as runs, attempts(database, graph) as attempt:
            run = await runs.enqueue("graph", {"log": ["in"]}, thread_id="1")
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute("UPDATE langgraph_rust_runs SET attempt = 1")
            with PostgresSaver.from_conn_string(database) as saver:
                mine = graph.copy({"checkpointer": saver})
                mine.update_state(THREAD, {"log": ["mine"]}, as_node="node0")
            await attempt(run)
            assert (await runs.get(run.id)).result == {"log": ["mine", "in", "a"]}

    async def test_others_of_the_thread_wait_for_a_run_that_was_begun(self, database: str) -> None:
        gate = Gate()
        graph = chain(says("a"), gate)
        async with asking(database) as runs:
            async with working(database, {"graph": graph}) as worker:
                first = await runs.enqueue("graph", {"log": []}, thread_id="1")
                await asyncio.wait_for(gate.begun.wait(), PATIENCE)
                worker.stop()
            urgent = await runs.enqueue("graph", {"log": []}, thread_id="1", priority=10)
            gate.may_end.set()
            async with working(database, {"graph": graph}):
                done = [await runs.wait(run.id, timeout=PATIENCE) for run in (first, urgent)]
        assert [run.status for run in done] == ["success"] * 2
        assert done[0].ended < done[1].started  # pyright: ignore
        assert done[1].result == {"log": ["a", "gate"] * 2}


class TestRollbacks:
    async def test_one_that_others_have_built_on_ends(self, database: str) -> None:
        gate = Gate()
        graph = chain(says("a"), says("b"), gate)
        async with asking(database) as runs, attempts(database, graph) as attempt:
            with PostgresSaver.from_conn_string(database) as saver:
                mine = chain(says("mine")).copy({"checkpointer": saver})
                # Of a list so long, what comes is stored alone for some turns.
                mine.invoke({"log": ["first"] * 9}, THREAD)
                run = await runs.enqueue("graph", {"log": ["in"]}, thread_id="1")
                await attempt(run, gate.begun)
                mine.invoke({"log": ["other"]}, THREAD)
                await runs.cancel(run.id, action="rollback")
                await attempt(run)
                run = await runs.get(run.id)
                log = mine.get_state(THREAD).values["log"]
        assert log == [*["first"] * 9, "mine", "in", "a", "b", "other", "mine"]
        assert run.status == "cancelled" and run.reason and "not rolled back" in run.reason

    async def test_one_that_a_program_has_written_over_ends(self, database: str) -> None:
        gate = Gate()
        graph = chain(says("a"), gate)
        async with asking(database) as runs, working(database, {"graph": graph}):
            run = await runs.enqueue("graph", {"log": ["in"]}, thread_id="1")
            await asyncio.wait_for(gate.begun.wait(), PATIENCE)
            with PostgresSaver.from_conn_string(database) as saver:
                mine = graph.copy({"checkpointer": saver})
                mine.update_state(THREAD, {"log": ["mine"]})
                before = [*mine.get_state_history(THREAD)]
                await runs.cancel(run.id, action="rollback")
                run = await runs.wait(run.id, timeout=PATIENCE)
                assert [*mine.get_state_history(THREAD)] == before
        assert run.status == "cancelled" and run.reason and "not rolled back" in run.reason

    async def test_other_threads_keep_what_nodes_stored_there(self, database: str) -> None:
        gate = Gate()
        inner = chain(says("inner"))

        async def calls(state: State) -> State:
            await graphs["inner"].ainvoke(
                {"log": ["profile"]}, {"configurable": {"thread_id": "2"}}
            )
            return {"log": ["called"]}

        graph = chain(calls, gate)
        async with asking(database) as runs, attempts(database, graph) as attempt:
            async with AsyncPostgresSaver.from_conn_string(database) as saver:
                graphs = {"inner": inner.copy({"checkpointer": saver})}
                run = await runs.enqueue("graph", {"log": ["in"]}, thread_id="1")
                await attempt(run, gate.begun)
                await runs.cancel(run.id, action="rollback")
                await attempt(run)
                assert await saver.aget_tuple(THREAD) is None
                place: Any = {"configurable": {"thread_id": "2"}}
                state = await graphs["inner"].aget_state(place)
                assert state.values == {"log": ["profile", "inner"]}
            assert (await runs.get(run.id)).status == "cancelled"


class TestConnections:
    async def test_cut_ones_stop_no_run(self, database: str) -> None:
        gate = Gate()
        graphs = {"graph": chain(gate), "quick": chain(says("a"))}
        async with asking(database) as runs, working(database, graphs, drain_timeout=0.3):
            run = await runs.enqueue("graph", {"log": []})
            await asyncio.wait_for(gate.begun.wait(), PATIENCE)
            with psycopg.connect(database, autocommit=True) as connection:
                for _ in range(3):
                    connection.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                    await asyncio.sleep(0.5)
            async with AsyncRuns(database) as others:
                quick = await others.enqueue("quick", {"log": []})
                assert (await others.wait(quick.id, timeout=PATIENCE)).status == "success"
                gate.may_end.set()
                run = await others.wait(run.id, timeout=PATIENCE)
        assert (run.status, run.attempt, gate.count) == ("success", 1, 1)

    async def test_a_job_that_was_not_heard_of_is_taken_again(self, database: str) -> None:
        async with asking(database) as runs, working(database, {"graph": chain(says("a"))}) as one:
            while one._jobs is None or one._jobs.worker_id is None:
                await asyncio.sleep(0.01)
            with psycopg.connect(database) as connection:
                runs_of = Runs(database)
                run = runs_of.enqueue("graph", {"log": []}, connection=connection)
                # As if it had been given out to a connection that was cut then.
                connection.execute(
                    "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s",
                    (one._jobs.worker_id,),
                )
                one._app.job_manager._is_unsure = True  # pyright: ignore
                connection.commit()
            run = await runs.wait(run.id, timeout=PATIENCE)
        assert (run.status, run.attempt) == ("success", 1)

    async def test_whoever_was_held_to_be_dead_fetches_on(self, database: str) -> None:
        gate = Gate()
        graphs = {"graph": chain(gate), "quick": chain(says("a"))}
        async with asking(database) as runs, working(database, graphs) as worker:
            run = await runs.enqueue("graph", {"log": []})
            await asyncio.wait_for(gate.begun.wait(), PATIENCE)
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute("DELETE FROM procrastinate_workers")
            quick = await runs.enqueue("quick", {"log": []})
            quick = await runs.wait(quick.id, timeout=PATIENCE)
            gate.may_end.set()
            run = await runs.wait(run.id, timeout=PATIENCE)
            with psycopg.connect(database, autocommit=True) as connection:
                for _ in range(100):
                    left = connection.execute("SELECT status FROM procrastinate_jobs").fetchall()
                    if not left:
                        break
                    await asyncio.sleep(0.1)
            assert left == []
        assert {run.status, quick.status} == {"success"}
        assert quick.worker == worker.name

    async def test_an_attempt_that_was_given_up_does_not_end_the_next(self, database: str) -> None:
        gate = Gate()
        graph = chain(gate)
        async with asking(database) as runs, working(database, {"graph": graph}):
            run = await runs.enqueue("graph", {"log": []})
            await asyncio.wait_for(gate.begun.wait(), PATIENCE)
            with psycopg.connect(database, autocommit=True) as connection:
                # Others gave the job back, and it was fetched here once more.
                connection.execute("UPDATE procrastinate_jobs SET attempts = attempts + 1")
                gate.may_end.set()
                await runs.wait(run.id, timeout=PATIENCE)
                await asyncio.sleep(0.3)
                rows = connection.execute("SELECT status FROM procrastinate_jobs").fetchall()
            assert rows == [("doing",)]

    async def test_a_transaction_of_a_program_keeps_only_its_thread(self, database: str) -> None:
        gate, other = Gate(), Gate()
        graphs = {"graph": chain(gate, says("b")), "other": chain(other)}
        async with asking(database) as runs, working(database, graphs, connections=2):
            held = [await runs.enqueue("graph", {"log": []}, thread_id=thread) for thread in "1234"]
            free = await runs.enqueue("other", {"log": []})
            await asyncio.wait_for(other.begun.wait(), PATIENCE)
            async with await psycopg.AsyncConnection.connect(database) as connection:
                for thread in "1234":
                    given: Any = {"multitask_strategy": "interrupt", "connection": connection}
                    await runs.enqueue("graph", {"log": []}, thread_id=thread, **given)
                gate.may_end.set()
                await runs.cancel(free.id)
                # All that runs have is waiting, and yet it is heard of.
                for _ in range(100):
                    await asyncio.sleep(0.05)
                    if other.ended:
                        break
                assert other.ended
                with psycopg.connect(database) as looking:
                    row = looking.execute(
                        "SELECT now() - last_heartbeat < interval '1 s' FROM procrastinate_workers"
                    ).fetchone()
                assert row == (True,)
            for run in held:
                assert (await runs.wait(run.id, timeout=PATIENCE)).is_over

    async def test_what_is_too_large_is_no_outage(self) -> None:
        assert is_outage(psycopg.OperationalError("gone")) and is_outage(errors.AdminShutdown())
        assert is_outage(errors.DeadlockDetected()) and is_outage(errors.TooManyConnections())
        assert not is_outage(errors.ProgramLimitExceeded()) and not is_outage(ValueError())


@pytest.mark.parametrize("why", ["timeout", "cancel"])
async def test_a_node_that_takes_no_cancellation_is_left_behind(
    database: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_execution, "_GRACE", 0.3)
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def stays(state: State) -> State:
        begun.set()
        while not may_end.is_set():
            try:
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                pass
        return {"log": ["late"]}

    graphs = {"graph": chain(stays, says("b")), "quick": chain(says("a"))}
    async with asking(database) as runs, working(database, graphs, concurrency=1):
        limit: Any = {"timeout": 0.2} if why == "timeout" else {}
        run = await runs.enqueue("graph", {"log": []}, thread_id="1", **limit)
        await asyncio.wait_for(begun.wait(), PATIENCE)
        if why == "cancel":
            await runs.cancel(run.id)
        run = await runs.wait(run.id, timeout=PATIENCE)
        assert run.status == ("timeout" if why == "timeout" else "cancelled")
        # Neither the worker's place nor the thread is kept by it.
        quick = await runs.enqueue("quick", {"log": ["next"]}, thread_id="1")
        assert (await runs.wait(quick.id, timeout=PATIENCE)).result == {"log": ["next", "a"]}
        may_end.set()
        await asyncio.sleep(0.3)
        with PostgresSaver.from_conn_string(database) as saver:
            stored = graphs["quick"].copy({"checkpointer": saver}).get_state(THREAD)
        assert stored.values == {"log": ["next", "a"]}


async def test_a_thread_is_kept_for_a_run_that_goes_on_elsewhere(database: str) -> None:
    gate = Gate()
    graph = chain(says("a"), gate)
    async with asking(database) as runs:
        async with working(database, {"graph": graph}) as worker:
            run = await runs.enqueue("graph", {"log": []}, thread_id="1")
            await asyncio.wait_for(gate.begun.wait(), PATIENCE)
            worker.stop()
        with PostgresSaver.from_conn_string(database) as saver:
            saver.single_writer = "wait"
            mine = chain(says("mine")).copy({"checkpointer": saver})
            waits = asyncio.create_task(asyncio.to_thread(mine.invoke, {"log": ["in"]}, THREAD))
            await asyncio.sleep(0.5)
            gate.may_end.set()
            async with working(database, {"graph": graph}):
                run = await runs.wait(run.id, timeout=PATIENCE)
            assert (run.status, run.result) == ("success", {"log": ["a", "gate"]})
            assert (await waits)["log"] == ["a", "gate", "in", "mine"]


async def test_events_before_one_that_cannot_be_read_are_read(database: str) -> None:
    def shows(state: State) -> State:
        for shown in (1, Progress(2), 3):
            get_stream_writer()(shown)
        return {"log": []}

    # The worker has no graph with such a thing in its state either, but it only encodes.
    graph = StateGraph(State).add_node(shows).add_edge(START, "shows").compile()
    async with asking(database) as runs, working(database, {"graph": graph}):
        run = await runs.enqueue("graph", {"log": []}, stream_mode="custom")
        assert (await runs.wait(run.id, timeout=PATIENCE)).status == "success"
        seen: list[Any] = []
        with pytest.raises(StoredValueError, match=f"event 2 of run {run.id}"):
            async for event in runs.stream(run.id):
                seen.append(event.data)
        assert seen == [1]
        rest = [event.data async for event in runs.stream(run.id, after=2)]
    assert rest == [3, {"status": "success"}]


@pytest.mark.parametrize("strategy", ["enqueue", "reject", "interrupt", "rollback"])
@pytest.mark.parametrize("is_async", [False, True])
async def test_a_transaction_is_its_owners_to_commit(
    database: str, strategy: Any, is_async: bool
) -> None:
    async with asking(database) as runs:
        if is_async:
            async with await psycopg.AsyncConnection.connect(database) as connection:
                given = {"multitask_strategy": strategy, "connection": connection}
                await runs.enqueue("graph", None, thread_id="1", **given)
                await connection.rollback()
                assert await runs.list() == []
                async with connection.transaction():
                    await runs.enqueue("graph", None, thread_id="1", **given)
                assert len(await runs.list()) == 1
            return
        with Runs(database) as others, psycopg.connect(database) as connection:
            given = {"multitask_strategy": strategy, "connection": connection}
            others.enqueue("graph", None, thread_id="1", **given)
            connection.rollback()
            assert others.list() == []
            kept = others.enqueue("graph", None, thread_id="1")
            connection.execute("CREATE TABLE own ()")
            if strategy == "reject":
                with pytest.raises(ThreadBusyError):
                    others.enqueue("graph", None, thread_id="1", **given)
            else:
                others.enqueue("graph", None, thread_id="1", **given)
            connection.rollback()
            assert [run.id for run in others.list()] == [kept.id]
            assert others.get(kept.id).status == "pending"


async def test_a_run_is_late_by_the_databases_clock(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = time.time
    monkeypatch.setattr(time, "time", lambda: own() + 3600)
    async with asking(database) as runs, working(database, {"graph": chain(says("a"))}):
        run = await runs.enqueue("graph", {"log": []}, timeout=30)
        assert (await runs.wait(run.id, timeout=PATIENCE)).status == "success"


async def test_a_run_waits_for_a_program_that_is_at_work(database: str) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow(state: State) -> State:
        begun.set()
        may_end.wait(PATIENCE)
        return {"log": ["mine"]}

    async with asking(database) as runs:
        with PostgresSaver.from_conn_string(database) as saver:
            saver.single_writer = "wait"
            mine = chain(slow).copy({"checkpointer": saver})
            works = asyncio.create_task(asyncio.to_thread(mine.invoke, {"log": ["in"]}, THREAD))
            await asyncio.to_thread(begun.wait, PATIENCE)
            async with working(database, {"graph": chain(says("a"))}):
                run = await runs.enqueue("graph", {"log": ["run"]}, thread_id="1")
                await asyncio.sleep(0.5)
                assert (await runs.get(run.id)).status == "running"
                may_end.set()
                assert (await works)["log"] == ["in", "mine"]
                run = await runs.wait(run.id, timeout=PATIENCE)
    assert run.result == {"log": ["in", "mine", "run", "a"]}


@pytest.mark.parametrize("mode", ["debug", "checkpoints", "tasks"])
async def test_what_is_shown_of_checkpoints_can_be_read(database: str, mode: Any) -> None:
    graphs = {"graph": chain(says("a"))}
    async with asking(database) as runs, working(database, graphs):
        run = await runs.enqueue("graph", {"log": []}, stream_mode=mode, thread_id="1")
        shown = [event.data async for event in runs.stream(run.id)]
    assert shown[-1] == {"status": "success"} and "langgraph_rust" not in str(shown)


async def test_large_events_go_in_parts_and_too_large_ones_are_refused(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_log, "_BYTES", 1000)
    monkeypatch.setattr(_log, "_LARGEST", 5000)

    async def shows(state: State) -> State:
        for size in (10, 900, 900, 3000, 10, 10):
            get_stream_writer()("x" * size)
        if state["log"]:
            get_stream_writer()("x" * 6000)
        return {"log": []}

    async with asking(database) as runs, working(database, {"graph": chain(shows)}):
        run = await runs.enqueue("graph", {"log": []}, stream_mode="custom")
        sizes = [len(event.data) async for event in runs.stream(run.id)]
        assert sizes[:-1] == [10, 900, 900, 3000, 10, 10]
        run = await runs.enqueue("graph", {"log": ["large"]}, stream_mode="custom")
        run = await runs.wait(run.id, timeout=PATIENCE)
    assert run.status == "error" and run.failure and "stream mode 'custom'" in run.failure.message


async def test_a_stream_that_is_dropped_while_it_is_read_says_so(database: str) -> None:
    async with asking(database) as runs, working(database, {"graph": chain(says("a"))}):
        run = await runs.enqueue("graph", {"log": []})
        await runs.wait(run.id, timeout=PATIENCE)
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("DELETE FROM langgraph_rust_run_events WHERE id > 1")
            with pytest.raises(LookupError, match="dropped"):
                assert [event.id async for event in runs.stream(run.id)] == [1]
            connection.execute("DELETE FROM langgraph_rust_run_events")
            assert [event async for event in runs.stream(run.id)] == []
