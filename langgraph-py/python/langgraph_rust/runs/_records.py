"""What is told of runs: a run, its status, its events, and what goes wrong in asking for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from langgraph_rust.checkpoint.serde.errors import StoredValueError

if TYPE_CHECKING:
    from langgraph_rust.checkpoint.serde.base import SerializerProtocol

__all__ = (
    "OVER",
    "Event",
    "MultitaskStrategy",
    "Run",
    "RunFailure",
    "RunStatus",
    "ThreadBusyError",
    "UnknownRunError",
)

RunStatus = Literal["pending", "running", "success", "error", "timeout", "interrupted", "cancelled"]
"""How a run is doing, in LangGraph Platform's words.

`pending` waits in its queue, `running` is at a worker, `interrupted` waits for a human's answer,
which a new run of the thread gives; `cancelled` is ours, for a run that somebody stopped.
"""

MultitaskStrategy = Literal["enqueue", "reject", "interrupt", "rollback"]
"""What becomes of a run whose thread has runs that are not over, in LangGraph Platform's words.

`enqueue`: it waits for them. `reject`: it is refused. `interrupt`: they are stopped before their
next superstep, and it goes on from what they have done. `rollback`: they are stopped, and what they
have done is deleted before it begins.
"""

WAYS = "drain", "cancel", "rollback"
"""How a run can be stopped; each keeps less of it than the one before."""

OVER: frozenset[RunStatus] = frozenset(("success", "error", "timeout", "interrupted", "cancelled"))
"""The statuses that a run ends with."""


class ThreadBusyError(RuntimeError):
    """A run was to be enqueued with `reject`, and its thread has one that is not over.

    Args:
        thread_id: The thread.
        run_id: One of its runs.
    """

    def __init__(self, thread_id: str, run_id: str) -> None:
        super().__init__(f"thread '{thread_id}' has a run that is not over: {run_id}")
        self.thread_id = thread_id
        self.run_id = run_id


class UnknownRunError(LookupError):
    """There is no run of that id, or it was deleted.

    Args:
        run_id: The id.
    """

    def __init__(self, run_id: str) -> None:
        super().__init__(f"no run has the id {run_id}")
        self.run_id = run_id


@dataclass(frozen=True)
class RunFailure:
    """Why a run ended with `error` or `timeout`."""

    type: str
    """The exception's class, with its module unless that is `builtins`."""
    message: str
    """Its text."""
    traceback: str
    """Its traceback as Python prints it; empty if there is none."""


class Event(NamedTuple):
    """A part of a run's stream."""

    id: int
    """Counts from 1 within the run, without gaps."""
    mode: str
    """The stream mode, or `end` for the last event, whose data are `{"status": ...}`."""
    data: Any
    """What the run streamed."""
    namespace: tuple[str, ...]
    """Which subgraph it comes from; empty for the graph itself."""
    attempt: int
    """Which attempt streamed it, from 1. A later one may tell once more of the superstep that an
    earlier one was in."""


@dataclass(frozen=True)
class Run:
    """A run, as it was when it was asked for."""

    id: str
    """A UUID; also the `run_id` in the metadata of its checkpoints."""
    thread_id: str
    """Its thread."""
    graph: str
    """Name of the graph."""
    status: RunStatus
    """How it is doing."""
    queue: str
    """Where it waits."""
    priority: int
    """Those with more go first."""
    attempt: int
    """How often a worker has taken it up."""
    worker: str | None
    """Who has it, or had it last."""
    created: datetime
    """When it was enqueued."""
    at: datetime | None
    """When it is to begin at the earliest."""
    started: datetime | None
    """When a worker took it up for the first time."""
    ended: datetime | None
    """When it was over."""
    reason: str | None = None
    """Why it was cancelled, or what it waits for, if not for any worker."""
    failure: RunFailure | None = None
    """Why it failed."""
    _stored: tuple[str, bytes] | None = field(default=None, repr=False)
    _serde: SerializerProtocol | None = field(default=None, repr=False, compare=False)

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.status in OVER

    @property
    def result(self) -> Any:
        """What `invoke` would have returned, interrupts included; `None` unless it came to its end.

        Raises:
            StoredValueError: it holds something that may not be read here.
        """
        if self._stored is None or self._serde is None:
            return None
        return self._serde.loads_typed(self._stored)


def run_of(row: Mapping[str, Any], serde: SerializerProtocol) -> Run:
    """Return a run, as a row of `_statements.RUN` tells of it."""
    failure = row["failure"]
    return Run(
        id=str(row["id"]),
        thread_id=row["thread_id"],
        graph=row["graph"],
        status=row["status"],
        queue=row["queue"],
        priority=row["priority"],
        attempt=row["attempt"],
        worker=row["worker"],
        created=row["created"],
        at=row["at"],
        started=row["started"],
        ended=row["ended"],
        reason=row["reason"],
        failure=None if failure is None else RunFailure(**failure),
        _stored=None if row["result"] is None else (row["result_type"], row["result"]),
        _serde=serde,
    )


def event_of(run_id: str, row: Mapping[str, Any], serde: SerializerProtocol) -> Event:
    """Return an event, as a row of the table tells of it.

    Raises:
        StoredValueError: it holds something that may not be read here.
    """
    namespace = tuple(row["namespace"].split("|")) if row["namespace"] else ()
    try:
        data = serde.loads_typed((row["type"], row["data"]))
    except StoredValueError as error:
        error.reason += f" (event {row['id']} of run {run_id}; after={row['id']} goes on behind it)"
        raise
    return Event(row["id"], row["mode"], data, namespace, row["attempt"])
