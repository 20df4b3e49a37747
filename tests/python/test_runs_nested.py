"""Runs of graphs with subgraphs, which go on elsewhere: answers and states of subgraphs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from _runs import PATIENCE, Gate, State, asking, attempts, chain, says, working
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import Command, interrupt

pytestmark = pytest.mark.asyncio

THREAD: Any = {"configurable": {"thread_id": "1"}}


def asks_twice(state: State) -> State:
    return {"log": [f"{interrupt('first?')}, {interrupt('second?')}"]}


def beside(gate: Gate, inner: Any) -> Any:
    """A graph with a subgraph beside a node that keeps the superstep from ending."""
    builder = StateGraph(State).add_node("inner", inner).add_node("gate", gate)
    return builder.add_edge(START, "inner").add_edge(START, "gate").compile()


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("by_id", [False, True])
async def test_an_answer_that_a_subgraph_took_is_not_given_to_its_next_question(
    database: str, by_id: bool, depth: int
) -> None:
    gate = Gate(0.3)
    inner = chain(asks_twice)
    for _ in range(depth - 1):
        inner = chain(inner)
    graph = beside(gate, inner)
    async with asking(database) as runs, attempts(database, graph) as attempt:
        run = await runs.enqueue("graph", {"log": []}, thread_id="1")
        await attempt(run, gate.begun)
        async with AsyncPostgresSaver.from_conn_string(database) as saver:
            state = await graph.copy({"checkpointer": saver}).aget_state(THREAD)
        (question,) = state.interrupts
        await runs.cancel(run.id)
        answer: Any = {question.id: "one"} if by_id else "one"
        run = await runs.enqueue("graph", Command(resume=answer), thread_id="1")
        gate.begun.clear()
        await attempt(run, gate.begun)
        gate.begun.clear()
        # It asks the second question, and dies before it could say so.
        await attempt(run, gate.begun)
        gate.may_end.set()
        await attempt(run)
        run = await runs.get(run.id)
        assert run.status == "interrupted"
        assert [one.value for one in run.result["__interrupt__"]] == ["second?"]
        run = await runs.enqueue("graph", Command(resume="two"), thread_id="1")
        await attempt(run)
        run = await runs.get(run.id)
    assert (run.status, run.result) == ("success", {"log": ["gate", "one, two"]})


@pytest.mark.parametrize("ends", ["drained", "killed"])
async def test_a_subgraph_that_keeps_its_state_runs_at_each_turn(database: str, ends: str) -> None:
    gate, charged = Gate(), []

    class Inner(TypedDict, total=False):
        log: list[str]

    def charges(state: Inner) -> Inner:
        charged.append(1)
        return {"log": ["charged"]}

    inner = StateGraph(Inner).add_node(charges).add_edge(START, "charges")
    graph = chain(says("a"), gate, inner.compile(checkpointer=True), says("b"))
    async with asking(database) as runs, attempts(database, graph) as attempt:
        gate.may_end.set()
        run = await runs.enqueue("graph", {"log": []}, thread_id="1")
        await attempt(run)
        gate.may_end.clear()
        gate.begun.clear()
        run = await runs.enqueue("graph", {"log": []}, thread_id="1")
        if ends == "killed":
            await attempt(run, gate.begun)
            gate.may_end.set()
            await attempt(run)
        else:
            async with working(database, {"graph": graph}) as worker:
                await asyncio.wait_for(gate.begun.wait(), PATIENCE)
                worker.drain()
                gate.may_end.set()
            assert (await runs.get(run.id)).status == "pending" and len(charged) == 1
            async with working(database, {"graph": graph}):
                await runs.wait(run.id, timeout=PATIENCE)
        run = await runs.get(run.id)
    assert run.status == "success" and len(charged) == 2
    assert run.result["log"] == ["a", "gate", "charged", "b"] * 2


async def test_a_subgraph_that_asked_goes_on_with_what_it_had_done(database: str) -> None:
    gate, done = Gate(0.3), []
    inner = chain(lambda state: done.append(1) or {"log": ["done"]}, asks_twice)
    graph = beside(gate, inner)
    async with asking(database) as runs, attempts(database, graph) as attempt:
        run = await runs.enqueue("graph", {"log": []}, thread_id="1")
        await attempt(run, gate.begun)
        gate.may_end.set()
        await attempt(run)
        run = await runs.get(run.id)
    assert run.status == "interrupted" and len(done) == 1


async def test_a_result_is_what_invoke_returns(database: str) -> None:
    class Full(State, total=False):
        secret: str

    builder = StateGraph(Full, output_schema=State)
    builder.add_node("node", lambda state: {"log": ["a"], "secret": "s"}).add_edge(START, "node")
    graph = builder.compile()
    async with asking(database) as runs, working(database, {"graph": graph}):
        run = await runs.enqueue("graph", {"log": []}, stream_mode="values")
        run = await runs.wait(run.id, timeout=PATIENCE)
        shown = [event.data async for event in runs.stream(run.id)]
    assert run.result == await graph.ainvoke({"log": []}) == {"log": ["a"]}
    assert shown[-2] == {"log": ["a"], "secret": "s"}
