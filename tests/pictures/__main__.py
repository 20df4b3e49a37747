"""``python -m tests.pictures``: review pictures of the graphs that upstream's own tests build."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from sync.artifacts import upstream_suite
from sync.pins import CACHE, CORE, ROOT
from sync.wheel import ready_environment
from tests.conformance.ids import read_ids
from tests.conformance.needs import provide
from tests.conformance.runner import RECORDER, Runner
from tests.conformance.suite import Suite, load_suites
from tests.pictures.review import review

FOLDER = CACHE / "pictures"
"""Where the pictures are kept, for whoever wants to see what a fault looks like."""

PLUGIN = Path(__file__).parent / "recorder"


def main() -> int:
    """Draw and review; returns 1 if anything is wrong with a picture."""
    parser = argparse.ArgumentParser(prog="make pictures", description=__doc__)
    parser.add_argument("files", nargs="*", help="test files, such as test_pregel.py; default: all")
    parser.add_argument("--suite", action="append", help="a distribution; default: the core and "
                        "the agents")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=2, help="worker processes (default: 2)")
    parser.add_argument("-k", dest="keyword", default="", help="pytest's -k")
    options = parser.parse_args()
    faults = 0
    for suite in load_suites(options.suite or [CORE, "langgraph-prebuilt"]):
        files = [file for file in options.files if file in suite.files]
        if files or not options.files:
            faults += judged(suite, drawn(suite, files, options))
    return 1 if faults else 0


def drawn(suite: Suite, files: list[str], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run a suite's tests, and return what was written of each different picture."""
    folder = FOLDER / suite.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    variables = {
        **suite.environment,
        "PYTHONPATH": os.pathsep.join(map(str, (RECORDER, PLUGIN))),
        "PYTEST_PLUGINS": "picture_recorder",
        "PICTURES_FOLDER": str(folder),
    }
    suite = replace(suite, settings={**suite.settings, "environment": variables})
    provision = provide(suite)
    environment = ready_environment(provision.interpreter)
    root = upstream_suite(suite.name, environment)
    runner = Runner(suite, "pictures", root, environment, True, provision.absent)
    with provision.running():
        outcomes = runner.run(files, options.jobs, options.keyword)
    # Who draws changes nothing, but this is not where the tests are judged.
    if failed := (read_ids(suite.passing) & outcomes.failed.keys()) - outcomes.passed:
        print(f"{len(failed)} tests failed, such as {min(failed)}")
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]


def judged(suite: Suite, pictures: list[dict[str, Any]]) -> int:
    """Say what is wrong with the pictures, and return how much it is."""
    faults = 0
    for about in pictures:
        if "svg" in about:
            found = review(about["svg"], about["nodes"], about["edges"])
        else:
            found = [f"not drawn: {about['error']}"]
        if found:
            path = FOLDER / suite.name / f"fault-{faults}.svg"
            path.write_text(about.get("svg", ""), encoding="utf-8")
            print(f"{about['test']} ({path.relative_to(ROOT)})", *found, sep="\n  ")
            faults += len(found)
    sizes = [len(about["nodes"]) for about in pictures if "svg" in about]
    boxes = sum('class="cluster"' in about.get("svg", "") for about in pictures)
    print(
        f"pictures: {len(sizes)} different ones of {suite.name}'s graphs, {boxes} with boxes, "
        f"{max(sizes, default=0)} nodes in the largest; {faults} faults"
    )
    return faults


if __name__ == "__main__":
    sys.exit(main())
