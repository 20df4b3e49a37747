"""What a run of the suite did, test by test."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

SUITE_PREFIX = "tests/"
"""The suite's folder; ids are kept without it."""


@dataclass
class Outcomes:
    """The tests of one run by outcome, and the files that could not be imported."""

    passed: set[str] = field(default_factory=set)
    skipped: dict[str, str] = field(default_factory=dict)
    """Test id, or a file that skips itself, to the reason it gave."""
    failed: dict[str, str] = field(default_factory=dict)
    """Test id to the first line of its error."""
    retries: dict[str, int] = field(default_factory=dict)
    """Failed test to how many more tries it gets: one, or as many as upstream gives it."""
    broken_files: dict[str, str] = field(default_factory=dict)
    """File to why it was not collected."""
    seconds: dict[str, float] = field(default_factory=dict)
    flaky: dict[str, str] = field(default_factory=dict)
    """Tests that passed only when tried again, to the first line of their first try's error."""
    collected: set[str] = field(default_factory=set)
    """What pytest set out to run."""
    finished: bool = False
    """Whether pytest came to the end of its session."""

    def reason(self, test_id: str) -> str:
        """Why an expected test did not pass, in one line."""
        file = test_id.partition("::")[0]
        for skipped in {test_id, file} & self.skipped.keys():
            return f"skipped: {self.skipped[skipped]}"
        return self.failed.get(test_id) or self.broken_files.get(file) or "not run"

    @property
    def unreported(self) -> set[str]:
        """Tests that were to be run and of which nothing was heard."""
        return self.collected - self.passed - self.skipped.keys() - self.failed.keys()

    def absorb_retry(self, retried: Outcomes) -> None:
        """Count a test that failed and passed when run again as passed, and as flaky."""
        for test_id in retried.passed & self.failed.keys():
            self.flaky[test_id] = self.failed.pop(test_id)
            self.passed.add(test_id)


def read_outcomes(record: Path) -> Outcomes:
    """Read what the recorder plugin wrote. A test has passed when no phase of it failed."""
    outcomes = Outcomes()
    for entry in _entries(record):
        if entry["when"] == "collected":
            outcomes.collected |= {_without_folder(test_id) for test_id in entry["ids"]}
        elif entry["when"] == "finish":
            outcomes.finished = True
        else:
            _take_report(outcomes, _without_folder(entry["id"]), entry)
    outcomes.passed -= outcomes.failed.keys()
    return outcomes


def _take_report(outcomes: Outcomes, test_id: str, entry: dict) -> None:
    if entry["outcome"] in ("skipped", "xfailed"):
        outcomes.skipped[test_id] = entry.get("message", "it is expected to fail")
    elif entry["when"] == "collect":
        outcomes.broken_files[test_id] = entry.get("message", "")
    elif entry["outcome"] == "failed":
        outcomes.failed[test_id] = entry.get("message", "")
        outcomes.retries[test_id] = entry.get("retries", 1)
    else:
        outcomes.passed.add(test_id)
    outcomes.seconds[test_id] = entry["seconds"]


def _without_folder(test_id: str) -> str:
    return test_id.removeprefix(SUITE_PREFIX)


def _entries(record: Path) -> Iterable[dict]:
    """The complete lines; the last may be cut off when the run was killed."""
    if not record.exists():
        return
    for line in record.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            return
