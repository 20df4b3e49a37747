"""Runs that do not come to their end, and tests that pass only at times, in a suite made for it.

The suite runs in this environment, whose pytest knows neither workers nor time limits; `python` is
a script that leaves those options out.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conformance import __main__ as command
from tests.conformance import ledger, suite
from tests.conformance import verdict as verdicts
from tests.conformance.ids import read_ids, write_ids
from tests.conformance.outcomes import Outcomes
from tests.conformance.suite import CutOff, Suite

PYTHON = f"""\
#!{sys.executable}
import os, sys, pytest
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
arguments = iter(sys.argv[3:])
kept = []
for argument in arguments:
    if argument in ("-n", "--max-worker-restart", "--timeout", "--timeout-method"):
        next(arguments)
    else:
        kept.append(argument)
sys.exit(pytest.main(kept))
"""
PASSES = "def test_passes(): pass\n"
HANGS = "import time\ndef test_hangs(): time.sleep(60)\n"
EXITS = "import os\ndef test_exits(): os._exit(1)\n"
KILLED = "import os, signal\ndef test_killed(): os.kill(os.getpid(), signal.SIGKILL)\n"
INTERRUPTS = "def test_interrupts(): raise KeyboardInterrupt\n"
FLAKES = """\
from pathlib import Path
def test_flakes():
    seen = Path(__file__).with_name("seen")
    first = not seen.exists()
    seen.touch()
    assert not first, "the first time"
"""
OLD = {"test_a.py::test_passes", "test_a.py::test_old"}


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A maker of suites out of one test file's source, with lists of their own."""
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    (tmp_path / "tests").mkdir()
    monkeypatch.setattr(suite, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(suite, "_PYTEST_INI", "[pytest]\n")
    for module in (verdicts, command):
        monkeypatch.setattr(module, "UPSTREAM_PASSING", tmp_path / "upstream-passing.txt")
        monkeypatch.setattr(module, "PASSING", tmp_path / "passing.txt")
    monkeypatch.setattr(command, "read_ledger", lambda: [])
    monkeypatch.setattr(command, "read_flaky", lambda: [])

    def make(source: str) -> Suite:
        (tmp_path / "tests" / "test_a.py").write_text(source)
        return Suite("ours", tmp_path, SimpleNamespace(python=python), drop_in=False)

    return make


@pytest.fixture
def lists(tmp_path: Path):
    """Both lists with something in them; returns their content."""

    def content() -> list[str]:
        names = ("upstream-passing.txt", "passing.txt")
        return [(tmp_path / name).read_text() for name in names]

    for name in ("upstream-passing.txt", "passing.txt"):
        write_ids(tmp_path / name, OLD, command.load_pins().label())
    return content


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, made):
    """The command with a command line, on a suite of the given source; gives its exit status."""

    def with_arguments(source: str, *arguments: str) -> int:
        the_suite = made(source)
        monkeypatch.setattr(sys, "argv", ["conformance", *arguments])
        monkeypatch.setattr(command, "ready_environment", lambda: None)
        monkeypatch.setattr(command, "upstream_environment", lambda: argparse.Namespace(ensure=str))
        monkeypatch.setattr(command, "upstream_suite", lambda environment: None)
        monkeypatch.setattr(command, "Suite", lambda *_, **__: the_suite)
        before = signal.getsignal(signal.SIGTERM)
        try:
            return command.main()
        finally:
            signal.signal(signal.SIGTERM, before)

    return with_arguments


def test_a_run_that_ends_is_read(made) -> None:
    outcomes = made(PASSES + "def test_fails(): assert False\n").run([], 1)
    assert outcomes.passed == {"test_a.py::test_passes"}
    assert outcomes.failed.keys() == {"test_a.py::test_fails"}
    assert outcomes.collected == outcomes.passed | outcomes.failed.keys()


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (PASSES + EXITS, "without saying so"),
        (PASSES + KILLED, "killed by SIGKILL"),
        (PASSES + INTERRUPTS, "interrupted"),
        ("", "no test was found"),
        ("raise ImportError('langgraph')", "no test was collected"),
    ],
)
def test_a_run_that_was_cut_off_gives_no_outcomes(made, source: str, why: str) -> None:
    with pytest.raises(CutOff, match=why):
        made(source).run([], 1)


def test_a_run_that_does_not_start_gives_no_outcomes(made) -> None:
    with pytest.raises(CutOff, match="did not start"):
        made(PASSES).run(["test_nowhere.py"], 1)


def test_a_run_over_its_time_is_ended(made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "RUN_SECONDS", 1)
    with pytest.raises(CutOff, match="more than 1 s"):
        made(PASSES + HANGS).run([], 1)


def test_what_pytest_started_ends_with_it(made, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(suite, "RUN_SECONDS", 3)
    child = tmp_path / "child"
    source = f"""\
import pathlib, subprocess
def test_starts():
    process = subprocess.Popen(["sleep", "60"])
    pathlib.Path({str(child)!r}).write_text(str(process.pid))
    process.wait()
"""
    with pytest.raises(CutOff):
        made(source).run([], 1)
    assert _ended(int(child.read_text()))


def test_tests_that_nobody_heard_of_again_cut_a_run_off() -> None:
    ids = {"test_a.py::test_x", "test_a.py::test_y"}
    outcomes = Outcomes(passed={"test_a.py::test_x"}, collected=ids, finished=True)
    assert "such as test_a.py::test_y" in (suite._why_cut_off(1, outcomes) or "")
    outcomes.failed["test_a.py::test_y"] = "why"
    assert suite._why_cut_off(1, outcomes) is None


@pytest.mark.parametrize("option", ["--refresh-upstream", "--update"])
@pytest.mark.parametrize("source", [PASSES + HANGS, PASSES + KILLED, PASSES + EXITS, ""])
def test_a_run_that_was_cut_off_writes_nothing(
    run, lists, monkeypatch: pytest.MonkeyPatch, source: str, option: str
) -> None:
    monkeypatch.setattr(suite, "RUN_SECONDS", 2)
    before = lists()
    assert run(source, option) == command.CUT_OFF
    assert lists() == before


def test_a_command_told_to_stop_writes_nothing(run, lists) -> None:
    before = lists()
    threading.Timer(1.5, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
    assert run(PASSES + HANGS, "--update") == command.CUT_OFF
    assert lists() == before


def test_too_many_failures_on_upstream_are_not_stored(run, lists, monkeypatch) -> None:
    monkeypatch.setattr(command, "RETRY_AT_MOST", 0)
    before = lists()
    assert run(PASSES + "def test_fails(): assert False\n", "--refresh-upstream") == command.CUT_OFF
    assert lists() == before


def test_a_run_that_ends_is_stored(run, lists, tmp_path: Path) -> None:
    assert run(PASSES, "--refresh-upstream") == 0
    assert run(PASSES, "--update") == 0
    assert read_ids(tmp_path / "upstream-passing.txt") == {"test_a.py::test_passes"}
    assert read_ids(tmp_path / "passing.txt") == {"test_a.py::test_passes"}


def test_a_test_that_passes_at_the_second_try_fails_the_run(
    run, lists, tmp_path: Path, monkeypatch, capsys
) -> None:
    for name in ("upstream-passing.txt", "passing.txt"):
        write_ids(tmp_path / name, {"test_a.py::test_flakes"}, command.load_pins().label())
    assert run(FLAKES) == 1
    assert "test_a.py::test_flakes: NOT LISTED" in capsys.readouterr().out

    (tmp_path / "tests" / "seen").unlink()
    listed = ledger.Entry(("test_a.py::test_flakes",), "test", "it counts")
    monkeypatch.setattr(command, "read_flaky", lambda: [listed])
    assert run(FLAKES) == 0
    assert "test_a.py::test_flakes: test: it counts" in capsys.readouterr().out
    assert run("def test_flakes(): assert False\n") == 1


def test_a_file_that_upstream_does_not_have_is_refused(run, lists) -> None:
    with pytest.raises(SystemExit, match="no such file"):
        run(PASSES, "test_a.py::test_passes")


def _ended(process: int) -> bool:
    """Whether a process is over, or will be in a moment."""
    for _ in range(50):
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True
        ).stdout.strip()
        if not state or state.startswith("Z"):
            return True
        time.sleep(0.1)
    return False
