"""``python -m tests.kills --points 0:10000``: kill a program at random moments, and go on.

With durability `sync`, what was shown is stored, and what was shown is not run again. Whatever the
durability, the thread goes on to the same end. With `--signals`, the program is not killed but
interrupted or cancelled, and goes on in the same process; its saver must be as usable as before.
Exits with 1 if something of that does not hold.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from tests.kills.judge import ending, wrong
from tests.kills.program import Way, run, say_to, stored
from tests.kills.signals import Interruption, faults, interrupted, interruptions
from tests.seeds import seed_range

WAYS = [Way(a, durability) for a in (False, True) for durability in ("sync", "async", "exit")]

How = Way | Interruption


def main() -> int:
    """Kill as often as the command line asks for; returns the process's exit status."""
    options = _parse()
    if not options.postgres:
        return _judge(options, _file)
    with _serving() as database:
        return _judge(options, database)


Database = Callable[[], AbstractContextManager[str]]
"""Gives an empty database for as long as a `with` block lasts."""


def _judge(options: argparse.Namespace, database: Database) -> int:
    began = time.monotonic()
    ways = interruptions(options.postgres) if options.signals else WAYS
    expected = {way: _undisturbed(way, database) for way in ways}
    parts = [options.points[index :: options.jobs] for index in range(options.jobs)]
    # Processes that fork are made by forking, before there are threads.
    readers = [
        _begin(lambda say, part=part: _kill_all(part, expected, database, say)) for part in parts
    ]
    found: list[str] = []
    ended, killed = 0, Counter[str]()
    for reader in readers:
        for line in _lines(reader):
            kind, _, rest = line.partition(" ")
            if kind == "fault":
                found.append(rest)
                print(rest, flush=True)
            elif kind == "killed":
                killed[rest] += 1
            ended += kind == "killed"
    took = time.monotonic() - began
    counts = ", ".join(f"{count} {way}" for way, count in sorted(killed.items()))
    print(f"kills: {len(options.points)} points in {took:.0f} s ({counts}), {len(found)} wrong")
    return 1 if found or ended != len(options.points) else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__)
    parser.add_argument(
        "--points", type=seed_range, default="0:200", help="FIRST:END, or one (default: 0:200)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    parser.add_argument(
        "--postgres", action="store_true", help="on a PostgreSQL of its own, not on SQLite"
    )
    parser.add_argument(
        "--signals", action="store_true", help="interrupt and cancel, in one process, not kill"
    )
    return parser.parse_args()


@contextmanager
def _file() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"{folder}/db"


@contextmanager
def _serving() -> Iterator[Database]:
    from sync.environments import postgres_environment
    from tests.conformance.postgres import databases

    with databases(postgres_environment().ensure().python) as make:
        yield lambda: nullcontext(make())


def _undisturbed(how: How, database: Database) -> tuple[list[str], float]:
    """What the program ends with, and how long it takes in seconds."""
    with database() as own:
        began = time.monotonic()
        way = how.way if isinstance(how, Interruption) else how
        lines = [*_lines(_begin(lambda say: run(own, way, say)))]
        return ending(lines), time.monotonic() - began


def _kill_all(
    points: range,
    expected: dict[How, tuple[list[str], float]],
    database: Database,
    say: Callable[[str], None],
) -> None:
    for point in points:
        how, (end, seconds) = [*expected.items()][point % len(expected)]
        delay = random.Random(point).uniform(0, seconds * 1.1)
        with database() as own:
            if isinstance(how, Interruption):
                told = _interrupt(how, own, end, delay)
            else:
                told = _kill(how, own, end, delay)
            for fault in told:
                say(f"fault point {point}, {how}: {fault}")
        say(f"killed {how}")


def _interrupt(how: Interruption, database: str, end: list[str], delay: float) -> Iterator[str]:
    """Interrupt the program once and go on; yields what is wrong."""
    lines = [*_lines(_begin(lambda say: interrupted(database, how, delay, say)))]
    return faults(lines, how, end)


def _kill(way: Way, database: str, end: list[str], delay: float) -> Iterator[str]:
    """Kill the program once and go on; yields what is wrong."""
    reader, process = _begin_killable(lambda say: run(database, way, say))
    time.sleep(delay)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    before = [*_lines((reader, None))]
    kept = stored(database)
    after = [*_lines(_begin(lambda say: run(database, way, say)))]
    yield from wrong(way.durability, before, kept, after, end)


# --- processes ---

Reader = tuple[int, int | None]


def _begin_killable(work: Callable[[Callable[[str], None]], None]) -> tuple[int, int]:
    """Call `work` in a process of its own; what it says can be read from the descriptor."""
    reader, writer = os.pipe()
    process = os.fork()
    if process:
        os.close(writer)
        return reader, process
    os.close(reader)
    status = 1
    try:
        work(say_to(writer))
        status = 0
    except BaseException as error:
        say_to(writer)(f"raised {error!r}")
    finally:
        os._exit(status)


def _begin(work: Callable[[Callable[[str], None]], None]) -> Reader:
    return _begin_killable(work)


def _lines(of: Reader) -> Iterator[str]:
    """The whole lines that a process says, until it ends."""
    reader, process = of
    with os.fdopen(reader, "rb") as pipe:
        for line in pipe:
            if line.endswith(b"\n"):
                yield line.decode().rstrip("\n")
    if process is not None:
        os.waitpid(process, 0)


if __name__ == "__main__":
    sys.exit(main())
