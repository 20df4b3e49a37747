"""``python -m tests.conformance [FILE ...]``: run upstream's tests here and judge the result.

Exits with 1 when a test listed in `passing.txt` no longer passes, or passes only at the second try
and is not listed in `flaky.toml`; with 3 when the run did not come to its end: then nothing is
judged and no list is written.
"""

from __future__ import annotations

import argparse
import signal
import sys

from sync.artifacts import upstream_suite
from sync.environments import say, upstream_environment
from sync.pins import load_pins
from sync.wheel import ready_environment
from tests.conformance import report
from tests.conformance.ids import read_header, write_ids
from tests.conformance.ledger import read_flaky, read_ledger, uncovered
from tests.conformance.outcomes import Outcomes
from tests.conformance.suite import RESULTS, CutOff, Suite
from tests.conformance.verdict import PASSING, UPSTREAM_PASSING, judge, updated_passing

RETRY_AT_MOST = 300
"""More failures than this are not flakiness, and running them one by one would take too long."""


CUT_OFF = 3
"""Exit status of a run that did not come to its end."""


def main() -> int:
    """Run what the command line asks for; returns the process's exit status."""
    options = _parse()
    # To be told to stop is an interruption like Ctrl-C: pytest and its workers end, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run(options)
    except (CutOff, KeyboardInterrupt) as error:
        why = str(error) or "it was interrupted"
        print(f"conformance: THE RUN WAS CUT OFF: {why}; nothing was judged or written")
        return CUT_OFF


def _run(options: argparse.Namespace) -> int:
    if options.refresh_upstream:
        return refresh_upstream(options.jobs)
    if read_header(UPSTREAM_PASSING) != load_pins().label():
        sys.exit("the pins changed: run `make conformance-upstream` to learn what upstream passes")
    environment = ready_environment()
    suite = Suite("ours", upstream_suite(environment), environment, drop_in=True)
    if options.keyword:
        return run_selection(suite, options)
    return run_and_judge(suite, options)


def run_and_judge(suite: Suite, options: argparse.Namespace) -> int:
    """Run whole files, print the table, and hold the result against `passing.txt`."""
    outcomes = suite.run(options.files, options.jobs)
    retry(suite, outcomes, judge(outcomes, options.files).lost)
    verdict = judge(outcomes, options.files)
    if not verdict.expected:
        sys.exit(f"no test of {', '.join(options.files)} passes on upstream: there is no such file")
    flaky = read_flaky()
    report.print_table(verdict, outcomes)
    report.print_changes(verdict, outcomes)
    report.print_flaky(outcomes, flaky)
    report.print_ledger(verdict, read_ledger(), whole_suite=not options.files)
    report.write_failures(RESULTS / "failures.txt", verdict, outcomes)
    print(f"failures by reason: {RESULTS / 'failures.txt'}")
    lost = verdict.lost
    if options.update:
        write_ids(PASSING, updated_passing(verdict, options.files), load_pins().label())
        lost = frozenset()
    return 1 if lost or uncovered(outcomes.flaky, flaky) else 0


def run_selection(suite: Suite, options: argparse.Namespace) -> int:
    """Run tests picked by keyword and show why they fail; nothing is judged."""
    outcomes = suite.run(options.files, options.jobs, options.keyword, part="selection")
    report.print_failures(outcomes)
    return 1 if outcomes.failed else 0


def refresh_upstream(jobs: int) -> int:
    """Run upstream's suite on upstream and store what passes, keyed by the pins."""
    environment = upstream_environment().ensure()
    suite = Suite("upstream", upstream_suite(environment), environment, drop_in=False)
    outcomes = suite.run([], jobs)
    if len(outcomes.failed) > RETRY_AT_MOST:
        raise CutOff(f"{len(outcomes.failed)} tests fail, too many to be upstream's own failures")
    retry(suite, outcomes, frozenset(outcomes.failed))
    write_ids(UPSTREAM_PASSING, outcomes.passed, load_pins().label())
    skipped, failed = len(outcomes.skipped), len(outcomes.failed)
    print(f"upstream: {len(outcomes.passed)} pass, {failed} fail, {skipped} skipped")
    report.print_failures(outcomes)
    report.print_flaky(outcomes, read_flaky())
    return 0


def retry(suite: Suite, outcomes: Outcomes, tests: frozenset[str]) -> None:
    """Run those of `tests` that failed once more, one at a time; those that pass now are flaky.

    Tests that were not collected are left out: pytest runs nothing at all when asked for one.
    """
    chosen = sorted(tests & outcomes.failed.keys())
    if not chosen:
        return
    if len(chosen) > RETRY_AT_MOST:
        say(f"{len(chosen)} tests to retry are too many; not retrying")
        return
    say(f"retrying {len(chosen)} tests one at a time")
    outcomes.absorb_retry(suite.run(chosen, jobs=1, part="retry"))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    parser.add_argument("files", nargs="*", help="test files, such as test_state.py; default: all")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes (default: 2)")
    parser.add_argument("-k", dest="keyword", default="", help="pytest's -k; shows the failures")
    parser.add_argument("--update", action="store_true", help="rewrite passing.txt from this run")
    parser.add_argument(
        "--refresh-upstream", action="store_true", help="run the suite on upstream and store that"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
