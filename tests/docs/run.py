"""Running a page, in a process and a folder of its own."""

from __future__ import annotations

import difflib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import Page, commands, split_output

SECONDS = 120
"""Much more than any page takes."""


@dataclass(frozen=True)
class Side:
    """An engine that runs pages."""

    name: str
    python: Path
    arguments: tuple[str, ...] = ()
    """Between the interpreter and the program."""


@dataclass(frozen=True)
class Ran:
    """What came of a page on a side."""

    printed: list[str]
    wrong: list[str]
    """What is not as the page says."""


def run_page(page: Page, side: Side, *, console: bool) -> Ran:
    """Run a page's program, then its commands if `console` says so."""
    with tempfile.TemporaryDirectory(prefix="docs-") as name:
        folder = Path(name)
        page.write_files(folder)
        printed, wrong = _run_program(page, side, folder)
        if console and not wrong:
            wrong += _run_commands(page, side, folder)
    return Ran(printed, wrong)


def differences(left: list[str], right: list[str], names: tuple[str, str]) -> list[str]:
    """The lines in which what two sides printed differs."""
    lines = ["".join(parts).splitlines() for parts in (left, right)]
    return list(difflib.unified_diff(*lines, *names, n=1, lineterm=""))


def _run_program(page: Page, side: Side, folder: Path) -> tuple[list[str], list[str]]:
    if not page.parts:
        return [], []
    path = folder / "page.py"
    path.write_text(page.program(), encoding="utf-8")
    ended = _run([side.python, *side.arguments, path], side, folder)
    if ended.returncode:
        said = ended.stderr.splitlines()[-20:]
        return [], [f"on {side.name}, status {ended.returncode}", *said]
    printed = split_output(ended.stdout)
    wrong: list[str] = []
    for block, text, expected in zip(page.parts, printed, page.printed, strict=True):
        if expected is not None and text != expected:
            place = f"line {block.line}", f"on {side.name}"
            wrong += differences([expected], [text], place)
        elif expected is None and text:
            wrong += [f"line {block.line}: what it prints on {side.name} is not on the page:", text]
    return printed, wrong


def _run_commands(page: Page, side: Side, folder: Path) -> list[str]:
    wrong: list[str] = []
    for block in page.of("console"):
        for command, expected in commands(block.text):
            ended = _run(["bash", "-c", command], side, folder)
            if ended.returncode:
                said = ended.stderr.splitlines()[-20:]
                wrong += [f"line {block.line}: {command}: status {ended.returncode}", *said]
            elif expected and ended.stdout != expected:
                wrong += differences([expected], [ended.stdout], (f"line {block.line}", command))
    return wrong


def _run(command: list[str | Path], side: Side, folder: Path) -> subprocess.CompletedProcess[str]:
    """With the side's interpreter first on the path, and none of this process's switches."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LANG")}
    environment["PATH"] = f"{side.python.parent}{os.pathsep}{environment.get('PATH', '')}"
    environment["LANG"] = "C.UTF-8"
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
