"""Where strictness is asked for, mistakes are errors, and nothing of what they touch is done."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from _driver_graphs import State, chain, thread
from _mistakes import Caught, run

from langgraph_rust._internal import _mistakes
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.types import Command, RetryPolicy, Send, interrupt
from langgraph_rust.warnings import LangGraphMistakeWarning

BOTH = pytest.mark.parametrize("is_async", [False, True])


@pytest.fixture(params=["variable", "called", "filter"])
def strict(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The ways to ask for it."""
    monkeypatch.setattr(_mistakes, "_asked", None)
    with warnings.catch_warnings():
        if request.param == "variable":
            monkeypatch.setenv("LANGGRAPH_RUST_STRICT", "1")
        elif request.param == "called":
            _mistakes.set_strict(True)
        else:
            warnings.simplefilter("error", LangGraphMistakeWarning)
        yield request.param


def test_a_mistake_is_a_warning_that_can_be_raised() -> None:
    assert issubclass(LangGraphMistakeWarning, UserWarning)


@BOTH
class TestWhatIsWrittenToNobody:
    @pytest.mark.parametrize(
        "result",
        [
            Command(goto="nope"),
            Command(goto=[Send("nope", {})]),
            Command(update=5),
            Command(goto=[5]),  # type: ignore[list-item]
            {"vlaue": 1},
        ],
    )
    def test_fails_the_task(self, strict: str, is_async: bool, result: Any) -> None:
        ran: list[str] = []
        graph = chain([lambda _: result, lambda _: ran.append("n1")], checkpointer=InMemorySaver())
        with pytest.raises(LangGraphMistakeWarning) as raised:
            run(graph, {}, thread(), is_async=is_async)
        (note,) = raised.value.__notes__
        assert note.startswith("During task with name 'n0' and id")
        # Nothing of it is stored: the task is to run again.
        state = graph.get_state(thread())
        assert (state.next, ran) == (("n0",), [])
        assert [task.error for task in state.tasks] == [repr(raised.value)]

    def test_is_not_tried_again(self, strict: str, is_async: bool) -> None:
        attempts: list[int] = []

        def strays(_: State) -> Any:
            attempts.append(1)
            return Command(goto="nope")

        graph = chain([strays])
        graph.retry_policy = [RetryPolicy(initial_interval=0, retry_on=Exception)]
        with pytest.raises(LangGraphMistakeWarning):
            run(graph, {}, is_async=is_async)
        assert attempts == [1]

    def test_in_an_input(self, strict: str, is_async: bool) -> None:
        with pytest.raises(LangGraphMistakeWarning, match="The input has 'other'"):
            run(chain([lambda _: {"value": 1}]), {"other": 1}, is_async=is_async)

    def test_by_a_command_as_input(self, strict: str, is_async: bool) -> None:
        graph = chain([lambda _: {"value": 1}], checkpointer=InMemorySaver())
        run(graph, {}, thread(), is_async=is_async)
        before = graph.get_state(thread()).config
        with pytest.raises(LangGraphMistakeWarning, match="The Command given as input goes to"):
            run(graph, Command(goto="nope", update={"value": 7}), thread(), is_async=is_async)
        assert graph.get_state(thread()).config == before


@BOTH
@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"durability": "never"}, "durability='never'"),
        ({"stream_mode": "vlaues"}, "stream mode 'vlaues'"),
        ({"interrupt_before": ["nope"]}, "interrupt_before names 'nope'"),
        ({"interrupt_after": ["nope"]}, "interrupt_after names 'nope'"),
    ],
)
def test_what_cannot_be_done_is_not_begun(
    strict: str, is_async: bool, options: Any, match: str
) -> None:
    ran: list[str] = []
    graph = chain([lambda _: ran.append("n0")], checkpointer=InMemorySaver())
    with pytest.raises(LangGraphMistakeWarning, match=match):
        run(graph, {}, thread(), is_async=is_async, **options)
    assert ran == []
    assert list(graph.get_state_history(thread())) == []


@BOTH
def test_answers_to_questions_that_nobody_asks(strict: str, is_async: bool) -> None:
    graph = chain([lambda _: {"value": interrupt("?")}], checkpointer=InMemorySaver())
    run(graph, {}, thread(), is_async=is_async)
    with pytest.raises(LangGraphMistakeWarning, match="the answer is lost"):
        run(graph, Command(resume={"0" * 32: 1}), thread(), is_async=is_async)
    assert run(graph, Command(resume=2), thread(), is_async=is_async)["value"] == 2


@BOTH
class TestMoreThanIsWanted:
    """What may be meant is let go, unless nothing wrong is to go through."""

    def test_of_results(self, strict: str, is_async: bool) -> None:
        more = {"".join(("mo", "re")): 1, "value": 2}
        graph = chain([lambda _: more])
        if strict == "filter":
            assert run(graph, {}, is_async=is_async)["value"] == 2
            return
        with pytest.raises(LangGraphMistakeWarning, match="Node 'n0' returns 'more'"):
            run(graph, {}, is_async=is_async)

    def test_of_inputs(self, strict: str, is_async: bool) -> None:
        graph = chain([lambda _: {"value": 2}])
        if strict == "filter":
            assert run(graph, {"value": 1, "user": "me"}, is_async=is_async)["value"] == 2
            return
        with pytest.raises(LangGraphMistakeWarning, match="The input has 'user'"):
            run(graph, {"value": 1, "user": "me"}, is_async=is_async)

    def test_is_let_go_by_graphs_within_graphs(self, strict: str, is_async: bool) -> None:
        inner = chain([lambda _: {"value": 2}])
        assert run(chain([inner]), {"value": 1}, is_async=is_async)["value"] == 2


def test_a_run_without_mistakes_is_as_ever(strict: str) -> None:
    graph = chain([lambda _: {"value": 1}], checkpointer=InMemorySaver())
    assert graph.invoke({"value": 0}, thread(), durability="sync")["value"] == 1


PROGRAM = """
import langgraph_rust
langgraph_rust.install({arguments})
from typing_extensions import TypedDict
from langgraph.graph import START, StateGraph
from langgraph.types import Command
builder = StateGraph(TypedDict("State", {{"a": int}}))
builder.add_node("n", lambda _: Command(goto="nope"))
builder.add_edge(START, "n")
for _ in range(3):
    try:
        builder.compile().invoke({{"a": 1}})
    except Warning as error:
        print("raised")
    else:
        print("went on")
"""


@pytest.mark.parametrize(
    ("arguments", "variables", "raises"),
    [
        ("", {}, False),
        ("strict=True", {}, True),
        ("", {"LANGGRAPH_RUST_STRICT": "1"}, True),
        ("strict=False", {"LANGGRAPH_RUST_STRICT": "1"}, False),
    ],
)
def test_in_drop_in_mode(
    arguments: str, variables: dict[str, str], raises: bool, run_program: Any, monkeypatch: Any
) -> None:
    monkeypatch.delenv("LANGGRAPH_RUST_STRICT", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = run_program(PROGRAM.format(arguments=arguments))
    assert done.stdout.split("\n")[:3] == ["raised" if raises else "went on"] * 3
    assert done.stderr.count("LangGraphMistakeWarning: Node 'n' goes to 'nope'") == (not raises)


def test_the_registry_of_a_module_does_not_grow_without_end() -> None:
    with Caught(), warnings.catch_warnings():
        warnings.simplefilter("default")
        for number in range(3000):
            _mistakes.report(f"mistake {number}")
    assert len(globals()["__warningregistry__"]) < 1100
