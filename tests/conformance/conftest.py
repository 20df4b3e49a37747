"""What makes suites up, and the command run on them."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conformance import __main__ as command
from tests.conformance import counts, runner, session, suite
from tests.conformance.made import Made


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """A maker of suites; the command finds these and no others."""
    made = Made(tmp_path)
    ensured = SimpleNamespace(ensure=lambda: made.environment)
    monkeypatch.setattr(runner, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(runner, "OPTIONS", "--strict-markers --strict-config")
    monkeypatch.setattr(runner, "DROP_IN_PLUGIN", "conformance_recorder")
    monkeypatch.setattr(suite, "SUITES", tmp_path / "suites")
    monkeypatch.setattr(suite, "load_pins", lambda: SimpleNamespace(sdists=made.sdists))
    monkeypatch.setattr(counts, "COUNTS", tmp_path / "suites" / "README.md")
    monkeypatch.setattr(session, "ready_environment", lambda _: made.environment)
    monkeypatch.setattr(session, "upstream_environment", lambda _: ensured)
    monkeypatch.setattr(session, "upstream_suite", lambda name, _: tmp_path / "roots" / name)
    return made


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    """The command with a command line; gives its exit status."""

    def with_arguments(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["conformance", *arguments])
        before = signal.getsignal(signal.SIGTERM)
        try:
            return command.main()
        finally:
            signal.signal(signal.SIGTERM, before)

    return with_arguments
