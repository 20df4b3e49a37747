"""Turning whole lists into changes, a thread at a time and each in one transaction."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from langgraph_rust._storage import rows
from langgraph_rust._storage.decide import Plan, decide
from langgraph_rust._storage.judge import judge
from langgraph_rust._storage.layout import layout_of

_ATTEMPTS = 3
"""How often a thread that moves is looked at anew before others have to wait for it."""


@dataclass
class Outcome:
    """What was done, or would be."""

    threads: int = 0
    values: int = 0
    """Values taken out."""
    taken: int = 0
    """Bytes of these."""
    completed: int = 0
    """Writes whose messages got their ids."""
    seen: set[str] = field(default_factory=set)
    """Channels that hold lists."""
    alone: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    """Threads by channel that was left alone, and reason; by `""`, checkpoints that were."""

    def count(self, plan: Plan) -> None:
        """Add what is planned for a namespace."""
        for saving in plan.savings.values():
            self.values += saving.values
            self.taken += saving.taken
        self.completed += len(plan.completed)


def compact(
    connection: sqlite3.Connection,
    threads: Sequence[str],
    channels: Collection[str] | None,
    *,
    is_dry: bool,
    tell: Callable[[str], None],
) -> Outcome:
    """Convert threads; what is done stays done if this is stopped at any moment.

    Args:
        connection: For this alone, in autocommit mode.
        threads: Their ids.
        channels: The only ones to convert; all, if `None`.
        is_dry: Whether to only look.
        tell: Is told now and then how far this is.
    """
    outcome = Outcome()
    told = time.monotonic()
    for number, thread in enumerate(threads, 1):
        plans = _compact_thread(connection, thread, channels, outcome, is_dry=is_dry)
        outcome.threads += any(plan.drops for plan in plans)
        for plan in plans:
            outcome.count(plan)
        if time.monotonic() - told > 1:
            told = time.monotonic()
            tell(f"{number} of {len(threads)} threads, {outcome.values} values taken out")
    return outcome


def _compact_thread(
    connection: sqlite3.Connection,
    thread: str,
    channels: Collection[str] | None,
    outcome: Outcome,
    *,
    is_dry: bool,
) -> list[Plan]:
    for attempt in range(_ATTEMPTS):
        with transaction(connection, "DEFERRED"):
            plans = _plans(connection, thread, channels, outcome)
            seen = rows.data_version(connection)
            if is_dry or not any(plan.drops for plan in plans):
                return plans
            known = rows.fingerprint(connection, thread)
        with transaction(connection, "IMMEDIATE"):
            if attempt + 1 == _ATTEMPTS:
                # It moves whenever it is looked at: now nobody can move it.
                plans = _plans(connection, thread, channels, outcome)
            elif rows.data_version(connection) != seen:
                if rows.fingerprint(connection, thread) != known:
                    continue
            for plan in plans:
                _apply(connection, plan)
            return plans
    raise AssertionError("the last attempt is the last")


@contextmanager
def transaction(connection: sqlite3.Connection, kind: str) -> Iterator[None]:
    """Do something in one transaction."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _plans(
    connection: sqlite3.Connection,
    thread: str,
    channels: Collection[str] | None,
    outcome: Outcome,
) -> list[Plan]:
    task_path = rows.path_column(connection)
    plans = []
    for tree in rows.trees(connection, thread):
        judged = judge(connection, tree, task_path)
        plans.append(decide(judged, channels))
        outcome.seen.update(judged.cases)
        for channel, case in judged.cases.items():
            is_wanted = channels is None or channel in channels
            if is_wanted and (reason := case.reason):
                outcome.alone[channel, reason].add(thread)
        for reason, checkpoints in judged.sealed.items():
            outcome.alone["", reason].update(checkpoints)
    return plans


def _apply(connection: sqlite3.Connection, plan: Plan) -> None:
    place = (plan.tree.thread, plan.tree.namespace)
    where = "WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?"
    for checkpoint, channels in plan.drops.items():
        layout = layout_of(rows.blob(connection, plan.tree, checkpoint))
        connection.execute(
            f"UPDATE checkpoints SET checkpoint = ? {where}",
            (layout.without(channels), *place, checkpoint),
        )
    for (checkpoint, task, index), value in plan.completed.items():
        connection.execute(
            f"UPDATE writes SET value = ? {where} AND task_id = ? AND idx = ?",
            (value, *place, checkpoint, task, index),
        )


def shrink(connection: sqlite3.Connection) -> str | None:
    """Give what is free back to the file system; return why not, if that cannot be done now."""
    try:
        connection.execute("VACUUM")
        # Whoever reads now may do so for long.
        connection.execute("PRAGMA busy_timeout = 1000")
        is_busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError as error:
        return f"the file is as large as before: {error}; run it again when nobody uses it"
    return "the file gets smaller when those who use it now are done" if is_busy else None


def free_bytes(connection: sqlite3.Connection) -> int:
    """Return how many bytes of the file are in no use."""
    pages = connection.execute("PRAGMA freelist_count").fetchone()[0]
    return pages * connection.execute("PRAGMA page_size").fetchone()[0]


def reasons(outcome: Outcome) -> list[tuple[str, str, int]]:
    """Return what was left alone: channel, reason, and in how many threads (or checkpoints)."""
    total = Counter({key: len(found) for key, found in outcome.alone.items()})
    return [(channel, reason, count) for (channel, reason), count in total.most_common()]
