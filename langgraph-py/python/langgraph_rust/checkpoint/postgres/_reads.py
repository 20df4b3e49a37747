"""Reading checkpoints: what is asked for, and what belongs together."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph_rust.checkpoint.base import get_checkpoint_id
from langgraph_rust.checkpoint.postgres._plans import Plan, Rows, read
from langgraph_rust.checkpoint.postgres.base import BasePostgresSaver

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

PAGE = 64
"""Checkpoints that a search reads at once."""


class Found(NamedTuple):
    """Rows of checkpoints, not decoded."""

    rows: Rows
    sends: list[tuple[dict[str, Any], Any]]
    """Packets that are written on the parents of rows of a format before 4."""

    def settled(self, saver: BasePostgresSaver) -> Rows:
        """Return the rows, as they would be in today's format."""
        for row, sends in self.sends:
            if row["channel_values"] is None:
                row["channel_values"] = []
            saver._migrate_pending_sends(sends, row["checkpoint"], row["channel_values"])
        return self.rows


def address(config: RunnableConfig) -> tuple[str, str, str]:
    """Return thread, namespace and checkpoint that a config names; the last may be empty."""
    configurable = config["configurable"]
    namespace = configurable.get("checkpoint_ns", "")
    return str(configurable["thread_id"]), namespace, get_checkpoint_id(config) or ""


def find(saver: BasePostgresSaver, config: RunnableConfig) -> Plan[Found]:
    """Ask for the checkpoint that a config names, or else the newest of its thread."""
    *thread, checkpoint_id = address(config)
    where = "WHERE thread_id = %s AND checkpoint_ns = %s "
    if checkpoint_id:
        where += "AND checkpoint_id = %s"
        thread.append(checkpoint_id)
    else:
        where += "ORDER BY checkpoint_id DESC LIMIT 1"
    rows = yield from read(saver.SELECT_SQL + where, thread)
    return (yield from _with_sends(saver, rows))


class Search:
    """A search through checkpoints, newest first, page by page.

    Args:
        saver: Whose statements are used.
        config: As for `list`, like the others.
        filter: Metadata entries.
        before: Names a checkpoint.
        limit: How many at most.
    """

    def __init__(
        self,
        saver: BasePostgresSaver,
        config: RunnableConfig | None,
        filter: dict[str, Any] | None,
        before: RunnableConfig | None,
        limit: int | None,
    ) -> None:
        self._saver = saver
        self._where, self._parameters = saver._search_where(config, filter, before)
        self._left = None if limit is None else int(limit)
        self._last: tuple[str, ...] = ()
        self.is_over = limit == 0

    def next_page(self) -> Plan[Found]:
        """Ask for what comes next."""
        where, parameters = self._where, [*self._parameters]
        if self._last:
            # Threads that are copies of each other have checkpoints of the same id.
            where += " AND " if where else "WHERE "
            where += "checkpoint_id <= %s AND (checkpoint_id < %s"
            where += " OR (thread_id, checkpoint_ns) > (%s, %s))"
            parameters += [self._last[0], *self._last]
        size = PAGE if self._left is None else min(PAGE, self._left)
        rows = yield from read(
            f"{self._saver.SELECT_SQL}{where} "
            "ORDER BY checkpoint_id DESC, thread_id, checkpoint_ns LIMIT %s",
            (*parameters, size),
        )
        found = yield from _with_sends(self._saver, rows)
        if self._left is not None:
            self._left -= len(rows)
        self.is_over = len(rows) < size or self._left == 0
        if rows:
            names = "checkpoint_id", "thread_id", "checkpoint_ns"
            self._last = tuple(rows[-1][name] for name in names)
        return found


def _with_sends(saver: BasePostgresSaver, rows: Rows) -> Plan[Found]:
    by_thread: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["checkpoint"]["v"] < 4 and row["parent_checkpoint_id"]:
            by_thread[row["thread_id"]][row["parent_checkpoint_id"]].append(row)
    sends: list[tuple[dict[str, Any], Any]] = []
    for thread_id, by_parent in by_thread.items():
        written = yield from read(saver.SELECT_PENDING_SENDS_SQL, (thread_id, list(by_parent)))
        for parent in written:
            sends += [(row, parent["sends"]) for row in by_parent[parent["checkpoint_id"]]]
    return Found(rows, sends)
