"""One writer per thread: several that begin at the same moment."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from _one_writer import aopened
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.single_writer import ThreadConflictError, fork
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import Command, interrupt
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
    first = heard if nested == "no" else chain(heard, True if nested == "kept" else None)
    async with aopened(kind, request, tmp_path) as saver:
        graph = chain(first, saver)
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
    first = heard if nested == "no" else chain(heard, True if nested == "kept" else None)
    async with aopened(kind, request, tmp_path) as saver:
        graph = chain(first, saver)
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
