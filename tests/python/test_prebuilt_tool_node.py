"""`ToolNode`: what its tools get, where they run, and what becomes of what they do."""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import Callable
from contextvars import ContextVar
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import InjectedToolArg, tool
from pydantic import BaseModel
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.errors import GraphInterrupt
from langgraph_rust.graph import START, MessagesState, StateGraph
from langgraph_rust.prebuilt import (
    InjectedState,
    InjectedStore,
    ToolNode,
    ToolRuntime,
    tools_condition,
)
from langgraph_rust.prebuilt.tool_node import ToolCallRequest, ToolInvocationError
from langgraph_rust.runtime import Runtime
from langgraph_rust.store.base import BaseStore
from langgraph_rust.store.memory import InMemoryStore
from langgraph_rust.types import Command, Send, interrupt

Var = ContextVar("Var", default="unset")


class Hidden(InjectedToolArg):
    """A marker of the user's own."""


@tool
def double(x: int) -> str:
    """Double."""
    return str(2 * x)


def call(name: str = "double", id: str = "1", **args: Any) -> dict[str, Any]:
    return {"name": name, "args": args, "id": id, "type": "tool_call"}


def config(**values: Any) -> RunnableConfig:
    return {"configurable": {"__pregel_runtime": Runtime(**values)}}


def said(*calls: dict[str, Any]) -> AIMessage:
    return AIMessage("", tool_calls=list(calls))


def invoke(node: ToolNode, input: Any, config_: RunnableConfig | None = None) -> Any:
    return node.invoke(input, config_ or config())


def ainvoke(node: ToolNode, input: Any, config_: RunnableConfig | None = None) -> Any:
    return asyncio.run(node.ainvoke(input, config_ or config()))


def tells_of_both(error: Any) -> str:
    return "told"


# The annotation itself, where others are strings.
tells_of_both.__annotations__["error"] = KeyError | ValueError


def tells_of_keys(error: KeyError) -> str:
    return "told"


def tells_of_numbers(error: int) -> str:
    return "told"


both = pytest.mark.parametrize("run", [invoke, ainvoke])
Run = Callable[..., Any]


class TestInputs:
    @both
    def test_the_output_has_the_form_of_the_input(self, run: Run) -> None:
        node, expected = ToolNode([double]), [("4", "1", "double")]

        def shown(messages: Any) -> Any:
            return [(m.content, m.tool_call_id, m.name) for m in messages]

        message = said(call(x=2))
        assert shown(run(node, [message])) == expected
        assert shown(run(node, {"messages": [message]})["messages"]) == expected
        assert shown(run(node, [call(x=2)])["messages"]) == expected
        sent = {"__type": "tool_call_with_context", "tool_call": call(x=2), "state": {}}
        assert shown(run(node, sent)["messages"]) == expected

    def test_the_calls_of_the_last_message_of_a_model(self) -> None:
        messages = [said(call(x=1)), said(call(x=2)), ToolMessage("", tool_call_id="0")]
        assert [m.content for m in invoke(ToolNode([double]), messages)] == ["4"]

    @pytest.mark.parametrize(
        ("input", "text"),
        [
            ({}, "No message found"),
            ({"messages": []}, "No message found"),
            ([ToolMessage("", tool_call_id="1")], "No AIMessage found"),
        ],
    )
    def test_without_messages(self, input: Any, text: str) -> None:
        with pytest.raises(ValueError, match=text):
            invoke(ToolNode([double]), input)

    def test_condition(self) -> None:
        assert tools_condition([said(call(x=1))]) == "tools"
        assert tools_condition({"chat": [said()]}, messages_key="chat") == "__end__"
        with pytest.raises(ValueError, match="No messages found in input state to tool_edge"):
            tools_condition({})

    def test_condition_routes(self) -> None:
        builder = StateGraph(MessagesState)
        builder.add_node("think", lambda state: {"messages": [said()]})
        builder.add_node("tools", ToolNode([double]))
        builder.add_edge(START, "think").add_conditional_edges("think", tools_condition)
        assert builder.compile().invoke({"messages": []})["messages"][-1].tool_calls == []


class TestContexts:
    def test_a_single_sync_call_stays_on_the_thread(self) -> None:
        @tool
        def where() -> str:
            """Where."""
            Var.set("inside")
            return str(threading.get_ident())

        Var.set("outside")
        assert invoke(ToolNode([where]), [call("where")])["messages"][0].content == str(
            threading.get_ident()
        )
        assert Var.get() == "outside"

    async def test_what_an_async_call_sets_stays_there(self) -> None:
        @tool
        async def changes() -> str:
            """Change."""
            Var.set("inside")
            return Var.get()

        async def wraps(request: Any, execute: Any) -> Any:
            Var.set("wrapped")
            return await execute(request)

        Var.set("outside")
        for node in (ToolNode([changes]), ToolNode([changes], awrap_tool_call=wraps)):
            result = await node.ainvoke([call("changes")], config())
            assert result["messages"][0].content == "inside"
            assert Var.get() == "outside"

    def test_a_sync_tool_may_run_a_loop_within_one(self) -> None:
        @tool
        def loops() -> str:
            """Run a loop."""
            return asyncio.run(asyncio.sleep(0, "ran"))

        async def main() -> Any:
            return ToolNode([loops]).invoke([call("loops")], config())

        assert asyncio.run(main())["messages"][0].content == "ran"

    def test_max_concurrency(self) -> None:
        running, most = 0, 0
        lock = threading.Lock()

        @tool
        def counts() -> str:
            """Count."""
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            threading.Event().wait(0.01)
            with lock:
                running -= 1
            return ""

        calls = [call("counts", str(i)) for i in range(5)]
        result = invoke(ToolNode([counts]), calls, {**config(), "max_concurrency": 2})
        assert most == 2
        assert [m.tool_call_id for m in result["messages"]] == list("01234")


class TestInjected:
    class State(TypedDict):
        messages: list
        user: str

    def test_state_store_and_runtime(self) -> None:
        @tool
        def looks(
            x: int,
            user: Annotated[str, InjectedState("user")],
            state: Annotated[dict, InjectedState],
            store: Annotated[BaseStore, InjectedStore()],
            runtime: ToolRuntime[str, dict],
        ) -> str:
            """Look."""
            assert store is runtime.store and runtime.state is state
            return f"{x} {user} {sorted(state)} {runtime.tool_call_id} {runtime.context}"

        node, state = ToolNode([looks]), {"messages": [said(call("looks", x=1))], "user": "me"}
        found = invoke(node, state, config(store=InMemoryStore(), context="c"))
        assert found["messages"][0].content == "1 me ['messages', 'user'] 1 c"
        with pytest.raises(ValueError, match="please compile your graph with a store"):
            invoke(node, state)

    @both
    def test_the_model_cannot_fill_them_in(self, run: Run) -> None:
        @tool
        def guarded(
            user: Annotated[str, InjectedState("user")],
            secret: Annotated[str, Hidden()] = "kept",
        ) -> str:
            """Guard."""
            return f"{user} {secret}"

        forged = call("guarded", user="forged", secret="forged")
        state = {"messages": [said(forged)], "user": "me"}
        assert run(ToolNode([guarded]), state)["messages"][0].content == "me kept"

    def test_a_field_that_is_missing(self) -> None:
        @tool
        def needs(user: Annotated[str, InjectedState("user")]) -> str:
            """Need."""
            return user

        @tool
        def may_need(user: Annotated[str | None, InjectedState("user")] = None) -> str:
            """May need."""
            return repr(user)

        class Model(BaseModel):
            messages: list

        node = ToolNode([needs, may_need])
        with pytest.raises(KeyError, match="user"):
            invoke(node, {"messages": [said(call("needs"))]})
        with pytest.raises(AttributeError, match="user"):
            invoke(node, Model(messages=[said(call("needs"))]))
        with pytest.raises(ValueError, match="State should contain fields user"):
            invoke(node, [said(call("needs"))])
        result = invoke(node, {"messages": [said(call("may_need"))]})
        assert result["messages"][0].content == "None"

    def test_one_marker_is_enough(self) -> None:
        @tool
        def twice(state: Annotated[dict, InjectedState, InjectedState("x")]) -> str:
            """Twice."""
            return ""

        with pytest.raises(ValueError, match="annotated with InjectedState more than once"):
            ToolNode([twice])

    def test_each_call_has_a_config_of_its_own(self) -> None:
        seen: list[Any] = []

        @tool
        def notes(runtime: ToolRuntime) -> str:
            """Note."""
            runtime.config["metadata"]["by"] = runtime.tool_call_id
            seen.append(runtime.config)
            return ""

        given: RunnableConfig = {**config(), "metadata": {"a": 1}}
        invoke(ToolNode([notes]), [call("notes", "1"), call("notes", "2")], given)
        invoke(ToolNode([notes]), [call("notes", "3")], given)
        assert given["metadata"] == {"a": 1}
        assert sorted(c["metadata"]["by"] for c in seen) == ["1", "2", "3"]
        assert all(c["tags"] == [] for c in seen)

    def test_calls_without_a_state_get_that_of_the_graph(self) -> None:
        @tool
        def looks(user: Annotated[str, InjectedState("user")]) -> str:
            """Look."""
            return user

        builder = StateGraph(self.State)
        builder.add_node("tools", ToolNode([looks]))
        builder.add_conditional_edges(START, lambda _: [Send("tools", [call("looks")])], ["tools"])
        result = builder.compile().invoke({"messages": [], "user": "me"})
        assert result["messages"][0].content == "me"


class TestErrors:
    @both
    @pytest.mark.parametrize(
        ("handling", "expected"),
        [
            (True, "Error: ValueError('no')\n Please fix your mistakes."),
            ("oh", "oh"),
            (ValueError, "Error: ValueError('no')\n Please fix your mistakes."),
            ((KeyError, ValueError), "Error: ValueError('no')\n Please fix your mistakes."),
            (lambda e: f"told {e}", "told no"),
            (False, None),
            (KeyError, None),
            ((KeyError,), None),
        ],
    )
    def test_what_the_model_is_told(self, run: Run, handling: Any, expected: Any) -> None:
        @tool
        def fails() -> str:
            """Fail."""
            raise ValueError("no")

        node = ToolNode([fails], handle_tool_errors=handling)
        if expected is None:
            with pytest.raises(ValueError, match="no"):
                run(node, [call("fails")])
            return
        (message,) = run(node, [call("fails")])["messages"]
        assert (message.content, message.status, message.name) == (expected, "error", "fails")

    def test_by_the_annotation_of_the_function(self) -> None:
        @tool
        def fails(key: bool) -> str:
            """Fail."""
            raise KeyError("k") if key else ValueError("v")

        def run(handler: Any, key: bool) -> Any:
            node = ToolNode([fails], handle_tool_errors=handler)
            return invoke(node, [call("fails", key=key)])["messages"][0].content

        assert run(tells_of_both, True) == run(tells_of_both, False) == "told"
        assert run(tells_of_keys, True) == "told"
        with pytest.raises(ValueError, match="v"):
            run(tells_of_keys, False)
        with pytest.raises(ValueError, match="Arbitrary types are not supported"):
            run(tells_of_numbers, True)

    @both
    def test_arguments_that_do_not_fit_name_what_the_model_gave(self, run: Run) -> None:
        @tool
        def picky(x: int, state: Annotated[dict, InjectedState]) -> str:
            """Pick."""
            return ""

        state = {"messages": [said(call("picky", x="no", state="forged"))]}
        (message,) = run(ToolNode([picky]), state)["messages"]
        assert message.status == "error"
        assert "x: Input should be a valid integer" in message.content
        assert "with kwargs {'x': 'no', 'state': 'forged'}" in message.content
        with pytest.raises(ToolInvocationError) as caught:
            run(ToolNode([picky], handle_tool_errors=False), state)
        assert [error["loc"] for error in caught.value.filtered_errors or ()] == [("x",)]

    @both
    def test_a_tool_that_nobody_has(self, run: Run) -> None:
        (message,) = run(ToolNode([double]), [call("other")])["messages"]
        text = "Error: other is not a valid tool, try one of [double]."
        assert (message.content, message.status) == (text, "error")

    @both
    def test_an_interrupt_is_no_error(self, run: Run) -> None:
        @tool
        def stops() -> str:
            """Stop."""
            raise GraphInterrupt(())

        with pytest.raises(GraphInterrupt):
            run(ToolNode([stops], handle_tool_errors=True), [call("stops")])


class TestWrappers:
    @both
    def test_around_each_call(self, run: Run) -> None:
        def wraps(request: ToolCallRequest, execute: Any) -> Any:
            changed = {**request.tool_call, "args": {"x": 10}}
            result = execute(request.override(tool_call=changed))  # type: ignore[typeddict-item]
            result.content += "!"
            return result

        node = ToolNode([double], wrap_tool_call=wraps)
        assert run(node, [call(x=1)])["messages"][0].content == "20!"

    def test_async_runs_prefer_the_async_one(self) -> None:
        async def awraps(request: ToolCallRequest, execute: Any) -> Any:
            return ToolMessage("async", tool_call_id="1")

        def wraps(request: ToolCallRequest, execute: Any) -> Any:
            return ToolMessage("sync", tool_call_id="1")

        node = ToolNode([double], wrap_tool_call=wraps, awrap_tool_call=awraps)
        assert invoke(node, [call(x=1)])["messages"][0].content == "sync"
        assert ainvoke(node, [call(x=1)])["messages"][0].content == "async"

    @both
    def test_a_tool_that_only_the_wrapper_has(self, run: Run) -> None:
        @tool
        def hidden(runtime: ToolRuntime) -> str:
            """Hide."""
            return str(runtime.tool_call_id)

        def brings(request: ToolCallRequest, execute: Any) -> Any:
            assert request.tool is None
            return execute(request.override(tool=hidden))

        node = ToolNode([double], wrap_tool_call=brings)
        assert run(node, [call("hidden", "7")])["messages"][0].content == "7"

    @both
    def test_its_own_errors(self, run: Run) -> None:
        def fails(request: ToolCallRequest, execute: Any) -> Any:
            raise KeyError("mine")

        # Whatever types are named: they are about tools.
        node = ToolNode([double], wrap_tool_call=fails, handle_tool_errors=(ValueError,))
        assert "KeyError('mine')" in run(node, [call(x=1)])["messages"][0].content
        with pytest.raises(KeyError):
            run(ToolNode([double], wrap_tool_call=fails, handle_tool_errors=False), [call(x=1)])

    def test_a_state_that_is_replaced_is_the_runtimes_too(self) -> None:
        seen: list[Any] = []

        def replaces(request: ToolCallRequest, execute: Any) -> Any:
            request = request.override(state={"new": True})
            seen.append((request.state, request.runtime.state))
            return execute(request)

        invoke(ToolNode([double], wrap_tool_call=replaces), [call(x=1)])
        assert seen == [({"new": True}, {"new": True})]

    def test_changing_a_request_in_place_warns(self) -> None:
        request = ToolCallRequest(call(x=1), None, {}, None)  # type: ignore[arg-type]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            request.note = "new"
        with pytest.warns(DeprecationWarning, match="'state' on ToolCallRequest is deprecated"):
            request.state = 1
        assert request == ToolCallRequest(call(x=1), None, 1, None)  # type: ignore[arg-type]
        assert repr(request).startswith("ToolCallRequest(tool_call={'name': 'double'")


class TestCommands:
    @staticmethod
    def returning(result: Any) -> ToolNode:
        @tool
        def returns() -> Any:
            """Return."""
            return result

        return ToolNode([returns, double])

    @both
    def test_beside_messages(self, run: Run) -> None:
        command: Command = Command(update={"messages": [ToolMessage("", tool_call_id="1")]})
        state = {"messages": [said(call("returns"), call(id="2", x=1))]}
        first, second = run(self.returning(command), state)
        assert first.update["messages"][0].name == "returns"
        assert second["messages"][0].content == "2"
        # The tool's own command is as it was.
        assert command.update["messages"][0].name is None  # type: ignore[index]

    def test_a_call_is_answered_once(self) -> None:
        state = {"messages": [said(call("returns"))]}
        with pytest.raises(ValueError, match="Expected to have a matching ToolMessage"):
            invoke(self.returning(Command(update={"messages": []})), state)
        twice = [ToolMessage("", tool_call_id="1"), ToolMessage("", tool_call_id="1")]
        with pytest.raises(ValueError, match="2 messages bound to tool_call_id '1'"):
            invoke(self.returning(twice), state)
        once = [Command(goto="x"), ToolMessage("a", tool_call_id="1")]
        command, update = invoke(self.returning(once), state)
        assert command.goto == "x" and update["messages"][0].content == "a"

    def test_an_update_in_the_form_of_the_input(self) -> None:
        with pytest.raises(ValueError, match="only when using dict"):
            invoke(self.returning(Command(update={"a": 1})), [said(call("returns"))])
        with pytest.raises(ValueError, match="only when using list of messages"):
            invoke(self.returning(Command(update=[])), {"messages": [said(call("returns"))]})

    def test_sends_to_the_parent_become_one_command(self) -> None:
        sends: Command = Command(graph=Command.PARENT, goto=[Send("a", 1)])
        state = {"messages": [said(call("returns", "1"), call("returns", "2"))]}
        (command,) = invoke(self.returning(sends), state)
        assert command == Command(graph=Command.PARENT, goto=[Send("a", 1), Send("a", 1)])


class TestInterrupts:
    @staticmethod
    def graph() -> Any:
        @tool
        def asks(what: str) -> str:
            """Ask."""
            return f"{what}: {interrupt(what)}"

        builder = StateGraph(MessagesState)
        builder.add_node("tools", ToolNode([asks])).add_edge(START, "tools")
        return builder.compile(checkpointer=InMemorySaver())

    @pytest.mark.parametrize("is_async", [False, True])
    def test_of_a_single_call(self, is_async: bool) -> None:
        graph, thread = self.graph(), {"configurable": {"thread_id": "1"}}

        def run(input: Any) -> Any:
            if is_async:
                return asyncio.run(graph.ainvoke(input, thread))
            return graph.invoke(input, thread)

        (question,) = run({"messages": [said(call("asks", what="a"))]})["__interrupt__"]
        result = run(Command(resume={question.id: "yes"}))
        assert result["messages"][-1].content == "a: yes"

    def test_of_several_calls(self) -> None:
        graph, thread = self.graph(), {"configurable": {"thread_id": "1"}}
        calls = [call("asks", "1", what="a"), call("asks", "2", what="b")]
        result = graph.invoke({"messages": [said(*calls)]}, thread)
        answers = {question.id: "yes" for question in result["__interrupt__"]}
        assert len(answers) == 2
        result = graph.invoke(Command(resume=answers), thread)
        assert [m.content for m in result["messages"][1:]] == ["a: yes", "b: yes"]
