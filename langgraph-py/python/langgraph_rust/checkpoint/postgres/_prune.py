"""Deleting old checkpoints, and what only they needed.

Nothing here joins two sets of a thread's rows: what is worth pruning is large, and the planner
knows too little of a single thread to join well. Rows are looked up by key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from langgraph_rust.checkpoint.base._prune import (
    COUNTERS,
    Asking,
    Keep,
    Link,
    Look,
    changed,
    find_superfluous,
    may_encode_seed,
    several,
)
from langgraph_rust.checkpoint.postgres._plans import Plan, Rows, Statement, T
from langgraph_rust.checkpoint.serde._default import is_drop_in
from langgraph_rust.checkpoint.serde.types import TASKS

PRUNE_STRATEGIES = ("keep_latest", "delete")
"""What `prune` may be told to do with a thread: keep its newest checkpoints, or nothing."""

_TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")

PRUNE_DELETE_THREADS_SQL = tuple(
    f"DELETE FROM {table} WHERE thread_id = ANY(%s)" for table in _TABLES
)
"""For each table: deletes all rows of some threads."""

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
"""Which of some threads have delta channels."""

PRUNE_SNAPSHOT_SQL = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
"""Has a transaction see one state of the tables from its beginning to its end."""

# The mark of LangGraph.js, whose rows are not known here.
_FOREIGN_SQL = """
SELECT DISTINCT thread_id FROM checkpoints
WHERE thread_id = ANY(%s) AND metadata ? 'delta_writes_versioned'
"""

# Of each namespace: the root graph's checkpoint that its newest belongs to, and whether that is
# stored.
PRUNE_HEADS_SQL = """
SELECT
    newest.checkpoint_ns,
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
    SELECT metadata FROM checkpoints
    WHERE thread_id = %s AND checkpoint_ns = newest.checkpoint_ns
        AND checkpoint_id = newest.checkpoint_id
) AS own
"""
"""Each namespace's newest checkpoint, by the root graph's one that it belongs to."""

_LINKS_SQL = f"""
SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id, metadata -> '{COUNTERS}' AS counters
FROM checkpoints WHERE thread_id = %s
"""

# How values are encoded, and their first bytes; what stays within the checkpoint is no list.
_LOOKS_SQL = f"""
SELECT
    c.checkpoint_id,
    (c.checkpoint ->> 'v')::int < 4 AND EXISTS (
        SELECT FROM checkpoint_writes w
        WHERE w.thread_id = c.thread_id AND w.checkpoint_ns = c.checkpoint_ns
            AND w.checkpoint_id = c.parent_checkpoint_id AND w.channel = '{TASKS}'
    ) AS needs_parent,
    ARRAY(SELECT jsonb_object_keys(c.checkpoint -> 'channel_versions')) AS written,
    ARRAY(
        SELECT key FROM jsonb_each(c.checkpoint -> 'channel_values') WHERE value <> 'null'
    ) AS inline,
    ARRAY(
        SELECT ARRAY[convert_to(v.key, 'UTF8'), convert_to(b.type, 'UTF8'), b.head]
        FROM jsonb_each_text(c.checkpoint -> 'channel_versions') AS v
        CROSS JOIN LATERAL (
            SELECT type, substring(blob FOR 8) AS head FROM checkpoint_blobs
            WHERE thread_id = c.thread_id AND checkpoint_ns = c.checkpoint_ns
                AND channel = v.key AND version = v.value AND type <> 'empty'
            LIMIT 1
        ) AS b
    ) AS stored
FROM checkpoints c
WHERE thread_id = %s AND checkpoint_ns = %s AND checkpoint_id = ANY(%s)
"""

_FIRST_LOOKS = 8
_MOST_LOOKS = 512
"""Ancestors that are looked at together: few, then more and more."""

PRUNE_UNKEPT_SQL = """
SELECT checkpoint_id FROM checkpoints
WHERE thread_id = %s AND checkpoint_ns = %s AND checkpoint_id <> ALL(%s)
"""
"""The checkpoints of a namespace but for those that are kept."""

# Writes may be stored before their checkpoint is, so those go whose checkpoint is seen to go.
PRUNE_WRITES_SQL = """
DELETE FROM checkpoint_writes
WHERE thread_id = %s AND checkpoint_ns = %s AND checkpoint_id = ANY(%s)
"""
"""Deletes the writes on some checkpoints."""

PRUNE_CHECKPOINTS_SQL = """
WITH gone AS (
    DELETE FROM checkpoints WHERE thread_id = %s AND checkpoint_ns = %s AND checkpoint_id <> ALL(%s)
    RETURNING checkpoint -> 'channel_versions' AS used
)
SELECT DISTINCT v.key AS channel, v.value AS version
FROM gone CROSS JOIN LATERAL jsonb_each_text(gone.used) AS v
"""
"""Deletes all but some checkpoints of a namespace, and tells which values they had."""

PRUNE_PARENTS_SQL = """
UPDATE checkpoints SET parent_checkpoint_id = NULL
WHERE thread_id = %s AND checkpoint_ns = %s
    AND checkpoint_id = ANY(%s) AND parent_checkpoint_id <> ALL(%s)
"""
"""Has checkpoints whose parents are gone forget those."""

PRUNE_REFERENCED_BLOBS_SQL = """
SELECT DISTINCT v.key AS channel, v.value AS version
FROM checkpoints c CROSS JOIN LATERAL jsonb_each_text(c.checkpoint -> 'channel_versions') AS v
WHERE c.thread_id = %s AND c.checkpoint_ns = %s
"""
"""The values that checkpoints of a namespace still name."""

PRUNE_BLOBS_SQL = """
DELETE FROM checkpoint_blobs
WHERE thread_id = %s AND checkpoint_ns = %s AND channel = %s AND version = ANY(%s)
"""
"""Deletes values by channel and version."""

PRUNE_SUBGRAPH_CALLS_SQL = tuple(
    f"DELETE FROM {table} WHERE thread_id = %s AND checkpoint_ns = ANY(%s)" for table in _TABLES
)
"""For each table: deletes what calls of subgraphs have left that nobody goes on with."""


def run_ids_of(run_ids: Sequence[Any]) -> list[str]:
    """Return the ids of runs as texts.

    Raises:
        TypeError: they are one text.
    """
    return [*map(str, several("run_ids", "run", run_ids))]


class Pruning(NamedTuple):
    """What `prune` was asked for."""

    thread_ids: list[str]
    keep: Keep
    refuses: bool
    """Whether threads with delta channels are refused."""

    @classmethod
    def read(
        cls, thread_ids: Sequence[str], strategy: str, last: int | None, newer_than: datetime | None
    ) -> Pruning:
        """Check what is asked for.

        In drop-in mode, what upstream can be asked for is answered as upstream does.

        Raises:
            TypeError: the threads are one text, or what is to stay is of another type.
            ValueError: there is no such strategy, or what is to stay makes no sense.
        """
        several("thread_ids", "thread", thread_ids)
        keep = Keep.read(strategy, last, newer_than)
        refuses = keep == (1, None) and is_drop_in()
        return cls([str(thread_id) for thread_id in thread_ids], keep, refuses)

    def plans(self) -> Iterator[Plan[None]]:
        """Yield what is to be done, each a transaction of its own."""
        if not self.thread_ids:
            return
        if not self.keep.newest:
            yield delete_threads(self.thread_ids)
            return
        for thread_id in self.thread_ids:
            yield prune_thread(thread_id, self.keep, refuses=self.refuses)

    def refuse(self) -> Plan[None]:
        """Find threads that cannot be pruned, before anything is.

        Raises:
            NotImplementedError: there are some.
        """
        if self.keep.newest and self.thread_ids:
            yield from refuse_threads(self.thread_ids, with_delta=self.refuses)


# Not prepared: with a plan for any array, a row is compared with its elements one by one.


def _do(sql: str, *parameters: Any) -> Statement:
    return Statement(sql, parameters, prepare=False)


def _ask(sql: str, *parameters: Any) -> Statement:
    return Statement(sql, parameters, fetch=True, prepare=False)


def delete_threads(thread_ids: list[str]) -> Plan[None]:
    """Delete everything of the threads; to be one transaction."""
    for sql in PRUNE_DELETE_THREADS_SQL:
        yield _do(sql, thread_ids)


def refuse_threads(thread_ids: list[str], *, with_delta: bool) -> Plan[None]:
    """Find threads that cannot be pruned: those of LangGraph.js, and any with delta channels.

    Raises:
        NotImplementedError: there are some.
    """
    if with_delta:
        rows = yield _ask(PRUNE_DELTA_THREADS_SQL, thread_ids, thread_ids)
        what, way_out = "use a DeltaChannel", "With last=2 it keeps what they need. Or u"
    else:
        rows = yield _ask(_FOREIGN_SQL, thread_ids)
        what, way_out = "use a DeltaChannel of LangGraph.js", "U"
    if found := sorted(row["thread_id"] for row in rows):
        raise NotImplementedError(
            f"keep_latest can't prune threads that {what}: {', '.join(found)}. Their values are "
            f"rebuilt from older checkpoints. {way_out}se strategy='delete', or leave them out."
        )


def prune_thread(thread_id: str, keep: Keep, *, refuses: bool) -> Plan[None]:
    """Delete a thread's older checkpoints; to be one transaction, which sees one snapshot."""
    yield _do(PRUNE_SNAPSHOT_SQL)
    heads = yield _ask(PRUNE_HEADS_SQL, *(thread_id,) * 3)
    # It may have become one since all threads were looked at.
    yield from refuse_threads([thread_id], with_delta=refuses)
    kept: dict[str, list[str]] = {}
    for namespace, links in (yield from links_of(thread_id)).items():
        asking = find_superfluous(links, keep)
        gone = {*(yield from answered(asking, thread_id, namespace, links))}
        kept[namespace] = [one.checkpoint_id for one in links if one.checkpoint_id not in gone]
    calls = _calls_that_go(heads, kept.get("", ()))
    if calls:
        for sql in PRUNE_SUBGRAPH_CALLS_SQL:
            yield _do(sql, thread_id, calls)
    for namespace in kept.keys() - set(calls):
        yield from _keep(thread_id, namespace, kept[namespace])


def links_of(thread_id: str) -> Plan[dict[str, list[Link]]]:
    """Ask for a thread's links, by namespace."""
    namespaces: dict[str, list[Link]] = defaultdict(list)
    for row in (yield _ask(_LINKS_SQL, thread_id)):
        names = changed({COUNTERS: row["counters"]})
        link = Link(row["checkpoint_id"], row["parent_checkpoint_id"], names)
        namespaces[row["checkpoint_ns"]].append(link)
    return namespaces


def answered(asking: Asking[T], thread_id: str, namespace: str, links: list[Link]) -> Plan[T]:
    """Return what is found out by asking for looks at checkpoints of a namespace."""
    parents = {link.checkpoint_id: link.parent_id for link in links}
    looks: dict[str, Look] = {}
    at_once = _FIRST_LOOKS
    try:
        asked = next(asking)
        while True:
            if asked not in looks:
                # Its ancestors are what is asked for next.
                ids = [*islice(_line(parents, asked), at_once)]
                rows = yield _ask(_LOOKS_SQL, thread_id, namespace, ids)
                looks |= {row["checkpoint_id"]: _look(row) for row in rows}
                at_once = min(at_once * 2, _MOST_LOOKS)
            asked = asking.send(looks[asked])
    except StopIteration as end:
        return end.value


def _line(parents: Mapping[str, str | None], one: str | None) -> Iterator[str]:
    """Yield a checkpoint and its ancestors, for ever if it is its own."""
    while one is not None and one in parents:
        yield one
        one = parents[one]


def _look(row: Mapping[str, Any]) -> Look:
    held = dict.fromkeys(row["inline"], False)
    for channel, kind, head in row["stored"]:
        held[channel.decode()] = may_encode_seed(kind.decode(), head or b"")
    return Look(row["written"], held, row["needs_parent"])


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
