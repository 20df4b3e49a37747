"""Errors whose text is LangGraph's say the rest in notes: where, what there is, the way out."""

from __future__ import annotations

import importlib
import operator
import sys
from typing import Annotated, Any

import pytest
from _driver_graphs import State, chain, fan_out
from _mistakes import notes, run
from typing_extensions import TypedDict

from langgraph_rust._internal._mistakes import add_note
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.errors import EmptyInputError, InvalidUpdateError, ParentCommand
from langgraph_rust.graph import START, MessagesState, StateGraph
from langgraph_rust.types import Command

BOTH = pytest.mark.parametrize("is_async", [False, True])


@BOTH
class TestRouters:
    def noted(self, answer: Any, path_map: Any, is_async: bool) -> list[str]:
        def decide(_: State) -> Any:
            return answer

        builder = StateGraph(State)
        builder.add_node("publish", lambda _: {"value": 1})
        builder.add_edge(START, "publish")
        builder.add_conditional_edges("publish", decide, path_map)
        with pytest.raises(KeyError) as raised:
            run(builder.compile(), {}, is_async=is_async)
        assert raised.value.args == (answer if isinstance(answer, str) else answer[0],)
        return notes(raised.value)

    @pytest.mark.parametrize("answer", ["okay", ["okay"]])
    def test_an_answer_that_the_map_lacks(self, is_async: bool, answer: Any) -> None:
        assert self.noted(answer, {"okays": "publish", "no": "publish"}, is_async) == [
            "The router 'decide' answered 'okay', which its path_map does not have. Did you mean "
            "'okays'? Its keys are 'okays', 'no'. Answer one of them, or add this one"
        ]

    @pytest.mark.parametrize("answer", [None, ["publish", None]])
    def test_no_answer(self, is_async: bool, answer: Any) -> None:
        def decide(_: State) -> Any:
            return answer

        builder = StateGraph(State)
        builder.add_node("publish", lambda _: {"value": 1})
        builder.add_edge(START, "publish")
        builder.add_conditional_edges("publish", decide)
        with pytest.raises(ValueError, match="did not return a valid destination") as raised:
            run(builder.compile(), {}, is_async=is_async)
        assert notes(raised.value) == [
            f"The router 'decide' answered {answer!r}; to stop, answer END"
        ]


class TestReducers:
    @BOTH
    @pytest.mark.parametrize("reducer", [operator.add, lambda left, right: left + right])
    def test_a_write_that_they_do_not_take(self, is_async: bool, reducer: Any) -> None:
        own: Any = TypedDict("own", {"log": Annotated[list[Any], reducer]})  # type: ignore[misc]
        builder = StateGraph(own)
        builder.add_node("a", lambda _: {"log": 5})
        builder.add_edge(START, "a")
        with pytest.raises(TypeError, match="can only concatenate list") as raised:
            run(builder.compile(), {"log": []}, is_async=is_async)
        assert notes(raised.value) == [
            f"The reducer {reducer.__qualname__} was given list, the channel's value, and int, "
            "which was written",
            "In what was written to channel 'log'",
            "It was written by 'a'",
        ]

    @BOTH
    def test_of_messages(self, is_async: bool) -> None:
        builder = StateGraph(MessagesState)
        builder.add_node("a", lambda _: {"messages": 5})
        builder.add_edge(START, "a")
        with pytest.raises(NotImplementedError) as raised:
            run(builder.compile(), {"messages": []}, is_async=is_async)
        assert notes(raised.value) == [
            "In what was written to channel 'messages'",
            "It was written by 'a'",
        ]

    def test_of_several_tasks(self) -> None:
        with pytest.raises(TypeError) as raised:
            fan_out([lambda _: {"log": 5}, lambda _: {"log": []}]).invoke({})
        assert notes(raised.value)[-1] == "It was written by one of 'n0', 'n1'"

    def test_of_an_input(self) -> None:
        with pytest.raises(TypeError) as raised:
            chain([lambda _: {"value": 1}]).invoke({"log": 5})
        assert notes(raised.value)[1:] == [
            "In what was written to channel 'log'",
            "It was written by '__start__'",
        ]


@BOTH
class TestNoInput:
    def noted(self, is_async: bool, conf: Any, **options: Any) -> list[str]:
        graph = chain([lambda _: {"value": 1}], **options)
        with pytest.raises(EmptyInputError, match="Received no input for __start__") as raised:
            run(graph, None, {"configurable": conf}, is_async=is_async)
        return notes(raised.value)

    def test_and_no_such_checkpoint(self, is_async: bool) -> None:
        conf = {"thread_id": "1", "checkpoint_id": "1f000000-0000-6000-8000-000000000000"}
        assert self.noted(is_async, conf, checkpointer=InMemorySaver()) == [
            "Thread '1' has no checkpoint '1f000000-0000-6000-8000-000000000000'. "
            "get_state_history() lists those that it has"
        ]

    def test_and_no_such_thread(self, is_async: bool) -> None:
        assert self.noted(is_async, {"thread_id": "7"}, checkpointer=InMemorySaver()) == [
            "Nothing is stored for thread '7': begin it with an input"
        ]

    def test_and_no_saver(self, is_async: bool) -> None:
        assert self.noted(is_async, {"thread_id": "7"}) == [
            "Without a checkpointer there is nothing to go on with: give an input"
        ]


@BOTH
def test_a_command_for_a_graph_around_that_there_is_not(is_async: bool) -> None:
    graph = chain([lambda _: Command(goto="n1", graph=Command.PARENT)])
    with pytest.raises(ParentCommand) as raised:
        run(graph, {}, is_async=is_async)
    assert notes(raised.value) == [
        "Node 'n0' gave a Command for the graph around this one (graph=Command.PARENT), but this "
        "graph runs by itself. Run it as a node of that graph, or leave out `graph`"
    ]


@BOTH
def test_output_keys(is_async: bool) -> None:
    with pytest.raises(ValueError, match="Key vlaue not in channels") as raised:
        run(chain([lambda _: {"value": 1}]), {}, is_async=is_async, output_keys=["vlaue"])
    assert notes(raised.value) == ["Did you mean 'value'? The channels are 'value', 'log'"]


def test_the_node_of_an_update() -> None:
    graph = chain([lambda _: {"value": 1}], checkpointer=InMemorySaver())
    with pytest.raises(InvalidUpdateError, match="Node n00 does not exist") as raised:
        graph.update_state({"configurable": {"thread_id": "1"}}, {"value": 1}, as_node="n00")
    assert notes(raised.value) == ["Did you mean 'n0'? The nodes are 'n0'"]


class TestBuilders:
    def builder(self) -> Any:
        return StateGraph(State).add_node("review", lambda _: {"value": 1})

    def test_a_node_named_by_a_number(self) -> None:
        with pytest.raises(TypeError, match="Expected a Runnable, callable or dict") as raised:
            self.builder().add_node(5, lambda _: {"value": 1})
        assert notes(raised.value) == ["A node's name is a text: add_node('5', ...), not 5"]

    @pytest.mark.parametrize(
        ("edge", "message"),
        [
            ((START, "reviw"), "Found edge ending at unknown node `reviw`"),
            (("reviw", "review"), "Found edge starting at unknown node 'reviw'"),
        ],
    )
    def test_an_edge(self, edge: tuple[str, str], message: str) -> None:
        builder = self.builder().add_edge(START, "review").add_edge(*edge)
        with pytest.raises(ValueError, match=message) as raised:
            builder.compile()
        assert notes(raised.value) == ["Did you mean 'review'? The nodes are 'review'"]

    def test_what_a_path_map_leads_to(self) -> None:
        builder = self.builder().add_edge(START, "review")
        builder.add_conditional_edges("review", lambda _: "a", {"a": "reviw"})
        with pytest.raises(ValueError, match="found unknown target 'reviw'") as raised:
            builder.compile()
        assert notes(raised.value) == ["Did you mean 'review'? The nodes are 'review'"]

    @pytest.mark.parametrize("names", [["reviw"], "review"])
    def test_a_node_to_stop_at(self, names: Any) -> None:
        builder = self.builder().add_edge(START, "review")
        with pytest.raises(ValueError, match=r"Interrupt node `.*` not found") as raised:
            builder.compile(interrupt_before=names, checkpointer=InMemorySaver())
        assert notes(raised.value)[0].endswith("The nodes are 'review'")


def test_notes_before_python_311() -> None:
    class Bare:
        """An error of Python 3.10, which has no `add_note`."""

    error: Any = Bare()
    add_note(error, "first")
    add_note(error, "second")
    assert error.__notes__ == ["first", "second"]


@pytest.mark.parametrize(
    ("module", "absent", "needs"),
    [
        ("checkpoint.sqlite.aio", "aiosqlite", "aiosqlite, sqlite"),
        ("store.sqlite.aio", "aiosqlite", "aiosqlite, sqlite"),
        ("checkpoint.postgres", "psycopg", "psycopg, postgres"),
        ("checkpoint.postgres.aio", "psycopg_pool", "psycopg-pool, postgres"),
        ("store.postgres", "psycopg", "psycopg, postgres"),
        ("store.postgres.base", "psycopg_pool", "psycopg-pool, postgres"),
    ],
)
def test_a_part_that_needs_another_package_says_what_to_install(
    module: str, absent: str, needs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"langgraph_rust.{module}"
    package = ".".join(name.split(".")[:3])
    for loaded in list(sys.modules):
        if loaded == package or loaded.startswith(f"{package}."):
            monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, absent, None)
    distribution, extra = needs.split(", ")
    with pytest.raises(ModuleNotFoundError) as raised:
        importlib.import_module(name)
    text = f" needs the package {distribution}, which is not installed: "
    assert str(raised.value).endswith(f"{text}pip install 'langgraph-rust[{extra}]'")
    assert raised.value.name == absent
