"""The command, `langgraph-rust` or `python -m langgraph_rust`.

In comes a command line: a program to run in drop-in mode, or what to say of the environment. A
program runs as `python` itself would run it, in a `__main__` of its own, with nothing of ours in
its tracebacks. What is said of the environment is found by looking: neither `status` nor `doctor`
changes anything, loads the engine, or imports a graph.
"""

from __future__ import annotations

__all__ = ("main",)

from langgraph_rust._cli.command import main
