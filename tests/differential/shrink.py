"""Make a program smaller as long as the sides still differ on it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from tests.differential.sides import Side
from tests.differential.verdict import Difference, compare

TRIES = 300
"""Programs tried per difference."""

Program = dict[str, Any]


def shrunk(difference: Difference, ours: Side, upstream: Side) -> Difference:
    """The smallest difference found by leaving out one thing after another."""
    kind, tries = difference.kind(), 0
    progress = True
    while progress:
        progress = False
        for smaller in candidates(difference.program):
            tries += 1
            if tries > TRIES:
                return difference
            still = compare(smaller, ours, upstream)
            if isinstance(still, Difference) and still.kind() == kind:
                difference, progress = still, True
                break
    return difference


def candidates(program: Program) -> Iterator[Program]:
    """Programs with one thing less, those first that leave out the most."""
    for index in reversed(range(len(program["script"]))):
        if len(program["script"]) > 1:
            yield _changed(program, lambda p, i=index: p["script"].pop(i))
    yield from _smaller_graphs(program, lambda p: p["graph"])
    for name, node in program["graph"]["nodes"].items():
        if "graph" in node:
            yield from _smaller_graphs(program, lambda p, n=name: p["graph"]["nodes"][n]["graph"])
    yield from _plainer_actions(program)


def _smaller_graphs(program: Program, find: Callable[[Program], Program]) -> Iterator[Program]:
    graph = find(program)
    for name in graph["nodes"]:
        if len(graph["nodes"]) > 1:
            yield _changed(program, lambda p, n=name: _without_node(find(p), n))
    for part in ("edges", "joins", "branches"):
        for index in range(len(graph[part])):
            yield _changed(program, lambda p, k=part, i=index: find(p)[k].pop(i))
    for part in ("interrupt_before", "interrupt_after"):
        if graph[part]:
            yield _changed(program, lambda p, k=part: find(p).update({k: None}))
    for part in ("input", "output"):
        if graph["schema"][part]:
            yield _changed(program, lambda p, k=part: find(p)["schema"].update({k: None}))
    yield from _plainer_nodes(program, find)
    if len(graph["schema"]["keys"]) > 1:
        for key in graph["schema"]["keys"]:
            yield _changed(program, lambda p, k=key: _without_key(find(p), k))


def _plainer_nodes(program: Program, find: Callable[[Program], Program]) -> Iterator[Program]:
    plain = {"form": "update", "writes": {}}
    for name, node in find(program)["nodes"].items():
        for option in ("defer", "retry", "metadata", "cache", "error_handler"):
            if option in node:
                yield _changed(program, lambda p, n=name, o=option: find(p)["nodes"][n].pop(o))
        for index in range(len(node.get("steps", []))):
            yield _changed(program, lambda p, n=name, i=index: find(p)["nodes"][n]["steps"].pop(i))
        if node.get("returns", plain) != plain:
            yield _changed(
                program, lambda p, n=name: find(p)["nodes"][n].update({"returns": plain})
            )
        if node.get("signature", "state") != "state":
            yield _changed(
                program, lambda p, n=name: find(p)["nodes"][n].update({"signature": "state"})
            )


def _plainer_actions(program: Program) -> Iterator[Program]:
    for index, action in enumerate(program["script"]):
        for name in action.keys() - {"do", "input", "values", "as_node", "subgraphs", "modes"}:
            if name not in ("async", "supersteps", "limit"):
                yield _changed(program, lambda p, i=index, n=name: p["script"][i].pop(n))
        if isinstance(action.get("modes"), list) and len(action["modes"]) > 1:
            for mode in action["modes"]:
                yield _changed(
                    program, lambda p, i=index, m=mode: p["script"][i]["modes"].remove(m)
                )


def _without_node(graph: Program, name: str) -> None:
    del graph["nodes"][name]
    graph["edges"] = [edge for edge in graph["edges"] if name not in edge]
    graph["joins"] = [join for join in graph["joins"] if name not in (*join[0], join[1])]
    graph["branches"] = [branch for branch in graph["branches"] if branch["source"] != name]
    for part in ("interrupt_before", "interrupt_after"):
        if isinstance(graph[part], list) and name in graph[part]:
            graph[part] = None


def _without_key(graph: Program, key: str) -> None:
    schema = graph["schema"]
    for part in ("keys", "input", "output"):
        schema[part] = schema[part] and [name for name in schema[part] if name != key]


def _changed(program: Program, change: Callable[[Program], Any]) -> Program:
    smaller = copy.deepcopy(program)
    change(smaller)
    return smaller
