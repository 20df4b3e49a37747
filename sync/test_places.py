"""The places that repeat the pins and the lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.made_up import LABEL, make_checkout
from sync.pins import Pins, read_pins
from sync.places import SUITES, made_from, statements


@pytest.fixture
def pins(tmp_path: Path) -> Pins:
    """The pins of a checkout in which every place agrees."""
    make_checkout(tmp_path)
    return read_pins(tmp_path / "sync/upstream.toml")


def test_what_agrees_holds(tmp_path: Path, pins: Pins) -> None:
    assert all(place.holds() for place in statements(tmp_path, pins))
    assert {label for _, label in made_from(tmp_path)} == {LABEL}


def test_another_version_is_found_and_put_right(tmp_path: Path, pins: Pins) -> None:
    version = tmp_path / "langgraph-py/python/langgraph_rust/version.py"
    version.write_text('__version__ = "0.1"\n')
    wrong = [place for place in statements(tmp_path, pins) if not place.holds()]
    assert [place.path for place in wrong] == [version]
    wrong[0].write()
    assert version.read_text() == '__version__ = "1.0.0"\n'


def test_the_next_version_names_the_releases_it_follows(tmp_path: Path, pins: Pins) -> None:
    versions = tmp_path / "docs" / "versions.md"
    assert versions.read_text() == "| next | 1.0.0 | 1.0.0 | 1.0.0 |\n"


def test_other_counts_are_found(tmp_path: Path, pins: Pins) -> None:
    counts = tmp_path / SUITES / "README.md"
    counts.write_text("| langgraph | 2 | 1 | 1 |")
    wrong = [place for place in statements(tmp_path, pins) if not place.holds()]
    assert [place.path for place in wrong] == [counts]
    wrong[0].write()
    assert "| langgraph | 2 | 2 | 0 |" in counts.read_text()


def test_a_place_that_is_gone_is_an_error(tmp_path: Path, pins: Pins) -> None:
    version = tmp_path / "langgraph-py/python/langgraph_rust/version.py"
    version.write_text("nothing")
    place = next(p for p in statements(tmp_path, pins) if p.path == version)
    assert not place.holds()
    with pytest.raises(ValueError, match="0 places"):
        place.write()


def test_a_list_of_other_pins_is_seen(tmp_path: Path, pins: Pins) -> None:
    stale = tmp_path / SUITES / "langgraph" / "passing.txt"
    stale.write_text("#! langgraph==0.9\n# test_a.py\ntest_stays\n")
    assert [path for path, label in made_from(tmp_path) if label != pins.label()] == [stale]
