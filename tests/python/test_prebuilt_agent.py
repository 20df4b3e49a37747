"""`create_react_agent`: what it makes once, what it does when nobody listens, what it refuses."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from _prebuilt_agents import Answer, Recorder, Scripted, keys, late, prompted
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda, RunnableSequence
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph_rust.config import get_config
from langgraph_rust.graph import StateGraph
from langgraph_rust.prebuilt import chat_agent_executor as executor
from langgraph_rust.prebuilt import create_react_agent, tool_node
from langgraph_rust.prebuilt._agent.history import _validate_chat_history
from langgraph_rust.warnings import LangGraphDeprecatedSinceV10

HELLO: Any = {"messages": [HumanMessage("hi", id="h")]}


@pytest.fixture(autouse=True)
def no_deprecations() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangGraphDeprecatedSinceV10)
        yield


@pytest.fixture
def sequences(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What sequences of runnables are run, while somebody replaced how."""
    seen: list[str] = []
    for name in ("invoke", "ainvoke"):
        original = getattr(RunnableSequence, name)

        def run(self: Any, *args: Any, of: Any = original, way: str = name, **kwargs: Any) -> Any:
            seen.append(way)
            return of(self, *args, **kwargs)

        monkeypatch.setattr(RunnableSequence, name, run)
    return seen


class Counting(Scripted):
    """Counts what is made of it."""

    made: list[str] = []

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        self.made.append("tools")
        return super().bind_tools(tools, **kwargs)

    def with_structured_output(self, schema: Any, **kwargs: Any) -> Any:
        self.made.append("schema")
        return super().with_structured_output(schema, **kwargs)


class TestComposed:
    def test_once(self) -> None:
        model = Counting(made=[])
        agent = create_react_agent(model, [keys, late], response_format=Answer)
        for _ in range(2):
            assert agent.invoke(HELLO)["structured_response"].x > 1
            assert asyncio.run(agent.ainvoke(HELLO))["structured_response"].x > 1
        assert model.made == ["tools", "schema"]

    def test_a_chosen_model_at_each_turn(self) -> None:
        made: list[Any] = []

        def choose(state: Any, runtime: Any) -> Any:
            made.append(len(state["messages"]))
            return Scripted().bind_tools([keys, late])

        agent = create_react_agent(choose, [keys, late], response_format=Answer)
        agent.invoke(HELLO)
        assert made == [1, 4, 6, 7]

    @pytest.mark.parametrize("prompt", [None, "text", prompted])
    def test_when_nobody_listens_no_sequence_is_run(
        self, prompt: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def never(self: Any, *args: Any, **kwargs: Any) -> Any:
            raise AssertionError("a sequence was run")

        agent = create_react_agent(Scripted(), [keys, late], prompt=prompt)
        expected = agent.invoke(HELLO, {"callbacks": [Recorder()]})
        # Underneath, where nobody looks whether it was replaced.
        monkeypatch.setattr(RunnableSequence.invoke, "__code__", never.__code__)
        with pytest.raises(AssertionError):
            (RunnableLambda(lambda x: x) | RunnableLambda(lambda x: x)).invoke(1)
        said = [m.content for m in agent.invoke(HELLO)["messages"] if m.type == "ai"]
        assert said == [m.content for m in expected["messages"] if m.type == "ai"]

    def test_one_that_was_replaced_is_run(self, sequences: list[str]) -> None:
        agent = create_react_agent(Scripted(), [keys, late])
        agent.invoke(HELLO)
        assert sequences == ["invoke"] * 3
        asyncio.run(agent.ainvoke(HELLO))
        assert sequences[3:] == ["ainvoke"] * 3

    def test_an_async_choice_is_refused_in_sync_runs(self) -> None:
        async def choose(state: Any, runtime: Any) -> Any:
            return Scripted()

        both: list[dict[str, Any]] = [{}, {"response_format": Answer}]
        for options in both:
            agent = create_react_agent(choose, [keys], **options)
            with pytest.raises(RuntimeError, match="Async model callable provided"):
                agent.invoke(HELLO)


class TestHistory:
    asks = AIMessage("", id="1", tool_calls=[{"name": "late", "args": {"x": 1}, "id": "a"}])
    answer = ToolMessage("1", id="2", tool_call_id="a")

    def test_answered_before_or_after(self) -> None:
        _validate_chat_history([self.asks, self.answer])
        _validate_chat_history([self.answer, HumanMessage(""), self.asks])
        with pytest.raises(ValueError, match=r"first few of those tool calls: \[.*'id': 'a'"):
            _validate_chat_history([self.asks, HumanMessage("")])

    def test_subclasses(self) -> None:
        class Asks(AIMessage): ...

        class Answers(ToolMessage): ...

        asks = Asks(content="", tool_calls=self.asks.tool_calls)
        answer = Answers(content="", tool_call_id="a")
        _validate_chat_history([asks, answer])
        with pytest.raises(ValueError, match="INVALID_CHAT_HISTORY"):
            _validate_chat_history([asks])

    def test_what_users_changed_between_turns_is_noticed(self) -> None:
        agent = create_react_agent(Scripted(), [keys, late], checkpointer=InMemorySaver())
        thread: Any = {"configurable": {"thread_id": "1"}}
        agent.invoke(HELLO, thread)
        answer = agent.get_state(thread).values["messages"][2]
        agent.update_state(thread, {"messages": [RemoveMessage(id=answer.id)]}, as_node="agent")
        with pytest.raises(ValueError, match="do not have a corresponding ToolMessage"):
            agent.invoke({"messages": [HumanMessage("again")]}, thread)

    def test_what_a_node_changed_in_place_is_noticed(self) -> None:
        def spoils(state: Any) -> Any:
            if len(state["messages"]) > 4:
                state["messages"][1].tool_calls.append({"name": "x", "args": {}, "id": "new"})
            return {"llm_input_messages": state["messages"]}

        agent = create_react_agent(Scripted(), [keys, late], pre_model_hook=spoils)
        with pytest.raises(ValueError, match="'id': 'new'"):
            agent.invoke(HELLO)


class TestArguments:
    def test_what_is_refused(self) -> None:
        class Lacking(TypedDict):
            messages: list

        cases: list[tuple[dict[str, Any], type[Exception], str]] = [
            ({"version": "v3"}, ValueError, "Invalid version v3"),
            ({"state_schema": Lacking}, ValueError, r"Missing required key\(s\)"),
            ({"other": 1}, TypeError, "unexpected keyword arguments: {'other': 1}"),
            ({"prompt": 1}, ValueError, "Got unexpected type for `prompt`"),
        ]
        for options, error, text in cases:
            with pytest.raises(error, match=text):
                create_react_agent(**{"model": Scripted(), "tools": [keys], **options})

    def test_models_that_have_tools_have_the_same(self) -> None:
        bound = Scripted().bind_tools([keys, late])
        assert create_react_agent(bound, [keys, late]).invoke(HELLO)["messages"][-1].type == "ai"
        with pytest.raises(ValueError, match="Got 1 tools, expected 2"):
            create_react_agent(bound, [keys])
        with pytest.raises(ValueError, match="Missing tools"):
            create_react_agent(Scripted().bind_tools([keys]), [late])

    def test_deprecations(self) -> None:
        with pytest.warns(LangGraphDeprecatedSinceV10, match="moved to `langchain.agents`"):
            create_react_agent(Scripted(), [])
        with pytest.warns(LangGraphDeprecatedSinceV10, match="`config_schema` is deprecated"):
            agent = create_react_agent(Scripted(), [], config_schema=TypedDict("C", {"a": int}))
        assert agent.context_schema is not None
        with pytest.warns(LangGraphDeprecatedSinceV10, match="AgentStatePydantic has been"):
            executor.AgentStatePydantic(messages=[])

    def test_names_and_pickles(self) -> None:
        import pickle

        for name in executor.__all__:
            assert getattr(executor, name).__module__ in (executor.__name__, __name__)
        for name in ("AgentState", "AgentStatePydantic"):
            cls = getattr(executor, name)
            assert pickle.loads(pickle.dumps(cls)) is cls
        for name in ("InjectedState", "ToolCallRequest", "ToolNode", "ToolRuntime"):
            cls = getattr(tool_node, name)
            assert cls.__module__ == tool_node.__name__
            assert pickle.loads(pickle.dumps(cls)) is cls

    def test_a_state_that_is_a_model_is_stored_under_upstreams_name(self) -> None:
        state = executor.AgentStatePydantic(messages=[], remaining_steps=3)
        serializer = JsonPlusSerializer(allowed_msgpack_modules=[executor.AgentStatePydantic])
        kind, data = serializer.dumps_typed(state)
        assert b"langgraph.prebuilt.chat_agent_executor" in data
        assert serializer.loads_typed((kind, data)) == state

    def test_as_a_node_it_has_its_name(self) -> None:
        agent = create_react_agent(Scripted(), [keys, late], name="helper")
        builder = StateGraph(executor.AgentState).add_node(agent).set_entry_point("helper")
        result = builder.compile().invoke(HELLO)
        assert {m.name for m in result["messages"] if m.type == "ai"} == {"helper"}


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_prompt_function_gets_the_whole_config(is_async: bool) -> None:
    seen: list[Any] = []

    class Looks(Scripted):
        def _generate(self, *args: Any, **kwargs: Any) -> Any:
            seen.append(get_config()["recursion_limit"])
            return super()._generate(*args, **kwargs)

    def prompt(state: Any, config: RunnableConfig) -> Any:
        seen.append((config["recursion_limit"], config["metadata"]["model"], config["tags"]))
        return state["messages"]

    agent = create_react_agent(Looks(), [keys, late], prompt=prompt)
    config: Any = {"configurable": {"model": "gpt"}, "recursion_limit": 30}
    asyncio.run(agent.ainvoke(HELLO, config)) if is_async else agent.invoke(HELLO, config)
    assert seen[:2] == [(30, "gpt", []), 30]
