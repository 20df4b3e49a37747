"""A compiled graph from data."""

from __future__ import annotations

import asyncio
import operator
import time
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from typing_extensions import TypedDict

from langgraph_rust.cache.memory import InMemoryCache
from langgraph_rust.config import get_stream_writer
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import CachePolicy, RetryPolicy
from tests.stress.calls import entry
from tests.stress.nodes import as_node, targets
from tests.stress.savers import saver
from tests.stress.world import ERRORS, RUN, Boom, Ledger, ReducerError, fails_here

TIMEOUT = 0.03
"""Seconds a node with a timeout gets."""


@dataclass
class Graphs:
    """The program's graph, and one to be run by its nodes."""

    graph: Any
    other: Any
    saver: Any
    is_async: bool
    is_entry: bool

    def given(self) -> Any:
        """The input of a run."""
        return 1 if self.is_entry else {"log": ["in"], "bag": {}}

    def invoke_calmly(self, ledger: Ledger) -> Any:
        """Run the graph, undisturbed, on a thread of its own."""
        config = {"configurable": {"thread_id": ledger.thread_id}}
        if self.is_async:
            return asyncio.run(self.graph.ainvoke(self.given(), config))
        return self.graph.invoke(self.given(), config)


def build(program: dict[str, Any]) -> Graphs:
    """Build what the program describes."""
    kept = saver(program["saver"]["kind"], program["saver"])
    graphs = Graphs(None, _other(), kept, program["async"], "entry" in program)
    kept_results = InMemoryCache() if program["cache"] else None
    if "entry" in program:
        graphs.graph = entry(program["entry"], kept, kept_results, graphs)
    else:
        graphs.graph = compiled(
            program["graph"], graphs, True, checkpointer=kept, cache=kept_results
        )
    return graphs


def compiled(graph: dict[str, Any], graphs: Graphs, top: bool, **options: Any) -> Any:
    """Build and compile a graph."""
    builder = StateGraph(_schema(graph["reducer"]))
    for name, node in graph["nodes"].items():
        builder.add_node(name, _action(name, node, graphs, top), **_options(name, node))
    for start, end in [*graph["edges"], *graph["joins"]]:
        builder.add_edge(start, end)
    for branch in graph["branches"]:
        builder.add_conditional_edges(branch["source"], _router(branch))
    return builder.compile(interrupt_before=graph.get("interrupt_before"), **options)


def _action(name: str, node: dict[str, Any], graphs: Graphs, top: bool) -> Any:
    if "graph" in node:
        return compiled(node["graph"], graphs, False, checkpointer=node["graph"]["saver"])
    return as_node(name, node, graphs, top)


def _options(name: str, node: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if retry := node.get("retry"):
        options["retry_policy"] = RetryPolicy(
            initial_interval=retry["ms"] / 1000,
            jitter=False,
            max_attempts=retry["attempts"],
            retry_on=(ValueError, Boom),
        )
    if node.get("handler"):
        options["error_handler"] = _handler(name)
    if node.get("timeout"):
        options["timeout"] = TIMEOUT
    if node.get("cached"):
        options["cache_policy"] = CachePolicy()
    if node.get("defer"):
        options["defer"] = True
    return options


def _handler(name: str) -> Any:
    def handler(state):
        if ledger := RUN.get():
            with ledger.lock:
                ledger.handled[name] += 1
        return {"log": [f"{name} handled"]}

    return handler


def _router(branch: dict[str, Any]) -> Any:
    def choose(state):
        ledger = RUN.get()
        fails = branch["fails"]
        if fails and ledger and not ledger.calm:
            fails_here(ledger, ERRORS[fails](f"router of {branch['source']} fails"), "router")
        return targets(branch["options"], len(state["log"]))

    async def achoose(state):
        await asyncio.sleep(0)
        return choose(state)

    def choose_with_config(state, config):
        config["configurable"]["thread_id"] if "thread_id" in config["configurable"] else None
        return choose(state)

    if branch["async"]:
        return achoose
    return choose_with_config if branch["config"] else choose


def _schema(reducer: dict[str, Any]) -> Any:
    keys = {
        "log": Annotated[list, operator.add],
        "bag": Annotated[dict, _reducer(reducer)],
    }
    return TypedDict("State", keys, total=False)  # pyright: ignore[reportArgumentType]


def _reducer(plan: dict[str, Any]) -> Any:
    def merge(left, right):
        ledger = RUN.get()
        if ledger and not ledger.calm:
            _misbehave(plan, ledger)
        if plan["kind"] == "slow":
            time.sleep(0.001)
        return {**left, **{key: left.get(key, 0) + value for key, value in right.items()}}

    return merge


def _misbehave(plan: dict[str, Any], ledger: Ledger) -> None:
    number = ledger.count("reducer")
    if plan["kind"] == "raises" and number == plan["at"]:
        fails_here(ledger, ReducerError(number), "reducer")
    if plan["kind"] == "reads" and ledger.reading:
        _note(ledger, lambda: ledger.reading(["log"], False))
    if plan["kind"] == "writes":
        _note(ledger, lambda: get_stream_writer()("from a reducer"))


def _note(ledger: Ledger, reach_back: Any) -> None:
    """Reach back into the run; being refused is an error like any other."""
    try:
        reach_back()
    except BaseException as caught:
        error: Any = caught
        error.place = "reducer that reaches back"
        ledger.note_raised(error)
        raise


@cache
def _other() -> Any:
    """One for all programs: nothing is stored of it."""
    builder = StateGraph(_schema({"kind": "plain"}))
    for name in ("left", "right"):
        builder.add_node(name, _quick(name))
        builder.add_edge(START, name)
    builder.add_node("after", _quick("after"))
    builder.add_edge(["left", "right"], "after")
    return builder.compile(checkpointer=False)


def _quick(name: str) -> Any:
    def node(state):
        if name == "left":
            time.sleep(0.001)
        return {"log": [name]}

    return node
