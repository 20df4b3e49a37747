"""A task's config: what is in it, and that it is a dict like any other although made late."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import gc
import json
import operator
import pickle
import weakref
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel

from langgraph_rust._internal._config import var_child_runnable_config
from langgraph_rust.config import get_config
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import Send


class State(TypedDict):
    value: Any


def run_node(look: Callable[[], Any], config: Any = None, is_async: bool = False) -> Any:
    """What `look` returns when called by a node that did not ask for its config."""

    def node(state: State) -> dict[str, Any]:
        return {"value": look()}

    async def anode(state: State) -> dict[str, Any]:
        return node(state)

    builder = StateGraph(State)
    builder.add_node("node", anode if is_async else node)
    builder.add_edge(START, "node")
    graph = builder.compile()
    if is_async:
        return asyncio.run(graph.ainvoke({"value": None}, config))["value"]
    return graph.invoke({"value": None}, config)["value"]


def ambient() -> Any:
    return var_child_runnable_config.get()


@pytest.mark.parametrize("is_async", [False, True])
def test_the_ambient_config_is_a_dict_with_the_tasks_keys(is_async: bool) -> None:
    found = run_node(lambda: [ambient()], {"tags": ["t"], "configurable": {"x": 1}}, is_async)[0]
    assert isinstance(found, dict)
    assert found
    assert set(found) == {"tags", "metadata", "callbacks", "configurable"}
    assert found["tags"] == ["t"]
    assert found["metadata"]["langgraph_node"] == "node"
    assert found["configurable"]["x"] == 1


READERS: dict[str, Callable[[Any], Any]] = {
    "get": lambda c: c.get("tags"),
    "get with a default": lambda c: c.get("none", 5),
    "item": lambda c: c["tags"],
    "in": lambda c: ("tags" in c, "none" in c),
    "length": len,
    "truth": bool,
    "list": list,
    "reversed": lambda c: list(reversed(c)),
    "keys": lambda c: list(c.keys()),
    "values": lambda c: list(c.values()),
    "items": lambda c: list(c.items()),
    "copy": lambda c: (c.copy(), type(c.copy())),
    "copy.copy": lambda c: (copy.copy(c), type(copy.copy(c))),
    "dict": dict,
    "unpacked": lambda c: {**c},
    "updated": lambda c: {"tags": 0} | c,
    "or": lambda c: c | {"tags": 0},
    "equal": lambda c: (c == dict(c), dict(c) == c, c != dict(c)),
    "keyword arguments": lambda c: dict(**c),
    "repr": repr,
    "json of a part": lambda c: json.dumps({k: c[k] for k in ("tags",)}),
    "a dict's own update": lambda c: _updated({}, c),
    "match": lambda c: _matched(c),
}


def _updated(target: dict[str, Any], source: Any) -> dict[str, Any]:
    target.update(source)
    return target


def _matched(config: Any) -> Any:
    match config:
        case {"tags": [first]}:
            return first
    return None


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
def test_every_way_to_read_it_is_that_of_a_plain_dict(reader: Callable[[Any], Any]) -> None:
    def look() -> Any:
        late = ambient()
        read = reader(late)
        return read, reader(late.plain())

    read, expected = run_node(look, {"tags": ["t"]})
    assert read == expected


WRITERS: dict[str, Callable[[Any], Any]] = {
    "item": lambda c: c.__setitem__("tags", ["mine"]),
    "update": lambda c: c.update(tags=["mine"]),
    "setdefault": lambda c: c.setdefault("run_name", "mine"),
    "pop": lambda c: c.pop("tags"),
    "popitem": lambda c: c.popitem(),
    "delete": lambda c: c.__delitem__("tags"),
    "clear": lambda c: c.clear(),
    "in-place or": lambda c: c.__ior__({"tags": ["mine"]}),
}


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS.keys())
def test_what_is_written_to_it_is_seen_by_all_who_read_it(writer: Callable[[Any], Any]) -> None:
    def look() -> Any:
        late = ambient()
        expected = late.copy()
        writer(late)
        writer(expected)
        return late == expected, late.plain() == expected

    assert run_node(look, {"tags": ["t"]}) == (True, True)


def test_get_config_gives_a_plain_dict_that_is_the_ambient_one_from_then_on() -> None:
    def look() -> Any:
        config = get_config()
        return type(config), config is ambient(), config is get_config()

    assert run_node(look) == (dict, True, True)


def test_a_node_that_asks_for_its_config_gets_the_ambient_one() -> None:
    def node(state: State, config: RunnableConfig) -> dict[str, Any]:
        return {"value": (type(config), config is ambient(), config is get_config())}

    builder = StateGraph(State)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    assert builder.compile().invoke({"value": None})["value"] == (dict, True, True)


def test_a_deep_copy_and_a_pickle_are_plain_dicts() -> None:
    def look() -> Any:
        late = ambient()
        late["configurable"] = {"x": [1]}
        late["callbacks"] = None
        copied = copy.deepcopy(late)
        pickled = pickle.loads(pickle.dumps(late))
        shares = copied["configurable"]["x"] is late["configurable"]["x"]
        return type(copied), type(pickled), shares, copied == pickled == late

    assert run_node(look) == (dict, dict, False, True)


def test_a_config_kept_after_the_run_still_tells_what_it_told() -> None:
    kept: list[Any] = []
    run_node(lambda: kept.append(ambient()), {"configurable": {"x": 1}})
    assert kept[0]["configurable"]["x"] == 1
    assert kept[0]["metadata"]["langgraph_step"] == 1


def test_a_config_in_a_cycle_is_collected() -> None:
    class Token:
        pass

    def look() -> Any:
        token = Token()
        token.context = contextvars.copy_context()  # type: ignore[attr-defined]
        ambient()["configurable"]["token"] = token
        return weakref.ref(token)

    token = run_node(look)
    gc.collect()
    assert token() is None


def test_defaults_are_left_out_so_that_a_nested_graphs_own_config_counts() -> None:
    def look(state: State) -> dict[str, Any]:
        config = get_config()
        return {"value": (config.get("recursion_limit"), config.get("tags"))}

    inner = StateGraph(State)
    inner.add_node("look", look)
    inner.add_edge(START, "look")
    outer = StateGraph(State)
    outer.add_node("inner", inner.compile().with_config(recursion_limit=7, tags=["inner"]))
    outer.add_edge(START, "inner")
    graph = outer.compile()
    assert graph.invoke({"value": None})["value"] == (7, ["inner"])
    asked = {"recursion_limit": 50, "tags": ["outer"]}
    assert graph.invoke({"value": None}, asked)["value"] == (50, ["outer", "inner"])


class Model(BaseModel):
    log: Annotated[list[Any], operator.add] = []


class Mapping(TypedDict):
    log: Annotated[list[Any], operator.add]


@pytest.mark.parametrize(("schema", "expected"), [(Mapping, {"log": [1]}), (Model, Model(log=[1]))])
def test_a_packets_task_can_read_the_state_as_an_edge_would_give_it(
    schema: type, expected: Any
) -> None:
    seen = []

    def work(packet: int, config: RunnableConfig) -> dict[str, Any]:
        seen.append(config["configurable"]["__pregel_read_state"]())
        return {"log": [packet]}

    def pulled(state: Any, config: RunnableConfig) -> None:
        seen.append(config["configurable"]["__pregel_read_state"])

    builder = StateGraph(schema)
    builder.add_node("work", work)
    builder.add_node("pulled", pulled)
    builder.add_conditional_edges(START, lambda state: Send("work", 2), ["work"])
    builder.add_edge("work", "pulled")
    assert builder.compile().invoke({"log": [1]}) == {"log": [1, 2]}
    assert seen == [expected, None]
