"""``python -m tests.workers --runs 1000 --workers 4``: kill workers until all runs are over.

Each run must finish once, and no task of it that had finished may run again; the runs of a thread
must not overlap, and stay in order; streams must be complete. Workers are killed, drained, and
stopped for so long that the others hold them to be dead. ``--measure`` only measures. Exits with 1
if something of that does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import difflib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg

from langgraph_rust.runs import AsyncRuns, Event, Runs
from sync.environments import postgres_environment
from sync.pins import ROOT
from tests.conformance.postgres import databases
from tests.workers import measure
from tests.workers.fleet import Fleet
from tests.workers.judge import faults
from tests.workers.program import DATABASE, TABLE

RUNS_OF_A_THREAD = 5
_EXPECTED = 0, -signal.SIGTERM
"""How workers end that were drained; one that was told so before it listened just ends."""

_LIVE = 100
"""How many streams are read while their runs go on."""


def main() -> int:
    """Do what the command line says; returns the process's exit status."""
    options = _parse()
    python = postgres_environment().ensure().python
    with databases(python) as make, tempfile.TemporaryDirectory() as folder:
        log = Path(options.log or f"{folder}/log")
        status = 0 if options.measure else _kill(options, make(), log)
        if status and not options.log:
            print(log.read_text()[-20000:])
        if options.measure:
            _measure(options, make, log)
    return status


def _kill(options: argparse.Namespace, database: str, log: Path) -> int:
    os.environ[DATABASE] = database
    with Runs(database) as runs:
        runs.setup()
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(TABLE)
        threads = _enqueue(runs, options.runs)
        ids = [run_id for own in threads.values() for run_id in own]
        live: dict[str, list[Event]] = {}
        reader = threading.Thread(
            target=lambda: live.update(asyncio.run(_read(database, ids[:_LIVE])))
        )
        reader.start()
        began = time.monotonic()
        with Fleet(database, options.workers, log, options.seed, options.kinds) as fleet:
            for run_id in ids:
                runs.wait(run_id, timeout=options.patience)
            took = time.monotonic() - began
        reader.join()
        found = [*faults(database, runs, threads, live)]
        if strange := [status for status in fleet.statuses if status not in _EXPECTED]:
            found.append(f"workers ended with {strange}")
        with psycopg.connect(database) as connection:
            rows = connection.execute(_COUNTS).fetchall()
    attempts, again, late = rows[0]
    found += _example(database)
    for fault in found:
        print(fault, flush=True)
    happened = ", ".join(f"{count} {kind}" for kind, count in sorted(fleet.happened.items()))
    print(
        f"workers: {len(ids)} runs on {options.workers} workers in {took:.0f} s, of whom "
        f"{happened or 'nobody was killed'}; {attempts} attempts, {again} tasks cut off and run "
        f"again, {late} begun by workers that were held to be dead, {len(found)} wrong"
    )
    return 1 if found else 0


def _example(database: str) -> list[str]:
    """The lines in which what the example prints differs from what it should print."""
    folder = ROOT / "examples" / "runs"
    command = [sys.executable, str(folder / "main.py")]
    environment = {**os.environ, "DATABASE_URL": database}
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, timeout=120)
    expected = (folder / "printed.txt").read_text(encoding="utf-8").splitlines()
    return [*difflib.unified_diff(expected, ended.stdout.splitlines(), "should be", "is", n=0)]


_COUNTS = """
SELECT (SELECT sum(attempt) FROM langgraph_rust_runs),
    (SELECT count(*) - count(DISTINCT (run_id, node)) FROM traces WHERE NOT is_late),
    (SELECT count(*) FROM traces WHERE is_late)
"""


def _enqueue(runs: Runs, count: int) -> dict[str, list[str]]:
    """Enqueue runs, one of each thread after the other; returns their ids by thread."""
    threads: dict[str, list[str]] = {}
    for number in range(count):
        of_thread, thread = divmod(number, -(-count // RUNS_OF_A_THREAD))
        thread_id = f"thread {thread}"
        run = runs.enqueue("graph", {"number": of_thread}, thread_id=thread_id)
        threads.setdefault(thread_id, []).append(run.id)
    return threads


async def _read(database: str, run_ids: list[str]) -> dict[str, list[Event]]:
    """Read streams while their runs go on."""
    async with AsyncRuns(database) as runs:

        async def read(run_id: str) -> tuple[str, list[Event]]:
            return run_id, [event async for event in runs.stream(run_id)]

        return dict(await asyncio.gather(*map(read, run_ids)))


def _measure(options: argparse.Namespace, make: object, log: Path) -> None:
    assert callable(make)
    idle = measure.idle(make(), log, options.seconds)
    print(f"workers: idle, a worker takes {idle:.2f} s of processor time a minute", flush=True)
    median, p99, most = measure.latency(make(), log, options.latency)
    print(
        f"workers: from enqueuing to the first event {median:.1f} ms in the median of "
        f"{options.latency}, {p99:.1f} ms at p99, {most:.1f} ms at most",
        flush=True,
    )
    rates = measure.throughput(make(), log, options.throughput)
    print("workers: runs a second: " + ", ".join(f"{k} {v:.1f}" for k, v in rates.items()))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.workers", description=__doc__)
    add = parser.add_argument
    add("--runs", type=int, default=120, help="how many (default: 120)")
    add("--workers", type=int, default=2, help="how many at a time (default: 2)")
    add("--seed", type=int, default=0, help="of what happens to whom")
    add("--kinds", nargs="+", default=["killed", "killed", "drained", "stopped"],
        help="what happens, as likely as it is named")  # fmt: skip
    add("--patience", type=float, default=300.0, help="seconds until a run counts as lost")
    add("--log", help="where workers say what they have to say; kept then")
    add("--measure", action="store_true", help="measure instead")
    add("--seconds", type=float, default=30.0, help="for how long an idle worker is looked at")
    add("--latency", type=int, default=300, help="runs of which the latency is measured")
    add("--throughput", type=int, default=500, help="runs of which the rate is measured")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
