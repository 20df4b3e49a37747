"""What runs the runs: a worker of procrastinate's, and the runs that it has.

In come the ids of runs, from procrastinate's queue. For each, `_execution.py` has one attempt: it
claims the run, runs the graph, has its events stored, and stores how it ended, all under the number
of the attempt, so that nothing is stored by a worker from which the run was taken. It never decides
what of a run is done: checkpoints say that.
"""

from __future__ import annotations

from langgraph_rust.runs._worker._worker import Worker

__all__ = ("Worker",)
