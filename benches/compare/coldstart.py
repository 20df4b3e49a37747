"""From a fresh interpreter to the first result: import, build, compile, invoke one node."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

NOT_WANTED = ("httpx", "requests", "langsmith", "langchain_core.tracers")
"""Modules that a first run has no use for."""

WATCHED = (*NOT_WANTED, "langchain_core", "pydantic", "asyncio")

_SCRIPT = """
import time; began = time.perf_counter()
from typing import TypedDict
from {package}.graph import END, START, StateGraph
class State(TypedDict):
    n: int
def node(state):
    return {{"n": state["n"] + 1}}
builder = StateGraph(State)
builder.add_node("node", node)
builder.add_edge(START, "node")
builder.add_edge("node", END)
assert builder.compile().invoke({{"n": 1}}) == {{"n": 2}}
took = time.perf_counter() - began
import json, sys
print(json.dumps({{"took": took, "modules": sorted(sys.modules)}}))
"""


@dataclass(frozen=True)
class ColdStart:
    """Medians over several processes of one side."""

    wall: float
    """Seconds from starting the process to its end."""
    inside: float
    """Seconds from the first line of the script to the result."""
    modules: int
    loaded: tuple[str, ...]
    """Which of `WATCHED` were imported."""


def measure_cold_start(ours: Path, upstream: Path, times: int) -> dict[str, ColdStart | str]:
    """Each side by name, in turn `times` times; a side that fails gives its error instead."""
    sides = {"ours": (ours, "langgraph_rust"), "upstream": (upstream, "langgraph")}
    runs: dict[str, list[tuple[float, dict[str, Any]]]] = {side: [] for side in sides}
    results: dict[str, ColdStart | str] = {}
    for number in range(times + 1):
        for side, (python, package) in sides.items():
            try:
                once = _start(python, package)
            except subprocess.CalledProcessError as error:
                results[side] = (error.stderr.strip().splitlines() or ["failed"])[-1]
                continue
            if number:  # the first start compiles bytecode and warms the disk cache
                runs[side].append(once)
    return results | {side: _summary(found) for side, found in runs.items() if found}


def _start(python: Path, package: str) -> tuple[float, dict[str, Any]]:
    began = time.perf_counter()
    result = subprocess.run(
        [python, "-I", "-c", _SCRIPT.format(package=package)],
        check=True,
        capture_output=True,
        text=True,
    )
    return time.perf_counter() - began, json.loads(result.stdout)


def _summary(runs: list[tuple[float, dict[str, Any]]]) -> ColdStart:
    modules = set(runs[-1][1]["modules"])
    return ColdStart(
        wall=median(wall for wall, _ in runs),
        inside=median(report["took"] for _, report in runs),
        modules=len(modules),
        loaded=tuple(name for name in WATCHED if name in modules),
    )
