"""Run upstream's tests with pytest in an environment, and survive whatever they do.

A test that hangs takes its worker process down after `TEST_SECONDS` and xdist starts another; a run
that hangs as a whole is killed after `RUN_SECONDS`. Either way what was recorded is read.
"""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sync.environments import Environment, say
from sync.pins import CACHE
from tests.conformance.outcomes import SUITE_PREFIX, Outcomes, read_outcomes

TEST_SECONDS = 20
"""Eight times what the slowest of them takes on upstream."""

RUN_SECONDS = 600
RECORDER = Path(__file__).parent / "recorder"
RESULTS = CACHE / "conformance"
DROP_IN_PLUGIN = "langgraph_rust.pytest_plugin"

_PYTEST_INI = """\
[pytest]
addopts = --strict-markers --strict-config --snapshot-warn-unused
"""


@dataclass(frozen=True)
class Suite:
    """Upstream's suite, bound to the environment that runs it."""

    name: str
    root: Path
    environment: Environment
    drop_in: bool
    """Whether `langgraph` is to be this package; otherwise it is upstream's own."""

    def run(
        self, selection: list[str], jobs: int, keyword: str = "", part: str = "run"
    ) -> Outcomes:
        """Run the tests in `selection` (files or ids without the folder; empty: all of them).

        Args:
            selection: what to run, as ids relative to the suite's `tests/`.
            jobs: how many worker processes.
            keyword: pytest's ``-k`` expression.
            part: names the log and the record of this run under `.cache/conformance`.
        """
        RESULTS.mkdir(parents=True, exist_ok=True)
        record = RESULTS / f"{self.name}-{part}.jsonl"
        record.unlink(missing_ok=True)
        log = RESULTS / f"{self.name}-{part}.log"
        say(f"running upstream's tests on {self.name} (log: {log})")
        self._pytest([*self._arguments(jobs, keyword, record), *self._targets(selection)], log)
        print(closing_line(log), flush=True)
        return read_outcomes(record)

    def _arguments(self, jobs: int, keyword: str, record: Path) -> list[str]:
        plugin = ["-p", DROP_IN_PLUGIN] if self.drop_in else []
        workers = ["-n", str(jobs), "--max-worker-restart", "1000"]
        limits = ["--timeout", str(TEST_SECONDS), "--timeout-method", "thread"]
        record_to = ["-p", "conformance_recorder", "--record", str(record)]
        chosen = ["-k", keyword] if keyword else []
        own_root = ["-c", "pytest.ini", "--rootdir", "."]
        quiet = ["-q", "--tb=short", "-p", "no:cacheprovider", "--continue-on-collection-errors"]
        return [*plugin, *workers, *limits, *record_to, *chosen, *own_root, *quiet]

    def _targets(self, selection: list[str]) -> list[str]:
        """Ids go through a file: there may be more than a command line holds."""
        if not selection:
            return [SUITE_PREFIX]
        listing = RESULTS / f"{self.name}-selection.txt"
        listing.write_text("".join(f"{SUITE_PREFIX}{item}\n" for item in selection))
        return [f"@{listing}"]

    def _pytest(self, arguments: list[str], log: Path) -> None:
        (self.root / "pytest.ini").write_text(_PYTEST_INI)
        command = [str(self.environment.python), "-m", "pytest", *arguments]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.root,
                env=_environment_variables(),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                process.wait(timeout=RUN_SECONDS)
            except BaseException as error:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                say(f"the run took more than {RUN_SECONDS} s and was stopped")


def closing_line(log: Path) -> str:
    """The last line of pytest's output: its counts and how long it took."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "pytest printed nothing"


def _environment_variables() -> dict[str, str]:
    """The caller's environment without what could change a test's outcome."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LANG", "PYTEST_"))}
    kept.pop("PYTHONPATH", None)
    return kept | {
        "NO_DOCKER": "true",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(RECORDER),
        "LANG": "C.UTF-8",
    }
