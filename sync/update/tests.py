"""The tests in two source distributions: which are new, gone, or say something else."""

from __future__ import annotations

import ast
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sync.update.source import FileChange, compare_files

TESTS = "tests"


@dataclass(frozen=True)
class SuiteChanges:
    """Test functions by id, parameters left out, and the files beside them that changed."""

    new: list[str]
    gone: list[str]
    changed: list[str]
    count: int
    """How many test functions the new release has."""
    support: list[FileChange]
    """Changed files without tests of their own: fixtures, helpers."""


def compare_tests(old: dict[str, str], new: dict[str, str]) -> SuiteChanges:
    """Hold the tests in the files of two releases against each other."""
    before = {test: text for name, source in old.items() for test, text in _tests(name, source)}
    after = {test: text for name, source in new.items() for test, text in _tests(name, source)}
    both = before.keys() & after.keys()
    with_tests = {test.partition("::")[0] for test in before.keys() | after.keys()}
    return SuiteChanges(
        new=sorted(after.keys() - before.keys()),
        gone=sorted(before.keys() - after.keys()),
        changed=sorted(test for test in both if before[test] != after[test]),
        count=len(after),
        support=[c for c in compare_files(old, new) if c.file not in with_tests],
    )


def suite_files(sdist: Path) -> dict[str, str]:
    """The Python files under a source distribution's `tests/`, by path without that folder."""
    files: dict[str, str] = {}
    with tarfile.open(sdist) as archive:
        for member in archive:
            parts = PurePosixPath(member.name).parts
            if member.isfile() and parts[1:2] == (TESTS,) and member.name.endswith(".py"):
                content = archive.extractfile(member)
                assert content is not None
                files["/".join(parts[2:])] = content.read().decode()
    return files


def _tests(name: str, source: str) -> Iterator[tuple[str, str]]:
    """Each test function of a file, with its syntax tree as text: comments do not count."""
    for node in ast.parse(source).body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() if node.name.startswith("test"):
                yield f"{name}::{node.name}", ast.dump(node)
            case ast.ClassDef() if node.name.startswith("Test"):
                for member in node.body:
                    if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                        if member.name.startswith("test"):
                            yield f"{name}::{node.name}::{member.name}", ast.dump(member)
