"""``python -m tests.contention --writes 10000``: processes write one thread at the same time.

With ``refuse`` and with ``wait`` every item must be in the thread once, those of a process in their
order, and every refusal must be an error that names both runs; without either, items are lost, and
how many is printed. Then a process is killed while it has the thread. Exits with 1 if something of
that does not hold.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from sync.environments import postgres_environment, say
from tests.conformance.postgres import databases
from tests.contention.writer import CONFIG, Job, Told, graph, opened

Database = Callable[[], str]

_TTL = 2.0
"""Seconds for which a killed process keeps a thread here."""


def main() -> int:
    """Do what the command line says; returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.contention", description=__doc__)
    parser.add_argument("--writes", type=int, default=400, help="items (default: 400)")
    parser.add_argument("--writers", type=int, default=4, help="processes (default: 4)")
    options = parser.parse_args()
    found: list[str] = []
    with _databases() as makes:
        for kind, make in makes.items():
            for mode in ("refuse", "wait", "off"):
                found += _contend(kind, make(), mode, options.writes, options.writers)
            for mode in ("refuse", "wait"):
                found += _kill(kind, make(), mode, options.writers)
    for fault in found:
        print(f"fault: {fault}")
    written = options.writes * 2 * len(makes)
    print(f"contention: {written} writes by {options.writers} processes, {len(found)} faults")
    return 1 if found else 0


@contextmanager
def _databases() -> Iterator[dict[str, Database]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        databases(postgres_environment().ensure().python) as make,
    ):
        names = iter(range(1000))
        yield {"sqlite": lambda: f"{folder}/{next(names)}", "postgres": make}


# --- all at once ---


def _contend(kind: str, database: str, mode: str, writes: int, writers: int) -> Iterator[str]:
    """Have all write; yields what is wrong."""
    count = writes // writers
    _set_up(database)
    began = time.monotonic()
    jobs = [Job(database, mode, name, count, is_async=name % 2 == 1) for name in range(writers)]
    processes = [_start(job) for job in jobs]
    told = [_end(process) for process in processes]
    seconds = time.monotonic() - began
    items = _items(database)
    expected = {f"{job.name}:{number}" for job in jobs for number in range(count)}
    lost, refused = len(expected - {*items}), sum(one.refused for one in told if one)
    say(
        f"{kind}, {mode}: {count * writers} writes by {writers} processes in {seconds:.1f} s, "
        f"{lost} lost, {refused} refused"
    )
    if None in told:
        yield f"{kind}, {mode}: a writer failed"
    if mode != "off":
        nameless = sum(one.nameless for one in told if one)
        if nameless:
            yield f"{kind}, {mode}: {nameless} of {refused} refusals do not name both runs"
        if mode == "wait" and refused:
            yield f"{kind}, {mode}: {refused} were refused though they waited"
        yield from (f"{kind}, {mode}: {fault}" for fault in _faults(items, expected))


def _faults(items: list[str], expected: set[str]) -> Iterator[str]:
    """What is wrong with a thread that should hold each item once, each writer's in order."""
    if lost := sorted(expected - {*items}):
        yield f"{len(lost)} items are lost, such as {lost[0]}"
    if twice := [item for item, count in Counter(items).items() if count > 1]:
        yield f"{len(twice)} items are there twice, such as {twice[0]}"
    if unknown := {*items} - expected:
        yield f"{len(unknown)} items were never written, such as {min(unknown)}"
    for name in {item.partition(":")[0] for item in items}:
        own = [int(item.partition(":")[2]) for item in items if item.startswith(f"{name}:")]
        if own != sorted(own):
            yield f"the items of writer {name} are not in order"


# --- one is killed ---


def _kill(kind: str, database: str, mode: str, writers: int) -> Iterator[str]:
    """Kill one that has the thread; yields what is wrong with what the others do then."""
    count, before = 8, 4
    _set_up(database)
    victim = _start(Job(database, mode, 0, count, is_async=False, holds=before, ttl=_TTL))
    told = _told(victim)
    victim.kill()
    victim.wait()
    killed = time.monotonic()
    others = [
        _start(Job(database, mode, name, count, is_async=name % 2 == 1, ttl=_TTL))
        for name in range(1, writers)
    ]
    first = _until_more_than(database, before)
    failed = [job for job in others if _end(job) is None]
    say(f"{kind}, {mode}: the others went on {first - killed:.1f} s after one was killed")
    if told is None or told.written != before or failed:
        yield f"{kind}, {mode}: a writer failed when another was killed"
    expected = {f"0:{number}" for number in range(before)}
    expected |= {f"{name}:{number}" for name in range(1, writers) for number in range(count)}
    for fault in _faults(_items(database), expected):
        yield f"{kind}, {mode}, one killed: {fault}"


def _until_more_than(database: str, count: int) -> float:
    while len(_items(database)) <= count:
        time.sleep(0.05)
    return time.monotonic()


# --- processes and databases ---


def _set_up(database: str) -> None:
    with opened(database) as saver:
        saver.setup()


def _items(database: str) -> list[str]:
    with opened(database) as saver:
        return graph(saver).get_state(CONFIG).values.get("items", [])


def _start(job: Job) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.contention.writer", json.dumps(asdict(job))]
    root = Path(__file__).parents[2]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)


def _end(process: subprocess.Popen[str]) -> Told | None:
    """Wait for a writer; returns what it told, if it did what it was to do."""
    told = _told(process)
    return told if process.wait() == 0 else None


def _told(process: subprocess.Popen[str]) -> Told | None:
    assert process.stdout is not None
    line = process.stdout.readline()
    return Told(**json.loads(line)) if line else None


if __name__ == "__main__":
    sys.exit(main())
