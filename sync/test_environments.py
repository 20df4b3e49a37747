"""Which examples share an environment."""

from __future__ import annotations

from pathlib import Path

from sync.environments import Environment, example_environment
from sync.pins import ROOT


def test_examples_that_name_the_same_share_one(tmp_path: Path) -> None:
    first = example(tmp_path / "first", "# Why.\nidna==3.20\nsniffio==1.3.1\n")
    second = example(tmp_path / "second", "sniffio==1.3.1\n\nidna==3.20\n")
    assert first == second


def test_another_version_is_another_environment(tmp_path: Path) -> None:
    first = example(tmp_path / "first", "idna==3.20\n")
    second = example(tmp_path / "second", "idna==3.19\n")
    assert first.path != second.path


def test_the_examples_need_two() -> None:
    # Those that are run on LangGraph as well.
    folders = [path.parent for path in (ROOT / "examples").glob("*/output.txt")]
    assert len({example_environment(folder) for folder in folders}) == 2


def example(folder: Path, requirements: str) -> Environment:
    """The environment of an example that names these requirements."""
    folder.mkdir()
    (folder / "requirements.txt").write_text(requirements)
    return example_environment(folder)
