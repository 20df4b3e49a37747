"""What must hold of runs, whatever has happened to their workers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import psycopg
from psycopg.rows import dict_row

from langgraph_rust.checkpoint.postgres import PostgresSaver
from langgraph_rust.runs import Event, Runs
from tests.workers.program import BESIDE, NODES, graph

_TRACES = "SELECT * FROM traces ORDER BY at"


def faults(
    database: str, runs: Runs, threads: Mapping[str, Sequence[str]], live: Mapping[str, list[Event]]
) -> Iterator[str]:
    """Yield what is wrong.

    Args:
        database: Where all of it is.
        runs: Tells of the runs.
        threads: The ids of the threads' runs, in the order of their enqueuing.
        live: Of some runs the events that were read while they ran.
    """
    with psycopg.connect(database, autocommit=True, row_factory=dict_row) as connection:
        traces = connection.execute(_TRACES).fetchall()
        left = connection.execute("SELECT count(*) AS n FROM procrastinate_jobs").fetchall()
    if left[0]["n"]:
        yield f"{left[0]['n']} jobs are left"
    yield from _of_tasks(traces, {run for ids in threads.values() for run in ids})
    yield from _of_threads(database, traces, threads)
    for run_id in (run for ids in threads.values() for run in ids):
        run = runs.get(run_id)
        if run.status != "success":
            yield f"run {run_id} ended with {run.status}: {run.failure}"
        events = [*runs.stream(run_id)]
        yield from (f"stream of {run_id}: {fault}" for fault in _of_stream(events))
        if run_id in live and live[run_id] != events:
            yield f"stream of {run_id}: whoever read it live has seen something else"


def _of_tasks(traces: Sequence[dict[str, Any]], expected: set[str]) -> Iterator[str]:
    ids = defaultdict(set)
    # One that was late to begin, but not to end, has been a task's only one.
    begun = {(trace["run_id"], trace["node"]) for trace in traces}
    for trace in (trace for trace in traces if not trace["is_late"]):
        ids[trace["run_id"], trace["node"]].add(trace["task_id"])
        if trace["stored"]:
            yield f"{trace['node']} of run {trace['run_id']} ran again, although it had finished"
    for (run_id, node), tasks in ids.items():
        if len(tasks) > 1:
            yield f"run {run_id} came to {node} {len(tasks)} times"
    for run_id in expected:
        if missing := [node for node in NODES if (run_id, node) not in begun]:
            yield f"run {run_id} never came to {missing}"


def _of_threads(
    database: str, traces: Sequence[dict[str, Any]], threads: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    when = defaultdict(list)
    for trace in (trace for trace in traces if not trace["is_late"]):
        when[trace["run_id"]].append(trace["at"])
    with PostgresSaver.from_conn_string(database) as saver:
        stored = graph.copy({"checkpointer": saver})
        for thread_id, run_ids in threads.items():
            for one, next_one in pairwise(run_ids):
                if when[one] and when[next_one] and max(when[one]) > min(when[next_one]):
                    yield f"runs of thread {thread_id} overlap: {one} and {next_one}"
            state = stored.get_state({"configurable": {"thread_id": thread_id}})
            seen = state.values.get("seen", [])
            expected = [f"{n}:{node}" for n in range(len(run_ids)) for node in NODES]
            if seen != expected:
                yield f"thread {thread_id} has seen {seen}, not {expected}"


def _of_stream(events: Sequence[Event]) -> Iterator[str]:
    if [event.id for event in events] != [*range(1, len(events) + 1)]:
        yield f"its ids have gaps: {[event.id for event in events]}"
    if not events or events[-1].mode != "end" or events[-1].data != {"status": "success"}:
        yield f"it ends with {events[-1:]}"
    attempts = [event.attempt for event in events]
    if attempts != sorted(attempts):
        yield f"its attempts are mixed: {attempts}"
    within = defaultdict(Counter)
    for event in events[:-1]:
        within[event.attempt].update({*event.data} - {"__metadata__"})
    shown = sum(within.values(), Counter())
    if missing := {*NODES} - {*shown}:
        yield f"it lacks {missing}"
    for attempt, nodes in within.items():
        if twice := [node for node, count in nodes.items() if count > 1]:
            yield f"attempt {attempt} shows {twice} twice"
    first = {node: next(n for n, e in enumerate(events) if node in e.data) for node in shown}
    if {*NODES} <= {*shown} and not (
        first["first"] < min(first[node] for node in BESIDE)
        and first["last"] == max(first.values())
    ):
        yield f"its order is {[*first]}"
