"""Random programs of the functional API: an entrypoint and the tasks that it calls."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.stress.generate_graph import function, node_fault


def entry(random: Random, asynchronous: bool, faults: int) -> dict[str, Any]:
    """An entrypoint whose tasks call those made before them, so that calls end."""
    names = [f"t{index}" for index in range(random.choice((1, 2, 3, 4, 5)))]
    tasks: dict[str, Any] = {}
    for name in names:
        tasks[name] = _task(random, list(tasks), asynchronous, random.choice((0, 0, 1, 2)))
    root = _task(random, names, asynchronous, random.choice((1, 2, 3, 5)))
    root["async"] = asynchronous
    root["steps"] = [step for step in root["steps"] if step["do"] != "reenter"]
    for _ in range(faults):
        node_fault(random, random.choice(list(tasks.values())), asynchronous)
    for node in (root, *tasks.values()):
        node["signature"] = "state"
        node.pop("spoils", None)
        if random.random() < 0.04 and node is not root:
            node["cached"] = True
    return {"root": root, "tasks": tasks}


def _task(random: Random, known: list[str], asynchronous: bool, calls: int) -> dict[str, Any]:
    node = function(random, asynchronous)
    node["calls"] = [random.choice(known) for _ in range(calls)] if known else []
    node["order"] = random.choice(("together", "together", "in turn"))
    node["catches"] = random.random() < 0.1
    node["steps"] = [step for step in node["steps"] if step["do"] != "ask" or not node["calls"]]
    return node
