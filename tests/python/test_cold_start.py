"""What a process loads that builds a graph and runs it: no more than it needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

ONE_NODE = """
import sys
from typing import TypedDict
from langgraph_rust.graph import END, START, StateGraph

class State(TypedDict):
    n: int

builder = StateGraph(State)
builder.add_node("node", lambda state: {"n": state["n"] + 1})
builder.add_edge(START, "node")
builder.add_edge("node", END)
graph = builder.compile()
assert graph.invoke({"n": 1}) == {"n": 2}
"""

HEAVY = (
    "asyncio",
    "concurrent.futures",
    "httpx",
    "langchain_core",
    "langgraph",
    "langsmith",
    "pydantic",
    "requests",
    "uuid",
)


def loaded(run_program: Callable[..., Any], code: str) -> set[str]:
    """Return which of the heavy modules a program has loaded at its end."""
    report = f"\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    return set(run_program(code + report).stdout.split())


def test_the_package_alone(run_program: Callable[..., Any]) -> None:
    assert loaded(run_program, "import sys, langgraph_rust") == set()


def test_building_and_running_a_graph(run_program: Callable[..., Any]) -> None:
    assert loaded(run_program, ONE_NODE) == set()


def test_a_fan_out_with_a_saver(run_program: Callable[..., Any]) -> None:
    code = (
        ONE_NODE
        + """
from langgraph_rust.checkpoint.memory import InMemorySaver
builder.add_node("other", lambda state: {})
builder.add_edge(START, "other")
graph = builder.compile(checkpointer=InMemorySaver())
assert graph.invoke({"n": 1}, {"configurable": {"thread_id": "1"}}) == {"n": 2}
assert list(graph.stream({"n": 1}, {"configurable": {"thread_id": "1"}}))
"""
    )
    found = loaded(run_program, code)
    assert not found & {"httpx", "langgraph", "langsmith", "requests", "langchain_core"}


@pytest.mark.parametrize("module", ["types", "errors", "config", "runtime", "channels", "func"])
def test_modules_that_programs_import_beside_it(
    run_program: Callable[..., Any], module: str
) -> None:
    code = f"import sys, langgraph_rust.{module}"
    found = loaded(run_program, code)
    assert not found & {"httpx", "langgraph", "langsmith", "requests", "langchain_core"}


def test_an_async_run_adds_asyncio_alone(run_program: Callable[..., Any]) -> None:
    code = (
        ONE_NODE
        + """
import asyncio
assert asyncio.run(graph.ainvoke({"n": 1})) == {"n": 2}
"""
    )
    assert loaded(run_program, code) <= {"asyncio", "concurrent.futures"}


def test_importing_prebuilt_and_the_agent(run_program: Callable[..., Any]) -> None:
    code = """
import sys
import langgraph_rust.prebuilt
from langgraph_rust.prebuilt import create_react_agent, tools_condition
from langgraph_rust.prebuilt import interrupt
assert tools_condition([0]) == "__end__"
"""
    assert not loaded(run_program, code.replace("[0]", "[object()]"))
