"""``python -m tests.deltas --seeds 0:2000``: random histories of delta channels, compared.

Exits with 1 when a delta channel here holds something else than the plain reducer beside it, or
when a program does or stores something else here than upstream.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from sync.environments import say, upstream_environment
from sync.pins import ROOT
from sync.wheel import ready_environment
from tests.seeds import seed_range

FAILURES = ("ValueError", "InvalidUpdateError")
"""Of nodes, and of two overwrites in a superstep."""


def main() -> int:
    """Compare the programs that the command line names; returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.deltas", description=__doc__)
    parser.add_argument(
        "--seeds", type=seed_range, default="0:100", help="FIRST:END, or one (default: 0:100)"
    )
    parser.add_argument("--show", type=int, default=3, help="how many findings to show")
    options = parser.parse_args()
    first, last = options.seeds.start, options.seeds.stop
    ours, upstream = ready_environment().python, upstream_environment().ensure().python
    say(f"comparing {last - first} histories")
    arguments = ["-m", "tests.deltas.runner", f"{first}:{last}:1"]
    sides = [
        lines([str(ours), "-m", "langgraph_rust", *arguments]),
        lines([str(upstream), *arguments]),
    ]
    findings, count = [], 0
    for (seed, mine), (other, theirs) in zip(*sides, strict=True):
        assert seed == other
        count += 1
        findings += [(seed, finding) for finding in _differences(mine, theirs)][:1]
    for seed, finding in findings[: options.show]:
        print(f"===== seed {seed}: {finding}")
    print(f"deltas: {count} histories, {len(findings)} differ (seeds {[s for s, _ in findings]})")
    return 1 if findings or count != last - first else 0


def _differences(mine: list[Any], theirs: list[Any]) -> Iterator[str]:
    is_apart = False
    for number, (one, other) in enumerate(zip(mine, theirs, strict=True)):
        for state in one["states"]:
            if state[1] != state[2]:
                yield f"action {number}: delta and plain differ: {state}"
        if any(state[1] != state[2] for state in other["states"]) or is_apart:
            # Upstream stores a superstep half applied that cannot be applied wholly.
            continue
        # What becomes of a delta channel that is one no more is stored at once here. When a node
        # has failed, upstream stores of those beside it what it had got to; with `exit`, also half
        # of a superstep that cannot be applied.
        is_apart = one["do"] == "migrate" or one.get("raised") in FAILURES
        if is_apart:
            continue
        for part in one.keys() | other.keys():
            if one.get(part) != other.get(part):
                here, there = _apart(one.get(part), other.get(part))
                place = f"action {number} ({one['do']}): {part}"
                yield f"{place}:\n  here     {here}\n  upstream {there}"


def _apart(one: Any, other: Any) -> tuple[str, str]:
    """Where two things differ, of each side."""
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return next((_apart(a, b) for a, b in zip(one, other, strict=True) if a != b), ("", ""))
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        key = next(key for key in one if one[key] != other[key])
        found = _apart(one[key], other[key])
        return f"{key}: {found[0]}", f"{key}: {found[1]}"
    return json.dumps(one), json.dumps(other)


def lines(command: list[str]) -> Iterator[tuple[int, Any]]:
    """The lines of a command: a seed and what was seen, as JSON."""
    variables = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
    process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    for line in process.stdout:
        seed, done = json.loads(line)
        yield seed, done
    if process.wait():
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")


if __name__ == "__main__":
    sys.exit(main())
