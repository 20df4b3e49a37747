"""Print a verdict: the table per file, what was lost and gained, and what nobody accounts for."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.conformance.ids import file_of
from tests.conformance.ledger import Entry, stale, uncovered
from tests.conformance.outcomes import Outcomes
from tests.conformance.suite import Suite
from tests.conformance.verdict import Verdict

LIGHTS = {"red": "31", "yellow": "33", "green": "32"}
SHOWN = 20
"""How many ids a list shows before it says how many more there are."""


def print_table(suite: Suite, verdict: Verdict, outcomes: Outcomes) -> None:
    """One line per file: its light, passed of what upstream passes, why it was not collected."""
    expected = Counter(map(file_of, verdict.expected))
    passing = Counter(map(file_of, verdict.passing))
    width = max(map(len, expected), default=0)
    for file in sorted(expected):
        light = _light(passing[file], expected[file])
        note = outcomes.broken_files.get(file, "")[:100]
        counts = f"{passing[file]:5}/{expected[file]:<5}"
        print(f"{_coloured(light)} {file:{width}} {counts} {note}".rstrip())
    lights = Counter(_light(passing[file], expected[file]) for file in expected)
    summary = ", ".join(f"{lights[light]} {light}" for light in LIGHTS)
    total, share = len(verdict.passing), _percent(len(verdict.passing), len(verdict.expected))
    of = f"{total} of {len(verdict.expected)} pass"
    print(f"conformance: {suite.name}: {of} ({share}); files: {summary}")


def print_changes(verdict: Verdict, outcomes: Outcomes) -> None:
    """What passes now and is not listed yet, and what is listed and does not pass."""
    if verdict.gained:
        print(f"{len(verdict.gained)} newly passing (`make conformance-update` lists them):")
        _print_ids(sorted(verdict.gained))
    if verdict.lost:
        print(f"{len(verdict.lost)} LISTED IN passing.txt DO NOT PASS:")
        _print_ids(f"{i}: {outcomes.reason(i)}" for i in sorted(verdict.lost))


def print_faults(suite: Suite, verdict: Verdict, outcomes: Outcomes) -> None:
    """What makes the run fail, in lines of their own that a log can be searched for."""
    for test_id in sorted(verdict.lost):
        print(f"conformance: {suite.name}: LOST {test_id}: {outcomes.reason(test_id)}")
    for test_id in uncovered(outcomes.flaky, suite.flaky):
        first = outcomes.flaky[test_id]
        print(f"conformance: {suite.name}: FLAKY, NOT LISTED {test_id}: first {first}")


def print_skipped(suite: Suite, outcomes: Outcomes) -> None:
    """What was skipped, by the reason that the test gave, or that the machine is."""
    for reason, count in Counter(outcomes.skipped.values()).most_common():
        print(f"conformance: {suite.name}: {count} skipped: {reason}")


def print_flaky(outcomes: Outcomes, flaky: list[Entry]) -> None:
    """What passed only at the second try, with the first try's error, and what is known of it."""
    if not outcomes.flaky:
        return
    missing = set(uncovered(outcomes.flaky, flaky))
    print(f"{len(outcomes.flaky)} FLAKY, passed only at the second try; {len(missing)} not listed:")
    for test_id, message in sorted(outcomes.flaky.items()):
        known = "NOT LISTED in flaky.toml" if test_id in missing else _reason(test_id, flaky)
        print(f"  {test_id}: {known}\n    first: {message}")


def print_ledger(suite: Suite, verdict: Verdict, whole_suite: bool) -> None:
    """How the failing tests are accounted for; stale entries only when everything was run."""
    ledger = suite.ledger
    missing = uncovered(verdict.failing, ledger)
    kinds = Counter(_kind(test, ledger) for test in verdict.failing if test not in set(missing))
    accounted = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()) or "none"
    print(f"ledger: {suite.name}: {accounted}; {len(missing)} not accounted for")
    _print_ids(missing)
    for entry in stale(ledger, verdict.failing) if whole_suite else []:
        print(f"  stale ledger entry, nothing fails for it: {', '.join(entry.tests)}")


def print_failures(outcomes: Outcomes) -> None:
    """Each failed test with its error; for a hand-picked selection."""
    for file, message in sorted(outcomes.broken_files.items()):
        print(f"  {file}: {message}")
    for test_id, message in sorted(outcomes.failed.items()):
        print(f"  {test_id}: {message}")


def write_failures(path: Path, verdict: Verdict, outcomes: Outcomes) -> None:
    """Save every failing test under its error, the most frequent error first."""
    by_reason: dict[str, list[str]] = {}
    for test_id in sorted(verdict.failing):
        by_reason.setdefault(outcomes.reason(test_id), []).append(test_id)
    with path.open("w", encoding="utf-8") as output:
        for reason, tests in sorted(by_reason.items(), key=lambda item: -len(item[1])):
            output.write(f"{len(tests)} x {reason}\n")
            output.writelines(f"    {test}\n" for test in tests)


def _reason(test_id: str, flaky: list[Entry]) -> str:
    return next(f"{entry.kind}: {entry.reason}" for entry in flaky if entry.covers(test_id))


def _kind(test_id: str, ledger: list[Entry]) -> str:
    return next(entry.kind for entry in ledger if entry.covers(test_id))


def _light(passing: int, expected: int) -> str:
    if passing == 0:
        return "red"
    return "green" if passing == expected else "yellow"


def _coloured(light: str) -> str:
    text = f"{light:6}"
    return f"\033[{LIGHTS[light]}m{text}\033[0m" if sys.stdout.isatty() else text


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _print_ids(ids: Iterable[str]) -> None:
    lines = list(ids)
    for line in lines[:SHOWN]:
        print(f"  {line}")
    if len(lines) > SHOWN:
        print(f"  ... and {len(lines) - SHOWN} more")
