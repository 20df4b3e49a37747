"""Upstream's suites on upstream and here, by the conformance run; nothing else reaches into it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sync.environments import say
from sync.places import SUITES
from tests.conformance.ids import read_header, read_ids, write_ids


class NotJudged(Exception):
    """It cannot be said what the new release does here; the message says why."""


@dataclass(frozen=True)
class SuiteResult:
    """One of upstream's suites in the new release."""

    suite: str
    upstream: int
    """How many tests pass on upstream."""
    here: int
    """How many of those pass here."""
    lost: list[str]
    """Passed here before, pass on upstream and do not pass here."""
    asked: list[str]
    """Did not pass on upstream before, pass there now and not here."""
    gained: list[str]
    """Pass here and did not before."""
    gone: list[str]
    """Passed here before; upstream has them no more, or they fail there."""
    flaky: bool
    """Whether a test that `flaky.toml` does not name passed only at the second try."""


@dataclass(frozen=True)
class Harness:
    """The conformance run of a checkout."""

    root: Path
    jobs: int = 2

    def lists(self, suite: str) -> tuple[Path, Path]:
        """The files with what a suite passes on upstream and here."""
        folder = self.root / SUITES / suite
        return folder / "upstream-passing.txt", folder / "passing.txt"

    def judge(self, suite: str, label: str) -> SuiteResult:
        """Run a suite on upstream, then here, and store what passes.

        What is lost stays listed, so that `make conformance` fails until somebody saw to it.

        Args:
            suite: the distribution it comes from.
            label: the pins that the stored lists must belong to.

        Raises:
            NotJudged: a run did not come to its end.
        """
        upstream, ours = self.lists(suite)
        expected_before, before = read_ids(upstream), read_ids(ours)
        self._run(suite, "--refresh-upstream", upstream, label)
        status = self._run(suite, "--update", ours, label)
        expected, passing = read_ids(upstream), read_ids(ours)
        lost = (before & expected) - passing
        write_ids(ours, passing | lost, label)
        return SuiteResult(
            suite=suite,
            upstream=len(expected),
            here=len(passing & expected),
            lost=sorted(lost),
            asked=sorted(expected - expected_before - passing),
            gained=sorted(passing - before),
            gone=sorted(before - expected),
            flaky=status != 0,
        )

    def _run(self, suite: str, option: str, written: Path, label: str) -> int:
        """Run the suite on one side; it ends with 1 also when it wrote its list."""
        say(f"the suite of {suite}: {option}")
        command = [sys.executable, "-m", "tests.conformance", "--suite", suite, option]
        process = subprocess.Popen([*command, "--jobs", str(self.jobs)], cwd=self.root)
        try:
            status = process.wait()
        finally:
            process.terminate()
            process.wait()
        if status not in (0, 1) or read_header(written) != label:
            raise NotJudged(f"the suite of {suite} ended with status {status} ({option})")
        return status
