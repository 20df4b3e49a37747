"""One suite: provide what it needs, run it, try failures again, judge, report, store."""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

from sync.artifacts import upstream_suite
from sync.environments import Environment, say, upstream_environment
from sync.pins import load_pins
from sync.wheel import ready_environment
from tests.conformance import report
from tests.conformance.counts import write_counts
from tests.conformance.ids import file_of, read_header, read_ids, write_ids
from tests.conformance.ledger import uncovered
from tests.conformance.needs import EVERY_TEST, Provision, provide
from tests.conformance.outcomes import Outcomes
from tests.conformance.runner import CutOff, NothingFound, Runner
from tests.conformance.suite import Suite
from tests.conformance.verdict import judge, updated_passing

RETRY_AT_MOST = 300
"""More failures than this are not flakiness, and running them one by one would take too long."""


class NotRun(Exception):
    """Nothing of a suite was run; the message says why."""


class NothingChosen(NotRun):
    """The suite has none of the files or tests that were asked for."""


def run_suite(suite: Suite, options: argparse.Namespace) -> int:
    """Run what the command line asks for of one suite; returns its exit status.

    Raises:
        NotRun: nothing of it can be run, or is asked for.
        CutOff: the run did not come to its end; nothing was judged or written.
    """
    files = [file for file in options.files if file in suite.files]
    if options.files and not files:
        raise NothingChosen
    provision = provide(suite)
    if why := provision.absent.get(EVERY_TEST):
        raise NotRun(why)
    upstream = options.refresh_upstream
    if not upstream and read_header(suite.upstream_passing) != load_pins().label():
        raise CutOff("its lists are of other pins: `make conformance-upstream` makes new ones")
    runner = _runner(suite, provision, upstream=upstream)
    with provision.running():
        if upstream:
            return refresh_upstream(runner, provision, options.jobs)
        if options.keyword:
            return run_selection(runner, files, options)
        return run_and_judge(runner, provision, files, options)


def run_and_judge(
    runner: Runner, provision: Provision, files: list[str], options: argparse.Namespace
) -> int:
    """Run whole files, print the table, and hold the result against the suite's lists."""
    suite = runner.suite

    def judged(test_id: str) -> bool:
        return (not files or file_of(test_id) in files) and provision.covers(test_id)

    outcomes = runner.run(files, options.jobs)
    verdict = judge(suite, outcomes, judged)
    known = verdict.failing - set(uncovered(verdict.failing, suite.flaky))
    retry(runner, outcomes, verdict.lost | known)
    verdict = judge(suite, outcomes, judged)
    report.print_table(suite, verdict, outcomes)
    report.print_skipped(suite, outcomes)
    report.print_changes(verdict, outcomes)
    report.print_flaky(outcomes, suite.flaky)
    report.print_ledger(suite, verdict, whole_suite=not files and not provision.absent)
    failures = runner.results / "failures.txt"
    report.write_failures(failures, verdict, outcomes)
    print(f"failures by reason: {failures}")
    report.print_faults(suite, verdict, outcomes)
    lost = verdict.lost
    if options.update:
        _store(suite.passing, updated_passing(suite, verdict, judged))
        lost = frozenset()
    return 1 if lost or uncovered(outcomes.flaky, suite.flaky) else 0


def run_selection(runner: Runner, files: list[str], options: argparse.Namespace) -> int:
    """Run tests picked by keyword and show why they fail; nothing is judged.

    Raises:
        NothingChosen: no test matches.
    """
    try:
        outcomes = runner.run(files, options.jobs, options.keyword, part="selection")
    except NothingFound:
        raise NothingChosen from None
    report.print_failures(outcomes)
    return 1 if outcomes.failed else 0


def refresh_upstream(runner: Runner, provision: Provision, jobs: int) -> int:
    """Run the suite on upstream and store what passes, keyed by the pins.

    Of tests that cannot be run here, the list keeps what it says.
    """
    listed = runner.suite.upstream_passing
    outcomes = runner.run([], jobs)
    if len(outcomes.failed) > RETRY_AT_MOST:
        raise CutOff(f"{len(outcomes.failed)} tests fail, too many to be upstream's own failures")
    retry(runner, outcomes, frozenset(outcomes.failed))
    kept = {test_id for test_id in read_ids(listed) if not provision.covers(test_id)}
    _store(listed, outcomes.passed | kept)
    counts = f"{len(outcomes.passed)} pass, {len(outcomes.failed)} fail"
    print(f"upstream: {runner.suite.name}: {counts}, {len(outcomes.skipped)} skipped")
    report.print_skipped(runner.suite, outcomes)
    report.print_failures(outcomes)
    report.print_flaky(outcomes, runner.suite.flaky)
    return 0


def retry(runner: Runner, outcomes: Outcomes, tests: frozenset[str]) -> None:
    """Run those of `tests` that failed once more, one at a time; those that pass now are flaky.

    Those that upstream itself tries more often get as many tries. Tests that were not collected are
    left out: pytest runs nothing at all when asked for one.
    """
    for number in itertools.count(1):
        failed = tests & outcomes.failed.keys()
        chosen = sorted(test for test in failed if outcomes.retries.get(test, 1) >= number)
        if not chosen:
            return
        if len(chosen) > RETRY_AT_MOST:
            say(f"{len(chosen)} tests to retry are too many; not retrying")
            return
        say(f"retrying {len(chosen)} tests one at a time")
        outcomes.absorb_retry(runner.run(chosen, jobs=1, part="retry"))


def _runner(suite: Suite, provision: Provision, *, upstream: bool) -> Runner:
    environment = _environment(provision, upstream=upstream)
    root = upstream_suite(suite.name, environment)
    side = "upstream" if upstream else "ours"
    return Runner(suite, side, root, environment, not upstream, provision.absent)


def _environment(provision: Provision, *, upstream: bool) -> Environment:
    if upstream:
        return upstream_environment(provision.interpreter).ensure()
    return ready_environment(provision.interpreter)


def _store(path: Path, ids: set[str]) -> None:
    write_ids(path, ids, load_pins().label())
    write_counts()
