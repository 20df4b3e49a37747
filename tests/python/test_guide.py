"""The programs in the user guide run as they stand there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "guide.md"
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.M | re.S)


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_program_of_the_guide_runs_by_itself(number: int) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAMS[number]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # What a program prints stands behind the call.
    said = re.findall(r"^ *print\(.*\)  # (.*)$", PROGRAMS[number], re.M)
    assert done.stdout.splitlines() == said


def test_the_guide_has_programs() -> None:
    assert PROGRAMS
