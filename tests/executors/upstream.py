"""``python -m tests.executors.upstream``: upstream's core suite with processes as the default.

Every sync node that can travel and shares nothing runs in a worker process. A test that passes
otherwise and fails now is listed in `differs.toml` beside this, with its reason, or is a fault.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from sync.artifacts import upstream_suite
from sync.pins import CORE, read_toml
from sync.wheel import ready_environment
from tests.conformance.ids import read_ids
from tests.conformance.needs import provide
from tests.conformance.runner import Runner
from tests.conformance.suite import load_suites

DIFFERS = Path(__file__).parent / "differs.toml"


def main() -> int:
    """Run the suite; returns 1 if a test fails for no reason that is listed."""
    parser = argparse.ArgumentParser(prog="make executors-upstream", description=__doc__)
    parser.add_argument("files", nargs="*", help="test files, such as test_state.py; default: all")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes (default: 2)")
    parser.add_argument("-k", dest="keyword", default="", help="pytest's -k")
    options = parser.parse_args()
    [suite] = load_suites([CORE])
    variables = {
        **suite.environment,
        "LANGGRAPH_RUST_EXECUTOR": "process",
    }
    suite = replace(suite, settings={**suite.settings, "environment": variables})
    provision = provide(suite)
    environment = ready_environment(provision.interpreter)
    root = upstream_suite(suite.name, environment)
    runner = Runner(suite, "processes", root, environment, True, provision.absent)
    with provision.running():
        outcomes = runner.run(options.files, options.jobs, options.keyword)
        failed = (read_ids(suite.passing) & outcomes.failed.keys()) - outcomes.passed
        if 0 < len(failed) <= 60:
            outcomes.absorb_retry(runner.run(sorted(failed), jobs=1, part="retry"))
            failed &= outcomes.failed.keys()
    listed = {test: why for why, tests in read_toml(DIFFERS).items() for test in tests}
    faults = sorted(failed - listed.keys())
    for test in faults:
        print(f"{test}: {outcomes.failed[test]}")
    for why, count in Counter(listed[test] for test in failed & listed.keys()).items():
        print(f"{count} differ: {why}")
    passed = len(outcomes.passed & read_ids(suite.passing))
    print(
        f"executors: {passed} of {CORE}'s tests pass with processes, {len(failed) - len(faults)} "
        f"differ as listed, {len(faults)} faults"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
