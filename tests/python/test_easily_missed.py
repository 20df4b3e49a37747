"""Behaviour that is easily missed, found by comparing random graphs with upstream's."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from langchain_core.runnables import RunnableConfig
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import Command

THREAD: Any = {"configurable": {"thread_id": "1"}}


class State(TypedDict, total=False):
    x: int


class TestACommandAsTheFirstInput:
    """It is applied, and then taken as the graph's input as well."""

    @staticmethod
    def graph() -> Any:
        class Sum(TypedDict):
            total: Annotated[int, operator.add]

        builder = StateGraph(Sum).add_node("node", lambda _: {"total": 10})
        return builder.add_edge(START, "node").compile(checkpointer=InMemorySaver())

    @pytest.mark.parametrize("durability", ["sync", "async", "exit"])
    def test_its_update_counts_twice(self, durability: Any) -> None:
        command = Command(update={"total": 3}, resume="unasked")
        assert self.graph().invoke(command, THREAD, durability=durability) == {"total": 16}

    def test_it_may_go_anywhere(self) -> None:
        result = self.graph().invoke(Command(update={"total": 1}, goto="node"), THREAD)
        assert result == {"total": 12}


class TestWhichFailureIsRaised:
    @staticmethod
    def graph(**nodes: Callable[[Any], Any]) -> Any:
        builder = StateGraph(State)
        for name, node in nodes.items():
            builder.add_node(name, node).add_edge(START, name)
        return builder.compile()

    def test_the_first_one_whoever_ran_it(self) -> None:
        def late(_: Any) -> None:
            time.sleep(0.05)
            raise RuntimeError("late")

        def early(_: Any) -> None:
            time.sleep(0.01)
            raise ValueError("early")

        with pytest.raises(ValueError, match="early"):
            self.graph(a=late, b=early).invoke({"x": 1})

    def test_siblings_of_one_that_fails_at_once_run_all_the_same(self) -> None:
        ran = []

        def fails(_: Any) -> None:
            raise ValueError("at once")

        def note(_: Any) -> None:
            ran.append(None)

        with pytest.raises(ValueError, match="at once"):
            self.graph(a=fails, b=note, c=note).invoke({"x": 1})
        assert len(ran) == 2


def test_a_checkpoint_resumed_from_is_shown_with_the_metadata_it_was_stored_with() -> None:
    def fails(_: Any) -> None:
        raise ValueError("fails")

    builder = StateGraph(State).add_node("node", fails).add_edge(START, "node")
    graph = builder.compile(checkpointer=InMemorySaver())
    with pytest.raises(ValueError, match="fails"):
        graph.invoke({"x": 1}, {**THREAD, "metadata": {"by": "me"}})
    chunks = graph.stream(None, THREAD, stream_mode="checkpoints")
    assert next(chunks)["metadata"]["by"] == "me"
    chunks.close()


def test_a_nested_graphs_config_says_where_it_is_whether_or_not_there_is_a_saver() -> None:
    seen = []

    def look(_: Any, config: RunnableConfig) -> None:
        seen.append((config["metadata"]["checkpoint_ns"], config["configurable"]["checkpoint_ns"]))

    inner = StateGraph(State).add_node("look", look).add_edge(START, "look")
    for checkpointer in (None, True):
        outer = StateGraph(State).add_node("inner", inner.compile(checkpointer=checkpointer))
        outer.add_edge(START, "inner").compile().invoke({"x": 1}, THREAD)
    # A graph with a history of its own is addressed without the ids of the tasks around it.
    (own, inside), (own_too, with_history) = seen
    assert inside.startswith(f"{own}|look:") and own_too.startswith("inner:")
    assert with_history.startswith("inner|look:")
