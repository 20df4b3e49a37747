"""``python -m tests.executors``: the scenarios under every executor, against nodes at home.

Without ``--ray`` only processes are tried; with it, in an environment that has Ray, tasks, warm
actors, and a cluster that loses a node. Exits with 1 when anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from sync.environments import cluster_environment, say
from sync.pins import ROOT
from sync.wheel import build_wheel, install_wheel, ready_environment


def main() -> int:
    """Compare; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.executors", description=__doc__)
    parser.add_argument("--ray", action="store_true", help="try Ray as well; takes two minutes")
    parser.add_argument("scenarios", nargs="*", help="names of scenarios; default: all")
    options = parser.parse_args()
    ours = ready_environment().python
    inline = given(ours, "inline", options.scenarios)
    differing = compare(inline, given(ours, "process", options.scenarios), "process")
    differing += 0 if options.scenarios else example(ours, "process")
    if options.ray:
        environment = cluster_environment().ensure()
        install_wheel(build_wheel(), environment)
        cluster = environment.python
        for kind in ("ray", "actors"):
            differing += compare(inline, given(cluster, kind, options.scenarios), kind)
        if not options.scenarios:
            differing += example(cluster, "ray")
            differing += subprocess.run(
                [cluster, "-m", "tests.executors.cluster"], cwd=ROOT, env=variables()
            ).returncode
    return 1 if differing else 0


def given(python: Path, kind: str, scenarios: list[str]) -> dict[str, str]:
    """What each scenario gives under an executor."""
    say(f"running the scenarios with nodes in: {kind}")
    command = [python, "-m", "tests.executors.run", kind, *scenarios]
    result = subprocess.run(command, cwd=ROOT, env=variables(), stdout=subprocess.PIPE, text=True)
    lines = map(json.loads, result.stdout.splitlines())
    found = {name: text for name, text, _ in lines}
    if result.returncode:
        found["(the end)"] = f"exit status {result.returncode}"
    return found


def compare(inline: dict[str, str], other: dict[str, str], kind: str) -> int:
    """Say where two differ; returns how often they do."""
    different = [
        name
        for name in inline.keys() | other.keys()
        # To fail in the same way is no agreement.
        if inline.get(name) != other.get(name) or inline[name].startswith("Traceback")
    ]
    for name in sorted(different):
        print(f"===== {name}, at home:\n{inline.get(name)}\n===== {kind}:\n{other.get(name)}")
    print(f"executors: {len(inline)} scenarios, {len(different)} differ with nodes in: {kind}")
    return len(different)


def example(python: Path, kind: str) -> int:
    """Run the example; returns whether it prints something else than it should."""
    folder = ROOT / "examples" / "executors"
    say(f"running examples/executors with nodes in: {kind}")
    result = subprocess.run(
        [python, "main.py", kind], cwd=folder, env=variables(), stdout=subprocess.PIPE, text=True
    )
    if result.stdout == (folder / "printed.txt").read_text():
        return 0
    print(f"===== examples/executors with nodes in {kind} prints:\n{result.stdout}")
    return 1


def variables() -> dict[str, str]:
    """The environment of the programs, in which workers find the scenarios, too."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


if __name__ == "__main__":
    sys.exit(main())
