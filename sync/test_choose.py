"""Which versions are chosen, what is held back and why, and which pins from elsewhere move."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.made_up import Made, published
from sync.pins import CORE, Pins
from sync.update.choose import Release, find_release, fit_the_rest
from sync.update.index import Refused


def pins(tests: dict[str, str] | None = None, **constraints: str) -> Pins:
    versions = {CORE: "1.0", "side": "1.0"}
    return Pins(versions, tests or {}, {}, {}, constraints, sdists={})


def release(core: str, side: str) -> Release:
    return Release({CORE: core, "side": side}, "", [])


def test_a_core_that_cannot_be_installed_is_held_back(tmp_path: Path) -> None:
    made = [Made(CORE, "1.0"), Made(CORE, "1.1", ("unpublished",)), Made("side", "1.0")]
    found = find_release(published(tmp_path, made), pins())
    assert found.versions == {CORE: "1.0", "side": "1.0"}
    assert [(h.distribution, h.newest, h.chosen) for h in found.held_back] == [(CORE, "1.1", "1.0")]
    assert "ERROR: No matching distribution found for unpublished" in found.held_back[0].why


def test_a_sibling_is_held_back_by_the_core_in_pips_words(tmp_path: Path) -> None:
    made = [Made(CORE, "1.1", ("side<2",)), Made("side", "1.5"), Made("side", "2.0")]
    found = find_release(published(tmp_path, made), pins())
    assert found.versions == {CORE: "1.1", "side": "1.5"}
    words = "\n".join(found.held_back[0].why)
    assert "The conflict is caused by:" in words and "langgraph 1.1 depends on side<2" in words


def test_nothing_moves_backwards(tmp_path: Path) -> None:
    index = published(tmp_path, [Made(CORE, "0.9"), Made("side", "1.0")])
    with pytest.raises(Refused, match=CORE):
        find_release(index, pins())


def test_only_the_pins_that_stand_in_the_way_move(tmp_path: Path) -> None:
    made = [Made(CORE, "1.1", ("helper>=2", "other")), Made("side", "1.0")]
    made += [Made(name, v) for name in ("helper", "other", "tool") for v in ("1.0", "2.0")]
    made.append(Made("tool", "3.0", ("helper>=2",)))
    index = published(tmp_path, made)
    moved = fit_the_rest(
        index, pins({"tool": "1.0"}, helper="1.0", other="1.0"), release("1.1", "1.0")
    )
    assert moved == {"helper": "2.0"}


def test_what_the_suites_import_moves_when_it_must(tmp_path: Path) -> None:
    made = [Made(CORE, "1.1", ("tool>=2",)), Made("side", "1.0"), Made("tool", "1.0")]
    index = published(tmp_path, [*made, Made("tool", "2.0")])
    assert fit_the_rest(index, pins({"tool": "1.0"}), release("1.1", "1.0")) == {"tool": "2.0"}


def test_a_set_with_which_nothing_fits_is_refused(tmp_path: Path) -> None:
    index = published(tmp_path, [Made(CORE, "1.1", ("unpublished",)), Made("side", "1.0")])
    with pytest.raises(Refused, match="unpublished"):
        fit_the_rest(index, pins(other="1.0"), release("1.1", "1.0"))
