"""The conformance run's own tools: id lists, ledger, verdict, what a record says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance.ids import read_header, read_ids, write_ids
from tests.conformance.ledger import Entry, stale, uncovered
from tests.conformance.outcomes import read_outcomes
from tests.conformance.suite import Suite
from tests.conformance.verdict import judge, updated_passing

IDS = {"test_a.py::test_x", "test_a.py::test_y[a-b]", "test_a.py::test_y[c d]", "test_b.py::test_x"}


def record(path: Path, *entries: tuple[str, str, str]) -> Path:
    lines = [
        {"id": f"tests/{test}", "when": when, "outcome": outcome, "seconds": 0, "message": "why"}
        for test, when, outcome in entries
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_id_lists_survive_being_written(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    write_ids(path, IDS, "pins")
    assert read_ids(path) == IDS
    assert read_header(path) == "pins"


def test_an_id_that_would_be_lost_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        write_ids(tmp_path / "ids.txt", {"test_a.py::test_x[a] [b]"}, "")


def test_a_list_that_cannot_be_written_stays_what_it_was(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    write_ids(path, IDS, "pins")
    for ids in ({"test_a.py::test_x[a] [b]"}, set()):
        with pytest.raises(ValueError):
            write_ids(path, ids, "other pins")
    assert (read_ids(path), read_header(path)) == (IDS, "pins")
    assert [item.name for item in tmp_path.iterdir()] == ["ids.txt"]


def test_a_ledger_pattern_takes_brackets_literally() -> None:
    entry = Entry(("test_a.py::test_y[a*",), "not yet", "why")
    assert entry.covers("test_a.py::test_y[a-b]")
    assert not entry.covers("test_a.py::test_y[c d]")
    assert uncovered(IDS, [entry]) == sorted(IDS - {"test_a.py::test_y[a-b]"})
    assert stale([entry], {"test_a.py::test_x"}) == [entry]


def test_a_test_that_fails_in_teardown_has_not_passed(tmp_path: Path) -> None:
    path = record(
        tmp_path / "run.jsonl",
        ("test_a.py::test_x", "call", "passed"),
        ("test_a.py::test_x", "teardown", "failed"),
        ("test_b.py::test_x", "call", "passed"),
        ("test_c.py", "collect", "failed"),
    )
    outcomes = read_outcomes(path)
    assert outcomes.passed == {"test_b.py::test_x"}
    assert outcomes.reason("test_c.py::test_z") == "why"


def test_a_run_is_held_against_both_lists(tmp_path: Path) -> None:
    suite = Suite(tmp_path)
    write_ids(suite.upstream_passing, IDS, "")
    write_ids(suite.passing, {"test_a.py::test_x", "test_b.py::test_x"}, "")
    run = record(
        tmp_path / "run.jsonl",
        ("test_a.py::test_x", "call", "failed"),
        ("test_a.py::test_y[a-b]", "call", "passed"),
    )

    def judged(test_id: str) -> bool:
        return test_id.startswith("test_a.py")

    verdict = judge(suite, read_outcomes(run), judged)
    assert verdict.lost == {"test_a.py::test_x"}
    assert verdict.gained == {"test_a.py::test_y[a-b]"}
    updated = updated_passing(suite, verdict, judged)
    assert updated == {"test_a.py::test_y[a-b]", "test_b.py::test_x"}
