"""Agents of this package's and of upstream's `langgraph.prebuilt`, on this engine: all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from sync.pins import load_pins

PROGRAM = Path(__file__).parent / "_prebuilt_agents.py"


def printed(side: str) -> list[str]:
    path = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, PROGRAM, side],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_graphs_results_streams_events_and_errors() -> None:
    try:
        installed = version("langgraph-prebuilt")
    except PackageNotFoundError:
        pytest.skip("langgraph-prebuilt is not installed")
    if installed != load_pins().distributions["langgraph-prebuilt"]:
        pytest.skip(f"langgraph-prebuilt {installed} is not the pinned one")
    ours, theirs = printed("ours"), printed("theirs")
    for own, other in zip(ours, theirs, strict=True):
        assert own == other
    assert len(ours) > 300
