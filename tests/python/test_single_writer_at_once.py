"""One writer per thread: several that begin at the same moment."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import anyio
import pytest
from _one_writer import aopened
from langchain_core.runnables import RunnableConfig
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.single_writer import ThreadConflictError, fork
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import Command, Send, interrupt
from tests.python._postgres import Databases, databases

THREAD: Any = {"configurable": {"thread_id": "1"}}


class State(TypedDict, total=False):
    items: Annotated[list[str], operator.add]


@pytest.fixture(scope="module")
def make() -> Iterator[Databases]:
    with databases() as make:
        yield make


class Told(list[str]):
    """A node that says what it is told, and keeps it."""

    async def __call__(self, state: State) -> State:
        said = interrupt("?") if state["items"][-1] == "ask" else state["items"][-1]
        self.append(said)
        # Whoever is quicker is not whoever came first.
        await asyncio.sleep({"a": 0.02}.get(said, 0))
        return {"items": [f"heard {said}"]}


async def end(_: State) -> State:
    return {"items": ["end"]}


def chain(first: Any, saver: Any) -> Any:
    builder = StateGraph(State).add_node("first", first).add_node("end", end)
    return builder.add_edge(START, "first").add_edge("first", "end").compile(checkpointer=saver)


def outer(node: Any, nested: str, saver: Any) -> Any:
    """A graph whose first node that is, or is within a graph whose state is kept or is not."""
    return chain(node if nested == "no" else chain(node, True if nested == "kept" else None), saver)


async def both(*runs: Any) -> list[str]:
    """Run side by side; return how each ended: `ok`, or why it was refused."""
    ended = []
    for outcome in await asyncio.gather(*runs, return_exceptions=True):
        if isinstance(outcome, ThreadConflictError):
            ended.append(outcome.reason)
        else:
            assert not isinstance(outcome, BaseException), outcome
            ended.append("ok")
    return ended


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@pytest.mark.parametrize("durability", ["sync", "async"])
@pytest.mark.parametrize("nested", ["no", "anew", "kept"])
async def test_of_two_answers_one_is_heard(
    kind: str, durability: Any, nested: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    heard = Told()
    async with aopened(kind, request, tmp_path) as saver:
        graph = outer(heard, nested, saver)
        await graph.ainvoke({"items": ["ask"]}, THREAD)
        heard.clear()
        answers = [Command(resume=answer) for answer in "ab"]
        runs = [graph.ainvoke(answer, THREAD, durability=durability) for answer in answers]
        ended = await both(*runs)
        # Whoever was refused has run nothing, and nothing of it is stored.
        assert ended.count("ok") == 1
        assert heard == ["ab"[ended.index("ok")]]
        state = await graph.aget_state(THREAD)
        assert f"heard {heard[0]}" in state.values["items"] and not state.next


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
@pytest.mark.parametrize("durability", ["sync", "async"])
@pytest.mark.parametrize("nested", ["no", "anew", "kept"])
async def test_of_inputs_one_is_taken(
    kind: str, durability: Any, nested: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    heard = Told()
    async with aopened(kind, request, tmp_path) as saver:
        graph = outer(heard, nested, saver)
        await graph.ainvoke({"items": ["0"]}, THREAD)
        heard.clear()
        inputs = [{"items": [item]} for item in "abc"]
        runs = [graph.ainvoke(input, THREAD, durability=durability) for input in inputs]
        ended = await both(*runs)
        assert ended.count("ok") == 1
        if kind != "memory":
            # There each builds on what the one before has stored, and stops it.
            assert heard == ["abc"[ended.index("ok")]]
        items = (await graph.aget_state(THREAD)).values["items"]
        assert f"heard {'abc'[ended.index('ok')]}" in items and items[-1] == "end"


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_branches_do_not_keep_each_other_from_storing(
    kind: str, durability: Any, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with aopened(kind, request, tmp_path) as saver:
        graph = chain(Told(), saver)
        await graph.ainvoke({"items": ["0"]}, THREAD)
        newest = (await graph.aget_state(THREAD)).config
        for _ in range(5):
            inputs = [{"items": [item]} for item in "abcd"]
            runs = [graph.ainvoke(one, fork(newest), durability=durability) for one in inputs]
            assert await both(*runs) == ["ok"] * 4


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
@pytest.mark.parametrize("by_id", [False, True])
@pytest.mark.parametrize("delay", [0.0, 0.03])
async def test_of_two_answers_to_a_node_that_asks_again_one_counts(
    kind: str, by_id: bool, delay: float, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async def asks(_: State) -> State:
        answer = interrupt("first?")
        await asyncio.sleep(0.1)
        return {"items": [answer, interrupt("second?")]}

    async def later(seconds: float, run: Any) -> Any:
        await asyncio.sleep(seconds)
        return await run

    async with aopened(kind, request, tmp_path) as saver:
        graph = chain(asks, saver)
        asked = await graph.ainvoke({"items": []}, THREAD)
        (question,) = asked["__interrupt__"]
        answers: Any = [{question.id: answer} if by_id else answer for answer in "ab"]
        runs = [graph.ainvoke(Command(resume=answer), THREAD) for answer in answers]
        ended = await both(runs[0], later(delay, runs[1]))
        assert ended.count("ok") == 1 and ended.count("taken") == 1
        state = await graph.ainvoke(Command(resume="c"), THREAD)
    assert state["items"] == ["ab"[ended.index("ok")], "c", "end"]


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
async def test_who_is_told_to_go_elsewhere_goes_there_once(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async def slow(_: State) -> State:
        await asyncio.sleep(0.2)
        return {"items": ["slow"]}

    async with aopened(kind, request, tmp_path) as saver:
        builder = StateGraph(State).add_node("asks", lambda _: {"items": [interrupt("?")]})
        builder.add_node("slow", slow).add_edge(START, "asks")
        graph = builder.compile(checkpointer=saver)
        await graph.ainvoke({"items": []}, THREAD)
        first = asyncio.create_task(graph.ainvoke(Command(goto="slow"), THREAD))
        await asyncio.sleep(0.1)
        second = graph.ainvoke(Command(goto="slow"), THREAD)
        assert await both(first, second) == ["taken", "ok"]


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_a_subgraph_of_a_refused_run_keeps_nothing(
    kind: str, durability: Any, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with aopened(kind, request, tmp_path) as saver:
        others = [True]

        async def first(state: State) -> State:
            if others and others.pop():
                await asyncio.sleep(0.1)  # until what came before is stored
                await graph.ainvoke({"items": ["other"]}, THREAD, durability="sync")
            return {"items": []}

        async def says(state: State) -> State:
            return {"items": [f"inner {state['items'][-1]}"]}

        inner = StateGraph(State).add_node(says).add_edge(START, "says").compile(checkpointer=True)
        builder = StateGraph(State).add_node(first).add_node("inner", inner)
        builder.add_edge(START, "first").add_edge("first", "inner")
        graph = builder.compile(checkpointer=saver)
        with pytest.raises(ThreadConflictError):
            await graph.ainvoke({"items": ["mine"]}, THREAD, durability=durability)
        place: Any = {"configurable": {"thread_id": "1", "checkpoint_ns": "inner"}}
        assert "inner mine" not in str((await saver.aget_tuple(place)).checkpoint)


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
async def test_a_run_is_no_other_to_itself(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async def says(state: State) -> State:
        await asyncio.sleep(0.02)
        return {"items": ["said"]}

    async with aopened(kind, request, tmp_path) as saver:
        inner = StateGraph(State).add_node(says).add_edge(START, "says").compile(checkpointer=True)
        builder = StateGraph(State).add_node("inner", inner)
        packets = [Send("inner", {"items": [str(number)]}) for number in range(3)]
        builder.add_conditional_edges(START, lambda _: packets, ["inner"])
        graph = builder.compile(checkpointer=saver)
        assert len((await graph.ainvoke({"items": []}, THREAD))["items"]) >= 6


async def test_another_thread_is_not_looked_for_in_the_callers() -> None:
    saver = InMemorySaver()
    inner = StateGraph(State).add_node(end).add_edge(START, "end").compile(checkpointer=saver)

    async def calls(state: State, config: RunnableConfig) -> State:
        other = {**config, "configurable": {**config["configurable"], "thread_id": "2"}}
        await inner.ainvoke({"items": ["in"]}, {"configurable": {"thread_id": "2"}})
        return await inner.ainvoke({"items": ["in"]}, other)

    graph = chain(calls, saver)
    assert (await graph.ainvoke({"items": []}, THREAD))["items"] == ["in", "end", "end"]


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
async def test_who_goes_back_in_time_at_once_is_not_behind(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with aopened(kind, request, tmp_path) as saver:
        graph = chain(Told(), saver)
        await graph.ainvoke({"items": ["0"]}, THREAD)
        old = [state async for state in graph.aget_state_history(THREAD)][1].config
        for _ in range(5):
            runs = [graph.ainvoke({"items": [item]}, old) for item in "abcd"]
            assert await both(*runs) == ["ok"] * 4


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
async def test_a_cancelled_scope_gives_the_thread_back(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with aopened(kind, request, tmp_path) as saver:
        saver.single_writer, saver.single_writer_timeout = "wait", 3.0

        async def slow(state: State) -> State:
            await asyncio.sleep(0 if state["items"][-1] == "quick" else 60)
            return {"items": ["done"]}

        graph = chain(slow, saver)
        with anyio.move_on_after(0.2):
            await graph.ainvoke({"items": ["slow"]}, THREAD)
        assert (await graph.ainvoke({"items": ["quick"]}, THREAD))["items"][-1] == "end"


async def test_who_may_make_no_table_answers_all_the_same(
    make: Databases, caplog: pytest.LogCaptureFixture
) -> None:
    psycopg = pytest.importorskip("psycopg")
    from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver

    database = make()
    async with AsyncPostgresSaver.from_conn_string(database) as saver:
        await saver.setup()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS only_uses")
        connection.execute("CREATE ROLE only_uses")
        connection.execute("REVOKE CREATE ON SCHEMA public FROM public")
        connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO only_uses")
    where = f"{database}?options=-c%20role%3Donly_uses"
    async with AsyncPostgresSaver.from_conn_string(where) as saver:
        graph = chain(Told(), saver)
        await graph.ainvoke({"items": ["ask"]}, THREAD)
        assert (await graph.ainvoke(Command(resume="a"), THREAD))["items"][-1] == "end"
    assert "no lease" in caplog.text


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
async def test_transactions_that_see_no_others_store_nothing(make: Databases, level: str) -> None:
    pytest.importorskip("psycopg")
    from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver

    database = make()
    escaped = level.replace(" ", "%5C%20")
    where = f"{database}?options=-c%20default_transaction_isolation%3D{escaped}"
    async with AsyncPostgresSaver.from_conn_string(where) as saver:
        await saver.setup()
        graph = chain(Told(), saver)
        with pytest.raises(RuntimeError, match=f"thread '1': its transactions are '{level}'"):
            await graph.ainvoke({"items": ["a"]}, THREAD)
        assert [one async for one in saver.alist(THREAD)] == []
        saver.single_writer = "off"
        assert (await graph.ainvoke({"items": ["a"]}, THREAD))["items"][-1] == "end"
