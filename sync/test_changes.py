"""Changes that stand or fall together, and new values in the pins' text."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.update.checkout import UNDO, Change
from sync.update.pinning import repin

TEXT = '# head\n[a]\none = "1"  # why\n"two[x]" = "2"\n\n[b]\nalpha = "1"\ngamma = "3"\n'


def written(root: Path) -> Change:
    """A change of one file that was there and one that was not, which nothing ended."""
    (root / "old").write_text("before")
    change = Change(root)
    change.write(root / "old", "after")
    change.write(root / "folder" / "new", "after")
    return change


def test_a_change_that_is_kept_says_which_files_it_changed(tmp_path: Path) -> None:
    (tmp_path / "same").write_text("same")
    with Change(tmp_path) as change:
        change.write(tmp_path / "same", "same")
        change.write(tmp_path / "new", "new")
        assert change.keep() == [Path("new")]
    assert not (tmp_path / UNDO).exists()


def test_a_change_that_fails_is_undone(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("before")
    with pytest.raises(KeyError), Change(tmp_path) as change:
        change.write(tmp_path / "old", "after")
        change.write(tmp_path / "old", "later")
        change.write(tmp_path / "new", "after")
        raise KeyError
    assert (tmp_path / "old").read_text() == "before" and not (tmp_path / "new").exists()


def test_a_change_of_a_process_that_died_is_undone_by_the_next(tmp_path: Path) -> None:
    written(tmp_path)
    with Change(tmp_path):
        assert (tmp_path / "old").read_text() == "before"
        assert not (tmp_path / "folder" / "new").exists()


def test_pins_keep_their_order_and_comments() -> None:
    changes = {"a": {"one": "9", "two": "8"}, "b": {"gamma": "7", "beta.x": "2"}}
    assert repin(TEXT, changes, "b") == (
        '# head\n[a]\none = "9"  # why\n"two[x]" = "8"\n\n'
        '[b]\nalpha = "1"\nbeta-x = "2"\ngamma = "7"\n'
    )


def test_a_pin_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="three"):
        repin(TEXT, {"a": {"three": "3"}})
