"""Many runs on many workers: runs wait in a Postgres database until a worker takes them.

In come graphs by name and what they are to do; `Runs` and `AsyncRuns` put that into a queue of
procrastinate's, tell how a run is doing, stop it, and read its stream, from any process. A `Worker`
runs them, as does `langgraph-rust worker`. This room decides nothing about graphs: it calls them as
any program would, and nothing below knows of it. It needs `pip install 'langgraph-rust[runs]'`.
"""

from __future__ import annotations

from langgraph_rust.checkpoint._extras import missing

try:
    import procrastinate  # noqa: F401
    import psycopg  # noqa: F401
    import psycopg_pool  # noqa: F401
except ModuleNotFoundError as error:
    raise missing(error, __name__, "runs") from error

from langgraph_rust.runs._front import AsyncRuns, Runs
from langgraph_rust.runs._records import (
    Event,
    MultitaskStrategy,
    Run,
    RunFailure,
    RunStatus,
    ThreadBusyError,
    UnknownRunError,
)
from langgraph_rust.runs._request import Asked
from langgraph_rust.runs._worker import Worker

__all__ = (
    "Asked",
    "AsyncRuns",
    "Event",
    "MultitaskStrategy",
    "Run",
    "RunFailure",
    "RunStatus",
    "Runs",
    "ThreadBusyError",
    "UnknownRunError",
    "Worker",
)
