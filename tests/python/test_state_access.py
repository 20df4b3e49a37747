"""Reading and writing a thread's state, by the sync methods and by their async twins."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.errors import InvalidUpdateError
from langgraph_rust.graph import END, START, StateGraph
from langgraph_rust.pregel import Pregel
from langgraph_rust.types import StateUpdate, interrupt

THREAD: Any = {"configurable": {"thread_id": "1"}}


class State(TypedDict, total=False):
    x: int
    log: Annotated[list, operator.add]


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Calls a method of a graph, or its async twin; the history comes as a list."""

    async def async_call(graph: Pregel, method: str, *args: Any, **kwargs: Any) -> Any:
        made = getattr(graph, f"a{method}")(*args, **kwargs)
        return [item async for item in made] if hasattr(made, "__aiter__") else await made

    def sync_call(graph: Pregel, method: str, *args: Any, **kwargs: Any) -> Any:
        made = getattr(graph, method)(*args, **kwargs)
        return list(made) if hasattr(made, "__next__") else made

    if request.param == "sync":
        return sync_call
    return lambda *args, **kwargs: asyncio.run(async_call(*args, **kwargs))


def note(name: str) -> Callable[[State], dict[str, Any]]:
    return lambda state: {"log": [name]}


def chain(**options: Any) -> Pregel:
    """A graph that runs `a`, then `b`."""
    builder = StateGraph(State)
    builder.add_node("a", note("a")).add_node("b", note("b"))
    builder.add_edge(START, "a").add_edge("a", "b")
    return builder.compile(checkpointer=InMemorySaver(), **options)


# --- reading ---


def test_a_thread_that_has_not_begun(call: Callable[..., Any]) -> None:
    state = call(chain(), "get_state", THREAD)
    assert (state.values, state.next, state.tasks, state.metadata) == ({}, (), (), None)
    assert state.config["configurable"] == {"thread_id": "1"}


def test_without_a_saver_there_is_no_state(call: Callable[..., Any]) -> None:
    graph = StateGraph(State).add_node("a", note("a")).add_edge(START, "a").compile()
    for method, *args in (
        ("get_state", THREAD),
        ("get_state_history", THREAD),
        ("update_state", THREAD, {"x": 1}),
    ):
        with pytest.raises(ValueError, match="No checkpointer set"):
            call(graph, method, *args)


def test_a_stopped_thread(call: Callable[..., Any]) -> None:
    graph = chain(interrupt_before=["b"])
    graph.invoke({"x": 1}, THREAD)
    state = call(graph, "get_state", THREAD)
    assert state.values == {"x": 1, "log": ["a"]}
    assert state.next == ("b",)
    assert [(task.name, task.path) for task in state.tasks] == [("b", ("__pregel_pull", "b"))]
    assert state.metadata["step"] == 1
    assert state.parent_config is not None
    assert state.created_at is not None


def test_thread_ids_may_be_numbers(call: Callable[..., Any]) -> None:
    graph = chain()
    config = {"configurable": {"thread_id": 1}}
    graph.invoke({"x": 1}, config)
    assert call(graph, "get_state", config).values["log"] == ["a", "b"]
    assert config == {"configurable": {"thread_id": 1}}


def test_history_is_newest_first(call: Callable[..., Any]) -> None:
    graph = chain()
    graph.invoke({"x": 1}, THREAD)
    history = call(graph, "get_state_history", THREAD)
    assert [state.next for state in history] == [(), ("b",), ("a",), (START,)]
    assert [state.metadata["step"] for state in history] == [2, 1, 0, -1]
    assert history[1].tasks[0].result == {"log": ["b"]}
    assert [state.config for state in history[1:]] == [
        state.parent_config for state in history[:-1]
    ]
    assert call(graph, "get_state", history[2].config) == history[2]
    older = call(graph, "get_state_history", THREAD, before=history[1].config, limit=1)
    assert older == [history[2]]
    loops = call(graph, "get_state_history", THREAD, filter={"source": "loop"})
    assert loops == history[:3]


def two_askers() -> Pregel:
    """A graph of two tasks that run side by side, of which one asks."""
    builder = StateGraph(State)
    builder.add_node("ask", lambda state: {"log": [interrupt("?")]}).add_node("tell", note("told"))
    builder.add_edge(START, "ask").add_edge(START, "tell")
    return builder.compile(checkpointer=InMemorySaver())


def test_the_latest_state_is_live(call: Callable[..., Any]) -> None:
    graph = two_askers()
    graph.invoke({"x": 1}, THREAD)
    live = call(graph, "get_state", THREAD)
    assert live.values["log"] == ["told"]
    assert live.next == ("ask",)
    assert [question.value for question in live.interrupts] == ["?"]
    recorded = call(graph, "get_state", live.config)
    assert recorded.values["log"] == []
    assert recorded.next == ("ask", "tell")
    assert {task.name: task.result for task in recorded.tasks} == {
        "ask": None,
        "tell": {"log": ["told"]},
    }


# --- subgraphs ---


def nested() -> Pregel:
    inner = StateGraph(State)
    inner.add_node("leaf", lambda state: {"log": [interrupt("?")]})
    inner.add_edge(START, "leaf")
    outer = StateGraph(State).add_node("sub", inner.compile()).add_edge(START, "sub")
    return outer.compile(checkpointer=InMemorySaver())


def test_states_of_subgraphs(call: Callable[..., Any]) -> None:
    graph = nested()
    graph.invoke({"x": 1}, THREAD)
    pointer = call(graph, "get_state", THREAD).tasks[0].state
    namespace = pointer["configurable"]["checkpoint_ns"]
    assert namespace.startswith("sub:")
    inner = call(graph, "get_state", THREAD, subgraphs=True).tasks[0].state
    assert inner.next == ("leaf",)
    assert inner.config["configurable"]["checkpoint_ns"] == namespace
    assert call(graph, "get_state", pointer).next == ("leaf",)
    assert len(call(graph, "get_state_history", pointer)) == 2


def test_a_subgraph_can_be_written_to(call: Callable[..., Any]) -> None:
    graph = nested()
    graph.invoke({"x": 1}, THREAD)
    pointer = call(graph, "get_state", THREAD).tasks[0].state
    stored = call(graph, "update_state", pointer, {"x": 5}, as_node=START)
    assert stored["configurable"]["checkpoint_ns"] == pointer["configurable"]["checkpoint_ns"]
    assert call(graph, "get_state", pointer).values["x"] == 5
    elsewhere = {"configurable": {"thread_id": "1", "checkpoint_ns": "nowhere:1"}}
    with pytest.raises(ValueError, match="Subgraph nowhere not found"):
        call(graph, "update_state", elsewhere, {"x": 5})


# --- writing ---


def test_an_update_counts_as_the_step_of_its_node(call: Callable[..., Any]) -> None:
    graph = chain(interrupt_before=["b"])
    graph.invoke({"x": 1}, THREAD)
    stored = call(graph, "update_state", THREAD, {"log": ["me"]}, as_node="b")
    state = call(graph, "get_state", THREAD)
    assert stored["configurable"]["checkpoint_id"] == state.config["configurable"]["checkpoint_id"]
    assert (state.values["log"], state.next) == (["a", "me"], ())
    assert (state.metadata["source"], state.metadata["step"]) == ("update", 2)
    before = call(graph, "get_state", state.parent_config)
    assert before.tasks[0].result == {"log": ["me"]}


def test_the_node_that_ran_last_is_inferred(call: Callable[..., Any]) -> None:
    graph = chain(interrupt_before=["b"])
    graph.invoke({"x": 1}, THREAD)
    call(graph, "update_state", THREAD, {"log": ["me"]})
    state = call(graph, "get_state", THREAD)
    assert (state.values["log"], state.next) == (["a", "me"], ("b",))


def test_a_thread_may_begin_with_an_update(call: Callable[..., Any]) -> None:
    graph = chain()
    call(graph, "update_state", THREAD, {"x": 3}, as_node="a")
    state = call(graph, "get_state", THREAD)
    assert (state.values["x"], state.next, state.metadata["step"]) == (3, ("b",), 0)
    assert graph.invoke(None, THREAD)["log"] == ["b"]


@pytest.mark.parametrize(
    ("updates", "message"),
    [
        ([StateUpdate({"x": 1}, "nope")], "Node nope does not exist"),
        ([StateUpdate({"x": 1}, "a"), StateUpdate({"x": 1})], "as_node is required"),
        ([StateUpdate(None, "__input__")], "Received no input writes"),
        ([StateUpdate(None, "__copy__")], "non-existent checkpoint"),
        ([StateUpdate(None, END), StateUpdate({}, "a")], "when clearing state"),
        ([StateUpdate({}, "__input__"), StateUpdate({}, "a")], "when updating as input"),
        ([StateUpdate(None, "__copy__"), StateUpdate({}, "a")], "with multiple updates"),
    ],
)
def test_updates_that_make_no_sense(
    call: Callable[..., Any], updates: list[StateUpdate], message: str
) -> None:
    with pytest.raises(InvalidUpdateError, match=message):
        call(chain(), "bulk_update_state", THREAD, [updates])


def test_nodes_that_ran_side_by_side_are_ambiguous(call: Callable[..., Any]) -> None:
    builder = StateGraph(State).add_node("a", note("a")).add_node("b", note("b"))
    graph = builder.add_edge(START, "a").add_edge(START, "b").compile(checkpointer=InMemorySaver())
    graph.invoke({"x": 1}, THREAD)
    with pytest.raises(InvalidUpdateError, match="Ambiguous update"):
        call(graph, "update_state", THREAD, {"x": 2})


def test_there_must_be_something_to_update(call: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="No supersteps"):
        call(chain(), "bulk_update_state", THREAD, [])
    with pytest.raises(ValueError, match="No updates"):
        call(chain(), "bulk_update_state", THREAD, [[]])


def test_supersteps_follow_each_other(call: Callable[..., Any]) -> None:
    graph = chain()
    steps = [
        [StateUpdate({"x": 1, "log": ["in"]}, "__input__")],
        [StateUpdate({"log": ["start"]}, START)],
        [StateUpdate({"log": ["a1"]}, "a"), StateUpdate({"log": ["a2"]}, "a")],
    ]
    call(graph, "bulk_update_state", THREAD, steps)
    history = call(graph, "get_state_history", THREAD)
    assert [state.values.get("log") for state in history] == [["start", "a1", "a2"], ["start"], []]
    assert [state.metadata["source"] for state in history] == ["update", "update", "input"]
    assert history[0].next == ("b",)


def test_what_is_left_to_run_can_be_dropped(call: Callable[..., Any]) -> None:
    graph = two_askers()
    graph.invoke({"x": 1}, THREAD)
    call(graph, "update_state", THREAD, None, as_node=END)
    state = call(graph, "get_state", THREAD)
    assert (state.values["log"], state.next, state.interrupts) == (["told"], (), ())


def test_a_copy_forks_the_thread(call: Callable[..., Any]) -> None:
    graph = chain()
    graph.invoke({"x": 1}, THREAD)
    past = call(graph, "get_state_history", THREAD)[1]
    stored = call(graph, "update_state", past.config, None, as_node="__copy__")
    copied = call(graph, "get_state", THREAD)
    assert copied.config == stored
    assert (copied.values, copied.next) == (past.values, past.next)
    assert copied.metadata["source"] == "fork"
    assert copied.parent_config == past.parent_config


def test_a_copy_can_be_updated_at_once(call: Callable[..., Any]) -> None:
    graph = chain()
    graph.invoke({"x": 1}, THREAD)
    past = call(graph, "get_state_history", THREAD)[1]
    call(graph, "update_state", past.config, [({"log": ["other"]}, "b")], as_node="__copy__")
    state, fork = call(graph, "get_state_history", THREAD)[:2]
    assert (state.values["log"], state.next) == (["a", "other"], ())
    assert fork.metadata["source"] == "fork"
    assert fork.tasks[0].result == {"log": ["other"]}
    with pytest.raises(InvalidUpdateError, match="Invalid update item"):
        call(graph, "update_state", past.config, [3], as_node="__copy__")


def test_writers_see_the_state_and_their_own_writes(call: Callable[..., Any]) -> None:
    def route(state: State) -> str:
        return "b" if "go" in state["log"] else END

    builder = StateGraph(State)
    builder.add_node("a", note("a")).add_node("b", note("b")).add_edge(START, "a")
    builder.add_conditional_edges("a", route)
    graph = builder.compile(checkpointer=InMemorySaver())
    call(graph, "update_state", THREAD, {"log": ["stay"]}, as_node="a")
    assert call(graph, "get_state", THREAD).next == ()
    call(graph, "update_state", THREAD, {"log": ["go"]}, as_node="a")
    assert call(graph, "get_state", THREAD).next == ("b",)


def test_updates_of_a_past_checkpoint_leave_no_trace_on_it(call: Callable[..., Any]) -> None:
    graph = chain()
    graph.invoke({"x": 1}, THREAD)
    past = call(graph, "get_state_history", THREAD)[1]
    call(graph, "update_state", past.config, {"log": ["late"]}, as_node="b")
    assert call(graph, "get_state", past.config).tasks[0].result == {"log": ["b"]}
