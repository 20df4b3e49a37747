"""Runs that do not come to their end, and tests that pass only at times."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.conformance import __main__ as command
from tests.conformance import runner, session
from tests.conformance.ids import read_ids, write_ids
from tests.conformance.made import HANGS, OLD, PASSES
from tests.conformance.outcomes import Outcomes
from tests.conformance.runner import CutOff

EXITS = "import os\ndef test_exits(): os._exit(1)\n"
KILLED = "import os, signal\ndef test_killed(): os.kill(os.getpid(), signal.SIGKILL)\n"
INTERRUPTS = "def test_interrupts(): raise KeyboardInterrupt\n"
FLAKES = """\
from pathlib import Path
def test_flakes():
    tries = Path(__file__).with_name("tries")
    tries.write_text((tries.read_text() if tries.exists() else "") + "x")
    assert len(tries.read_text()) > {failures}, "not yet"
"""
FLAKY_ENTRY = """\
[[entry]]
tests = ["test_a.py::test_flakes"]
kind = "test"
reason = "it counts"
"""


def test_a_run_that_ends_is_read(made) -> None:
    outcomes = made.runner(PASSES + "def test_fails(): assert False\n").run([], 1)
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
        made.runner(source).run([], 1)


def test_a_run_that_does_not_start_gives_no_outcomes(made) -> None:
    with pytest.raises(CutOff, match="did not start"):
        made.runner(PASSES).run(["test_nowhere.py"], 1)


def test_a_run_over_its_time_is_ended(made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "RUN_SECONDS", 1)
    with pytest.raises(CutOff, match="more than 1 s"):
        made.runner(PASSES + HANGS).run([], 1)


def test_what_pytest_started_ends_with_it(made, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(runner, "RUN_SECONDS", 3)
    child = tmp_path / "child"
    source = f"""\
import pathlib, subprocess
def test_starts():
    process = subprocess.Popen(["sleep", "60"])
    pathlib.Path({str(child)!r}).write_text(str(process.pid))
    process.wait()
"""
    with pytest.raises(CutOff):
        made.runner(source).run([], 1)
    assert _ended(int(child.read_text()))


def test_tests_that_nobody_heard_of_again_cut_a_run_off() -> None:
    ids = {"test_a.py::test_x", "test_a.py::test_y"}
    outcomes = Outcomes(passed={"test_a.py::test_x"}, collected=ids, finished=True)
    assert "such as test_a.py::test_y" in (runner._why_cut_off(1, outcomes) or "")
    outcomes.failed["test_a.py::test_y"] = "why"
    assert runner._why_cut_off(1, outcomes) is None


@pytest.mark.parametrize("option", ["--refresh-upstream", "--update"])
@pytest.mark.parametrize("source", [PASSES + HANGS, PASSES + KILLED, PASSES + EXITS, ""])
def test_a_run_that_was_cut_off_writes_nothing(
    run, made, monkeypatch: pytest.MonkeyPatch, source: str, option: str
) -> None:
    monkeypatch.setattr(runner, "RUN_SECONDS", 2)
    made.suite(source)
    made.store(OLD)
    before = made.lists()
    assert run(option) == command.CUT_OFF
    assert made.lists() == before


def test_a_command_told_to_stop_writes_nothing_and_runs_no_other_suite(run, made) -> None:
    made.suite(PASSES + HANGS)
    made.suite(PASSES, "two")
    for name in ("one", "two"):
        made.store(OLD, name)
    before = made.lists(), made.lists("two")
    threading.Timer(1.5, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
    assert run("--update") == command.CUT_OFF
    assert (made.lists(), made.lists("two")) == before


def test_too_many_failures_on_upstream_are_not_stored(run, made, monkeypatch) -> None:
    monkeypatch.setattr(session, "RETRY_AT_MOST", 0)
    made.suite(PASSES + "def test_fails(): assert False\n")
    made.store(OLD)
    before = made.lists()
    assert run("--refresh-upstream") == command.CUT_OFF
    assert made.lists() == before


def test_a_run_that_ends_is_stored(run, made) -> None:
    suite = made.suite(PASSES)
    made.store(OLD)
    assert run("--refresh-upstream") == 0
    assert run("--update") == 0
    assert read_ids(suite.upstream_passing) == {"test_a.py::test_passes"}
    assert read_ids(suite.passing) == {"test_a.py::test_passes"}


def test_a_test_that_passes_at_the_second_try_fails_the_run(run, made, capsys) -> None:
    suite = made.suite(FLAKES.format(failures=1))
    made.store({"test_a.py::test_flakes"})
    assert run() == 1
    assert "test_a.py::test_flakes: NOT LISTED" in capsys.readouterr().out

    _forget_tries(made)
    (suite.folder / "flaky.toml").write_text(FLAKY_ENTRY)
    assert run() == 0
    assert "test_a.py::test_flakes: test: it counts" in capsys.readouterr().out
    made.file("test_a.py", "def test_flakes(): assert False\n")
    assert run() == 1


def test_a_test_gets_as_many_tries_as_upstream_gives_it(run, made) -> None:
    source = "import pytest\n@pytest.mark.flaky(retries=2)\n" + FLAKES.partition("\n")[2]
    source = "from pathlib import Path\n" + source
    suite = made.suite(source.format(failures=2))
    made.store({"test_a.py::test_flakes"})
    assert run() == 1, "it is not listed"
    (suite.folder / "flaky.toml").write_text(FLAKY_ENTRY)
    _forget_tries(made)
    assert run() == 0
    _forget_tries(made)
    made.file("test_a.py", source.format(failures=3))
    assert run() == 1


def test_a_test_known_to_be_flaky_is_tried_again_before_it_is_listed(run, made) -> None:
    suite = made.suite(PASSES + FLAKES.format(failures=1))
    made.store({"test_a.py::test_flakes", "test_a.py::test_passes"})
    write_ids(suite.passing, {"test_a.py::test_passes"}, "")
    (suite.folder / "flaky.toml").write_text(FLAKY_ENTRY)
    assert run("--update") == 0
    assert "test_a.py::test_flakes" in read_ids(suite.passing)


def _forget_tries(made) -> None:
    (made.folder / "roots" / "one" / "tests" / "tries").unlink()


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
