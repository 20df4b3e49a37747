"""Compare a run with what upstream passes and with what passed here before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.conformance.ids import read_ids
from tests.conformance.outcomes import Outcomes
from tests.conformance.suite import Suite


@dataclass(frozen=True)
class Verdict:
    """The run in terms of the tests it was expected to pass."""

    expected: frozenset[str]
    """What upstream passes, of the selected files, and can be run here."""
    passing: frozenset[str]
    """Expected tests that pass here."""
    lost: frozenset[str]
    """Listed in `passing.txt`, and not passing now."""
    gained: frozenset[str]
    """Passing now, and not listed in `passing.txt`."""

    @property
    def failing(self) -> set[str]:
        """Expected tests that do not pass here."""
        return set(self.expected - self.passing)


def judge(suite: Suite, outcomes: Outcomes, judged: Callable[[str], bool]) -> Verdict:
    """Compare `outcomes` with the suite's lists, as far as a test is to be `judged`."""
    expected = set(filter(judged, read_ids(suite.upstream_passing)))
    listed = set(filter(judged, read_ids(suite.passing)))
    passing = expected & outcomes.passed
    return Verdict(
        expected=frozenset(expected),
        passing=frozenset(passing),
        lost=frozenset(listed - passing),
        gained=frozenset(passing - listed),
    )


def updated_passing(suite: Suite, verdict: Verdict, judged: Callable[[str], bool]) -> set[str]:
    """The new content of `passing.txt`: what was judged is replaced, the rest kept."""
    return {i for i in read_ids(suite.passing) if not judged(i)} | verdict.passing
