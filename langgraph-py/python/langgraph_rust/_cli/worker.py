"""`langgraph-rust worker`: takes runs from a database and runs them."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import threading
from collections.abc import Sequence
from datetime import timedelta

__all__ = ("main",)

_DESCRIPTION = """\
Takes runs from a Postgres database and runs them, until SIGTERM or SIGINT: then it takes no more,
each run stops before its next superstep, and goes on at another worker. A second signal does not
wait for supersteps. See docs/guides/operations/workers.md.

A graph is `module:attribute`, or `name=module:attribute` if it is enqueued by another name than the
attribute's. Modules are looked for in the current directory, too. If they import `langgraph`, say
LANGGRAPH_RUST=1.
"""


def main(arguments: Sequence[str], program: str) -> int:
    """Do what the command line says; return the process's exit status.

    Args:
        arguments: Without `worker`.
        program: What the command is called.
    """
    parser = _parser(program)
    options = parser.parse_args(arguments)
    if not options.database:
        parser.error("which database? --database, or DATABASE_URL")
    logging.basicConfig(level=options.log_level, format="%(asctime)s %(name)s %(message)s")
    sys.path.insert(0, os.getcwd())
    try:
        return asyncio.run(_work(options))
    except (ImportError, ValueError) as error:
        print(f"worker: {error}", file=sys.stderr)
        return 1


_PATIENCE = 5.0
"""Seconds that threads have to end in when all else is over."""


async def _work(options: argparse.Namespace) -> int:
    from psycopg import Error

    from langgraph_rust.graph._named import load
    from langgraph_rust.runs import Worker

    worker = Worker(
        options.database,
        load(options.graph),
        concurrency=options.concurrency,
        queues=options.queues.split(",") if options.queues else None,
        drain_timeout=options.drain_timeout if options.drain_timeout >= 0 else None,
        heartbeat=options.heartbeat,
        dead_after=options.dead_after,
        poll=options.poll,
        max_deaths=options.max_deaths,
        keep_events=timedelta(hours=options.keep_events),
        keep_runs=None if options.keep_runs is None else timedelta(hours=options.keep_runs),
        connections=options.connections,
        name=options.name,
    )
    print(f"worker {worker.name} takes runs from {', '.join(worker.queues)}", flush=True)
    code = 0
    try:
        await worker.run(signals=True)
    except Error as error:
        print(f"worker: {error}", file=sys.stderr)
        code = 1
    # Its runs are over or others' by now. A sync node that does not end would keep the process.
    leaving = threading.Timer(_PATIENCE, os._exit, (code,))
    leaving.daemon = True
    leaving.start()
    return code


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"{program} worker",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("graph", nargs="+", help="[NAME=]MODULE:ATTRIBUTE")
    add("--database", default=os.environ.get("DATABASE_URL"), help="default: DATABASE_URL")
    add("--concurrency", type=int, default=10, metavar="N", help="runs at a time (default: 10)")
    add("--queues", metavar="A,B", help="where it takes runs from (default: the graphs' names)")
    add("--drain-timeout", type=float, default=30.0, metavar="S",
        help="seconds that supersteps have when it stops; -1: for ever (default: 30)")  # fmt: skip
    add("--heartbeat", type=float, default=5.0, metavar="S",
        help="seconds between signs of life (default: 5)")  # fmt: skip
    add("--dead-after", type=float, default=20.0, metavar="S",
        help="seconds without one after which a worker is gone (default: 20)")  # fmt: skip
    add("--poll", type=float, default=1.0, metavar="S",
        help="seconds between looks for runs whose time has come (default: 1)")  # fmt: skip
    add("--max-deaths", type=int, default=5, metavar="N",
        help="workers that may die of a run that gets no further (default: 5)")  # fmt: skip
    add("--keep-events", type=float, default=24.0, metavar="H",
        help="hours for which streams can be read afterwards (default: 24)")  # fmt: skip
    add("--keep-runs", type=float, metavar="H",
        help="hours for which runs can be looked up afterwards (default: for ever)")  # fmt: skip
    add("--connections", type=int, metavar="N", help="connections of its pool (see Worker)")
    add("--name", help="what it is called (default: host and process)")
    add("--log-level", default="WARNING", help="of Python's logging (default: WARNING)")
    return parser
