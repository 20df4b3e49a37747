"""The runs of workers, as `langgraph_rust.runs` keeps them in a Postgres database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, timezone
from typing import Any
from uuid import UUID

from langgraph_rust._view._value.records import decode, inner
from langgraph_rust._view._value.redaction import Redaction
from langgraph_rust._view._value.show import Shown
from langgraph_rust._view._watching.events import Events

_PAUSE = 0.1
"""Seconds between looks at a run that is followed."""

_BATCH = 500

_THERE = "SELECT to_regclass('langgraph_rust_run_events') IS NOT NULL AS is_there"

_RUNS = """
SELECT id::text, thread_id, status, worker, created, started, ended, number
FROM langgraph_rust_runs ORDER BY number DESC LIMIT 30
"""

_RUN = "SELECT status, failure FROM langgraph_rust_runs WHERE id = %s::uuid"

_EVENTS = f"""
SELECT id, mode, namespace, type, data, created FROM langgraph_rust_run_events
WHERE run_id = %s::uuid AND id > %s ORDER BY id LIMIT {_BATCH}
"""

_END = "end"


class WorkerRuns:
    """Looks at the runs that are asked for, go on, or were over lately.

    Args:
        ask: Asks the database, and returns rows.
        redaction: What is not shown of them.
    """

    def __init__(self, ask: Callable[..., list[dict[str, Any]]], redaction: Redaction) -> None:
        self._ask = ask
        self._events = Events(redaction)

    def mark(self) -> object:
        """Return nothing: whatever is stored is seen by the database's own mark."""
        return None

    def listed(self) -> list[Shown]:
        """Return the runs, newest first; none if the database has no such tables."""
        return [_told(row) for row in self._ask(_RUNS)] if self._is_there() else []

    def follow(self, run: str, after: int) -> AsyncIterator[tuple[int, str]] | None:
        """Return the events of a run from some number on; `None` if it is not known."""
        try:
            UUID(run)
        except ValueError:
            return None
        is_known = self._is_there() and self._ask(_RUN, run)
        return self._follow(run, after) if is_known else None

    def _is_there(self) -> bool:
        return self._ask(_THERE)[0]["is_there"]

    async def _follow(self, run: str, after: int) -> AsyncIterator[tuple[int, str]]:
        began: dict[str, datetime] = {}
        is_over = False
        while True:
            rows = await asyncio.to_thread(self._ask, _EVENTS, run, after)
            for row in rows:
                after = row["id"]
                if row["mode"] == _END:
                    yield after, json.dumps(await asyncio.to_thread(self._end, run))
                    return
                yield after, json.dumps(self._event(row, began))
            if len(rows) < _BATCH:
                await asyncio.sleep(_PAUSE)
            if not rows:
                if is_over:
                    return
                # What it told last may have come since.
                is_over = await asyncio.to_thread(self._is_over, run)

    def _is_over(self, run: str) -> bool:
        """Whether no event comes any more: it is deleted, or its last was known."""
        known = self._ask(_RUN, run)
        return not known or known[0]["status"] not in ("pending", "running")

    def _event(self, row: Mapping[str, Any], began: dict[str, datetime]) -> Shown:
        mode, data = row["mode"], decode(row["type"], bytes(row["data"]))
        return {**self._shown(mode, data, row["created"], began), "namespace": row["namespace"]}

    def _shown(self, mode: str, data: Any, at: datetime, began: dict[str, datetime]) -> Shown:
        chunk = inner(data)
        if mode == "messages" and isinstance(chunk, list) and len(chunk) == 2:
            node = chunk[1].get("langgraph_node") if isinstance(chunk[1], dict) else None
            return self._events.of_message(chunk[0], node)
        if mode == "tasks" and isinstance(chunk, dict) and {"id", "name"} <= chunk.keys():
            if "input" in chunk:
                began[chunk["id"]] = at
            since = began.get(chunk["id"])
            seconds = None if since is None else (at - since).total_seconds()
            return self._events.of_task(chunk, seconds)
        return self._events.of_stored(mode, data)

    def _end(self, run: str) -> Shown:
        status, failure = "", None
        for row in self._ask(_RUN, run):
            status, failure = row["status"], row["failure"]
        if failure is not None:
            told = failure.get("traceback") or f"{failure.get('type')}: {failure.get('message')}"
            return self._events.of_text(told)
        return {"kind": "stopped" if status == "cancelled" else "done"}


def _told(row: Mapping[str, Any]) -> Shown:
    began = row["started"] or row["created"]
    until = row["ended"] or datetime.now(timezone.utc)
    return {
        "id": row["id"],
        "thread": row["thread_id"],
        "by": f"worker {row['worker']}" if row["worker"] else "nobody yet",
        "status": row["status"],
        "began": began.isoformat(),
        "seconds": max((until - began).total_seconds(), 0.0) if row["started"] else None,
    }
