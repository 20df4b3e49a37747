"""PostgreSQL for as long as tests need it, in a process that ends with this one."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
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
