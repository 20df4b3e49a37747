"""Conditional edges: what a router's annotations say, and what its answers become."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from typing_extensions import TypedDict

from langgraph_rust._internal._constants import CONFIG_KEY_READ, CONFIG_KEY_SEND, TASKS
from langgraph_rust._internal._runnable import coerce_to_runnable
from langgraph_rust.constants import END, START
from langgraph_rust.errors import InvalidUpdateError
from langgraph_rust.graph._branch import BranchSpec, BranchWriter
from langgraph_rust.graph.state import StateGraph
from langgraph_rust.pregel._build.write import ChannelWrite
from langgraph_rust.types import Send


class State(TypedDict):
    x: int


class Private(TypedDict):
    y: int


def spec(path: Any, path_map: Any = None) -> BranchSpec:
    return BranchSpec.from_path(coerce_to_runnable(path, name=None, trace=True), path_map, True)


def writer(path: Any, path_map: Any = None, **kwargs: Any) -> BranchWriter:
    return BranchWriter(spec(path, path_map), **{"select": ["x"], **kwargs})


def anywhere(state: Any) -> Any:
    return "a"


def annotated(state: Private) -> Literal["a", "__end__"]:
    return "a"


async def annotated_async(state: Private) -> Literal["a", "__end__"]:
    return "a"


# --- from annotations ----------------------------------------------------------------------------


@pytest.mark.parametrize("router", [annotated, annotated_async])
def test_annotations_of_a_router_are_used(router: Any) -> None:
    branch = spec(router)
    assert branch.ends == {"a": "a", END: END}
    assert branch.input_schema is Private


def test_path_map_wins_over_annotations() -> None:
    assert spec(annotated, {"yes": "a"}).ends == {"yes": "a"}
    assert spec(annotated, ["a"]).ends == {"a": "a"}
    assert spec(anywhere).ends is None


def test_branch_names_are_unique_per_node() -> None:
    builder = StateGraph(State).add_node("n", lambda s: s)
    builder.add_conditional_edges("n", anywhere).add_conditional_edges("n", annotated)
    assert list(builder.branches["n"]) == ["anywhere", "annotated"]
    assert "y" in builder.channels
    with pytest.raises(ValueError, match="Branch with name `anywhere` already exists"):
        builder.add_conditional_edges("n", anywhere)
    builder.add_conditional_edges("n", lambda s: "n")
    assert "condition" in builder.branches["n"]


def test_unknown_targets_do_not_compile() -> None:
    builder = StateGraph(State).add_node("n", lambda s: s).set_entry_point("n")
    builder.add_conditional_edges("n", anywhere, ["ghost"])
    with pytest.raises(ValueError, match="At 'n' node, 'anywhere' branch found unknown target"):
        builder.compile()


# --- answers -------------------------------------------------------------------------------------

SEND = Send("a", 1)


@pytest.mark.parametrize(
    ("answer", "writes"),
    [
        ("a", [("branch:to:a", None)]),
        (["a", "b"], [("branch:to:a", None), ("branch:to:b", None)]),
        (("a", END), [("branch:to:a", None)]),
        (END, []),
        (SEND, [(TASKS, SEND)]),
        (["b", SEND], [("branch:to:b", None), (TASKS, SEND)]),
    ],
)
def test_answers_become_writes(answer: Any, writes: list) -> None:
    assert writer(anywhere).finish(answer) == writes


def test_answers_are_mapped_but_sends_are_not() -> None:
    mapped = writer(anywhere, {True: "a", False: END})
    assert mapped.finish([True, False, SEND]) == [("branch:to:a", None), (TASKS, SEND)]
    with pytest.raises(KeyError):
        mapped.finish("a")


@pytest.mark.parametrize(
    ("answer", "error"),
    [(None, ValueError), (START, ValueError), (Send(END, 1), InvalidUpdateError)],
)
def test_answers_that_lead_nowhere(answer: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        writer(anywhere).finish(answer)


# --- as the engine sees it -----------------------------------------------------------------------


def test_plain_functions_are_exposed() -> None:
    sync, async_ = writer(anywhere), writer(annotated_async)
    assert (sync.func, sync.afunc) == (anywhere, None)
    assert (async_.func, async_.afunc) == (None, annotated_async)
    assert writer(coerce_to_runnable(anywhere, name=None, trace=True) | anywhere).func is None


def test_possible_answers_are_declared_writes() -> None:
    declared = [("branch:to:a", None, "True"), (END, None, "False")]
    mapped = writer(anywhere, {True: "a", False: END})
    assert mapped.static == ChannelWrite.get_static_writes(mapped) == declared
    assert writer(anywhere).static is None


# --- as a runnable -------------------------------------------------------------------------------


class Task:
    """The config of a task that reads a fixed state and records its writes."""

    def __init__(self, state: Any) -> None:
        self.writes: list[tuple[str, Any]] = []
        self.reads: list[tuple[Any, bool]] = []

        def read(select: Any, fresh: bool) -> Any:
            self.reads.append((select, fresh))
            return state

        entries = {CONFIG_KEY_READ: read, CONFIG_KEY_SEND: self.writes.extend}
        self.config: Any = {"configurable": entries}


def test_router_gets_fresh_state_over_the_result() -> None:
    got: list[Any] = []

    def router(state: Any) -> str:
        got.append(state)
        return "a"

    task = Task({"x": 2})
    assert writer(router).invoke({"x": 1, "extra": 0}, task.config) == {"x": 1, "extra": 0}
    assert got == [{"x": 2, "extra": 0}]
    assert task.reads == [(["x"], True)]
    assert task.writes == [("branch:to:a", None)]


def test_router_with_a_schema_gets_only_that() -> None:
    got: list[Any] = []

    def router(state: Private) -> str:
        got.append(state)
        return END

    task = Task({"y": 2})
    writer(router, select=["y"]).invoke({"x": 1}, task.config)
    assert (got, task.writes) == ([{"y": 2}], [])


def test_router_without_reader_gets_the_result() -> None:
    task = Task(None)
    writer(lambda result: result["next"], select=None).invoke({"next": "b"}, task.config)
    assert (task.reads, task.writes) == ([], [("branch:to:b", None)])


async def test_async_router() -> None:
    task = Task({"y": 1})
    assert await writer(annotated_async).ainvoke("result", task.config) == "result"
    assert task.writes == [("branch:to:a", None)]
