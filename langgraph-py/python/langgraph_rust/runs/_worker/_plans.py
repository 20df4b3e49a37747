"""What workers do with the database; see `checkpoint.postgres._plans`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from langgraph_rust.checkpoint.postgres._plans import Plan, Rows, Statement
from langgraph_rust.checkpoint.postgres._runs import delete_for_runs
from langgraph_rust.runs import _statements
from langgraph_rust.runs._records import OVER


@dataclass(frozen=True)
class Claim:
    """A run that a worker has."""

    id: str
    thread_id: str
    graph: str
    attempt: int
    """The number of this attempt, from 1."""
    deaths: int
    """How many workers that had it were gone, since it last got anywhere."""
    base: Mapping[str, Any] | None
    """Where an earlier attempt began."""
    asked: str | None
    """How it is to be stopped, if somebody asked for that."""
    reason: str | None
    """Why it is."""
    elapsed: float
    """Seconds since the first attempt began, by the database's clock."""
    last_event: int
    """The id of the last event that was stored; 0 if there is none."""
    request: tuple[str, bytes]
    """What it is to do, encoded."""


def claim(run_id: str, worker: str) -> Plan[Claim | None]:
    """Take a run up; returns `None` if it is over."""
    named = {"id": run_id, "worker": worker}
    rows = yield Statement(_statements.CLAIM, named, fetch=True)
    if not rows:
        return None
    row, last = rows[0], 0
    if row["attempt"] > 1:
        last = (yield Statement(_statements.LAST_EVENT, named, fetch=True))[0]["last"]
    return Claim(
        id=run_id,
        thread_id=row["thread_id"],
        graph=row["graph"],
        attempt=row["attempt"],
        deaths=row["deaths"],
        base=row["base"],
        asked=row["asked"],
        reason=row["reason"],
        elapsed=row["elapsed"],
        last_event=last,
        request=(row["request_type"], row["request"]),
    )


def set_base(run: Claim, base: Mapping[str, Any], deaths: int) -> Plan[None]:
    """Store where an attempt begins."""
    named = {"id": run.id, "attempt": run.attempt, "base": Jsonb(base), "deaths": deaths}
    yield Statement(_statements.SET_BASE, named)


def append(run: Claim, events: Iterable[tuple[int, str, str, str, bytes]]) -> Plan[bool]:
    """Store events: id, mode, namespace, type, data.

    Returns:
        Whether the run still is this attempt's; if not, nothing is stored.
    """
    ids, modes, namespaces, types, data = map(list, zip(*events, strict=True))
    named = {
        "id": run.id,
        "attempt": run.attempt,
        "ids": ids,
        "modes": modes,
        "namespaces": namespaces,
        "types": types,
        "data": data,
    }
    return bool((yield Statement(_statements.APPEND, named, fetch=True)))


def give_back(run: Claim, reason: str | None = None) -> Plan[None]:
    """Have the run wait in its queue again; `reason` says what for, if not for any worker."""
    named = {"id": run.id, "attempt": run.attempt, "reason": reason or run.reason}
    yield Statement(_statements.GIVE_BACK, named)


class Standing(NamedTuple):
    """How a run stands."""

    attempt: int
    """Whose it is; 0 if the run is over, or there is none any more."""
    asked: str | None
    """How it is to be stopped."""


_NOBODYS = Standing(0, None)


def look(run_ids: Iterable[str]) -> Plan[dict[str, Standing]]:
    """Tell how runs stand."""
    wanted = [*run_ids]
    rows = yield Statement(_statements.LOOK, {"ids": wanted}, fetch=True)
    found = {
        str(row["id"]): Standing(row["attempt"], row["asked"])
        for row in rows
        if row["status"] not in OVER
    }
    return {run_id: found.get(run_id, _NOBODYS) for run_id in wanted}


def keep_writes(run: Claim, checkpoint_id: str | None) -> Plan[None]:
    """Keep what stands on the checkpoints that the run may write on, unless it is kept."""
    named = {"id": run.id, "thread_id": run.thread_id, "checkpoint_id": checkpoint_id}
    yield Statement(_statements.KEEP_WRITES, named)


def look_around(run: Claim) -> Plan[tuple[Rows, int]]:
    """Return what stands on the checkpoints of subgraphs that waited, and the thread's rows."""
    named = {"id": run.id, "thread_id": run.thread_id}
    nested = yield Statement(_statements.NESTED, named, fetch=True)
    return nested, (yield Statement(_statements.ROWS, named, fetch=True))[0]["rows"]


def roll_back(run: Claim) -> Plan[None]:
    """Have a run's thread as it was before; to be one transaction.

    Raises:
        ValueError: others have stored on top of it since, or are rebuilt from it.
    """
    named = {"id": run.id, "thread_id": run.thread_id}
    if rows := (yield Statement(_statements.BUILT_ON, named, fetch=True)):
        raise ValueError(
            f"checkpoint {rows[0]['checkpoint_id']} was stored on top of it by another since"
        )
    yield from delete_for_runs([run.id], run.thread_id)
    yield Statement(_statements.FORGET_WRITES, named)
    yield Statement(_statements.RESTORE_WRITES, named)


def revive(dead_after: float, own: int | None) -> Plan[int]:
    """Put the jobs of workers that are gone back into their queues; returns how many.

    Those of runs that are over are ended.

    Args:
        dead_after: Seconds after its last heartbeat that a worker is held to be gone.
        own: The number of the worker that asks, which is not.
    """
    named = {"dead_after": dead_after, "own": own}
    yield Statement(_statements.END_STALLED, named)
    return len((yield Statement(_statements.REVIVE, named, fetch=True)))


def drop(keep_events: float, keep_runs: float | None) -> Plan[None]:
    """Delete what was kept long enough since its run was over, in seconds."""
    yield Statement(_statements.DROP_EVENTS, {"seconds": keep_events})
    if keep_runs is not None:
        yield Statement(_statements.DROP_RUNS, {"seconds": keep_runs})
