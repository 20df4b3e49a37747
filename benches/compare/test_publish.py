"""What the README and the page of all benchmarks say of the stored results."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from benches.compare.__main__ import PUBLISHED
from benches.compare.cases import all_cases
from benches.compare.publish import PAGE, README, SHOWN, publish


def row(case: str, speedup: float, **more: Any) -> dict[str, Any]:
    measured = {
        "case": case,
        "mode": "sync",
        "unit": "step",
        "speedup": [speedup, 1.0, 9.0],
        "processor_speedup": 6.5,
        "same_result": True,
        "over_floor": 2.0,
        "processor_over_floor": 2.5,
        "us_per_step": 3.0,
        "us_per_step_others": {},
        "errors": {},
    }
    return measured | more


DOCUMENT = {
    "pins": "langgraph==1.2.3 langgraph-prebuilt==1.1.0 langchain-core==1.4.5",
    "machine": {"python": "3.11.1", "cpus": 2},
    "rounds": 3,
    "rows": [
        row("chain_100", 7.0, us_per_step_others={"agno": 26.61, "burr": 52.0}),
        row("react_agent_10x", 1.25),
        row("react_agent_100x", 1.5, errors={"accelerated": "cannot"}),
        row("wrong", 100.0, same_result=False),
    ],
    "cold_start": {"ratio": 11.0},
    "fsyncs": {"ours": {"1 thread": 1.0, "8 threads": 0.4}},
}
README_TEXT = (
    "is <!-- agents:begin --><!-- agents:end --> so\n<!-- bench:begin --><!-- bench:end -->\n"
)
PAGE_TEXT = "<!-- bench:begin -->old<!-- bench:end -->\n"


@pytest.fixture
def readme(tmp_path: Path) -> Path:
    path = tmp_path / "README.md"
    path.write_text(README_TEXT)
    return path


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "benchmarks.md"
    path.write_text(PAGE_TEXT)
    return path


def test_the_readme_has_the_chosen_rows_in_plain_words(readme: Path, page: Path) -> None:
    publish(DOCUMENT, readme, page)
    said = readme.read_text()
    assert "| a chain of nodes that do nothing, a step | sync | 7.0 (1.0-9.0) | 6.5 | 3.0 |" in said
    assert "| from starting Python to the first result |  | 11.0 |  |  |" in said
    assert "react_agent_100x" not in said
    assert "is <!-- agents:begin -->1.2 to 1.5<!-- agents:end --> so" in said


def test_the_page_has_every_row_with_its_floor_and_the_peers(readme: Path, page: Path) -> None:
    publish(DOCUMENT, readme, page)
    said = page.read_text()
    assert (
        "| chain_100 | sync | 7.0 (1.0-9.0) | 6.5 | 2.0 | 2.5 | 3.0 | step | agno 26.6, burr 52.0 |"
    ) in said
    assert "| react_agent_100x | sync |" in said
    assert "| ours | 1.0 | 0.40 |" in said
    assert "- react_agent_100x, sync: accelerated: cannot" in said
    assert "old" not in said


def test_rows_that_did_something_else_are_not_shown(readme: Path, page: Path) -> None:
    publish(DOCUMENT, readme, page)
    assert "wrong" not in page.read_text()


def test_both_say_what_was_measured_against(readme: Path, page: Path) -> None:
    publish(DOCUMENT, readme, page)
    for path in (readme, page):
        versions = "langgraph 1.2.3 with langchain-core 1.4.5, on CPython 3.11.1"
        assert f"Measured against {versions}" in path.read_text()


def test_a_text_without_its_places_is_an_error_and_nothing_is_written(
    readme: Path, page: Path
) -> None:
    page.write_text("nothing")
    with pytest.raises(ValueError, match="bench:begin"):
        publish(DOCUMENT, readme, page)
    assert readme.read_text() == README_TEXT
    assert page.read_text() == "nothing"


def test_the_rows_of_the_readme_are_cases() -> None:
    cases = all_cases()
    assert [pair for pair in SHOWN if pair[1] not in cases[pair[0]].modes] == []


def test_the_repository_says_what_is_stored(tmp_path: Path) -> None:
    copies = [Path(shutil.copy2(path, tmp_path)) for path in (README, PAGE)]
    publish(json.loads(PUBLISHED.read_text(encoding="utf-8")), *copies)
    for copy, original in zip(copies, (README, PAGE), strict=True):
        assert copy.read_text(encoding="utf-8") == original.read_text(encoding="utf-8")
