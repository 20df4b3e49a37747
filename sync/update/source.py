"""What changed between two releases in what is shipped: lines per file, and requirements."""

from __future__ import annotations

import difflib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path
from typing import Literal

Status = Literal["new", "gone", "changed"]


@dataclass(frozen=True)
class FileChange:
    """How much of a file changed."""

    file: str
    status: Status
    added: int
    removed: int


@dataclass(frozen=True)
class Requirements:
    """The requirements that a distribution has come to state, and those it states no more."""

    added: list[str]
    removed: list[str]


def compare_files(old: dict[str, str], new: dict[str, str]) -> list[FileChange]:
    """The files that differ, by name; lines are counted as a diff shows them."""
    return [
        _file_change(name, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def python_files(wheel: Path) -> dict[str, str]:
    """The Python files in a wheel, by path."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith((".py", ".pyi"))]
        return {name: archive.read(name).decode() for name in names}


def compare_requirements(old: Path, new: Path) -> Requirements:
    """What two wheels of a distribution require differently, Python itself included."""
    before, after = set(_requirements(old)), set(_requirements(new))
    return Requirements(sorted(after - before), sorted(before - after))


def _file_change(name: str, old: str | None, new: str | None) -> FileChange:
    before, after = (old or "").splitlines(), (new or "").splitlines()
    status: Status = "new" if old is None else "gone" if new is None else "changed"
    added = removed = 0
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, first, last, start, end in matcher.get_opcodes():
        if tag != "equal":
            removed += last - first
            added += end - start
    return FileChange(name, status, added, removed)


def _requirements(wheel: Path) -> Iterator[str]:
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    yield from metadata.get_all("Requires-Dist", [])
    if python := metadata["Requires-Python"]:
        yield f"python{python}"
