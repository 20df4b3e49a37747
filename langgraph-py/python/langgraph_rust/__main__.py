"""`python -m langgraph_rust app.py [args]`: run a LangGraph program on this package, unchanged."""

from __future__ import annotations

import os
import runpy
import sys

from langgraph_rust import install

_USAGE = """\
usage: python -m langgraph_rust <script> [arguments]
       python -m langgraph_rust -m <module> [arguments]
       python -m langgraph_rust storage <database> [compact] [options]

Runs a Python program in which `langgraph` is this package. `storage` shows what a database of
checkpoints takes, and makes it smaller; a script of that name comes first.
"""


def main() -> None:
    """Run the program that the command line names, as `python` itself would."""
    arguments = sys.argv[1:]
    as_module = arguments[:1] == ["-m"]
    program = arguments[1:] if as_module else arguments
    if program[:1] in (["-h"], ["--help"]) and not as_module:
        print(_USAGE, end="")
        return
    if not program or (program[0].startswith("-") and not as_module):
        print(_USAGE, end="", file=sys.stderr)
        sys.exit(2)
    if program[0] == "storage" and not as_module and not _is_script("storage"):
        from langgraph_rust._storage.command import main as storage

        sys.exit(storage(program[1:]))
    install()
    sys.argv[:] = program
    if as_module:
        runpy.run_module(program[0], run_name="__main__", alter_sys=True)
        return
    if not getattr(sys.flags, "safe_path", False):
        # For a script, Python looks for modules beside it; for `-m`, in the current directory.
        sys.path[0] = os.path.dirname(os.path.realpath(program[0]))
    runpy.run_path(program[0], run_name="__main__")


def _is_script(path: str) -> bool:
    # A directory is a program as well, if it says what to run.
    return os.path.isfile(path) or os.path.isfile(os.path.join(path, "__main__.py"))


if __name__ == "__main__":
    main()
