"""Where sync code of async runs is called: by workers, unless it is known to wait for nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypedDict

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolCall
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool

from langgraph_rust._internal._quiet import decides
from langgraph_rust._internal._quiet._workers import on_worker
from langgraph_rust._internal._runnable import RunnableCallable
from langgraph_rust._internal._runnable.contexts import run_in_executor
from langgraph_rust.graph import END, START, MessagesState, StateGraph
from langgraph_rust.prebuilt import ToolNode, create_react_agent, tools_condition
from langgraph_rust.pregel._build.utils import called_on_loop


class State(TypedDict):
    seen: list[str]


def here() -> str:
    """The name of this thread."""
    return threading.current_thread().name


def route(state: State) -> str:
    state["seen"].append(here())
    return END


@decides
def own_route(state: State) -> str:
    return route(state)


class Model(BaseChatModel):
    """Answers with the name of the thread that it is called on."""

    @property
    def _llm_type(self) -> str:
        return "threads"

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(here()))])


@tool
def where() -> str:
    """Where it is called."""
    return here()


def routed(router: Any) -> str:
    """The thread that a router of an async run is called on."""
    builder = StateGraph(State)
    builder.add_node("node", lambda state: state)
    builder.add_edge(START, "node")
    builder.add_conditional_edges("node", router)
    seen: list[str] = []
    asyncio.run(builder.compile().ainvoke({"seen": seen}))
    return seen[0]


def test_a_function_is_called_by_a_worker() -> None:
    assert routed(route) != here()


def test_what_is_known_to_only_decide_is_called_on_the_loop() -> None:
    assert routed(own_route) == here()


def test_a_runnable_made_without_an_async_twin_is_called_on_the_loop() -> None:
    assert routed(RunnableCallable(route)) == here()
    builder = StateGraph(State)
    builder.add_node("node", RunnableCallable(lambda state: {"seen": [here()]}, name="node"))
    builder.add_edge(START, "node")
    assert asyncio.run(builder.compile().ainvoke({"seen": []}))["seen"] == [here()]


@pytest.mark.parametrize("known", [tools_condition, own_route])
def test_whose_twin_runs_it_in_a_thread(known: Any) -> None:
    assert called_on_loop(known, partial(run_in_executor, None, known)) is known
    assert called_on_loop(route, partial(run_in_executor, None, route)) is None


def asked() -> dict[str, Any]:
    call = ToolCall(name="where", args={}, id="1")
    return {"messages": [HumanMessage("?"), AIMessage("", tool_calls=[call])]}


def tool_node() -> Any:
    builder = StateGraph(MessagesState)
    builder.add_node("tools", ToolNode([where]))
    builder.add_edge(START, "tools")
    return builder.compile()


async def of_tool() -> str:
    return (await tool_node().ainvoke(asked()))["messages"][-1].content


async def of_model() -> str:
    agent = create_react_agent(Model(), [])
    return (await agent.ainvoke({"messages": "?"}))["messages"][-1].content


@pytest.mark.parametrize("call", [of_tool, of_model])
def test_a_sync_tool_or_model_of_an_async_run_is_called_by_a_worker(call: Any) -> None:
    name = asyncio.run(call())
    assert name != here() and not name.startswith("asyncio")


@pytest.mark.parametrize("call", [of_tool, of_model])
def test_an_executor_that_the_program_has_set_is_used(call: Any) -> None:
    async def main() -> str:
        executor = ThreadPoolExecutor(1, thread_name_prefix="own")
        asyncio.get_running_loop().set_default_executor(executor)
        return await call()

    assert asyncio.run(main()).startswith("own")


async def test_what_a_worker_gives_is_what_an_executor_gives() -> None:
    def stops() -> None:
        raise StopIteration

    def fails() -> None:
        raise KeyError("x")

    for _ in range(5):
        assert await on_worker(where, divmod, 7, 2) == (3, 1)
        with pytest.raises(RuntimeError) as caught:
            await on_worker(stops, stops)
        assert type(caught.value.__cause__) is StopIteration
        with pytest.raises(KeyError, match="x"):
            await on_worker(fails, fails)


async def test_slow_work_leaves_the_loop_free() -> None:
    going = threading.Event()
    slow = asyncio.ensure_future(on_worker(route, going.wait, 10))
    await asyncio.sleep(0)
    assert not slow.done()
    going.set()
    assert await slow


TRACEABLE = """
import asyncio, threading
from unittest.mock import Mock
from langgraph_rust import install
install(accelerate=True)
from langsmith import Client, traceable, tracing_context

seen = []

@traceable
async def plain(n):
    return n + 1

@traceable(process_outputs=lambda outputs: seen.append(threading.current_thread()) or outputs)
async def looked_at(n):
    return n + 1

@traceable
async def fails(n):
    raise KeyError(n)

async def main():
    loop = asyncio.get_running_loop()
    assert await plain(1) == await looked_at(1) == 2
    try:
        await fails(1)
    except KeyError:
        print(loop._default_executor)
    print([thread is threading.main_thread() for thread in seen])
    with tracing_context(enabled=True, client=Mock(spec=Client)):
        assert await plain(1) == 2
    print(loop._default_executor is not None)

asyncio.run(main())
"""


def test_traceable_functions_stay_on_their_thread_when_nothing_is_traced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING_V2"):
        monkeypatch.delenv(name, raising=False)
    done = subprocess.run([sys.executable, "-c", TRACEABLE], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["None", "[False]", "True"], done.stderr
