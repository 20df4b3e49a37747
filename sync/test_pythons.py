"""Finding interpreters, what their environments need, and reading pytest's last line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sync import pythons
from sync.pins import load_pins

HERE = f"3.{sys.version_info.minor}"


def test_an_interpreter_of_the_version_is_found_where_they_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pythons, "CACHE", tmp_path)
    monkeypatch.setattr(pythons.Path, "home", lambda: tmp_path)
    monkeypatch.setenv("PATH", "")
    assert pythons.find(HERE) is None
    kept = tmp_path / "pythons" / HERE / "bin"
    kept.mkdir(parents=True)
    (kept / f"python{HERE}").symlink_to(sys.executable)
    assert pythons.find(HERE) == kept / f"python{HERE}"


def test_one_of_another_version_or_that_does_not_run_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("3.1.0", "3.1.2"):
        (tmp_path / ".pyenv" / "versions" / name / "bin").mkdir(parents=True)
    (tmp_path / ".pyenv/versions/3.1.0/bin/python").symlink_to(sys.executable)
    (tmp_path / ".pyenv/versions/3.1.2/bin/python").write_text("broken")
    monkeypatch.setattr(pythons, "CACHE", tmp_path)
    monkeypatch.setattr(pythons.Path, "home", lambda: tmp_path)
    assert pythons.find("3.1") is None


def test_the_environments_have_what_the_tests_import_and_no_linters() -> None:
    wanted = pythons.needed(load_pins())
    assert any(need.startswith("pytest>") for need in wanted)
    assert not any(need.startswith(tuple(pythons.TOOLS)) for need in wanted)


def test_the_closing_line_is_the_last_one() -> None:
    output = "1 failed in 1.00s\n...\n== 3 failed, 700 passed, 2 skipped in 61.20s (0:01:01) ==\n"
    assert pythons.summary(output) == "3 failed, 700 passed, 2 skipped"
    assert pythons.summary("killed") == "no result"
