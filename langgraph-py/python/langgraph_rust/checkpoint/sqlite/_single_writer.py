"""Who may store, looked up in the transaction that stores; and the leases of threads."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from langgraph_rust.checkpoint._writing.claim import Claim, claim_of, judge, refuse
from langgraph_rust.checkpoint._writing.leases import NOBODY, Change, Held, queue_of, queue_text
from langgraph_rust.checkpoint.sqlite._rows import Work

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

_LEASES = """
    CREATE TABLE IF NOT EXISTS checkpoint_leases (
        thread_id TEXT PRIMARY KEY,
        holder TEXT,
        token INTEGER NOT NULL,
        expires REAL NOT NULL,
        waiting TEXT NOT NULL
    )
"""
"""Made when somebody takes the first lease. Rows stay, for no token is to be given out twice."""

_OF_NAMESPACE = "thread_id = ? AND checkpoint_ns = ?"
_OF_CHECKPOINT = f"{_OF_NAMESPACE} AND checkpoint_id = ?"

_NEWEST = f"""
    SELECT (SELECT max(checkpoint_id) FROM checkpoints WHERE {_OF_NAMESPACE}),
        (SELECT 1 FROM writes WHERE {_OF_CHECKPOINT} LIMIT 1)
"""
"""The newest checkpoint, and whether somebody has written on the parent. Mostly that is all that is
asked, so it is one statement."""
_HAS = f"SELECT 1 FROM checkpoints WHERE {_OF_CHECKPOINT}"
# Children are newer: that leaves few to look at.
_HAS_CHILD = (
    f"SELECT 1 FROM checkpoints WHERE {_OF_NAMESPACE} AND checkpoint_id > ? "
    "AND parent_checkpoint_id = ? LIMIT 1"
)
_TASKS = f"SELECT DISTINCT task_id FROM writes WHERE {_OF_CHECKPOINT}"
_METADATA = f"SELECT metadata FROM checkpoints WHERE {_OF_CHECKPOINT}"


class _Look:
    """What a thread has, on a connection that writes."""

    def __init__(self, connection: sqlite3.Connection, claim: Claim) -> None:
        self._connection = connection
        self._thread_id = claim.thread_id
        self._parent = claim.parent
        self._is_written_on: Any = True

    def newest(self, namespace: str) -> str | None:
        thread = self._thread_id, namespace
        found = self._connection.execute(_NEWEST, (*thread, *thread, self._parent)).fetchone()
        newest, self._is_written_on = found
        return newest

    def has(self, namespace: str, checkpoint_id: str) -> bool:
        return bool(self._one(_HAS, namespace, checkpoint_id))

    def has_child(self, namespace: str, parent: str) -> bool:
        return bool(self._one(_HAS_CHILD, namespace, parent, parent))

    def tasks(self, namespace: str, checkpoint_id: str) -> Collection[str]:
        if checkpoint_id == self._parent and not self._is_written_on:
            return ()
        place = self._thread_id, namespace, checkpoint_id
        return [task_id for (task_id,) in self._connection.execute(_TASKS, place)]

    def token(self) -> int | None:
        held = _read(self._connection, self._thread_id)
        return held.token if held.holder is not None else None

    def run_of(self, namespace: str, checkpoint_id: str) -> str | None:
        metadata = self._one(_METADATA, namespace, checkpoint_id)
        return json.loads(metadata).get("run_id") if metadata else None

    def holder(self) -> str | None:
        return _read(self._connection, self._thread_id).holder

    def _one(self, query: str, *parameters: Any) -> Any:
        row = self._connection.execute(query, (self._thread_id, *parameters)).fetchone()
        return row and row[0]


def checked(
    saver: Any,
    config: RunnableConfig,
    made: str | None,
    work: Work,
    wrote: Iterable[tuple[str, str]],
) -> Work:
    """Return what stores only if it may, all of it or nothing.

    Args:
        saver: Says whether others matter.
        config: What the saver was called with.
        made: Id of the checkpoint that is to be stored; `None` for writes.
        work: Stores it.
        wrote: Checkpoints and tasks of the writes that are to be stored.
    """
    claim = claim_of(saver, config, made, wrote)
    if claim is None:
        return work

    def check_and_store(connection: sqlite3.Connection) -> None:
        look = _Look(connection, claim)
        if (refusal := judge(claim, look)) is not None:
            raise refuse(
                claim,
                refusal,
                other=look.run_of(refusal.namespace, refusal.newest or ""),
                holder=look.holder(),
            )
        work(connection)

    return check_and_store


# --- leases ---


class LeaseWork:
    """A change of a thread's lease, as a part of a transaction.

    Args:
        thread_id: The thread.
        change: What becomes of it.
    """

    answer: Any = None
    """What the change said."""

    def __init__(self, thread_id: str, change: Change) -> None:
        self._thread_id = thread_id
        self._change = change

    def __call__(self, connection: sqlite3.Connection) -> None:
        """Do it."""
        connection.execute(_LEASES)
        before = _read(connection, self._thread_id)
        held, self.answer = self._change(before, time.time())
        if held != before:
            row = (self._thread_id, *held[:3], queue_text(held))
            query = "INSERT OR REPLACE INTO checkpoint_leases VALUES (?, ?, ?, ?, ?)"
            connection.execute(query, row)


def look_at_lease(connection: sqlite3.Connection, thread_id: str) -> tuple[Held, float]:
    """Return a thread's lease, and the time."""
    return _read(connection, thread_id), time.time()


def _read(connection: sqlite3.Connection, thread_id: str) -> Held:
    query = "SELECT holder, token, expires, waiting FROM checkpoint_leases WHERE thread_id = ?"
    try:
        row = connection.execute(query, (thread_id,)).fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return NOBODY
    if row is None:
        return NOBODY
    holder, token, expires, waiting = row
    return Held(holder, token, expires, queue_of(waiting))
