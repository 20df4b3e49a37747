"""The ledger: which of upstream's tests do not pass here, and why, and which pass at times."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sync.pins import read_toml

KINDS = ("not yet", "engine-internal", "deliberate difference")
FLAKY_KINDS = ("test", "open")


@dataclass(frozen=True)
class Entry:
    """A group of tests that share a reason for not passing, or for not passing every time."""

    tests: tuple[str, ...]
    kind: str
    reason: str

    def covers(self, test_id: str) -> bool:
        """Whether one of the patterns names this test; ``*`` stands for any text."""
        return any(matches(pattern, test_id) for pattern in self.tests)


def read_ledger(path: Path) -> list[Entry]:
    """The entries of the ledger.

    Raises:
        ValueError: an entry lacks a field or has an unknown kind; the message quotes it.
    """
    return [_entry(raw, KINDS) for raw in read_toml(path).get("entry", [])]


def read_flaky(path: Path) -> list[Entry]:
    """The tests that may pass only at the second try.

    Raises:
        ValueError: as `read_ledger`.
    """
    return [_entry(raw, FLAKY_KINDS) for raw in read_toml(path).get("entry", [])]


def uncovered(tests: Iterable[str], ledger: list[Entry]) -> list[str]:
    """Those of `tests` that no entry names."""
    return sorted(test for test in tests if not any(entry.covers(test) for entry in ledger))


def stale(ledger: list[Entry], failing: set[str]) -> list[Entry]:
    """Entries that no failing test needs any more."""
    return [entry for entry in ledger if not any(entry.covers(test) for test in failing)]


def matches(pattern: str, test_id: str) -> bool:
    """Whether `pattern` names this test; ``*`` stands for any text, brackets for themselves."""
    return re.fullmatch(as_expression(pattern), test_id, re.DOTALL) is not None


def as_expression(pattern: str) -> str:
    """The regular expression that a pattern stands for."""
    return ".*".join(map(re.escape, pattern.split("*")))


def _entry(raw: dict, kinds: tuple[str, ...]) -> Entry:
    missing = {"tests", "kind", "reason"} - raw.keys()
    if missing or raw["kind"] not in kinds:
        raise ValueError(f"entry {raw} needs tests, reason and a kind out of {kinds}")
    return Entry(tuple(raw["tests"]), raw["kind"], raw["reason"])
