"""A compiled graph from data, with the `langgraph` that is importable."""

from __future__ import annotations

from typing import Any

from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph
from langgraph.store.memory import InMemoryStore
from langgraph.types import CachePolicy, RetryPolicy

from tests.differential.nodes import (
    ERRORS,
    Ask,
    Work,
    World,
    as_function,
    choose,
    evaluate,
    moment,
    result,
    sleep,
    work,
)
from tests.differential.schemas import part_schema, private_schema, state_schema


def compiled(graph: dict[str, Any], world: World, name: str = "Top") -> Any:
    """Build and compile `graph`; whatever is wrong with it is raised here."""
    schema = graph["schema"]
    builder = StateGraph(
        state_schema(schema, f"{name}State"),
        input_schema=part_schema(schema, "input", f"{name}Input"),
        output_schema=part_schema(schema, "output", f"{name}Output"),
    )
    for node_name, node in graph["nodes"].items():
        builder.add_node(node_name, _action(node_name, node, world), **_options(node, schema))
    for start, end in [*graph["edges"], *graph["joins"]]:
        builder.add_edge(start, end)
    for branch in graph["branches"]:
        _add_branch(builder, branch, list(graph["nodes"]))
    return builder.compile(
        checkpointer=InMemorySaver() if graph["saver"] == "memory" else graph["saver"],
        cache=InMemoryCache() if graph.get("cache") else None,
        store=InMemoryStore() if name == "Top" else None,
        interrupt_before=graph["interrupt_before"],
        interrupt_after=graph["interrupt_after"],
        name=name,
    )


def _action(name: str, node: dict[str, Any], world: World) -> Any:
    if node["kind"] == "subgraph":
        return compiled(node["graph"], world, name=f"Sub_{name}")
    if node["kind"] == "called":
        inner = compiled(node["graph"], world, name=f"Sub_{name}")
        return as_function(node, world, name, lambda state: _call(name, node, world, inner, state))
    return as_function(node, world, name, lambda state: work(name, node, world, state))


def _call(name: str, node: dict[str, Any], world: World, inner: Any, state: Any) -> Work:
    """Call a graph inside a node, as a function, and note what came back."""
    world.note(name, state)
    if not node["async"] and any(part.get("async") for part in node["graph"]["nodes"].values()):
        yield sleep(moment(name))  # It fails at once: see `moment`.
    keys = node["graph"]["schema"]["keys"]
    got = {k: v for k, v in _items(state).items() if k in keys}
    for _ in range(node["times"]):
        answer = yield Ask(lambda: inner.invoke(got), lambda: inner.ainvoke(got))
        world.note(name, "called", answer)
    return result(node["returns"], state)


def _items(state: Any) -> dict[str, Any]:
    return dict(state) if isinstance(state, dict) else dict(vars(state))


def _options(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if node.get("defer"):
        options["defer"] = True
    if "metadata" in node:
        options["metadata"] = node["metadata"]
    if node.get("private"):
        options["input_schema"] = private_schema(schema)
    if node.get("cache"):
        options["cache_policy"] = CachePolicy(key_func=lambda *_: "same")
    if "retry" in node:
        on = node["retry"]["on"]
        named = {"retry_on": ERRORS[on]} if on else {}
        attempts = node["retry"]["attempts"]
        options["retry_policy"] = RetryPolicy(
            initial_interval=0, jitter=False, max_attempts=attempts, **named
        )
    if "error_handler" in node:
        options["error_handler"] = _handler(node["error_handler"]["writes"])
    return options


def _handler(writes: dict[str, Any]) -> Any:
    def handler(state):
        return {key: evaluate(expression, state) for key, expression in writes.items()}

    return handler


def _add_branch(builder: StateGraph, branch: dict[str, Any], names: list[str]) -> None:
    def path(state):
        return choose(branch["options"], state)

    async def async_path(state):
        return choose(branch["options"], state)

    mapping = {name: name for name in (*names, "__end__")} if branch["mapped"] else None
    chosen = async_path if branch["async"] else path
    builder.add_conditional_edges(branch["source"], chosen, mapping)
