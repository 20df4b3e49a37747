"""What is unpacked of a source distribution, and where environments lie."""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path

import pytest

from sync.artifacts import _unpack
from sync.environments import our_environment
from sync.pins import CORE, load_pins


def archive(folder: Path, *files: str) -> Path:
    path = folder / "up-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for file in files:
            tar.addfile(tarfile.TarInfo(f"up-1.0/{file}"), io.BytesIO())
    return path


def test_only_what_tests_need_is_unpacked(tmp_path: Path) -> None:
    files = ("up/__init__.py", "tests/test_a.py", "bench/__main__.py", "pyproject.toml", "LICENSE")
    target = tmp_path / "suites" / "up-1.0"
    _unpack(archive(tmp_path, *files), target)
    found = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert found == {"tests/test_a.py", "bench/__main__.py", "pyproject.toml"}


def test_a_source_distribution_without_tests_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="has no tests"):
        _unpack(archive(tmp_path, "pyproject.toml"), tmp_path / "up-1.0")
    assert not (tmp_path / "up-1.0").exists()


def test_every_suite_is_of_a_pinned_distribution() -> None:
    pins = load_pins()
    assert CORE in pins.sdists and pins.sdists.keys() <= pins.distributions.keys()


def test_each_interpreter_has_environments_of_its_own() -> None:
    usual, other = our_environment(), our_environment(Path("/opt/other/python3"))
    assert usual == our_environment(Path(sys.executable))
    assert other.path.name == f"{usual.path.name}-opt-other"
