"""What the tests share: what Ctrl+C does, databases, and a way to run a program of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator

import pytest

# Whoever runs the tests in the background may ignore it, and what they start as well.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def databases() -> Iterator[Callable[[], str]]:
    """Make a database on a PostgreSQL of the tests' own, and tell how to connect to it."""
    from _postgres import databases

    with databases() as make:
        yield make


@pytest.fixture
def database(databases: Callable[[], str]) -> str:
    """How to connect to an empty database."""
    return databases()


@pytest.fixture
def run_program() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python code in a process of its own, which must end well and in time."""

    def run(code: str, *, returns: int = 0) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(path for path in sys.path if path)
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(code)],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert done.returncode == returns, done.stdout + done.stderr
        return done

    return run
