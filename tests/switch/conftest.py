"""The two environments, and a way to run something in one of them."""

from __future__ import annotations

import os
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from sync.environments import switch_environment

OURS, UPSTREAMS = "langgraph_rust.graph.state", "langgraph.graph.state"


@dataclass(frozen=True)
class Place:
    """An environment, and a folder to run programs in."""

    python: Path
    folder: Path
    has_upstream: bool

    def run(
        self, *arguments: str, switch: str | None = None, stdin: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the environment's Python, with `LANGGRAPH_RUST` as given and nothing else of ours."""
        return self.run_command(self.python, *arguments, switch=switch, stdin=stdin, **variables)

    def run_command(
        self,
        command: Path,
        *arguments: str,
        switch: str | None = None,
        stdin: str = "",
        **variables: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment's."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "PYTEST", "LANGGRAPH"))
        }
        if switch is not None:
            kept["LANGGRAPH_RUST"] = switch
        return subprocess.run(
            [command, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self.folder,
            input=stdin,
            env={**kept, **variables},
        )

    def write(self, name: str, text: str) -> str:
        """Write a program into the folder; return its name."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return name

    def command(self, name: str) -> Path:
        """Where a console script of the environment's is."""
        return self.python.with_name(name)


@pytest.fixture(params=[False, True], ids=["alone", "beside upstream"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Each environment in turn."""
    return Place(switch_environment(with_upstream=request.param).python, tmp_path, request.param)


@pytest.fixture
def beside(tmp_path: Path) -> Place:
    """The environment that has upstream, too."""
    return Place(switch_environment(with_upstream=True).python, tmp_path, True)
