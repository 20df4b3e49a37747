"""A program from a seed: a graph and what is done with it, as plain data."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.differential.generate_graph import graph
from tests.differential.generate_script import script

SAVERS = ("memory", "memory", "memory", None)


def program(seed: int) -> dict[str, Any]:
    """The program of `seed`: the same in every process and on every machine."""
    random = Random(seed)
    asynchronous = random.random() < 0.4
    top = graph(random, asynchronous)
    top["saver"] = random.choice(SAVERS)
    top["cache"] = random.random() < 0.05
    return {"seed": seed, "graph": top, "script": script(random, top, asynchronous)}
