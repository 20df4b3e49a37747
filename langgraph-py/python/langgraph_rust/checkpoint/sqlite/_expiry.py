"""Finding and deleting the threads that have expired."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from langgraph_rust.checkpoint.base._expiry import has_expired
from langgraph_rust.checkpoint.sqlite._rows import delete_thread


def find(connection: sqlite3.Connection, below: str) -> list[str]:
    """Return the ids of threads that may have expired; a look at the index alone."""
    rows = connection.execute(
        "SELECT thread_id FROM checkpoints GROUP BY thread_id HAVING max(checkpoint_id) < ?",
        (below,),
    )
    return [thread_id for (thread_id,) in rows]


class Deletion:
    """A part of a transaction that deletes those of some threads that have expired by then."""

    def __init__(self, thread_ids: Sequence[str], below: str) -> None:
        self.thread_ids = thread_ids
        self.below = below
        self.deleted: list[str] = []

    def __call__(self, connection: sqlite3.Connection) -> None:
        """Look, and delete, in a transaction that nobody else writes during."""
        # It may be done again, if another part of the transaction fails.
        self.deleted = []
        for thread_id in self.thread_ids:
            query = "SELECT checkpoint_id FROM checkpoints WHERE thread_id = ?"
            found = [one for (one,) in connection.execute(query, (thread_id,))]
            if found and has_expired(found, self.below):
                delete_thread(thread_id)(connection)
                self.deleted.append(thread_id)
