"""A program of the functional API from data: an entrypoint, and tasks that call tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from langgraph_rust.errors import GraphBubbleUp
from langgraph_rust.func import entrypoint, task
from langgraph_rust.types import CachePolicy, RetryPolicy
from tests.stress.nodes import identify, now, soon, work
from tests.stress.world import RUN, Boom, Ledger

CAUGHT = "caught"
"""What stands for the result of a call whose failure the caller caught."""


def entry(plan: dict[str, Any], saver: Any, cache: Any, graphs: Any) -> Any:
    """The entrypoint that `plan` describes."""
    body = _function("entry", plan["root"], _tasks(plan, graphs), graphs, counted=False)
    return entrypoint(checkpointer=saver, cache=cache)(_named(body, "entry"))


def _tasks(plan: dict[str, Any], graphs: Any) -> dict[str, Any]:
    """All tasks by name; those that are called come before those that call them."""
    made: dict[str, Any] = {}
    for name, node in plan["tasks"].items():
        function = _named(_function(name, node, made, graphs, counted=True), name)
        made[name] = task(**_options(node))(function)
    return made


def _options(node: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if retry := node.get("retry"):
        options["retry_policy"] = RetryPolicy(
            initial_interval=retry["ms"] / 1000,
            jitter=False,
            max_attempts=retry["attempts"],
            retry_on=(ValueError, Boom),
        )
    if node.get("timeout"):
        options["timeout"] = 0.03
    if node.get("cached"):
        options["cache_policy"] = CachePolicy()
    return options


def _function(
    name: str, node: dict[str, Any], tasks: dict[str, Any], graphs: Any, counted: bool
) -> Callable[..., Any]:
    # Whoever waits for tasks is no task at work; what it does besides is over in a moment.
    counted = counted and not node["calls"]

    def run(number):
        ledger = RUN.get()
        with ledger.execution(name, counted, False):
            identify(node, ledger)
            now(work(name, node, ledger, graphs, {"log": []}))
            return [name, *_results(node, ledger, tasks)]

    async def arun(number):
        ledger = RUN.get()
        with ledger.execution(name, counted, True):
            identify(node, ledger)
            await soon(work(name, node, ledger, graphs, {"log": []}))
            return [name, *await _aresults(node, ledger, tasks)]

    return arun if node["async"] else run


def _results(node: dict[str, Any], ledger: Ledger, tasks: dict[str, Any]) -> list[Any]:
    if node["order"] == "together":
        futures = [tasks[called](number) for number, called in enumerate(node["calls"])]
        return [_result(node, ledger, future.result) for future in futures]
    return [
        _result(node, ledger, tasks[called](number).result)
        for number, called in enumerate(node["calls"])
    ]


def _result(node: dict[str, Any], ledger: Ledger, ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except Exception as error:
        if not node["catches"] or isinstance(error, GraphBubbleUp):
            raise
        ledger.caught += 1
        return CAUGHT


async def _aresults(node: dict[str, Any], ledger: Ledger, tasks: dict[str, Any]) -> list[Any]:
    if node["order"] == "together":
        futures = [tasks[called](number) for number, called in enumerate(node["calls"])]
        if not node["catches"]:
            return list(await asyncio.gather(*futures))
        return [await _aresult(node, ledger, future) for future in futures]
    return [
        await _aresult(node, ledger, tasks[called](number))
        for number, called in enumerate(node["calls"])
    ]


async def _aresult(node: dict[str, Any], ledger: Ledger, future: Any) -> Any:
    try:
        return await future
    except Exception as error:
        if not node["catches"] or isinstance(error, GraphBubbleUp):
            raise
        ledger.caught += 1
        return CAUGHT


def _named(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = name
    return function
