"""Take turns: one process per side and round, and what they measured.

A process that dies or hangs costs the case it was in; a new one goes on with the rest.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from statistics import median
from typing import Any

from benches.compare.cases import all_cases
from benches.compare.cases.base import POSTGRES
from benches.compare.places import Places
from benches.compare.sides import SIDES, sides_of
from sync.pins import CACHE, ROOT

QUIET = {"AGNO_TELEMETRY": "false", "LANGSMITH_TRACING": "false"}
"""No process calls home."""

GROUP = 8
"""How many cases a process measures before another side has its turn at them."""

CASE_SECONDS = 120
"""A process gets this long for each case it is given before it counts as hung."""


@dataclass(frozen=True)
class Plan:
    """What to measure and how long."""

    cases: tuple[str, ...]
    """``name:mode`` each."""
    rounds: int
    budget: float
    """Seconds per case, mode, side and round."""
    loop: str
    places: Places


@dataclass
class Measured:
    """A case on one side over all rounds."""

    medians: list[float] = field(default_factory=list)
    """Seconds per run: the median of each round's samples."""
    processor: list[float] = field(default_factory=list)
    """The same of processor time."""
    did: str | None = None
    error: str | None = None


Results = dict[tuple[str, str], Measured]
"""By case and side."""


def measure(plan: Plan) -> Iterator[tuple[int, Results]]:
    """Run the rounds; after each, its number and everything measured so far."""
    sides = {label: _sides(label) for label in plan.cases}
    results: Results = {(case, side): Measured() for case in plan.cases for side in sides[case]}
    for number in range(1, plan.rounds + 1):
        # Every other round goes the other way, so that no side always follows the same one.
        order = SIDES if number % 2 else SIDES[::-1]
        for group in groups(plan.cases):
            for side in order:
                for entry in _run_side(plan, side, [c for c in group if side in sides[c]]):
                    _absorb(results[entry["case"], side], entry)
        yield number, results


def _absorb(measured: Measured, entry: dict[str, Any]) -> None:
    if "error" in entry:
        measured.error = entry["error"]
        return
    measured.medians.append(median(wall for wall, _ in entry["samples"]))
    measured.processor.append(median(processor for _, processor in entry["samples"]))
    measured.did = entry["did"]


def _sides(label: str) -> tuple[str, ...]:
    name, _, mode = label.partition(":")
    return sides_of(all_cases()[name], mode)


def _beside(label: str) -> str | None:
    return all_cases()[label.partition(":")[0]].beside


def groups(cases: tuple[str, ...]) -> Iterator[list[str]]:
    """A few cases each, all of which have the same on their path."""
    for _, alike in groupby(cases, _beside):
        found = list(alike)
        yield from (found[start : start + GROUP] for start in range(0, len(found), GROUP))


def _run_side(plan: Plan, side: str, cases: list[str]) -> Iterator[dict[str, Any]]:
    """The results of one side in one round; a new process follows one that did not finish."""
    if side not in plan.places.interpreters:
        yield from ({"case": case, "error": "could not be installed"} for case in cases)
        return
    remaining = cases
    while remaining:
        begun, finished, complaint = _run_process(plan, side, remaining)
        yield from finished
        done = {entry["case"] for entry in finished}
        if begun is not None and begun not in done:
            yield {"case": begun, "error": complaint}
            done.add(begun)
        if not done:
            yield from ({"case": case, "error": complaint} for case in remaining)
            return
        remaining = [case for case in remaining if case not in done]


def _run_process(
    plan: Plan, side: str, cases: list[str]
) -> tuple[str | None, list[dict[str, Any]], str]:
    """The last case begun, the results, and what the process said when it did not finish."""
    out = CACHE / "bench" / f"{side}.jsonl"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.unlink(missing_ok=True)
    command = [plan.places.interpreters[side], "-m", "benches.compare.worker", "--side", side]
    options = ["--budget", str(plan.budget), "--loop", plan.loop, "--out", out, *cases]
    complaint = "did not finish in time"
    try:
        process = subprocess.run(
            [str(part) for part in [*command, *options]],
            cwd=ROOT,
            env=side_environment(plan.places, _beside(cases[0])),
            capture_output=True,
            text=True,
            timeout=CASE_SECONDS * len(cases),
        )
        said = process.stderr.strip().splitlines() or [""]
        complaint = f"the process ended with {process.returncode}: {said[-1][:200]}"
    except subprocess.TimeoutExpired:
        pass
    lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
    entries = [json.loads(line) for line in lines]
    begun = [entry["begin"] for entry in entries if "begin" in entry]
    return (begun or [None])[-1], [e for e in entries if "case" in e], complaint


def side_environment(places: Places, beside: str | None) -> dict[str, str]:
    """The environment variables of a side's process, for cases that need `beside`."""
    wanted = {"PYTHONPATH": places.path(beside), "PYTHONHASHSEED": "0", **QUIET}
    return os.environ | wanted | ({POSTGRES: places.postgres} if places.postgres else {})
