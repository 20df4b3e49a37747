"""Make a program smaller as long as the same check fails for the same cause."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.stress.generate_graph import START
from tests.stress.processes import Worker

SECONDS = 60
"""How long a program is made smaller."""

TRIES = 3
"""How often a smaller program may pass before it counts as one that passes: threads differ."""

Program = dict[str, Any]


def shrunk(program: Program, check: str, cause: str, worker: Worker) -> Program:
    """The smallest program found by leaving out one thing after another."""
    end = time.monotonic() + SECONDS
    progress = True
    while progress:
        progress = False
        for smaller in candidates(program):
            if time.monotonic() > end:
                return program
            if _still_fails(smaller, check, cause, worker):
                program, progress = smaller, True
                break
    return program


def _still_fails(program: Program, check: str, cause: str, worker: Worker) -> bool:
    for _ in range(TRIES):
        found = worker.judge(program)
        if any(one["check"] == check and one["cause"] == cause for one in found):
            return True
        if any(one["check"] in ("calm", "instrument") for one in found):
            return False
    return False


def candidates(program: Program) -> Iterator[Program]:
    """Programs with one thing less, those first that leave out the most."""
    for index in range(len(program["runs"])):
        if len(program["runs"]) > 1:
            yield _changed(program, lambda p, i=index: p["runs"].pop(i))
    if "graph" in program:
        yield from _smaller_graphs(program, lambda p: p["graph"])
        for name, node in program["graph"]["nodes"].items():
            if "graph" in node:
                yield from _smaller_graphs(
                    program, lambda p, n=name: p["graph"]["nodes"][n]["graph"]
                )
    else:
        yield from _fewer_tasks(program)
    yield from _plainer_runs(program)
    yield from _plainer_rest(program)


def _smaller_graphs(program: Program, find: Callable[[Program], Program]) -> Iterator[Program]:
    graph = find(program)
    for name in graph["nodes"]:
        if len(graph["nodes"]) > 1:
            yield _changed(program, lambda p, n=name: _without_node(find(p), n))
    for part in ("edges", "joins", "branches"):
        for index in range(len(graph[part])):
            if part == "edges" and not _starts(
                graph["edges"][:index] + graph["edges"][index + 1 :]
            ):
                continue
            yield _changed(program, lambda p, k=part, i=index: find(p)[k].pop(i))
    if graph["reducer"]["kind"] != "plain":
        yield _changed(program, lambda p: find(p)["reducer"].update(kind="plain"))
    if graph.get("interrupt_before"):
        yield _changed(program, lambda p: find(p).update(interrupt_before=None))
    for name in graph["nodes"]:
        yield from _plainer_nodes(program, lambda p, n=name: find(p)["nodes"][n])


def _plainer_nodes(program: Program, find: Callable[[Program], Program]) -> Iterator[Program]:
    node = find(program)
    for option in ("retry", "handler", "timeout", "cached", "defer", "spoils"):
        if option in node:
            yield _changed(program, lambda p, o=option: find(p).pop(o))
    for part in ("steps", "calls"):
        for index in range(len(node.get(part, ()))):
            yield _changed(program, lambda p, k=part, i=index: find(p)[k].pop(i))
    for index, step in enumerate(node.get("steps", ())):
        for key, value in (("error", "ValueError"), ("times", None), ("how", "raise")):
            if step.get(key, value) != value:
                yield _changed(
                    program, lambda p, i=index, k=key, v=value: find(p)["steps"][i].update({k: v})
                )
    plain = {"looks": False, "signature": "state", "catches": False}
    plain["returns"] = {"form": "update"}
    for key, value in plain.items():
        if node.get(key, value) != value:
            yield _changed(program, lambda p, k=key, v=value: find(p).update({k: v}))


def _fewer_tasks(program: Program) -> Iterator[Program]:
    for name in program["entry"]["tasks"]:
        yield _changed(program, lambda p, n=name: _without_task(p["entry"], n))
    yield from _plainer_nodes(program, lambda p: p["entry"]["root"])
    for name in program["entry"]["tasks"]:
        yield from _plainer_nodes(program, lambda p, n=name: p["entry"]["tasks"][n])


def _plainer_runs(program: Program) -> Iterator[Program]:
    plain = {"limit": None, "end": None, "subgraphs": False, "durability": "sync", "how": "invoke"}
    for index, run in enumerate(program["runs"]):
        for key, value in plain.items():
            if run.get(key, value) != value:
                yield _changed(
                    program, lambda p, i=index, k=key, v=value: p["runs"][i].update({k: v})
                )
        for mode in run.get("modes", ()):
            if len(run["modes"]) > 1:
                yield _changed(program, lambda p, i=index, m=mode: p["runs"][i]["modes"].remove(m))


def _plainer_rest(program: Program) -> Iterator[Program]:
    saver = program["saver"]
    if saver["kind"] == "odd":
        yield _changed(program, lambda p: p["saver"].update(kind="memory", fails=[], ms=0))
    if saver["kind"]:
        yield _changed(program, lambda p: p["saver"].update(kind=None, fails=[], ms=0))
    for key, value in (("loop", "main"), ("switch", 0.005), ("cache", False), ("panics_at", None)):
        if program[key] != value:
            yield _changed(program, lambda p, k=key, v=value: p.update({k: v}))


def _without_node(graph: Program, name: str) -> None:
    del graph["nodes"][name]
    graph["edges"] = [edge for edge in graph["edges"] if name not in edge]
    if not _starts(graph["edges"]):
        graph["edges"].insert(0, [START, next(iter(graph["nodes"]))])
    graph["joins"] = [join for join in graph["joins"] if name not in (*join[0], join[1])]
    graph["branches"] = [branch for branch in graph["branches"] if branch["source"] != name]
    for branch in graph["branches"]:
        branch["options"] = [_without(targets, name) for targets in branch["options"]]
    for node in graph["nodes"].values():
        if goto := node.get("returns", {}).get("goto"):
            node["returns"]["goto"] = [_without(targets, name) for targets in goto]
    if name in (graph.get("interrupt_before") or ()):
        graph["interrupt_before"] = None


def _starts(edges: list[list[str]]) -> bool:
    """Whether the graph begins anywhere."""
    return any(edge[0] == START for edge in edges)


def _without(targets: list[Any], name: str) -> list[Any]:
    return [one for one in targets if name != (one[0] if isinstance(one, list) else one)]


def _without_task(entry: Program, name: str) -> None:
    del entry["tasks"][name]
    for node in (entry["root"], *entry["tasks"].values()):
        node["calls"] = [called for called in node["calls"] if called != name]


def _changed(program: Program, change: Callable[[Program], Any]) -> Program:
    smaller = copy.deepcopy(program)
    change(smaller)
    return smaller
