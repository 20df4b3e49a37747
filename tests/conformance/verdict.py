"""Compare a run with what upstream passes and with what passed here before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.conformance.ids import file_of, read_ids
from tests.conformance.outcomes import Outcomes

FOLDER = Path(__file__).parent
UPSTREAM_PASSING = FOLDER / "upstream-passing.txt"
PASSING = FOLDER / "passing.txt"


@dataclass(frozen=True)
class Verdict:
    """The run in terms of the tests it was expected to pass."""

    expected: frozenset[str]
    """What upstream passes, of the selected files."""
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


def judge(outcomes: Outcomes, files: list[str]) -> Verdict:
    """Compare `outcomes` with the stored lists, for `files` only when there are any."""
    expected = _selected(read_ids(UPSTREAM_PASSING), files)
    listed = _selected(read_ids(PASSING), files)
    passing = expected & outcomes.passed
    return Verdict(
        expected=frozenset(expected),
        passing=frozenset(passing),
        lost=frozenset(listed - passing),
        gained=frozenset(passing - listed),
    )


def updated_passing(verdict: Verdict, files: list[str]) -> set[str]:
    """The new content of `passing.txt`: this run's files replaced, the others kept."""
    listed = read_ids(PASSING)
    return (listed - _selected(listed, files)) | verdict.passing


def _selected(ids: set[str], files: list[str]) -> set[str]:
    return {i for i in ids if file_of(i) in files} if files else ids
