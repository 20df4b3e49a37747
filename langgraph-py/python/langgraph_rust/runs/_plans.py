"""What whoever asks for runs does with the database; see `checkpoint.postgres._plans`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from langgraph_rust.checkpoint.postgres._plans import Plan, Rows, Statement
from langgraph_rust.checkpoint.serde.base import SerializerProtocol
from langgraph_rust.runs import _statements
from langgraph_rust.runs._records import (
    OVER,
    MultitaskStrategy,
    Run,
    ThreadBusyError,
    UnknownRunError,
    run_of,
)

_PAGE = 500
"""How many events are read at once."""


class NewRun(NamedTuple):
    """A run that is to be enqueued."""

    id: str
    thread_id: str
    graph: str
    queue: str
    priority: int
    at: datetime | None
    request: tuple[str, bytes]
    """What it is to do, encoded."""

    def parameters(self) -> dict[str, Any]:
        """Return what `_statements.ENQUEUE` is given."""
        kind, data = self.request
        # Others may use the same queue, and lock by names of their own.
        lock = f"langgraph_rust:{self.thread_id}"
        return {**self._asdict(), "lock": lock, "request_type": kind, "request": data}


def enqueue(new: NewRun, strategy: MultitaskStrategy, serde: SerializerProtocol) -> Plan[Run]:
    """Put a run into its queue; to be one transaction.

    Raises:
        ThreadBusyError: the strategy is `reject`, and the thread has a run that is not over.
    """
    if strategy != "enqueue":
        named = {"thread_id": new.thread_id}
        yield Statement(_statements.HOLD_THREAD, named)
        active = yield Statement(_statements.ACTIVE, named, fetch=True)
        if active and strategy == "reject":
            raise ThreadBusyError(new.thread_id, str(active[0]["id"]))
        for row in active:
            asked = "rollback" if strategy == "rollback" else "drain"
            reason = f"{strategy}: run {new.id} was enqueued"
            yield from _stop(str(row["id"]), asked, reason, serde)
    rows = yield Statement(_statements.ENQUEUE, new.parameters(), fetch=True)
    return run_of(rows[0], serde)


def get(run_id: str, serde: SerializerProtocol) -> Plan[Run]:
    """Look a run up.

    Raises:
        UnknownRunError: there is none of that id.
    """
    _check_id(run_id)
    rows = yield Statement(_statements.GET, {"id": run_id}, fetch=True)
    if not rows:
        raise UnknownRunError(run_id)
    return run_of(rows[0], serde)


def list_runs(
    thread_id: str | None, status: str | None, limit: int, serde: SerializerProtocol
) -> Plan[list[Run]]:
    """Look runs up, the newest first."""
    named = {"thread_id": thread_id, "status": status, "limit": limit}
    rows = yield Statement(_statements.LIST, named, fetch=True)
    return [run_of(row, serde) for row in rows]


def cancel(run_id: str, asked: str, serde: SerializerProtocol) -> Plan[Run]:
    """Have a run stopped, or take it out of its queue; to be one transaction.

    Raises:
        UnknownRunError: there is none of that id.
    """
    yield from _stop(run_id, asked, "it was asked for", serde)
    return (yield from get(run_id, serde))


def read(run_id: str, after: int, serde: SerializerProtocol) -> Plan[tuple[Rows, bool]]:
    """Read the events after one, encoded; tell whether more may come.

    Raises:
        UnknownRunError: there is no run of that id.
    """
    _check_id(run_id)
    events = yield from _page(run_id, after)
    if events:
        return events, events[-1]["mode"] != "end"
    run = yield from get(run_id, serde)
    # It may have ended since, with events that it is too early to miss; or they were dropped.
    events = (yield from _page(run_id, after)) if run.is_over else []
    return events, not run.is_over


def _check_id(run_id: str) -> None:
    try:
        UUID(run_id)
    except (AttributeError, TypeError, ValueError):
        raise UnknownRunError(run_id) from None


def _page(run_id: str, after: int) -> Plan[Rows]:
    named = {"id": run_id, "after": after, "limit": _PAGE}
    return (yield Statement(_statements.READ, named, fetch=True))


def _stop(run_id: str, asked: str, reason: str, serde: SerializerProtocol) -> Plan[None]:
    _check_id(run_id)
    rows = yield Statement(_statements.HOLD_RUN, {"id": run_id}, fetch=True)
    if not rows:
        raise UnknownRunError(run_id)
    row = rows[0]
    if row["status"] in OVER or row["asked"] == "rollback":
        return
    if row["status"] == "running" or (row["attempt"] and asked == "rollback"):
        # What it has stored is for a worker to delete.
        named = {"id": run_id, "asked": asked, "reason": reason}
        yield Statement(_statements.ASK, named)
        return
    yield Statement(_statements.UNQUEUE, {"job_id": row["job_id"]})
    yield from end(run_id, row["attempt"], "cancelled", serde, reason=reason)


def end(
    run_id: str,
    attempt: int,
    status: str,
    serde: SerializerProtocol,
    *,
    reason: str | None = None,
    result: tuple[str, bytes] | None = None,
    failure: Any = None,
) -> Plan[bool]:
    """Store how a run ended, and the last of its events.

    Returns:
        Whether it ended so: not if it is another attempt's by now, or is to be taken back.
    """
    kind, data = serde.dumps_typed({"status": status})
    result_type, stored = result or (None, None)
    named = {
        "id": run_id,
        "attempt": attempt,
        "status": status,
        "reason": reason,
        "failure": failure,
        "result_type": result_type,
        "result": stored,
        "end_type": kind,
        "end": data,
    }
    return bool((yield Statement(_statements.END, named, fetch=True)))
