"""Run the program along each route, and keep what it told and what it stored after every turn."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sync.environments import our_environment, upstream_environment
from tests.continuity.cases import TURNS, Case
from tests.continuity.rows import Names, settled_rows

PROGRAM = Path(__file__).with_name("program.py")
SECONDS = 120
"""More than ten times what one process takes."""

OURS, UPSTREAM = "ours", "upstream"
KEPT = "ours with upstream's savers"
SIBLINGS = ("sqlite", "postgres")
"""The modules with upstream's savers, of `langgraph.checkpoint`."""

ROUTES = {
    "upstream": (UPSTREAM,) * TURNS,
    "ours": (OURS,) * TURNS,
    "upstream begins": (UPSTREAM, OURS) * (TURNS // 2),
    "ours begins": (OURS, UPSTREAM) * (TURNS // 2),
    "savers change": (KEPT, OURS) * (TURNS // 2),
}
"""Who takes which turn."""


@dataclass
class Journey:
    """What became of the threads of one route: reports and rows, by turn."""

    reports: list[dict[str, Any]] = field(default_factory=list)
    stored: list[dict[str, list[tuple]]] = field(default_factory=list)

    def before(self, case: Case, turn: int) -> list[str]:
        """What whoever took `turn` saw of the thread before; beyond the last turn, the other."""
        return self.reports[turn][str(case)]["before"]

    def after(self, case: Case, turn: int) -> list[str]:
        """What whoever took `turn` saw of the thread after it."""
        return self.reports[turn][str(case)]["after"]

    def said(self, case: Case, turn: int) -> list[str]:
        """What `turn` returned or raised, and which nodes ran."""
        return list(map(Names().text, self.reports[turn][str(case)]["said"]))

    def crashes(self, case: Case) -> list[str]:
        """Exceptions that are not part of the scenario."""
        reports = [report[str(case)] for report in self.reports]
        return [report["crash"] for report in reports if "crash" in report]

    def rows(self, case: Case, turn: int) -> list[tuple]:
        """The thread's rows after `turn`, without what is random."""
        return self.stored[turn].get(str(case), [])


def travel(folder: Path, choice: str, new: Callable[[], str]) -> dict[str, Journey]:
    """Take every turn of every route, upstream and we side by side.

    Args:
        folder: Where reports go.
        choice: Which cases, of `CHOICES`.
        new: Makes an empty database, and returns its path or how to connect to it.
    """
    journeys = {route: Journey() for route in ROUTES}
    databases = {new(): route for route in ROUTES}
    for turn in range(TURNS + 1):
        programs = []
        for number, side in enumerate((UPSTREAM, OURS, KEPT)):
            chosen = [name for name, route in databases.items() if _who(route, turn) == side]
            report = folder / f"{number}-{turn}.json"
            name = str(turn) if turn < TURNS else "look"
            if chosen:
                programs.append((_start(side, [name, report, choice, *chosen], folder), report))
        for process, report in programs:
            wait(process)
            for database, told in json.loads(report.read_text()).items():
                journeys[databases[database]].reports.append(told)
        for database, route in databases.items():
            journeys[route].stored.append(settled_rows(database))
    return journeys


def _who(route: str, turn: int) -> str:
    """Who takes a turn; at the end the one looks who did not take the last."""
    sides = ROUTES[route]
    if turn < TURNS:
        return sides[turn]
    return UPSTREAM if sides[-1] == OURS else OURS


def _start(side: str, arguments: list[str | Path], folder: Path) -> subprocess.Popen[str]:
    python = (upstream_environment() if side == UPSTREAM else our_environment()).python
    if not python.exists():
        raise RuntimeError(f"{python} does not exist; `make continuity` sets it up")
    drop_in = [] if side == UPSTREAM else ["-m", "langgraph_rust"]
    return subprocess.Popen(
        list(map(str, [python, *drop_in, PROGRAM, *arguments])),
        cwd=folder,
        env=environment_variables() | (_with_siblings(folder) if side == KEPT else {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait(process: subprocess.Popen[str]) -> None:
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except BaseException:
        process.kill()
        raise
    if process.returncode:
        raise RuntimeError(f"the program failed ({process.returncode}):\n{output}")


def environment_variables() -> dict[str, str]:
    """The caller's without settings of LangGraph's; sets are encoded in the order of hashes."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LANG", "PYTEST_"))}
    return kept | {"PYTHONHASHSEED": "0", "LANG": "C.UTF-8"}


def _with_siblings(folder: Path) -> dict[str, str]:
    """What has this package leave upstream's savers in place, and find them."""
    (packages,) = upstream_environment().path.glob("lib/python*/site-packages")
    parent = Path("langgraph", "checkpoint")
    own = folder / "siblings"
    if not own.exists():
        (own / parent).mkdir(parents=True)
        for name in SIBLINGS:
            (own / parent / name).symlink_to(packages / parent / name)
    paths = [str(own), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        "PYTHONPATH": os.pathsep.join(paths),
        "LANGGRAPH_RUST_KEEP": ",".join(f"langgraph.checkpoint.{name}" for name in SIBLINGS),
    }
