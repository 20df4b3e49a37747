"""``python -m tests.continuity [-k EXPRESSION]``: make both environments and run these tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sync.environments import development_environment, say, upstream_environment
from sync.wheel import ready_environment


def main() -> int:
    """Bring both sides up to date, then run pytest; returns its exit status."""
    upstream_environment().ensure()
    ready_environment()
    say("handing threads over between upstream and this package")
    pytest = [development_environment().ensure().python, "-m", "pytest", "-q"]
    return subprocess.run([*pytest, Path(__file__).parent, *sys.argv[1:]]).returncode


if __name__ == "__main__":
    sys.exit(main())
