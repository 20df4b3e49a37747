"""What the README says of the stored results."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benches.compare.__main__ import PUBLISHED
from benches.compare.table import write_readme_table
from sync.pins import ROOT

DOCUMENT = {
    "pins": "langgraph==1.2.3 langgraph-prebuilt==1.1.0 langchain-core==1.4.5",
    "machine": {"python": "3.11.1", "cpus": 2},
    "rounds": 3,
    "rows": [
        {
            "case": case,
            "mode": "sync",
            "speedup": [speedup, 1.0, 9.0],
            "same_result": True,
            "over_floor": 2.0,
            "us_per_step": 3.0,
        }
        for case, speedup in (("chain", 7.0), ("react_agent_10x", 1.25), ("react_agent_100x", 1.5))
    ],
}
MARKED = "is <!-- agents:begin --><!-- agents:end --> so\n<!-- bench:begin --><!-- bench:end -->\n"


def test_the_table_says_what_it_was_measured_against(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(MARKED)
    write_readme_table(readme, DOCUMENT)
    said = readme.read_text()
    assert "| chain | sync | 7.0 (1.0-9.0) | 2.0 | 3.0 |" in said
    assert "Measured against langgraph 1.2.3 with langchain-core 1.4.5, on CPython 3.11.1" in said
    assert "is <!-- agents:begin -->1.2 to 1.5<!-- agents:end --> so" in said


def test_a_readme_without_its_places_is_an_error(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("nothing")
    with pytest.raises(ValueError, match="bench:begin"):
        write_readme_table(readme, DOCUMENT)
    assert readme.read_text() == "nothing"


def test_the_readme_says_what_is_stored(tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    shutil.copy2(ROOT / "README.md", copy)
    write_readme_table(copy, json.loads(PUBLISHED.read_text(encoding="utf-8")))
    assert copy.read_text(encoding="utf-8") == (ROOT / "README.md").read_text(encoding="utf-8")
