"""Random graphs: nodes, what they do, and what leads from one to another."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.differential.generate_values import KINDS, schema, update, value

START, END = "__start__", "__end__"
ERRORS = ("ValueError", "RuntimeError", "ConnectionError", "Boom")


def graph(
    random: Random, asynchronous: bool, parent: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A graph; with `parent`, the names and keys of the graph it is to be a node of."""
    inner = parent is not None
    state = schema(random, parent["keys"] if parent else None)
    prefix = "s" if inner else "n"
    count = random.choice((1, 1, 2, 2, 3) if inner else (1, 2, 3, 3, 4, 4, 5, 6))
    names = [f"{prefix}{index}" for index in range(count)]
    context = {"names": names, "keys": state["keys"], "async": asynchronous, "parent": parent}
    nodes = {name: _node(random, name, context) for name in names}
    made = {
        "schema": state,
        "nodes": nodes,
        "edges": _edges(random, names),
        "joins": _joins(random, names),
        "branches": _branches(random, names, context),
        "interrupt_before": _static(random, names),
        "interrupt_after": _static(random, names),
    }
    if inner:
        made["saver"] = random.choice((None,) * 6 + (True, False))
    return made


def _node(random: Random, name: str, context: dict[str, Any]) -> dict[str, Any]:
    if context["parent"] is None and random.random() < 0.14:
        return _subgraph_node(random, name, context)
    steps = _steps(random, name)
    return {
        "kind": "function",
        "async": context["async"] and random.random() < 0.6,
        "signature": random.choice(("state",) * 6 + ("config", "runtime", "writer", "store")),
        "private": random.random() < 0.06,
        "steps": steps,
        "returns": _returns(random, name, context),
        **_options(random, name, steps),
    }


def _subgraph_node(random: Random, name: str, context: dict[str, Any]) -> dict[str, Any]:
    inner = graph(random, context["async"], {"names": context["names"], "keys": context["keys"]})
    called = random.random() < 0.35
    node: dict[str, Any] = {"kind": "called" if called else "subgraph", "graph": inner}
    if called:
        node["async"] = context["async"] and random.random() < 0.7
        node["times"] = random.choice((1, 1, 1, 2))
        node["returns"] = _returns(random, name, context)
    return node | _options(random, name, [])


def _options(random: Random, name: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
    fails = any(step["do"] == "raise" for step in steps)
    options: dict[str, Any] = {}
    if random.random() < 0.08:
        options["defer"] = True
    if random.random() < (0.5 if fails else 0.04):
        options["retry"] = {
            "attempts": random.choice((1, 2, 2, 3)),
            "on": random.choice((None, "Exception", "ValueError", "Boom")),
        }
    if random.random() < 0.04:
        options["metadata"] = {"made_by": name}
    if random.random() < 0.03:
        options["cache"] = True
    if random.random() < (0.15 if fails else 0.02):
        options["error_handler"] = {"writes": {"log": {"list": [{"tag": f"handler-{name}"}]}}}
    return options


def _steps(random: Random, name: str) -> list[dict[str, Any]]:
    """What a node does before it returns, in order."""
    steps: list[dict[str, Any]] = []
    if random.random() < 0.12:
        times = random.choice((1, 1, 2, None))
        error = random.choice(ERRORS)
        steps.append({"do": "raise", "error": error, "times": times})
    if random.random() < 0.14:
        for number in range(random.choice((1, 1, 1, 2))):
            steps.append({"do": "interrupt", "value": f"{name}?{number}"})
    if random.random() < 0.1:
        steps.append({"do": "emit", "value": {"from": name}})
    random.shuffle(steps)
    return steps


def _returns(random: Random, name: str, context: dict[str, Any]) -> dict[str, Any]:
    kinds = {"update": 64, "none": 4, "list": 5, "command": 14, "commands": 3, "odd": 1}
    if context["parent"]:
        kinds["parent"] = 8
    kind = random.choices(list(kinds), list(kinds.values()))[0]
    if kind == "update":
        return {"form": "update", "writes": update(random, context["keys"], name)}
    if kind == "none":
        return {"form": "none"}
    if kind == "odd":
        return {"form": "odd", "value": random.choice((7, "text", [1], True))}
    if kind == "list":
        writes = [update(random, context["keys"], name) for _ in range(random.choice((1, 2)))]
        return {"form": "several", "items": [{"form": "update", "writes": w} for w in writes]}
    if kind == "commands":
        items = [_command(random, name, context) for _ in range(2)]
        return {"form": "several", "items": items}
    if kind == "parent":
        upper = context["parent"]
        return _command(random, name, {**context, **upper}, to_parent=True)
    return _command(random, name, context)


def _command(
    random: Random, name: str, context: dict[str, Any], to_parent: bool = False
) -> dict[str, Any]:
    writes = update(random, context["keys"], name) if random.random() < 0.8 else None
    options = (
        [_goto(random, name, context) for _ in range(random.choice((1, 1, 2)))]
        if random.random() < 0.85
        else []
    )
    return {
        "form": "command",
        "writes": writes,
        "pairs": random.random() < 0.1,
        "goto": options,
        "parent": to_parent,
    }


def _goto(random: Random, name: str, context: dict[str, Any]) -> Any:
    """One way on: a name, a packet, or a list of those."""
    roll = random.random()
    if roll < 0.2:
        return END
    if roll < 0.6:
        return random.choice(context["names"])
    if roll < 0.62:
        return "nowhere"
    if roll < 0.8:
        return _packet(random, name, context)
    makers = (lambda: random.choice(context["names"]), lambda: _packet(random, name, context))
    return [random.choice(makers)() for _ in range(random.choice((0, 2, 2, 3)))]


def _packet(random: Random, name: str, context: dict[str, Any]) -> dict[str, Any]:
    target = random.choice(context["names"])
    keys = context["keys"]
    argument = {key: value(random, KINDS[key], keys, name) for key in keys if random.random() < 0.7}
    return {"send": target, "argument": argument}


def _edges(random: Random, names: list[str]) -> list[list[str]]:
    edges = [[START, random.choice(names[:2])]] if random.random() < 0.85 else []
    if random.random() < 0.25:
        edges.append([START, random.choice(names)])
    for index, name in enumerate(names):
        for _ in range(random.choice((0, 1, 1, 1, 2))):
            later = [*names[index + 1 :], END]
            edges.append([name, random.choice(names if random.random() < 0.15 else later)])
    unique: list[list[str]] = []
    for edge in edges:
        if edge not in unique:
            unique.append(edge)
    return unique


def _joins(random: Random, names: list[str]) -> list[list[Any]]:
    if len(names) < 3 or random.random() > 0.25:
        return []
    starts = random.sample(names, 2)
    return [[starts, random.choice([*[name for name in names if name not in starts], END])]]


def _branches(random: Random, names: list[str], context: dict[str, Any]) -> list[dict[str, Any]]:
    sources = [name for name in names if random.random() < 0.18]
    if random.random() < 0.15:
        sources.insert(0, START)
    return [_branch(random, source, context) for source in sources]


def _branch(random: Random, source: str, context: dict[str, Any]) -> dict[str, Any]:
    concurrent = context["async"] and random.random() < 0.4
    mapped = random.random() < 0.3
    options = [_goto(random, source, context) for _ in range(random.choice((1, 2, 3)))]
    if mapped:
        # What the map lacks fails at once, and how far its neighbours came would be chance.
        options = [END if option == "nowhere" else option for option in options]
    return {"source": source, "async": concurrent, "mapped": mapped, "options": options}


def _static(random: Random, names: list[str]) -> Any:
    roll = random.random()
    if roll < 0.9:
        return None
    return "*" if roll < 0.92 else [random.choice(names)]
