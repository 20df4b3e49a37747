"""Random graphs: nodes, what they do and how they fail, and what leads from one to another."""

from __future__ import annotations

from random import Random
from typing import Any

START, END = "__start__", "__end__"
ERRORS = (
    *("ValueError", "Boom") * 3,
    *("Odd", "KeyboardInterrupt", "SystemExit", "StopIteration", "StopAsyncIteration"),
    *("CancelledError", "SubCancelled"),
)
STEPS = {"sleep": 5, "compute": 4, "emit": 2, "ask": 1, "mutate": 1, "reenter": 1}
ASYNC_STEPS = {**STEPS, "sleep": 8, "timed_inside": 1, "cleanup": 1, "stubborn": 0.5}


def graph(random: Random, asynchronous: bool, faults: int, prefix: str = "n") -> dict[str, Any]:
    """A graph in which `faults` things may go wrong. Its edges lead forward, so it ends."""
    inner = prefix != "n"
    count = random.choice((1, 1, 2, 3) if inner else (1, 2, 2, 3, 3, 4, 5, 6))
    names = [f"{prefix}{index}" for index in range(count)]
    nodes = {name: _node(random, name, names, asynchronous, inner) for name in names}
    made: dict[str, Any] = {
        "reducer": {"kind": random.choice(("plain", "plain", "plain", "slow")), "at": 0},
        "nodes": nodes,
        "edges": _edges(random, names),
        "joins": _joins(random, names),
        "branches": _branches(random, names, asynchronous),
        "interrupt_before": None,
    }
    for _ in range(faults):
        _add_fault(random, made, asynchronous)
    for name, node in nodes.items():
        # Runs side by side would share what such a subgraph keeps.
        if "graph" in node and node["graph"]["saver"] and f"['{name}', " in str(made):
            node["graph"]["saver"] = None
    if inner:
        # What is never stored cannot be asked and answered.
        made["saver"] = random.choice((None, None, None, False, True))
        if made["saver"] is False and "'ask'" in str(made):
            made["saver"] = None
    elif random.random() < 0.05:
        made["interrupt_before"] = [random.choice(names)]
    return made


def _node(
    random: Random, name: str, names: list[str], asynchronous: bool, inner: bool
) -> dict[str, Any]:
    if not inner and random.random() < 0.12:
        return {"graph": graph(random, asynchronous, random.choice((0, 0, 1)), f"{name}s")}
    node = function(random, asynchronous)
    node["returns"] = {"form": "update", "bag": random.random() < 0.5}
    later = _later(names, name)
    if later and random.random() < 0.15:
        node["returns"] |= {"form": "command", "goto": _options(random, later)}
    if random.random() < 0.04:
        node["cached"] = True
    if random.random() < 0.04:
        node["defer"] = True
    return node


def function(random: Random, asynchronous: bool) -> dict[str, Any]:
    """What a node or a called task is, before anything goes wrong in it."""
    is_async = asynchronous and random.random() < 0.7
    return {
        "async": is_async,
        "signature": "config" if random.random() < 0.12 else "state",
        "looks": random.random() < 0.15,
        "steps": [_step(random, is_async) for _ in range(random.choice((0, 0, 1, 1, 2)))],
        "returns": {"form": "update"},
    }


def _step(random: Random, is_async: bool) -> dict[str, Any]:
    weights = ASYNC_STEPS if is_async else STEPS
    do = random.choices(list(weights), list(weights.values()))[0]
    step: dict[str, Any] = {"do": do}
    if do == "sleep":
        step["ms"] = random.choice((0, 0.1, 0.3, 0.5, 1, 2))
    elif do == "compute":
        step["n"] = random.choice((10, 1000, 10000))
    elif do == "reenter":
        step["what"] = random.choice(("same", "other", "other"))
        step["where"] = random.choice(("here", "thread", "pool", "loop"))
    return step


def _add_fault(random: Random, made: dict[str, Any], asynchronous: bool) -> None:
    """Let something go wrong: in a node mostly, else in a reducer or a router."""
    roll = random.random()
    nodes = [node for node in made["nodes"].values() if "graph" not in node]
    if roll < 0.08:
        kind = random.choice(("raises", "raises", "reads", "writes"))
        made["reducer"] = {"kind": kind, "at": random.choice((1, 2, 3))}
    elif roll < 0.16 and made["branches"]:
        random.choice(made["branches"])["fails"] = random.choice(ERRORS)
    elif nodes:
        node_fault(random, random.choice(nodes), asynchronous)


def node_fault(random: Random, node: dict[str, Any], asynchronous: bool) -> None:
    """Let something go wrong in a node or a called task."""
    roll = random.random()
    if roll < 0.05:
        node |= {"signature": "config", "spoils": "config"}
    elif roll < 0.1 and node["async"] and "timeout" not in node:
        node["timeout"] = True
        node["steps"].append({"do": "too_slow"})
    else:
        node["steps"].append(fault(random, node["async"]))
        _add_policies(random, node)


def fault(random: Random, is_async: bool) -> dict[str, Any]:
    """A step that fails."""
    how = random.choice(("raise", "raise", "late"))
    if is_async and random.random() < 0.25:
        how = random.choice(("task", "future", "gather"))
    times = random.choice((None, None, 1, 1, 2))
    return {"do": "fail", "error": random.choice(ERRORS), "times": times, "how": how}


def _add_policies(random: Random, node: dict[str, Any]) -> None:
    if random.random() < 0.35:
        node["retry"] = {"attempts": random.choice((2, 3)), "ms": random.choice((0, 0, 1))}
    if random.random() < 0.12 and "returns" in node and "calls" not in node:
        node["handler"] = True


def _later(names: list[str], name: str) -> list[str]:
    return names[names.index(name) + 1 :]


def _edges(random: Random, names: list[str]) -> list[list[str]]:
    edges = [[START, names[0]]]
    edges += [[START, name] for name in names[1:] if random.random() < 0.4]
    for name in names:
        for _ in range(random.choice((0, 1, 1, 1, 2))):
            edges.append([name, random.choice([*_later(names, name), END])])
    return [edge for index, edge in enumerate(edges) if edge not in edges[:index]]


def _joins(random: Random, names: list[str]) -> list[list[Any]]:
    if len(names) < 3 or random.random() > 0.3:
        return []
    first, second, third = sorted(random.sample(names, 3))
    return [[[first, second], third]]


def _branches(random: Random, names: list[str], asynchronous: bool) -> list[dict[str, Any]]:
    sources = [name for name in names[:-1] if random.random() < 0.2]
    return [
        {
            "source": source,
            "async": asynchronous and random.random() < 0.4,
            "config": random.random() < 0.2,
            "options": _options(random, _later(names, source)),
            "fails": None,
        }
        for source in sources
    ]


def _options(random: Random, later: list[str]) -> list[list[Any]]:
    return [_targets(random, later) for _ in range(random.choice((1, 2, 3)))]


def _targets(random: Random, later: list[str]) -> list[Any]:
    """Nodes to go to, and packets for them."""
    made: list[Any] = []
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        name = random.choice(later)
        made.append([name, random.randrange(3)] if random.random() < 0.4 else name)
    return [one for i, one in enumerate(made) if isinstance(one, list) or one not in made[:i]]
