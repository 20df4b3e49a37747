"""Suites made up for the tests of this harness.

They run in this environment, whose pytest knows neither workers nor time limits; `python` is a
script that leaves those options out.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sync.environments import Environment
from tests.conformance import session, suite
from tests.conformance.ids import write_ids
from tests.conformance.runner import Runner
from tests.conformance.suite import read_suite

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
OLD = {"test_a.py::test_passes", "test_a.py::test_old"}


class Made:
    """Suites under a folder: what is known of each, and its tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sdists: dict[str, str] = {}
        self.environment = Environment("made", folder, ())
        self.environment.python.parent.mkdir()
        self.environment.python.write_text(PYTHON)
        self.environment.python.chmod(0o755)

    def suite(self, source: str, name: str = "one", settings: str = "") -> suite.Suite:
        """A suite of one test file, `test_a.py`; made again, it keeps its lists."""
        known = self.folder / "suites" / name
        known.mkdir(parents=True, exist_ok=True)
        (known / "suite.toml").write_text(settings)
        for file in ("ledger.toml", "flaky.toml"):
            (known / file).touch()
        self.file("test_a.py", source, name)
        self.sdists[name] = ""
        return read_suite(known)

    def file(self, file: str, source: str, name: str = "one") -> None:
        """One more test file of a suite."""
        root = self.folder / "roots" / name
        (root / "tests").mkdir(parents=True, exist_ok=True)
        (root / "pyproject.toml").touch()
        (root / "tests" / file).write_text(source)

    def runner(self, source: str, settings: str = "") -> Runner:
        """A suite of one test file, ready to be run."""
        root = self.folder / "roots" / "one"
        return Runner(self.suite(source, "one", settings), "ours", root, self.environment, False)

    def store(self, ids: set[str], name: str = "one") -> None:
        """Both lists of a suite, with the same content."""
        for file in ("upstream-passing.txt", "passing.txt"):
            path = self.folder / "suites" / name / file
            write_ids(path, ids, session.load_pins().label())

    def lists(self, name: str = "one") -> list[str]:
        """The content of both lists of a suite."""
        names = ("upstream-passing.txt", "passing.txt")
        return [(self.folder / "suites" / name / file).read_text() for file in names]
