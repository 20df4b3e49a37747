"""Who may store, as a condition of the statement that stores; and the leases of threads.

A statement sees the database as it was when the statement began. Hence two are sent together: the
first waits until nobody else stores on the thread, and the second looks and stores. At the other
isolation levels it would see the database as it was before it waited: there nothing is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

from psycopg import errors

from langgraph_rust.checkpoint._writing.claim import Claim, Refusal, judge, refuse
from langgraph_rust.checkpoint._writing.leases import NOBODY, Change, Held, queue_of, queue_text
from langgraph_rust.checkpoint.postgres._plans import Plan, Statement

LOCK_SQL = "SELECT pg_advisory_xact_lock(%s::bigint)"
"""Waits for whoever stores on a thread or changes its lease; until the end of the transaction."""


def lock_of(thread_id: str) -> tuple[int]:
    """Return the parameters of `LOCK_SQL`: the number of a thread's lock."""
    digest = blake2b(b"langgraph thread " + thread_id.encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big", signed=True),)


_LEVEL = "read committed"


class Guard(NamedTuple):
    """A query that gives a row if something may be stored, and none otherwise."""

    sql: str
    parameters: Sequence[Any]


def guard_of(claim: Claim) -> Guard:
    """Return the rule of `judge`, as a query."""
    checks_root = claim.checks and claim.root is not None and not claim.forks
    place = claim.thread_id, claim.namespace
    is_strange = claim.strange is not None and claim.parent is not None
    knows = claim.known is not None and claim.parent is not None
    given: list[Any] = []
    if claim.token is not None:
        given += (claim.thread_id, claim.token)
    if checks_root:
        given += (claim.thread_id, claim.root, claim.root_origin, claim.run_id)
    if claim.checks:
        given += place
        given += (claim.parent, claim.made is None or claim.parent is None or not claim.is_run)
        if claim.forks:
            given += (claim.parent is None or claim.parent == claim.origin, *place, claim.parent)
        if is_strange:
            given += (*place, claim.parent, claim.strange)
        if knows:
            given += (*place, claim.parent, [*(claim.known or ())])
        if claim.made is not None:
            given += (not claim.is_ordered, claim.latest, *place, claim.made)
        if claim.shares:
            given += (claim.parent, *place, claim.run_id)
    kind = claim.token is not None, checks_root, claim.checks, claim.made is not None, claim.forks
    return Guard(_guard_sql(*kind, is_strange, knows, claim.shares), given)


@lru_cache
def _guard_sql(
    has_token: bool,
    checks_root: bool,
    checks: bool,
    is_put: bool,
    forks: bool,
    is_strange: bool,
    knows: bool,
    shares: bool,
) -> str:
    """Few texts, so that each is prepared once."""
    conditions = [f"current_setting('transaction_isolation') = '{_LEVEL}'"]
    if has_token:
        conditions.append(
            "EXISTS (SELECT FROM checkpoint_leases WHERE thread_id = %s AND token = %s "
            "AND holder IS NOT NULL)"
        )
    if checks_root:
        conditions.append(
            "NOT EXISTS (SELECT FROM (SELECT checkpoint_id, metadata ->> 'run_id' AS run "
            "FROM checkpoints WHERE thread_id = %s AND checkpoint_ns = '' "
            "ORDER BY checkpoint_id DESC LIMIT 1) AS root WHERE checkpoint_id <> %s "
            "AND checkpoint_id IS DISTINCT FROM %s AND run IS DISTINCT FROM %s)"
        )
    if not checks:
        return f"SELECT 1 AS may WHERE {' AND '.join(conditions)}"
    fits = f"newest {'=' if is_put else '<='} %s OR (newest IS NULL AND %s::bool)"
    if forks:
        fits += (
            " OR %s::bool OR NOT EXISTS (SELECT FROM checkpoints WHERE thread_id = %s "
            "AND checkpoint_ns = %s AND parent_checkpoint_id = %s)"
        )
    fits = f"({fits})"
    on_it = (
        " AND NOT EXISTS (SELECT FROM checkpoint_writes WHERE thread_id = %s "
        "AND checkpoint_ns = %s AND checkpoint_id = %s AND "
    )
    if is_strange:
        fits += f"{on_it}task_id = %s)"
    if knows:
        fits += f"{on_it}task_id <> ALL(%s::text[]))"
    if is_put:
        # One that is there already is stored again: whoever tries again may not know.
        fits = (
            f"({fits} AND (newest IS NULL OR %s::bool OR newest < %s) "
            "OR EXISTS (SELECT FROM checkpoints WHERE thread_id = %s AND checkpoint_ns = %s "
            "AND checkpoint_id = %s))"
        )
    if shares:
        fits = (
            f"({fits} OR (newest IS DISTINCT FROM %s AND EXISTS (SELECT FROM checkpoints WHERE "
            "thread_id = %s AND checkpoint_ns = %s AND checkpoint_id = newest "
            "AND metadata ->> 'run_id' = %s)))"
        )
    conditions.append(fits)
    newest = (
        "SELECT checkpoint_id FROM checkpoints WHERE thread_id = %s AND checkpoint_ns = %s "
        "ORDER BY checkpoint_id DESC LIMIT 1"
    )
    # In the order of the parameters: those of what comes before the place come first.
    first = " AND ".join(conditions[:-1])
    return (
        f"SELECT 1 AS may FROM (SELECT 1 WHERE {first}) AS allowed "
        f"CROSS JOIN (SELECT ({newest}) AS newest) AS head WHERE {conditions[-1]}"
    )


# --- being refused ---

_NEWEST_SQL = """
SELECT DISTINCT ON (checkpoint_ns)
    checkpoint_ns, checkpoint_id, metadata ->> 'run_id' AS run_id
FROM checkpoints WHERE thread_id = %s AND checkpoint_ns = ANY(%s)
ORDER BY checkpoint_ns, checkpoint_id DESC
"""

_TASKS_SQL = """
SELECT DISTINCT task_id FROM checkpoint_writes
WHERE thread_id = %s AND checkpoint_ns = %s AND checkpoint_id = %s
"""

_CHILD_SQL = """
SELECT FROM checkpoints
WHERE thread_id = %s AND checkpoint_ns = %s AND parent_checkpoint_id = %s LIMIT 1
"""


_LEVEL_SQL = "SELECT current_setting('transaction_isolation') AS level"


def _wrong_level(claim: Claim, level: str) -> Exception:
    return RuntimeError(
        f"Nothing is stored on thread '{claim.thread_id}': its transactions are '{level}', so they "
        "do not see what other runs have stored meanwhile, and single_writer must look at that. "
        "Have the saver's connections begin with default_transaction_isolation "
        f"'{_LEVEL}', or set single_writer='off' on the saver."
    )


class _Look:
    """What a thread had a moment after something on it was refused."""

    def __init__(
        self,
        rows: Sequence[dict[str, Any]],
        tasks: Collection[str],
        has_child: bool,
        held: Held,
    ) -> None:
        self._tasks = tasks
        self._has_child = has_child
        self.newest_of = {row["checkpoint_ns"]: row["checkpoint_id"] for row in rows}
        self.runs = {row["checkpoint_ns"]: row["run_id"] for row in rows}
        self.held = held

    def newest(self, namespace: str) -> str | None:
        return self.newest_of.get(namespace)

    def run_of(self, namespace: str, checkpoint_id: str) -> str | None:
        return self.runs.get(namespace)

    def has(self, namespace: str, checkpoint_id: str) -> bool:
        return False

    def has_child(self, namespace: str, parent: str) -> bool:
        return self._has_child

    def tasks(self, namespace: str, checkpoint_id: str) -> Collection[str]:
        return self._tasks

    def token(self) -> int | None:
        return self.held.token if self.held.holder is not None else None


def explain(claim: Claim) -> Plan[Exception]:
    """Ask who stands in the way; returns the error."""
    (at,) = yield Statement(_LEVEL_SQL, fetch=True)
    if at["level"] != _LEVEL:
        return _wrong_level(claim, at["level"])
    held = NOBODY
    if claim.token is not None:
        held, _ = yield from look_at_lease(claim.thread_id)
    wanted = (claim.thread_id, [*{claim.namespace, ""}])
    newest = yield Statement(_NEWEST_SQL, wanted, fetch=True)
    place = claim.thread_id, claim.namespace, claim.parent
    wrote = yield Statement(_TASKS_SQL, place, fetch=True)
    children = (yield Statement(_CHILD_SQL, place, fetch=True)) if claim.forks else ()
    look = _Look(newest, {row["task_id"] for row in wrote}, bool(children), held)
    # Whatever stood in the way may be gone again.
    refusal = judge(claim, look) or Refusal(
        "superseded", claim.namespace, look.newest(claim.namespace)
    )
    return refuse(claim, refusal, other=look.runs.get(refusal.namespace), holder=held.holder)


# --- leases ---

# Two that make it at the same time would both find that it is not there, and one would fail.
_TABLE_SQL = """
DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(7523094288207667812);
    CREATE TABLE IF NOT EXISTS checkpoint_leases (
        thread_id TEXT PRIMARY KEY,
        holder TEXT,
        token BIGINT NOT NULL,
        expires DOUBLE PRECISION NOT NULL,
        waiting TEXT NOT NULL
    );
END $$"""
"""Rows stay, for no token is to be given out twice."""

_LOOK_SQL = """
SELECT holder, token, expires, waiting,
    extract(epoch FROM clock_timestamp())::double precision AS now
FROM (SELECT 1) AS one LEFT JOIN checkpoint_leases ON thread_id = %s
"""

_KEEP_SQL = """
INSERT INTO checkpoint_leases (thread_id, holder, token, expires, waiting)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (thread_id) DO UPDATE SET holder = EXCLUDED.holder, token = EXCLUDED.token,
    expires = EXCLUDED.expires, waiting = EXCLUDED.waiting
"""

NO_TABLE = errors.UndefinedTable
"""What it looks like when nobody has taken a lease yet."""


def make_table() -> Plan[None]:
    """Make the table of leases, unless it is there."""
    yield Statement(_TABLE_SQL, prepare=False, ends_transaction=True)


def look_at_lease(thread_id: str) -> Plan[tuple[Held, float]]:
    """Ask for a thread's lease, and the time."""
    (row,) = yield Statement(_LOOK_SQL, (thread_id,), fetch=True)
    if row["token"] is None:
        return NOBODY, row["now"]
    held = Held(row["holder"], row["token"], row["expires"], queue_of(row["waiting"]))
    return held, row["now"]


def change_lease(thread_id: str, change: Change) -> Plan[Any]:
    """Change a thread's lease; to be one transaction. Returns what the change says."""
    yield Statement(LOCK_SQL, lock_of(thread_id), fetch=True)
    before, now = yield from look_at_lease(thread_id)
    held, answer = change(before, now)
    if held != before:
        yield Statement(_KEEP_SQL, (thread_id, *held[:3], queue_text(held)))
    return answer
