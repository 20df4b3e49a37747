"""``python -m tests.continuity [-k EXPRESSION] [--postgres]``: make both environments and run.

Every case is run on SQLite, and some on Postgres; with `--postgres`, every case there.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sync.environments import development_environment, say, upstream_environment
from sync.wheel import ready_environment
from tests.continuity.cases import CASES, DURABILITIES, MODES, SCENARIOS
from tests.continuity.routes import OURS, ROUTES

NOTHING_RAN = 5
"""pytest's status when no test was chosen."""


def main() -> int:
    """Bring both sides up to date, then run pytest; returns its exit status."""
    upstream_environment().ensure()
    ready_environment()
    say("handing threads over between upstream and this package")
    pytest = [development_environment().ensure().python, "-m", "pytest", "-q"]
    status = subprocess.run([*pytest, Path(__file__).parent, *sys.argv[1:]]).returncode
    if status == NOTHING_RAN:
        print(nothing_matches(" ".join(sys.argv[1:])))
    return status


def nothing_matches(arguments: str) -> str:
    """What to say when pytest found nothing to run: how the tests are called."""
    name = f"test_the_same_bytes_are_stored[{CASES[0]}-{OURS}]"
    return (
        f"continuity: no test matches {arguments or 'that'}. K is matched with names such as "
        f"{name}: a test, a scenario, {' or '.join(MODES)}, a durability "
        f"({', '.join(DURABILITIES)}), a route ({', '.join(ROUTES)}), postgres. "
        f"The scenarios: {', '.join(SCENARIOS)}"
    )


if __name__ == "__main__":
    sys.exit(main())
