"""Run the programs along each route, and keep what they told and what they stored."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sync.environments import our_environment, upstream_environment
from sync.pins import ROOT
from tests.continuity.front.cases import CHOICES, TURNS, Case
from tests.continuity.routes import environment_variables, wait
from tests.continuity.rows import Names, settled_rows

PROGRAM = Path(__file__).with_name("program.py")
PACKAGE = "langgraph-continuity"

UPSTREAM, OURS, RUST = "upstream", "ours", "rust"

ROUTES = {
    "upstream": (UPSTREAM,) * TURNS,
    "ours": (OURS,) * TURNS,
    "rust": (RUST,) * TURNS,
    "rust begins, upstream goes on": (RUST, UPSTREAM) * (TURNS // 2),
    "upstream begins, rust goes on": (UPSTREAM, RUST) * (TURNS // 2),
    "rust begins, ours goes on": (RUST, OURS) * (TURNS // 2),
    "ours begins, rust goes on": (OURS, RUST) * (TURNS // 2),
}
"""Who takes which turn."""


@dataclass
class Journey:
    """What became of the threads of one route: reports and rows, by turn."""

    reports: list[dict[str, Any]] = field(default_factory=list)
    stored: list[dict[str, list[tuple]]] = field(default_factory=list)

    def before(self, case: Case, turn: int) -> list[str]:
        """What whoever took `turn` saw of the thread before; beyond the last turn, another side."""
        return _lines(self.reports[turn][str(case)]["before"])

    def after(self, case: Case, turn: int) -> list[str]:
        """What whoever took `turn` saw of the thread after it."""
        return _lines(self.reports[turn][str(case)]["after"])

    def said(self, case: Case, turn: int) -> list[str]:
        """What `turn` returned or failed with, and which nodes ran."""
        return list(map(Names().text, _lines(self.reports[turn][str(case)]["said"])))

    def crashes(self, case: Case) -> list[str]:
        """Errors that are not part of the scenario."""
        reports = [report[str(case)] for report in self.reports]
        return [report["crash"] for report in reports if "crash" in report]

    def rows(self, case: Case, turn: int) -> list[tuple]:
        """The thread's rows after `turn`, without what is random, and with sets in order."""
        return [_with_sorted_sets(row) for row in self.stored[turn].get(str(case), [])]


def _lines(seen: list[Any]) -> list[str]:
    """Each thing on a line; the order of what has names does not count."""
    return [json.dumps(thing, sort_keys=True) for thing in seen]


_SET = re.compile(rb"\xa8builtins\xa3set([\x90-\x9f])")
"""How a set begins that has less than 16 items."""


def _with_sorted_sets(row: tuple) -> tuple:
    """The row, with the names in sets in order: Python's have that of their hashes."""
    return type(row)(*(_sorted(part) if isinstance(part, bytes) else part for part in row))


def _sorted(data: bytes) -> bytes:
    for found in _SET.finditer(data):
        names, place = [], found.end()
        for _ in range(found[1][0] & 0x0F):
            end = place + 1 + (data[place] & 0x1F)
            names.append(data[place:end])
            place = end
        data = data[: found.end()] + b"".join(sorted(names)) + data[place:]
    return data


def rust_program() -> Path:
    """The Rust program, built."""
    build = ["cargo", "build", "--quiet", "--package", PACKAGE]
    messages = ["--message-format", "json-render-diagnostics"]
    result = subprocess.run([*build, *messages], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if result.returncode:
        raise RuntimeError("the Rust program did not build")
    built = [json.loads(line).get("executable") for line in result.stdout.splitlines()]
    return Path(next(path for path in built if path))


def travel(folder: Path, rust: Path, choice: str, new: Callable[[], str]) -> dict[str, Journey]:
    """Take every turn of every route, the sides beside each other.

    Args:
        folder: Where reports go.
        rust: The Rust program.
        choice: Which cases, of `CHOICES`.
        new: Makes an empty database, and returns its path or how to connect to it.
    """
    commands = {
        UPSTREAM: [upstream_environment().python, PROGRAM],
        OURS: [our_environment().python, "-m", "langgraph_rust", PROGRAM],
        RUST: [rust],
    }
    journeys = {route: Journey() for route in ROUTES}
    databases = {new(): route for route in ROUTES}
    names = ",".join(map(str, CHOICES[choice]))
    for turn in range(TURNS + 1):
        programs = []
        for side, command in commands.items():
            chosen = [name for name, route in databases.items() if _who(route, turn) == side]
            report = folder / f"{side}-{turn}.json"
            words = [str(turn) if turn < TURNS else "look", report, names]
            if chosen:
                programs.append((_start([*command, *words, *chosen], folder), report))
        for process, report in programs:
            wait(process)
            for database, told in json.loads(report.read_text()).items():
                journeys[databases[database]].reports.append(told)
        for database, route in databases.items():
            journeys[route].stored.append(settled_rows(database))
    return journeys


def _who(route: str, turn: int) -> str:
    """Who takes a turn; at the end one looks who did not take the last."""
    sides = ROUTES[route]
    if turn < TURNS:
        return sides[turn]
    return UPSTREAM if sides[-1] == RUST else RUST


def _start(command: list[str | Path], folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        list(map(str, command)),
        cwd=folder,
        env=environment_variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
