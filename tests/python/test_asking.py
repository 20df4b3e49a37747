"""Tool calls of one node that ask side by side: all questions come up, each answered for itself."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, ToolCall, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel, ValidationError

from langgraph_rust._internal._asking import is_of_part, part_question_id
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.errors import UnknownInterruptError
from langgraph_rust.graph import START, MessagesState, StateGraph
from langgraph_rust.prebuilt import ToolNode, tools_condition
from langgraph_rust.types import Command, Interrupt, interrupt

THREAD: Any = {"configurable": {"thread_id": "1"}}

done: list[str] = []


class Number(BaseModel):
    """An answer."""

    n: int


@tool
def ask(topic: str) -> str:
    """Ask once, or twice about `two`."""
    answers = [interrupt(topic)]
    if topic == "two":
        answers.append(interrupt("two again"))
    return f"{topic}: {' '.join(answers)}"


@tool
def work(topic: str) -> str:
    """Work, without a question."""
    done.append(topic)
    return topic


@tool
def fails(topic: str) -> str:
    """Fail."""
    raise ZeroDivisionError(topic)


def called(*calls: tuple[str, str]) -> Any:
    """A state in which a model has called these tools about these topics, all with one id each."""
    made = [
        ToolCall(name=name, args={"topic": topic}, id=str(number))
        for number, (name, topic) in enumerate(calls, 1)
    ]
    return {"messages": [AIMessage("", tool_calls=made)]}


def graph(saver: Any, **options: Any) -> Any:
    builder = StateGraph(MessagesState)
    builder.add_node("tools", ToolNode([ask, work, fails], **options))
    builder.add_edge(START, "tools")
    return builder.compile(saver)


def runner(compiled: Any, is_async: bool) -> Any:
    """What runs a graph on the thread, with this input."""
    if is_async:
        return lambda value: asyncio.run(compiled.ainvoke(value, THREAD))
    return lambda value: compiled.invoke(value, THREAD)


class Thread:
    """A thread of a graph of tools, and what is asked in it."""

    def __init__(self, is_async: bool, durability: Any, saver: Any = None, **options: Any) -> None:
        self.graph = graph(saver or InMemorySaver(), **options)
        self._is_async, self._durability = is_async, durability

    def go(self, value: Any) -> list[Any]:
        """Run; returns the interrupts."""
        if self._is_async:
            run = self.graph.ainvoke(value, THREAD, durability=self._durability)
            self.result = asyncio.run(run)
        else:
            self.result = self.graph.invoke(value, THREAD, durability=self._durability)
        return list(self.result.get("__interrupt__", ()))

    def said(self) -> list[str]:
        return [message.content for message in self.result["messages"][1:]]


@pytest.fixture(params=["sync", "async"])
def is_async(request: pytest.FixtureRequest) -> bool:
    return request.param == "async"


@pytest.fixture(params=["sync", "async", "exit"])
def thread(request: pytest.FixtureRequest, is_async: bool) -> Thread:
    return Thread(is_async, request.param)


def test_all_questions_come_up_and_are_answered_by_id(thread: Thread) -> None:
    asked = thread.go(called(("ask", "a"), ("ask", "b"), ("ask", "c")))
    assert [each.value for each in asked] == ["a", "b", "c"]
    assert len({each.id for each in asked}) == 3
    (task,) = thread.graph.get_state(THREAD).tasks
    assert list(task.interrupts) == asked
    assert thread.go(Command(resume={each.id: each.value.upper() for each in asked})) == []
    assert thread.said() == ["a: A", "b: B", "c: C"]


def test_answers_stay_with_their_calls_in_whatever_order_they_come(thread: Thread) -> None:
    first = thread.go(called(("ask", "a"), ("ask", "two"), ("ask", "c")))
    ids = {each.value: each.id for each in first}
    asked = thread.go(Command(resume={ids["c"]: "C"}))
    assert [(each.value, each.id) for each in asked] == [("a", ids["a"]), ("two", ids["two"])]
    (asked_again,) = thread.go(Command(resume={ids["two"]: "2", ids["a"]: "A"}))
    assert asked_again.value == "two again" and asked_again.id not in ids.values()
    assert thread.go(Command(resume={asked_again.id: "3"})) == []
    assert thread.said() == ["a: A", "two: 2 3", "c: C"]


def test_unnamed_answers_are_taken_in_the_order_of_the_calls(thread: Thread) -> None:
    thread.go(called(("ask", "a"), ("work", "w"), ("ask", "b")))
    assert [each.value for each in thread.go(Command(resume="1"))] == ["b"]
    assert thread.go(Command(resume="2")) == []
    assert thread.said() == ["a: 1", "w", "b: 2"]


def test_an_answer_that_is_not_known_answers_nothing(thread: Thread) -> None:
    asked = thread.go(called(("ask", "a"), ("ask", "b")))
    assert thread.go(Command(resume={"0" * 32: "x"})) == asked


@pytest.mark.parametrize(
    ("calls", "outcome"),
    [
        ([("ask", "a"), ("fails", "f")], ["a"]),
        ([("fails", "f"), ("ask", "a")], None),
        ([("ask", "a"), ("fails", "f"), ("ask", "b")], ["a"]),
    ],
)
def test_what_comes_first_counts(calls: Any, outcome: list[str] | None) -> None:
    thread = Thread(False, "sync", handle_tool_errors=False)
    if outcome is None:
        with pytest.raises(ZeroDivisionError):
            thread.go(called(*calls))
    else:
        assert [each.value for each in thread.go(called(*calls))][:1] == outcome


def test_the_same_call_twice_is_two_questions(is_async: bool) -> None:
    thread = Thread(is_async, "sync")
    state = called(("ask", "a"), ("ask", "a"))
    state["messages"][0].tool_calls[1]["id"] = "1"
    first, second = thread.go(state)
    assert thread.go(Command(resume={second.id: "2"})) == [first]
    assert thread.go(Command(resume={first.id: "1"})) == []


def test_a_single_call_asks_as_its_node() -> None:
    thread = Thread(False, "sync")
    (asked,) = thread.go(called(("ask", "two")))
    (again,) = thread.go(Command(resume="1"))
    assert again.id != asked.id
    assert thread.go(Command(resume={again.id: "2"})) == []
    assert thread.said() == ["two: 1 2"]


def test_what_is_around_a_call_asks_for_it(is_async: bool) -> None:
    def approve(request: Any, execute: Any) -> Any:
        answer = interrupt(f"may {request.tool_call['args']['topic']}?")
        assert answer == request.tool_call["args"]["topic"]
        return execute(request)

    thread = Thread(is_async, "sync", wrap_tool_call=approve)
    asked = thread.go(called(("work", "a"), ("work", "b")))
    assert [each.value for each in asked] == ["may a?", "may b?"]
    assert thread.go(Command(resume={each.id: each.value[4] for each in reversed(asked)})) == []
    assert thread.said() == ["a", "b"]


def test_a_graph_within_a_tool_asks_for_itself() -> None:
    inner = graph(None)

    @tool
    def nested(topic: str) -> str:
        """Ask in a graph."""
        return inner.invoke(called(("ask", topic)))["messages"][-1].content

    builder = StateGraph(MessagesState)
    builder.add_node("tools", ToolNode([nested]))
    builder.add_edge(START, "tools")
    outer = builder.compile(InMemorySaver())
    result = outer.invoke(called(("nested", "a")), THREAD)
    (asked,) = result["__interrupt__"]
    result = outer.invoke(Command(resume={asked.id: "A"}), THREAD)
    assert result["messages"][-1].content == "a: A"


def test_answers_are_stored_when_they_are_used(tmp_path: Path) -> None:
    with SqliteSaver.from_conn_string(str(tmp_path / "db")) as saver:
        first = Thread(False, "sync", saver)
        a, b = first.go(called(("ask", "a"), ("ask", "b")))
        assert first.go(Command(resume={b.id: "B"})) == [a]
    with SqliteSaver.from_conn_string(str(tmp_path / "db")) as saver:
        second = Thread(False, "sync", saver)
        assert second.go(Command(resume={a.id: "A"})) == []
        assert second.said() == ["a: A", "b: B"]


@pytest.mark.parametrize("way", ["unnamed", "by id"])
def test_a_thread_that_langgraph_stopped_goes_on_as_there(is_async: bool, way: str) -> None:
    """There one question comes up, with the task's id, and answers are a list of the task's."""
    saver = InMemorySaver()
    thread = Thread(is_async, "sync", saver)
    thread.go(called(("ask", "a"), ("ask", "b"), ("ask", "c")))
    config = thread.graph.get_state(THREAD).config
    (task,) = thread.graph.get_state(THREAD).tasks
    namespace = f"tools:{task.id}"
    theirs = Interrupt(value="a", id=Interrupt.from_ns("a", namespace).id)
    saver.put_writes(config, [("__interrupt__", (theirs,))], task.id)
    seen, question = [], theirs
    while question:
        seen.append(question.value)
        answer = question.value.upper()
        asked = thread.go(Command(resume=answer if way == "unnamed" else {question.id: answer}))
        question = asked[0] if asked else None
        assert len(asked) < 2
    assert seen == ["a", "b", "c"]
    assert thread.said() == ["a: A", "b: B", "c: C"]


@pytest.mark.parametrize("by_id", [True, False])
def test_a_node_that_asks_itself_before_its_tools(is_async: bool, by_id: bool) -> None:
    tools = ToolNode([ask])

    async def anode(state: Any) -> Any:
        first = interrupt("may I?")
        out = await tools.ainvoke(state)
        return {"messages": [AIMessage(first), *out["messages"]]}

    def node(state: Any) -> Any:
        first = interrupt("may I?")
        return {"messages": [AIMessage(first), *tools.invoke(state)["messages"]]}

    builder = StateGraph(MessagesState)
    builder.add_node("node", anode if is_async else node)
    builder.add_edge(START, "node")
    run = runner(builder.compile(InMemorySaver()), is_async)
    seen, value = [], called(("ask", "a"), ("ask", "b"))
    while asked := (result := run(value)).get("__interrupt__"):
        (first,) = asked
        seen.append(first.value)
        value = Command(resume={first.id: first.value} if by_id else first.value)
    assert seen == ["may I?", "a", "b"]
    assert [m.content for m in result["messages"][1:]] == ["may I?", "a: a", "b: b"]


@pytest.mark.parametrize("checkpointer", [None, True])
def test_turns_of_an_agent_within_a_graph(is_async: bool, checkpointer: Any) -> None:
    """An answer without an id is for the question that waits, not for one of the next turn."""
    turns = [[("ask", "a"), ("ask", "b")], [("ask", "c"), ("ask", "d")]]

    def model(state: Any) -> Any:
        turn = sum(isinstance(message, AIMessage) for message in state["messages"])
        return called(*turns[turn]) if turn < len(turns) else {"messages": [AIMessage("done")]}

    agent = StateGraph(MessagesState)
    agent.add_node("model", model)
    agent.add_node("tools", ToolNode([ask]))
    agent.add_edge(START, "model")
    agent.add_conditional_edges("model", tools_condition)
    agent.add_edge("tools", "model")
    outer = StateGraph(MessagesState)
    outer.add_node("agent", agent.compile(checkpointer))
    outer.add_edge(START, "agent")
    graph = outer.compile(InMemorySaver())

    def run(value: Any) -> Any:
        return (
            asyncio.run(graph.ainvoke(value, THREAD)) if is_async else graph.invoke(value, THREAD)
        )

    seen, value = [], {"messages": []}
    while asked := (result := run(value)).get("__interrupt__"):
        seen.append([each.value for each in asked])
        value = Command(resume=f"for {asked[0].value}")
    assert seen == [["a", "b"], ["b"], ["c", "d"], ["d"]]
    said = [m.content for m in result["messages"] if isinstance(m, ToolMessage)]
    assert said == ["a: for a", "b: for b", "c: for c", "d: for d"]


@pytest.mark.parametrize("by_id", [True, False])
def test_a_node_that_asks_itself_after_its_tools(is_async: bool, by_id: bool) -> None:
    tools = ToolNode([ask])

    async def anode(state: Any) -> Any:
        out = await tools.ainvoke(state)
        return {"messages": [*out["messages"], AIMessage(interrupt("may I?") + interrupt("sure?"))]}

    def node(state: Any) -> Any:
        out = tools.invoke(state)
        return {"messages": [*out["messages"], AIMessage(interrupt("may I?") + interrupt("sure?"))]}

    builder = StateGraph(MessagesState)
    builder.add_node("node", anode if is_async else node)
    builder.add_edge(START, "node")
    graph = builder.compile(InMemorySaver())

    def run(value: Any) -> Any:
        return (
            asyncio.run(graph.ainvoke(value, THREAD)) if is_async else graph.invoke(value, THREAD)
        )

    seen, value = [], called(("ask", "a"), ("ask", "b"))
    while asked := (result := run(value)).get("__interrupt__"):
        first = asked[0]
        seen.append(first.value)
        value = Command(resume={first.id: first.value} if by_id else first.value)
    assert seen == ["a", "b", "may I?", "sure?"]
    assert [m.content for m in result["messages"][1:]] == ["a: a", "b: b", "may I?sure?"]


def test_two_calls_of_one_id_in_two_tool_nodes_of_a_task() -> None:
    tools = ToolNode([ask])

    def node(state: Any) -> Any:
        first = tools.invoke(called(("ask", "a"), ("ask", "b")))
        second = tools.invoke(called(("ask", "c"), ("ask", "d")))
        return {"messages": first["messages"] + second["messages"]}

    builder = StateGraph(MessagesState)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    graph = builder.compile(InMemorySaver())
    asked = graph.invoke({"messages": []}, THREAD)["__interrupt__"]
    asked = graph.invoke(Command(resume={q.id: q.value for q in asked}), THREAD)["__interrupt__"]
    assert [each.value for each in asked] == ["c", "d"]
    result = graph.invoke(Command(resume={q.id: q.value for q in asked}), THREAD)
    said = [message.content for message in result["messages"]]
    assert said == ["a: a", "b: b", "c: c", "d: d"]


def test_tools_that_call_tools() -> None:
    inner = ToolNode([ask])

    @tool
    def both(topic: str) -> str:
        """Ask two things."""
        out = inner.invoke(called(("ask", f"{topic}1"), ("ask", f"{topic}2")))
        return " ".join(message.content for message in out["messages"])

    builder = StateGraph(MessagesState)
    builder.add_node("tools", ToolNode([both]))
    builder.add_edge(START, "tools")
    graph = builder.compile(InMemorySaver())
    result = graph.invoke(called(("both", "a"), ("both", "b")), THREAD)
    asked = result["__interrupt__"]
    assert [each.value for each in asked] == ["a1", "a2", "b1", "b2"]
    result = graph.invoke(Command(resume={q.id: q.value for q in asked}), THREAD)
    said = [message.content for message in result["messages"][1:]]
    assert said == ["a1: a1 a2: a2", "b1: b1 b2: b2"]


@pytest.mark.parametrize("calls", [1, 2])
def test_graphs_within_tools_ask_one_after_the_other(calls: int) -> None:
    """As in LangGraph, so that answers without an id are for the one that waits."""
    inner = graph(None)

    @tool
    def nested(topic: str) -> str:
        """Ask in a graph."""
        return inner.invoke(called(*[("ask", topic)] * calls))["messages"][-1].content

    builder = StateGraph(MessagesState)
    builder.add_node("tools", ToolNode([nested, ask]))
    builder.add_edge(START, "tools")
    outer = builder.compile(InMemorySaver())
    seen, value = [], called(("nested", "a"), ("ask", "b"))
    while asked := (result := outer.invoke(value, THREAD)).get("__interrupt__"):
        seen.append([each.value for each in asked])
        value = Command(resume=asked[0].value)
    assert seen == [["a"] * n for n in range(calls, 0, -1)] + [["b"]]
    assert [message.content for message in result["messages"][1:]] == ["a: a", "b: b"]


def test_answers_stay_though_another_call_fails(is_async: bool) -> None:
    @tool
    def number(topic: str) -> str:
        """Ask for a number."""
        return str(interrupt(topic, response_schema=Number).n)

    builder = StateGraph(MessagesState)
    builder.add_node("tools", ToolNode([number]))
    builder.add_edge(START, "tools")
    compiled = builder.compile(InMemorySaver())

    run = runner(compiled, is_async)
    asked = run(called(("number", "a"), ("number", "b"), ("number", "c")))["__interrupt__"]
    a, b, c = (each.id for each in asked)
    with pytest.raises(ValidationError):
        run(Command(resume={a: {"n": "x"}, b: {"n": 2}, c: {"n": 3}}))
    again = run(Command(resume={a: {"n": 1}}))
    assert [message.content for message in again["messages"][1:]] == ["1", "2", "3"]


def test_an_unnamed_answer_passes_over_what_is_answered() -> None:
    fails_once = [True]

    @tool
    def later(topic: str) -> str:
        """Ask, and then fail once."""
        answer = interrupt(topic)
        if topic == "a" and fails_once.pop():
            fails_once.append(False)
            raise ZeroDivisionError
        return answer

    builder = StateGraph(MessagesState)
    builder.add_node("tools", ToolNode([later], handle_tool_errors=False))
    builder.add_edge(START, "tools")
    graph = builder.compile(InMemorySaver())
    asked = graph.invoke(called(("later", "a"), ("later", "b")), THREAD)["__interrupt__"]
    with pytest.raises(ZeroDivisionError):
        graph.invoke(Command(resume={asked[0].id: "A"}), THREAD)
    result = graph.invoke(Command(resume="B"), THREAD)
    assert [message.content for message in result["messages"][1:]] == ["A", "B"]


def test_calls_that_wait_for_each_other_all_ask() -> None:
    barrier = threading.Barrier(2, timeout=10)

    @tool
    def meet(topic: str) -> str:
        """Meet, then ask."""
        barrier.wait()
        return interrupt(topic)

    builder = StateGraph(MessagesState)
    builder.add_node("tools", ToolNode([meet]))
    builder.add_edge(START, "tools")
    compiled = builder.compile(InMemorySaver())
    asked = compiled.invoke(called(("meet", "a"), ("meet", "b")), THREAD)["__interrupt__"]
    assert [each.value for each in asked] == ["a", "b"]
    result = compiled.invoke(Command(resume={each.id: each.value for each in asked}), THREAD)
    assert [message.content for message in result["messages"][1:]] == ["a", "b"]


def test_strict_answers_are_checked() -> None:
    thread = Thread(False, "sync")
    thread.go(called(("ask", "a"), ("ask", "b")))
    strict: Any = {"configurable": {"thread_id": "1", "__pregel_strict_resume": True}}
    with pytest.raises(UnknownInterruptError):
        thread.graph.invoke(Command(resume={"0" * 32: "x"}), strict)


@pytest.mark.parametrize("id", ["", "x", "x" * 24 + "000000zz", "0" * 31, "1" * 32])
def test_ids_that_somebody_chose_are_not_of_parts(id: str) -> None:
    assert not is_of_part(id)
    assert is_of_part(part_question_id("1" * 32, "0123abcd", 3))
