"""What a run is asked for that cannot be is named before it begins."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from _driver_graphs import State, chain, thread
from _mistakes import Caught, run

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.func import entrypoint
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.pregel import Pregel
from langgraph_rust.types import Command, interrupt

BOTH = pytest.mark.parametrize("is_async", [False, True])

MODES = (
    "The modes are 'checkpoints', 'custom', 'debug', 'messages', 'tasks', 'tools', 'updates', "
    "'values'"
)


def kept(*nodes: Any) -> Pregel:
    return chain(nodes or [lambda _: {"value": 1}], checkpointer=InMemorySaver())


def asks(_: State) -> Any:
    return {"value": interrupt("which?")}


def stream(graph: Pregel, is_async: bool, **options: Any) -> list[Any]:
    async def consume() -> list[Any]:
        return [chunk async for chunk in graph.astream({}, thread(), **options)]

    return asyncio.run(consume()) if is_async else list(graph.stream({}, thread(), **options))


@BOTH
class TestStreamModes:
    @pytest.mark.parametrize("modes", ["vlaues", ["vlaues"]])
    def test_one(self, is_async: bool, modes: Any) -> None:
        with Caught() as caught:
            assert stream(kept(), is_async, stream_mode=modes) == []
        assert caught == [
            "The stream mode 'vlaues' does not exist: nothing comes out for it. "
            f"Did you mean 'values'? {MODES}"
        ]

    def test_one_of_several(self, is_async: bool) -> None:
        with Caught() as caught:
            chunks = stream(kept(), is_async, stream_mode=["updates", "task"])
        assert chunks == [("updates", {"n0": {"value": 1}})]
        assert caught == [
            "The stream mode 'task' does not exist: nothing comes out for it. "
            f"Did you mean 'tasks'? {MODES}"
        ]

    def test_of_invoke_and_of_what_is_printed(self, is_async: bool) -> None:
        with Caught() as caught:
            run(kept(), {}, thread(), is_async=is_async, stream_mode="zzz")
            run(kept(), {}, thread(), is_async=is_async, print_mode="zzz")
        expected = f"The stream mode 'zzz' does not exist: nothing comes out for it. {MODES}"
        assert caught == [expected, expected]

    def test_what_is_no_text(self, is_async: bool) -> None:
        with Caught() as caught:
            chunks = stream(kept(), is_async, stream_mode=["updates", 1])
        assert chunks == [("updates", {"n0": {"value": 1}})]
        assert caught == [f"The stream mode 1 is no text: nothing comes out for it. {MODES}"]

    def test_several_that_are_alike_are_one(self, is_async: bool) -> None:
        with Caught() as caught:
            assert len(stream(kept(), is_async, stream_mode=["updates", "updates"])) == 1
        assert caught == []

    def test_those_that_exist(self, is_async: bool) -> None:
        modes = [
            "values",
            "updates",
            "checkpoints",
            "tasks",
            "debug",
            "messages",
            "custom",
            "tools",
        ]
        with Caught() as caught:
            stream(kept(), is_async, stream_mode=modes)
        assert caught == []


@BOTH
class TestDurabilities:
    def test_one_that_does_not_exist(self, is_async: bool) -> None:
        with Caught() as caught:
            run(kept(), {}, thread(), is_async=is_async, durability="on_exit")
        assert caught == [
            "durability='on_exit' does not exist: checkpoints are stored as with 'async'. Did you "
            "mean 'exit'? The choices are 'sync', 'async', 'exit'"
        ]

    @pytest.mark.parametrize("durability", ["sync", "async", "exit", None])
    def test_those_that_exist(self, is_async: bool, durability: Any) -> None:
        with Caught() as caught:
            run(kept(), {}, thread(), is_async=is_async, durability=durability)
        assert caught == []


@BOTH
@pytest.mark.parametrize("parameter", ["interrupt_before", "interrupt_after"])
class TestNodesToStopAt:
    def test_that_are_none(self, is_async: bool, parameter: str) -> None:
        with Caught() as caught:
            given = run(kept(), {}, thread(), is_async=is_async, **{parameter: ["n00"]})
        assert given["value"] == 1
        assert caught == [
            f"{parameter} names 'n00', which is no node of the graph: nothing stops there. "
            "Did you mean 'n0'? The nodes are 'n0'"
        ]

    @pytest.mark.parametrize("names", ["*", ["n0"], ("n0",), [], None])
    def test_that_exist(self, is_async: bool, parameter: str, names: Any) -> None:
        with Caught() as caught:
            run(kept(), {}, thread(), is_async=is_async, **{parameter: names})
        assert caught == []

    def test_a_text_stops_where_it_does_in_langgraph(self, is_async: bool, parameter: str) -> None:
        def next_of(text: str) -> Any:
            graph = kept(lambda _: {"value": 1}, lambda _: {"value": 2})
            run(graph, {}, thread(), is_async=is_async, **{parameter: text})
            return graph.get_state(thread()).next

        with Caught() as caught:
            assert next_of("n1") == (("n1",) if parameter == "interrupt_before" else ())
        assert caught == []
        with Caught() as caught:
            assert next_of("n0,n1") == (("n0",) if parameter == "interrupt_before" else ("n1",))
            assert next_of("zz") == ()
        assert caught == [
            f"{parameter}='n0,n1' is a text, and stops at each node whose name is a part of it "
            "('n0', 'n1'): give a list of names. The nodes are 'n0', 'n1'",
            f"{parameter}='zz' is a text, and stops at each node whose name is a part of it "
            "(none is): give a list of names. The nodes are 'n0', 'n1'",
        ]


@BOTH
class TestThreads:
    @pytest.mark.parametrize("thread_id", [None, ["1"], {"id": 1}, True])
    def test_that_are_none(self, is_async: bool, thread_id: Any) -> None:
        config = {"configurable": {"thread_id": thread_id}}
        with Caught() as caught:
            run(kept(), {}, config, is_async=is_async)
        assert caught == [
            f"thread_id={thread_id!r} names no thread: it is stored as {str(thread_id)!r}, "
            "together with all that is run so. Give a text that is this thread's alone, such as a "
            "UUID's"
        ]

    @pytest.mark.parametrize("thread_id", ["1", 1, ""])
    def test_that_are_known_by_their_text(self, is_async: bool, thread_id: Any) -> None:
        with Caught() as caught:
            run(kept(), {}, {"configurable": {"thread_id": thread_id}}, is_async=is_async)
        assert caught == []

    def test_are_of_no_concern_without_a_saver(self, is_async: bool) -> None:
        with Caught() as caught:
            config = {"configurable": {"thread_id": None}}
            run(chain([lambda _: {"value": 1}]), {}, config, is_async=is_async)
        assert caught == []


def test_state_methods_name_threads_as_well() -> None:
    with Caught() as caught:
        kept().get_state({"configurable": {"thread_id": None}})
    assert [text[:29] for text in caught] == ["thread_id=None names no threa"]


def test_entrypoints_name_threads_as_well() -> None:
    @entrypoint(checkpointer=InMemorySaver())
    def function(value: int) -> int:
        return value

    with Caught() as caught:
        assert function.invoke(1, {"configurable": {"thread_id": None}}) == 1
    assert [text[:29] for text in caught] == ["thread_id=None names no threa"]


@BOTH
class TestAnswers:
    def test_to_questions_that_nobody_asks(self, is_async: bool) -> None:
        graph = kept(asks)
        (question,) = run(graph, {}, thread(), is_async=is_async)["__interrupt__"]
        with Caught() as caught:
            given = run(graph, Command(resume={"0" * 32: 1}), thread(), is_async=is_async)
        assert "__interrupt__" in given
        assert caught == [
            f"Command(resume=...) answers '{'0' * 32}', but no interrupt of the thread with such "
            f"an id waits: the answer is lost. Those that wait are '{question.id}'"
        ]

    def test_to_those_that_are_answered_already(self, is_async: bool) -> None:
        graph = kept(asks)
        (question,) = run(graph, {}, thread(), is_async=is_async)["__interrupt__"]
        answer = Command(resume={question.id: 1})
        with Caught() as caught:
            assert run(graph, answer, thread(), is_async=is_async)["value"] == 1
        assert caught == []
        with Caught() as caught:
            run(graph, answer, thread(), is_async=is_async)
        assert [text.endswith("Those that wait are none") for text in caught] == [True]

    def test_from_a_checkpoint_that_the_thread_has_moved_past(self, is_async: bool) -> None:
        graph = kept(asks)
        (question,) = run(graph, {}, thread(), is_async=is_async)["__interrupt__"]
        before = graph.get_state(thread()).config
        answer = Command(resume={question.id: 1})
        run(graph, answer, thread(), is_async=is_async)
        with Caught() as caught:
            run(graph, answer, before, is_async=is_async)
        assert caught == []


@BOTH
def test_a_checkpoint_that_does_not_exist(is_async: bool) -> None:
    nowhere = "1f000000-0000-6000-8000-000000000000"
    graph, config = kept(), {"configurable": {"thread_id": "1", "checkpoint_id": nowhere}}
    run(graph, {}, thread(), is_async=is_async)
    with Caught() as caught:
        run(graph, {"value": 3}, config, is_async=is_async)
    assert caught == [
        f"Thread '1' has no checkpoint '{nowhere}': the run begins anew. get_state_history() lists "
        "those that it has"
    ]


def test_a_node_with_two_things_to_run() -> None:
    def first(state: State) -> State:
        return state

    with Caught() as caught:
        StateGraph(State).add_node(first, lambda _: {"value": 1}).add_edge(START, "first")
    assert caught[0].startswith("add_node(<function test_a_node_with_two_things_to_run")
    assert caught[0].endswith(
        "was given two things to run: the first is the node, the second is left out. "
        "Give a name and one of them"
    )
