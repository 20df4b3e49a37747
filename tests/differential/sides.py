"""The two sides: a process per side that turns programs into transcripts."""

from __future__ import annotations

import json
import os
import select
import subprocess
from dataclasses import dataclass, field
from typing import Any

from sync.environments import our_environment, upstream_environment
from sync.pins import ROOT
from sync.wheel import ready_environment
from tests.differential.endings import DIED, HUNG

UPSTREAM_SECONDS = 20
OUR_SECONDS = 60
"""Programs take up to 8 s, most of it asleep; one that takes longer than this hangs. Upstream does
that at times, and each time is paid for. If this package does, it is a fault, and it should not be
found on a machine that merely has other things to do."""

RUNNER = "tests.differential.runner"
PACKAGE = ROOT / "langgraph-py" / "python"


@dataclass
class Side:
    """A process that runs programs, started when it is needed and again after it died."""

    name: str
    command: list[str]
    variables: dict[str, str]
    seconds: float
    """How long a program may take."""
    _process: subprocess.Popen | None = field(default=None, init=False)

    def run(self, program: dict[str, Any]) -> Any:
        """The program's transcript; if the process hangs or dies, that is the transcript."""
        self.begin(program)
        return self.finish()

    def begin(self, program: dict[str, Any]) -> None:
        """Hand over a program, so that the other side can work at the same time."""
        if self._process is None:
            self._process = self._start()
        try:
            self._process.stdin.write((json.dumps(program) + "\n").encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # `finish` says how it died.

    def finish(self) -> Any:
        """Wait for the transcript of the program handed over last."""
        process = self._process
        ready, _, _ = select.select([process.stdout], [], [], self.seconds)
        line = process.stdout.readline() if ready else b""
        if line:
            return json.loads(line)
        self.close()
        return [DIED if ready else HUNG]

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
            self._process = None

    def _start(self) -> subprocess.Popen:
        return subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=self.variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )


def get_ready(sources: bool) -> None:
    """Bring both environments up to date; once, before anything runs in them.

    Ours gets a wheel of the sources; with `sources` it runs what `make develop` left there.
    """
    upstream_environment().ensure()
    our_environment().ensure() if sources else ready_environment()


def our_side(sources: bool) -> Side:
    """This package."""
    command = [str(our_environment().python), "-m", "langgraph_rust", "-m", RUNNER]
    return Side("ours", command, _variables([str(PACKAGE)] if sources else []), OUR_SECONDS)


def upstream_side() -> Side:
    """LangGraph itself."""
    command = [str(upstream_environment().python), "-m", RUNNER]
    return Side("upstream", command, _variables([]), UPSTREAM_SECONDS)


def _variables(path: list[str]) -> dict[str, str]:
    """The caller's environment without what could change a transcript."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LANG", "PYTHON"))}
    return kept | {
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join([*path, str(ROOT)]),
        "LANG": "C.UTF-8",
    }
