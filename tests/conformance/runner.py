"""Run upstream's tests with pytest in an environment, and survive whatever they do.

A test that hangs takes its worker process down after `TEST_SECONDS` and has failed; xdist starts
another worker. A run that hangs as a whole is killed after `RUN_SECONDS`. A run that did not come
to its end raises `CutOff`, and nothing of it is used.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sync.environments import Environment, say
from sync.pins import CACHE
from tests.conformance.ledger import as_expression
from tests.conformance.outcomes import SUITE_PREFIX, Outcomes, read_outcomes
from tests.conformance.suite import Suite

TEST_SECONDS = 60
"""Langgraph's slowest test takes 2.2 s here and on upstream, most of it asleep: 25 times that, as a
machine may have other things to do. A test that hangs costs this much at each of its two tries."""

RUN_SECONDS = 1800
"""The longest suite, langgraph's, takes 90 to 105 s with two workers on two cores, here and on
upstream: 17 times that, which also lets two dozen tests hang before a run says no more than that it
took too long."""

RECORDER = Path(__file__).parent / "recorder"
RESULTS = CACHE / "conformance"
DROP_IN_PLUGIN = "langgraph_rust.pytest_plugin"

OPTIONS = "--strict-markers --strict-config --snapshot-warn-unused"
"""Instead of the options in a suite's `pyproject.toml`, which say how much pytest prints, too."""

_NOTHING_FOUND = 5
_ENDS = {
    2: "pytest was interrupted",
    3: "pytest failed inside",
    4: "pytest did not start",
    _NOTHING_FOUND: "no test was found",
}
"""Exit statuses of pytest other than 0, all passed, and 1, some failed."""


class CutOff(Exception):
    """A run that did not come to its end; what it recorded must not be judged or stored."""


class NothingFound(CutOff):
    """A run in which pytest found no test."""


@dataclass(frozen=True)
class Runner:
    """A suite, bound to the environment that runs it."""

    suite: Suite
    side: str
    """Whose implementation is tested: names logs and records."""
    root: Path
    """The folder that has the suite's `tests/`."""
    environment: Environment
    drop_in: bool
    """Whether `langgraph` is to be this package; otherwise it is upstream's own."""
    absent: dict[str, str] = field(default_factory=dict)
    """Patterns of tests that cannot be run here, to the reason; they are skipped."""

    @property
    def results(self) -> Path:
        """The folder of this suite's logs and records."""
        return RESULTS / self.suite.name

    def run(
        self, selection: list[str], jobs: int, keyword: str = "", part: str = "run"
    ) -> Outcomes:
        """Run the tests in `selection` (files or ids without the folder; empty: all of them).

        Args:
            selection: what to run, as ids relative to the suite's `tests/`.
            jobs: how many worker processes.
            keyword: pytest's ``-k`` expression.
            part: names the log and the record of this run under `.cache/conformance`.

        Raises:
            NothingFound: there is no such test.
            CutOff: not every test that was to be run was run to its end.
        """
        self.results.mkdir(parents=True, exist_ok=True)
        record = self.results / f"{self.side}-{part}.jsonl"
        record.unlink(missing_ok=True)
        log = self.results / f"{self.side}-{part}.log"
        say(f"running the tests of {self.suite.name} on {self.side} (log: {log})")
        arguments = [*self._arguments(jobs, keyword, record), *self._targets(selection)]
        status = self._pytest(arguments, log)
        print(closing_line(log), flush=True)
        outcomes = read_outcomes(record)
        if why := _why_cut_off(status, outcomes):
            raise (NothingFound if status == _NOTHING_FOUND else CutOff)(f"{why} (log: {log})")
        return outcomes

    def _arguments(self, jobs: int, keyword: str, record: Path) -> list[str]:
        plugin = ["-p", DROP_IN_PLUGIN] if self.drop_in else []
        workers = ["-n", str(min(jobs, self.suite.jobs or jobs)), "--max-worker-restart", "1000"]
        limits = ["--timeout", str(TEST_SECONDS), "--timeout-method", "thread"]
        absent = {as_expression(SUITE_PREFIX + test): why for test, why in self.absent.items()}
        recorder = ["-p", "conformance_recorder", "--record", str(record)]
        recorder += ["--absent", json.dumps(absent)]
        chosen = ["-k", keyword] if keyword else []
        own_root = ["-c", "pyproject.toml", "--rootdir", ".", "-o", f"addopts={OPTIONS}"]
        quiet = ["-q", "--tb=short", "-p", "no:cacheprovider", "--continue-on-collection-errors"]
        return [*plugin, *workers, *limits, *recorder, *chosen, *own_root, *quiet]

    def _targets(self, selection: list[str]) -> list[str]:
        """Ids go through a file: there may be more than a command line holds."""
        if not selection:
            return [SUITE_PREFIX]
        listing = self.results / f"{self.side}-selection.txt"
        listing.write_text("".join(f"{SUITE_PREFIX}{item}\n" for item in selection))
        return [f"@{listing}"]

    def _pytest(self, arguments: list[str], log: Path) -> int:
        """Run pytest to its end, and give its exit status; nothing of it outlives this call."""
        command = [str(self.environment.python), "-m", "pytest", *arguments]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.root,
                env=_environment_variables() | self.suite.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                return process.wait(timeout=RUN_SECONDS)
            except subprocess.TimeoutExpired:
                raise CutOff(f"it took more than {RUN_SECONDS} s (log: {log})") from None
            finally:
                _end(process)


def _end(process: subprocess.Popen) -> None:
    """Kill pytest and its workers, if any of them are left."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _why_cut_off(status: int, outcomes: Outcomes) -> str | None:
    """What shows that a run did not come to its end, if anything does."""
    if status < 0:
        return f"pytest was killed by {signal.Signals(-status).name}"
    if status not in (0, 1):
        return _ENDS.get(status, f"pytest ended with status {status}")
    if not outcomes.finished:
        return "pytest ended without saying so"
    if not outcomes.collected:
        return "no test was collected"
    if lost := sorted(outcomes.unreported):
        return f"{len(lost)} tests were collected and not heard of again, such as {lost[0]}"
    return None


def closing_line(log: Path) -> str:
    """The last line of pytest's output: its counts and how long it took."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "pytest printed nothing"


def _environment_variables() -> dict[str, str]:
    """The caller's environment without what could change a test's outcome."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LANG", "PYTEST_"))}
    kept.pop("PYTHONPATH", None)
    return kept | {
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(RECORDER),
        "LANG": "C.UTF-8",
    }
