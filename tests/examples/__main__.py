"""``python -m tests.examples``: run them in drop-in mode, and compare what they print.

An example is a folder of `examples` with `main.py`, `requirements.txt` (everything but `langgraph`)
and `output.txt`, which is what it prints on upstream.
"""

from __future__ import annotations

import difflib
import subprocess
import sys
from pathlib import Path

from sync.environments import example_environment
from sync.pins import ROOT
from sync.wheel import build_wheel, install_wheel

SECONDS = 300
"""Much more than any of them takes."""


def run_example(folder: Path, wheel: Path) -> list[str]:
    """The lines in which its output differs from what it should be, or what went wrong."""
    environment = example_environment(folder).ensure()
    install_wheel(wheel, environment)
    command = [environment.python, "-m", "langgraph_rust", folder / "main.py"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    if ended.returncode:
        return [f"it ended with status {ended.returncode}", *ended.stderr.splitlines()[-20:]]
    expected = (folder / "output.txt").read_text(encoding="utf-8").splitlines()
    return list(difflib.unified_diff(expected, ended.stdout.splitlines(), "upstream", "here", n=1))


def unknown_routes(folder: Path) -> list[str]:
    """What langchain's agents decide with and the engine does not know any more."""
    python = example_environment(folder).python
    command = [python, "-m", "langgraph_rust", Path(__file__).with_name("routes.py")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    return [*ended.stdout.splitlines(), *ended.stderr.splitlines()[-20:]]


def main() -> int:
    """Run them all; returns the process's exit status."""
    wheel = build_wheel()
    folders = sorted(path.parent for path in (ROOT / "examples").glob("*/output.txt"))
    wrong = {folder.name: lines for folder in folders if (lines := run_example(folder, wheel))}
    if unknown := unknown_routes(ROOT / "examples" / "supervisor"):
        wrong["routes of langchain's agents"] = unknown
    for name, lines in wrong.items():
        print(f"{name}:", *lines, sep="\n    ")
    print(f"examples: {len(folders)} run, {len(wrong)} wrong")
    return 1 if wrong or not folders else 0


if __name__ == "__main__":
    sys.exit(main())
