"""What the harness provides for tests: an interpreter, a server beside them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.conformance import postgres, python
from tests.conformance.runner import CutOff

SERVES = """\
import sys
from pathlib import Path
print("ready", flush=True)
sys.stdin.read()
Path({stopped!r}).write_text(sys.argv[1])
"""


def test_the_python_that_runs_this_is_preferred(tmp_path: Path, monkeypatch) -> None:
    other = tmp_path / "python3"
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert python.find_python("sqlite3.connect") == Path(sys.executable)
    assert python.find_python("sqlite3.no_such_thing") is None


def test_a_python_that_can_is_found_on_the_path(tmp_path: Path, monkeypatch) -> None:
    for name, status in (("python3", 1), ("other/python3", 0)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\necho {path}\nexit {status}\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{tmp_path / 'other'}")
    assert python.find_python("sqlite3.no_such_thing") == tmp_path / "other" / "python3"


def test_a_server_is_there_for_as_long_as_it_is_needed(tmp_path: Path, monkeypatch) -> None:
    stopped = tmp_path / "stopped"
    monkeypatch.setattr(postgres, "SERVE", tmp_path / "serve.py")
    postgres.SERVE.write_text(SERVES.format(stopped=str(stopped)))
    with pytest.raises(KeyboardInterrupt), postgres.serving(Path(sys.executable), 7):
        assert not stopped.exists()
        raise KeyboardInterrupt
    assert stopped.read_text() == "7"


def test_a_server_that_does_not_start_cuts_the_run_off(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(postgres, "SERVE", tmp_path / "serve.py")
    postgres.SERVE.write_text("raise SystemExit('the port is taken')")
    with (
        pytest.raises(CutOff, match="port 7: the port is taken"),
        postgres.serving(Path(sys.executable), 7),
    ):
        raise AssertionError("nothing may run without it")
