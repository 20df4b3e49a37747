"""A pytest plugin that writes each report of a run as one JSON line, and skips what cannot be run.

It runs inside the tested environment, so it imports nothing but the standard library and pytest.
Under xdist only the controlling process writes; a worker that dies is reported to it as a failure.
What was collected, and how the session ended, are written too: without them nobody could tell a run
that was cut off from one that had no more tests.
"""

from __future__ import annotations

import json
import re
from typing import Any, TextIO

import pytest

_RETRIES = "retries"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where to write, ``--record FILE``, and what to skip, ``--absent JSON``."""
    parser.addoption("--record", default=None, help="write outcomes to this file, as JSON lines")
    parser.addoption("--absent", default="{}", help="regular expressions of ids, to the reason")


def pytest_configure(config: pytest.Config) -> None:
    """Start recording, unless this process is an xdist worker.

    Tests that upstream marks as flaky are run once: another try is for whoever reads the record.
    """
    config.addinivalue_line("markers", "flaky: upstream retries this test")
    path = config.getoption("--record")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Recorder(open(path, "w", encoding="utf-8")))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip tests whose need the machine cannot meet; note how often upstream tries one again."""
    for item in items:
        if marker := item.get_closest_marker("flaky"):
            item.user_properties.append((_RETRIES, marker.kwargs.get(_RETRIES, 1)))
    for expression, reason in json.loads(config.getoption("--absent") or "{}").items():
        for item in items:
            if re.fullmatch(expression, item.nodeid, re.DOTALL):
                item.add_marker(pytest.mark.skip(reason=reason))


class _Recorder:
    """Writes reports as they arrive, so that a run that is cut short still says what it did."""

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._collected: list[str] | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self._write(report, report.when or "crash", report.duration)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.outcome != "passed":
            self._write(report, "collect", 0.0)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._collect([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """With xdist, workers collect: each of them everything, also one that replaces another."""
        self._collect(list(ids))

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        self._put({"when": "finish", "status": int(exitstatus)})

    def pytest_unconfigure(self) -> None:
        self._output.close()

    def _collect(self, ids: list[str]) -> None:
        if ids != self._collected:
            self._collected = ids
            self._put({"when": "collected", "ids": ids})

    def _write(self, report: Any, when: str, seconds: float) -> None:
        outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        entry = {"id": report.nodeid, "when": when, "outcome": outcome}
        entry["seconds"] = round(seconds, 3)
        if outcome == "failed":
            entry["message"] = _first_line(report)
            entry[_RETRIES] = dict(getattr(report, "user_properties", ())).get(_RETRIES, 1)
        elif outcome == "skipped":
            entry["message"] = _why_skipped(report)
        self._put(entry)

    def _put(self, entry: dict[str, Any]) -> None:
        self._output.write(json.dumps(entry) + "\n")
        self._output.flush()


def _first_line(report: Any) -> str:
    """The exception in one line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = (crash.message if crash else str(report.longrepr)).strip().splitlines()
    if not lines:
        return ""
    return (lines[0] if crash else lines[-1]).removeprefix("E").strip()[:500]


def _why_skipped(report: Any) -> str:
    """What the test, or its file, gave as the reason."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")[:500]
    return str(report.longrepr)[:500]
