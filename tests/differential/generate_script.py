"""Random scripts: what a caller does with a graph, one action after another."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.differential.generate_values import KINDS, update, value

MODES = ("values", "updates", "debug", "tasks", "checkpoints", "custom", "messages")
DURABILITIES = (None, None, None, "sync", "async", "exit")
ANSWERS = ("yes", 1, False, {"a": 1})
"""Without None: upstream fails with `UnboundLocalError` on a command that says nothing."""


def script(random: Random, graph: dict[str, Any], asynchronous: bool) -> list[dict[str, Any]]:
    """Actions for `graph`; with a saver, what is stored is looked at in the end."""
    actions = [_run(random, graph, _values(random, graph))]
    if graph["saver"] is None:
        if random.random() < 0.3:
            actions.append(_run(random, graph, _later_input(random, graph)))
    else:
        actions += [_later(random, graph) for _ in range(random.choice((0, 1, 2, 2, 3, 4, 5)))]
        actions += [{"do": "get_state", "subgraphs": True}, {"do": "history"}, {"do": "stored"}]
    for action in actions:
        # A graph with async nodes cannot be run by sync methods, but its state can be looked at.
        runs = action["do"] in ("invoke", "stream")
        action["async"] = asynchronous and (runs or random.random() < 0.8)
    return actions


def _later(random: Random, graph: dict[str, Any]) -> dict[str, Any]:
    roll = random.random()
    if roll < 0.55:
        return _run(random, graph, _later_input(random, graph), random.random() < 0.2)
    if roll < 0.75:
        return _update_state(random, graph)
    if roll < 0.87:
        at = random.randint(0, 6) if random.random() < 0.3 else None
        return {"do": "get_state", "subgraphs": random.random() < 0.5, "at": at}
    action: dict[str, Any] = {"do": "history", "limit": random.choice((None, 1, 2))}
    if random.random() < 0.3:
        action["before"] = random.randint(0, 4)
    if random.random() < 0.3:
        action["filter"] = random.choice(({"source": "loop"}, {"step": 1}, {"source": "input"}))
    return action


def _run(
    random: Random, graph: dict[str, Any], given: dict[str, Any], back: bool = False
) -> dict[str, Any]:
    action: dict[str, Any] = {"do": random.choice(("invoke", "stream", "stream")), "input": given}
    if back:
        action["at"] = random.randint(0, 6)
    action["limit"] = random.choice((4, 6, 8, 10))
    names = list(graph["nodes"])
    maybe = {
        # Without a saver, upstream fails with `AttributeError` on any durability.
        "durability": random.choice(DURABILITIES) if graph["saver"] else None,
        "version": "v2" if random.random() < 0.25 else None,
        "interrupt_before": [random.choice(names)] if random.random() < 0.06 else None,
        "interrupt_after": [random.choice(names)] if random.random() < 0.06 else None,
        "output_keys": _output_keys(random, graph),
        "listen": random.random() < 0.06,
        "configured": random.random() < 0.1,
        "context": {"user": 1} if random.random() < 0.05 else None,
        "max_concurrency": random.choice((1, 2)) if random.random() < 0.05 else None,
    }
    action |= {name: choice for name, choice in maybe.items() if choice}
    if action["do"] == "stream":
        action["subgraphs"] = random.random() < 0.35
        action["modes"] = _modes(random)
    elif random.random() < 0.1:
        action["modes"] = random.choice(MODES)
    return action


def _output_keys(random: Random, graph: dict[str, Any]) -> Any:
    keys = graph["schema"]["keys"]
    roll = random.random()
    if roll < 0.94:
        return None
    return random.choice(keys) if roll < 0.97 else [key for key in keys if random.random() < 0.6]


def _modes(random: Random) -> Any:
    if random.random() < 0.15:
        return None
    if random.random() < 0.45:
        return random.choice(MODES)
    return random.sample(MODES, random.choice((1, 2, 2, 3, 4)))


def _values(random: Random, graph: dict[str, Any]) -> dict[str, Any]:
    keys = graph["schema"]["input"] or graph["schema"]["keys"]
    roll = random.random()
    if roll < 0.02:
        return {"kind": "none"}
    if roll < 0.04:
        return {"kind": "values", "values": {}}
    if roll < 0.07:
        return _command(random, graph)
    written = {key: value(random, KINDS[key], [], "in") for key in keys if random.random() < 0.6}
    return {"kind": "values", "values": written or update(random, keys, "in")}


def _later_input(random: Random, graph: dict[str, Any]) -> dict[str, Any]:
    kinds = {"none": 5, "resume": 5, "resume_ids": 2, "values": 4, "command": 1}
    kind = random.choices(list(kinds), list(kinds.values()))[0]
    if kind == "values":
        return _values(random, graph)
    if kind == "resume":
        return {"kind": "resume", "answer": random.choice(ANSWERS)}
    if kind == "resume_ids":
        return {"kind": "resume_ids", "answer": "by-id", "first": random.random() < 0.3}
    if kind == "command":
        return _command(random, graph)
    return {"kind": "none"}


def _command(random: Random, graph: dict[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {"kind": "command"}
    if random.random() < 0.7:
        given["writes"] = update(random, graph["schema"]["keys"], "in")
    if random.random() < 0.6:
        given["goto"] = random.choice([*graph["nodes"], "__end__", "nowhere"])
    if random.random() < 0.3 or not ({"goto"} & given.keys() or given.get("writes")):
        given["answer"] = "with-more"
    return given


def _update_state(random: Random, graph: dict[str, Any]) -> dict[str, Any]:
    def one() -> dict[str, Any]:
        roll = random.random()
        as_node = None
        if roll < 0.6:
            as_node = random.choice(list(graph["nodes"]))
        elif roll < 0.72:
            as_node = random.choice(("__start__", "__end__", "__input__", "__copy__", "nowhere"))
        values = update(random, graph["schema"]["keys"], "you")
        return {"values": values if random.random() < 0.9 else None, "as_node": as_node}

    action: dict[str, Any] = {"do": "update_state", **one()}
    if random.random() < 0.15:
        count = random.choice((1, 1, 2))
        steps = [[one() for _ in range(random.choice((1, 1, 2)))] for _ in range(count)]
        action = {"do": "bulk_update_state", "supersteps": steps}
    if random.random() < 0.3:
        action["at"] = random.randint(0, 6)
    return action
