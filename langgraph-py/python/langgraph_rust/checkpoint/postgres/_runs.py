"""Deleting what runs have left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from langgraph_rust.checkpoint.base._prune import find_bereft, refuse_bereft
from langgraph_rust.checkpoint.postgres._plans import Plan, Statement
from langgraph_rust.checkpoint.postgres._prune import answered, links_of
from langgraph_rust.checkpoint.postgres._sql import DELETE_RUNS_SQL
from langgraph_rust.checkpoint.serde._default import is_drop_in

_LEFT_SQL = """
SELECT thread_id, checkpoint_ns, checkpoint_id FROM checkpoints
WHERE metadata ->> 'run_id' = ANY(%s) AND (%s::text[] IS NULL OR thread_id = ANY(%s))
"""

# A copy of a thread has the same ids.
_CHILDREN_SQL = """
SELECT thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id FROM checkpoints
WHERE thread_id = ANY(%s) AND parent_checkpoint_id = ANY(%s)
"""

_Place = tuple[str, str]
_Left = Mapping[_Place, Collection[str]]


def delete_for_runs(run_ids: Sequence[str], thread_id: str | None = None) -> Plan[None]:
    """Delete the checkpoints of runs, and what only they needed; to be one transaction.

    Args:
        run_ids: The runs.
        thread_id: Where alone they are deleted; wherever they are if left out.

    Raises:
        ValueError: others are rebuilt from them, and this is not drop-in mode.
    """
    given = [*map(str, run_ids)]
    thread_ids = None if thread_id is None else [thread_id]
    if not is_drop_in():
        left: dict[_Place, set[str]] = defaultdict(set)
        for row in (yield _ask(_LEFT_SQL, given, thread_ids, thread_ids)):
            left[row["thread_id"], row["checkpoint_ns"]].add(row["checkpoint_id"])
        if not left:
            return
        thread_ids = [*{thread_id for thread_id, _ in left}]
        yield from _refuse(left, thread_ids)
    named = {"run_ids": given, "thread_ids": thread_ids}
    yield Statement(DELETE_RUNS_SQL, named, prepare=False)


def _refuse(left: _Left, thread_ids: list[str]) -> Plan[None]:
    """Raise `ValueError` if checkpoints that stay are rebuilt from these."""
    ids = [one for own in left.values() for one in own]
    suspects = defaultdict(set)
    for row in (yield _ask(_CHILDREN_SQL, thread_ids, ids)):
        namespace, gone = row["checkpoint_ns"], left.get((row["thread_id"], row["checkpoint_ns"]))
        if gone and row["parent_checkpoint_id"] in gone and row["checkpoint_id"] not in gone:
            suspects[row["thread_id"]].add(namespace)
    bereft = {}
    for thread_id, namespaces in suspects.items():
        links = yield from links_of(thread_id)
        for namespace in namespaces:
            place = thread_id, namespace
            asking = find_bereft(links[namespace], left[place])
            bereft[place] = yield from answered(asking, *place, links[namespace])
    refuse_bereft(bereft)


# Not prepared, for the sake of the arrays; see `_prune`.


def _ask(sql: str, *parameters: object) -> Statement:
    return Statement(sql, parameters, fetch=True, prepare=False)
