"""Deleting old checkpoints, and what only they needed.

Nothing here joins two sets of a thread's rows: what is worth pruning is large, and the planner
knows too little of a single thread to join well. Rows are looked up by key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from langgraph_rust.checkpoint.postgres._plans import Plan, Rows, Statement
from langgraph_rust.checkpoint.serde.types import TASKS

PRUNE_STRATEGIES = ("keep_latest", "delete")

_TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")

PRUNE_DELETE_THREADS_SQL = tuple(
    f"DELETE FROM {table} WHERE thread_id = ANY(%s)" for table in _TABLES
)

# What delta channels leave: counters, the mark of LangGraph.js, or a snapshot, which is a `true` in
# the checkpoint with a blob behind it.
PRUNE_DELTA_THREADS_SQL = """
SELECT thread_id FROM checkpoints
WHERE thread_id = ANY(%s)
    AND metadata ?| ARRAY['counters_since_delta_snapshot', 'delta_writes_versioned']
UNION
SELECT c.thread_id FROM checkpoints c
CROSS JOIN LATERAL jsonb_each(c.checkpoint -> 'channel_values') AS held(channel, value)
CROSS JOIN LATERAL (
    SELECT FROM checkpoint_blobs b
    WHERE b.thread_id = c.thread_id AND b.checkpoint_ns = c.checkpoint_ns
        AND b.channel = held.channel
        AND b.version = c.checkpoint -> 'channel_versions' ->> held.channel
    LIMIT 1
) AS snapshot
WHERE c.thread_id = ANY(%s) AND held.value = 'true'
"""

PRUNE_SNAPSHOT_SQL = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"

# Of each namespace: the newest checkpoint; the one before, if that still has the packets of a
# format before 4; the root graph's checkpoint that it belongs to, and whether that is stored.
PRUNE_HEADS_SQL = f"""
SELECT
    newest.checkpoint_ns,
    newest.checkpoint_id AS head,
    CASE WHEN (own.checkpoint ->> 'v')::int < 4 AND EXISTS (
        SELECT FROM checkpoint_writes w
        WHERE w.thread_id = %s AND w.checkpoint_ns = newest.checkpoint_ns
            AND w.checkpoint_id = own.parent_checkpoint_id AND w.channel = '{TASKS}'
    ) THEN own.parent_checkpoint_id END AS sends_parent,
    own.metadata -> 'parents' ->> '' AS root,
    EXISTS (
        SELECT FROM checkpoints r
        WHERE r.thread_id = %s AND r.checkpoint_ns = ''
            AND r.checkpoint_id = own.metadata -> 'parents' ->> ''
    ) AS root_saved
FROM (
    SELECT DISTINCT ON (checkpoint_ns) checkpoint_ns, checkpoint_id FROM checkpoints
    WHERE thread_id = %s
    ORDER BY checkpoint_ns DESC, checkpoint_id DESC
) AS newest
CROSS JOIN LATERAL (
    SELECT checkpoint, parent_checkpoint_id, metadata FROM checkpoints
    WHERE thread_id = %s AND checkpoint_ns = newest.checkpoint_ns
        AND checkpoint_id = newest.checkpoint_id
) AS own
"""

PRUNE_UNKEPT_SQL = """
SELECT checkpoint_id FROM checkpoints
WHERE thread_id = %s AND checkpoint_ns = %s AND checkpoint_id <> ALL(%s)
"""

# Writes may be stored before their checkpoint is, so those go whose checkpoint is seen to go.
PRUNE_WRITES_SQL = """
DELETE FROM checkpoint_writes
WHERE thread_id = %s AND checkpoint_ns = %s AND checkpoint_id = ANY(%s)
"""

PRUNE_CHECKPOINTS_SQL = """
WITH gone AS (
    DELETE FROM checkpoints WHERE thread_id = %s AND checkpoint_ns = %s AND checkpoint_id <> ALL(%s)
    RETURNING checkpoint -> 'channel_versions' AS used
)
SELECT DISTINCT v.key AS channel, v.value AS version
FROM gone CROSS JOIN LATERAL jsonb_each_text(gone.used) AS v
"""

PRUNE_PARENTS_SQL = """
UPDATE checkpoints SET parent_checkpoint_id = NULL
WHERE thread_id = %s AND checkpoint_ns = %s
    AND checkpoint_id = ANY(%s) AND parent_checkpoint_id <> ALL(%s)
"""

PRUNE_REFERENCED_BLOBS_SQL = """
SELECT DISTINCT v.key AS channel, v.value AS version
FROM checkpoints c CROSS JOIN LATERAL jsonb_each_text(c.checkpoint -> 'channel_versions') AS v
WHERE c.thread_id = %s AND c.checkpoint_ns = %s
"""

PRUNE_BLOBS_SQL = """
DELETE FROM checkpoint_blobs
WHERE thread_id = %s AND checkpoint_ns = %s AND channel = %s AND version = ANY(%s)
"""

PRUNE_SUBGRAPH_CALLS_SQL = tuple(
    f"DELETE FROM {table} WHERE thread_id = %s AND checkpoint_ns = ANY(%s)" for table in _TABLES
)


def checked(thread_ids: Sequence[str], strategy: str) -> list[str]:
    """Return the ids of threads to prune.

    Raises:
        TypeError: they are one text.
        ValueError: there is no such strategy.
    """
    if isinstance(thread_ids, str):
        raise TypeError("thread_ids must be a sequence of thread IDs, not a str")
    if strategy not in PRUNE_STRATEGIES:
        known = " or ".join(map(repr, PRUNE_STRATEGIES))
        raise ValueError(f"Unknown prune strategy: {strategy!r}. It must be {known}.")
    return [str(thread_id) for thread_id in thread_ids]


# Not prepared: with a plan for any array, a row is compared with its elements one by one.


def _do(sql: str, *parameters: Any) -> Statement:
    return Statement(sql, parameters, prepare=False)


def _ask(sql: str, *parameters: Any) -> Statement:
    return Statement(sql, parameters, fetch=True, prepare=False)


def delete_threads(thread_ids: list[str]) -> Plan[None]:
    """Delete everything of the threads; to be one transaction."""
    for sql in PRUNE_DELETE_THREADS_SQL:
        yield _do(sql, thread_ids)


def refuse_delta_threads(thread_ids: list[str]) -> Plan[None]:
    """Find threads that cannot be pruned.

    Raises:
        NotImplementedError: there are some.
    """
    rows = yield _ask(PRUNE_DELTA_THREADS_SQL, thread_ids, thread_ids)
    if found := sorted(row["thread_id"] for row in rows):
        raise NotImplementedError(
            f"keep_latest can't prune threads that use a DeltaChannel: {', '.join(found)}. Their "
            "values are rebuilt from older checkpoints. Use strategy='delete', or leave them out."
        )


def keep_latest(thread_id: str) -> Plan[None]:
    """Delete a thread's older checkpoints; to be one transaction, which sees one snapshot."""
    yield _do(PRUNE_SNAPSHOT_SQL)
    heads = yield _ask(PRUNE_HEADS_SQL, *(thread_id,) * 4)
    # It may have become one since all threads were looked at.
    yield from refuse_delta_threads([thread_id])
    kept = {
        row["checkpoint_ns"]: [own for own in (row["head"], row["sends_parent"]) if own]
        for row in heads
    }
    calls = _calls_that_go(heads, kept.get("", ()))
    if calls:
        for sql in PRUNE_SUBGRAPH_CALLS_SQL:
            yield _do(sql, thread_id, calls)
    for namespace in kept.keys() - set(calls):
        yield from _keep(thread_id, namespace, kept[namespace])


def _calls_that_go(heads: Rows, kept_roots: Sequence[str]) -> list[str]:
    """The namespaces of subgraphs' calls that began on checkpoints that go.

    Such a namespace ends with the id of a task after a colon. A call may be stored before the
    checkpoint that it began on.
    """
    return [
        row["checkpoint_ns"]
        for row in heads
        if ":" in row["checkpoint_ns"] and row["root_saved"] and row["root"] not in kept_roots
    ]


def _keep(thread_id: str, namespace: str, kept: list[str]) -> Plan[None]:
    rows = yield _ask(PRUNE_UNKEPT_SQL, thread_id, namespace, kept)
    if rows:
        yield _do(PRUNE_WRITES_SQL, thread_id, namespace, [row["checkpoint_id"] for row in rows])
    freed = yield _ask(PRUNE_CHECKPOINTS_SQL, thread_id, namespace, kept)
    yield _do(PRUNE_PARENTS_SQL, thread_id, namespace, kept, kept)
    if not freed:
        return
    referenced = yield _ask(PRUNE_REFERENCED_BLOBS_SQL, thread_id, namespace)
    for channel, versions in _garbage(freed, referenced).items():
        yield _do(PRUNE_BLOBS_SQL, thread_id, namespace, channel, versions)


def _garbage(freed: Rows, referenced: Rows) -> dict[str, list[str]]:
    """By channel, the versions that no checkpoint has any more."""
    in_use = {(row["channel"], row["version"]) for row in referenced}
    garbage: dict[str, list[str]] = defaultdict(list)
    for row in freed:
        if (row["channel"], row["version"]) not in in_use:
            garbage[row["channel"]].append(row["version"])
    return garbage
