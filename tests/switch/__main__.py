"""``python -m tests.switch [-k EXPRESSION]``: make both environments from the wheel and run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sync.environments import development_environment, say, switch_environment
from sync.wheel import build_wheel, install_wheel


def main() -> int:
    """Bring both environments up to date, then run pytest; returns its exit status."""
    wheel = build_wheel()
    for with_upstream in (False, True):
        install_wheel(wheel, switch_environment(with_upstream=with_upstream).ensure())
    say("the switch, in both environments")
    pytest = [development_environment().ensure().python, "-m", "pytest", "-q"]
    return subprocess.run([*pytest, Path(__file__).parent, *sys.argv[1:]]).returncode


if __name__ == "__main__":
    sys.exit(main())
