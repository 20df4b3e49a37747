"""PostgreSQL for as long as tests need it, in a process that ends with this one."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sync.environments import say
from tests.conformance.runner import CutOff

SERVE = Path(__file__).parent / "serve.py"


@contextmanager
def serving(python: Path, port: int, durable: bool = False) -> Iterator[None]:
    """A new, empty PostgreSQL on `port` of localhost, gone afterwards.

    The server stops when this process does, whatever ends it.

    Args:
        python: an interpreter that has `pgserver`.
        port: where it listens.
        durable: whether it waits for the disk, which tests need not.

    Raises:
        CutOff: it did not start.
    """
    say(f"starting PostgreSQL on port {port}")
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [python, SERVE, str(port), *(["durable"] if durable else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        try:
            if not process.stdout or process.stdout.readline() != "ready\n":
                process.wait()
                log.seek(0)
                lines = log.read().strip().splitlines() or ["it said nothing"]
                raise CutOff(f"PostgreSQL did not start on port {port}: {lines[-1]}")
            yield
        finally:
            process.communicate()


@contextmanager
def databases(python: Path) -> Iterator[Callable[[], str]]:
    """Serve, and give what makes an empty database and returns how to connect to it.

    Processes that are forked meanwhile may make some, too.

    Args:
        python: As for `serving`.

    Raises:
        CutOff: the server did not start.
    """
    import psycopg

    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    server = f"postgres://postgres:postgres@localhost:{port}/"
    numbers = itertools.count()

    def make() -> str:
        name = f"test_{os.getpid()}_{next(numbers)}"
        with psycopg.connect(f"{server}postgres", autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {name}")
        return server + name

    with serving(python, port):
        yield make
