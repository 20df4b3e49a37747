"""A program from a seed: a graph, and what is done to a thread of it, as plain data."""

from __future__ import annotations

from random import Random
from typing import Any

SHAPES = {
    "one": [("__start__", "a")],
    "chain": [("__start__", "a"), ("a", "b"), ("b", "c")],
    "fan": [("__start__", "a"), ("__start__", "b"), ("a", "c"), ("b", "c")],
    "wide": [("__start__", "a"), ("__start__", "b"), ("__start__", "c")],
}
"""Edges by name of the graph's shape."""

DURABILITIES = ("sync", "async", "exit")


def program(seed: int) -> dict[str, Any]:
    """The program of `seed`: the same in every process and on every machine."""
    random = Random(seed)
    shape = random.choice(list(SHAPES))
    names = sorted({name for edge in SHAPES[shape] for name in edge} - {"__start__"})
    return {
        "seed": seed,
        "async": random.random() < 0.4,
        "shape": shape,
        "nodes": {name: _node(random) for name in names},
        "frequency": random.choice((1, 2, 3, 3, 5, 100)),
        "supersteps": random.choice((2, 4, 5000, 5000)),
        "saver": random.choice(("memory", "memory", "sqlite")),
        "subgraph": random.random() < 0.15,
        "script": [_action(random, names) for _ in range(random.randint(3, 8))],
    }


def _node(random: Random) -> dict[str, Any]:
    return {
        "writes": random.choice(("add", "add", "add", "add two", "overwrite", "nothing")),
        "fails": random.choice((None, None, None, None, 1, 2)),
        "asks": random.random() < 0.12,
    }


def _action(random: Random, names: list[str]) -> dict[str, Any]:
    kinds = ("invoke",) * 4 + ("resume",) * 2 + ("fork", "rewind", "update", "update", "migrate")
    kind = random.choice(kinds)
    action: dict[str, Any] = {"do": kind, "durability": random.choice(DURABILITIES)}
    # Which checkpoint, counted from the newest; some are more than there are.
    old = random.choice((None, None, 0, 1, 2, 4))
    if kind in ("fork", "rewind"):
        action["at"] = random.choice((0, 1, 1, 2, 3, 5))
    if kind == "update":
        action["at"] = old
        action["as_node"] = random.choice((*names, None, "__input__", "__end__", "__copy__"))
        action["writes"] = random.choice(("add", "add", "overwrite"))
    return action
