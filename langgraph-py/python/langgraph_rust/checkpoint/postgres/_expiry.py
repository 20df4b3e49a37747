"""Finding and deleting the threads that have expired."""

from __future__ import annotations

from collections.abc import Sequence

from langgraph_rust.checkpoint.base._expiry import has_expired
from langgraph_rust.checkpoint.postgres._plans import Plan, Statement
from langgraph_rust.checkpoint.postgres._prune import delete_threads

# While it is held, nobody stores a checkpoint; those who are about to are waited for, and those who
# come wait for this. Hence not for long.
_LOCK_SQL = (
    "SET LOCAL lock_timeout = '1s'",
    "LOCK TABLE checkpoints IN SHARE ROW EXCLUSIVE MODE",
)


def find(checkpoint_id: str, below: str) -> Plan[list[str]]:
    """Ask for threads that may have expired.

    Args:
        checkpoint_id: What gives a checkpoint's id.
        below: The id that all of theirs are below.
    """
    sql = (
        "SELECT thread_id FROM checkpoints GROUP BY thread_id "
        f'HAVING max({checkpoint_id} COLLATE "C") < %s'
    )
    rows = yield Statement(sql, (below,), fetch=True)
    return [row["thread_id"] for row in rows]


def delete(checkpoint_id: str, thread_ids: Sequence[str], below: str) -> Plan[list[str]]:
    """Delete those of some threads that have expired by now; to be one transaction.

    Returns:
        Their ids.
    """
    for sql in _LOCK_SQL:
        yield Statement(sql, prepare=False)
    rows = yield Statement(
        f"SELECT thread_id, array_agg({checkpoint_id}) AS ids FROM checkpoints "
        "WHERE thread_id = ANY(%s) GROUP BY thread_id",
        ([*thread_ids],),
        fetch=True,
        prepare=False,
    )
    expired = [row["thread_id"] for row in rows if has_expired(row["ids"], below)]
    if expired:
        yield from delete_threads(expired)
    return expired
