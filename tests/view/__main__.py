"""``python -m tests.view [--pictures] [--only NAME]``: the viewer, in a browser.

The browser is Debian's Chromium (`apt-get install chromium`); without it, nothing is run. Databases
are made by upstream, by an older release of it (`older.txt`) and by this package, servers are
started as users start them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from sync.environments import (
    browser_environment,
    development_environment,
    older_environment,
    postgres_environment,
    say,
    upstream_environment,
)
from sync.pins import ROOT
from tests.conformance.postgres import databases

_HERE = Path(__file__).parent


def main() -> int:
    """Make the databases and have them looked at; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.view", description=__doc__)
    parser.add_argument(
        "--pictures", action="store_true", help="make the pictures of the documentation again"
    )
    parser.add_argument("--only", default="", help="part of the names of those that are run")
    options = parser.parse_args()
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if browser is None:
        print("view: NOT RUN: there is no Chromium here: apt-get install chromium")
        return 0
    ours = development_environment().path / "bin" / "python"
    steers = browser_environment().ensure().python
    makers = {
        "upstream": upstream_environment().ensure().python,
        "older upstream": older_environment(_HERE / "older.txt").ensure().python,
        "ours": ours,
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        databases(postgres_environment().ensure().python) as database,
    ):
        postgres = {"upstream": database(), "ours": database()}
        for name, python in makers.items():
            say(f"{name}: {python}")
            environment = {**os.environ, "LANGGRAPH_RUST": "1" if name == "ours" else "0"}
            file = Path(folder) / f"{name}.db"
            for made in (file, *filter(None, [postgres.get(name)])):
                _run([python, _HERE / "sample.py", made], environment)
        for kind in ("threads", "checkpoints", "state"):
            file = Path(folder) / f"{kind}.db"
            _run([ours, "-m", "tests.view.large", file, kind], dict(os.environ))
        command = [steers, "-m", "tests.view.drive", browser, ours, folder]
        for name, url in postgres.items():
            command += ["--postgres", f"{name}={url}"]
        command += ["--pictures"] if options.pictures else []
        return subprocess.run([*command, "--only", options.only], cwd=ROOT).returncode


def _run(command: list[str | Path], environment: dict[str, str]) -> None:
    # What is warned of on the way is of no interest.
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        raise SystemExit(f"view: failed ({done.returncode}): {' '.join(map(str, command))}")


if __name__ == "__main__":
    sys.exit(main())
