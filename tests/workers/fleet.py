"""Workers as processes of their own, and what happens to them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from sync.pins import ROOT
from tests.workers.program import DATABASE

HEARTBEAT, DEAD_AFTER = 0.5, 2.0
"""Seconds, shorter than anybody would have them, since so many die here."""

_PAUSE = 2 * DEAD_AFTER
"""Seconds for which a worker is stopped that the others shall hold to be dead."""

_LIVES = 1.0, 4.0
"""How long it takes until something happens to one of them, in seconds: it must begin first."""


def begin(database: str, log: Path, *options: str, graph: str = "graph") -> subprocess.Popen[bytes]:
    """Start a worker; what it says goes to the end of a file."""
    command = [sys.executable, "-m", "langgraph_rust", "worker", f"tests.workers.program:{graph}"]
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, DATABASE: database, "PYTHONPATH": os.pathsep.join(paths)}
    with log.open("ab") as file:
        return subprocess.Popen(
            [*command, *options], cwd=ROOT, env=environment, stdout=file, stderr=file
        )


@contextmanager
def one(database: str, log: Path, *options: str, graph: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that nothing happens to, until it is drained."""
    process = begin(database, log, *options, graph=graph)
    try:
        time.sleep(3)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


class Fleet:
    """Workers of which one after the other is killed, drained or stopped for a while.

    Args:
        database: How they connect.
        count: How many there are at a time.
        log: Where all of them say what they have to say.
        seed: Of what happens to whom.
        kinds: What may happen.
    """

    def __init__(
        self, database: str, count: int, log: Path, seed: int, kinds: Sequence[str]
    ) -> None:
        self._database = database
        self._log = log
        self._random = random.Random(seed)
        self._kinds = kinds
        self._workers = [self._begin() for _ in range(count)]
        self._all = [*self._workers]
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._happen)
        self.happened = Counter[str]()
        self.statuses: list[int] = []
        """The exit statuses of those that ended by themselves or were drained."""

    def __enter__(self) -> Fleet:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        for worker in self._all:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.send_signal(signal.SIGTERM)
        self.statuses += [
            status for worker in self._all if (status := worker.wait(60)) != -signal.SIGKILL
        ]

    def _begin(self) -> subprocess.Popen[bytes]:
        times = "--heartbeat", str(HEARTBEAT), "--dead-after", str(DEAD_AFTER)
        # Whoever is killed now is killed again: nothing is said of a run by that.
        rest = "--concurrency", "8", "--connections", "5", "--max-deaths", "50"
        return begin(self._database, self._log, *times, *rest)

    def _happen(self) -> None:
        before = 0
        while not self._is_over.wait(self._random.uniform(*_LIVES) / len(self._workers)):
            # On a machine that is busy, workers would be killed before they have begun anything.
            if (over := self._count()) == before:
                continue
            before = over
            place = self._random.randrange(len(self._workers))
            kind = self._random.choice(self._kinds)
            worker = self._workers[place]
            if worker.poll() is None:
                self.happened[kind] += 1
                self._do(kind, worker)
            self._workers[place] = self._begin()
            self._all.append(self._workers[place])

    def _count(self) -> int:
        """How many runs are over."""
        with psycopg.connect(self._database) as connection:
            row = connection.execute("SELECT count(ended) FROM langgraph_rust_runs").fetchone()
        return row[0] if row else 0

    def _do(self, kind: str, worker: subprocess.Popen[bytes]) -> None:
        if kind == "killed":
            worker.kill()
        elif kind == "drained":
            worker.send_signal(signal.SIGTERM)
        else:
            worker.send_signal(signal.SIGSTOP)
            timer = threading.Timer(_PAUSE, self._wake, [worker])
            timer.daemon = True
            timer.start()

    def _wake(self, worker: subprocess.Popen[bytes]) -> None:
        worker.send_signal(signal.SIGCONT)
        # It goes on for a moment with what is not its own any more, then it is drained.
        threading.Timer(1.0, worker.send_signal, [signal.SIGTERM]).start()
