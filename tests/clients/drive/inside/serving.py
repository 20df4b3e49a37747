"""A server under test: started, waited for, asked, stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

from transcript import until

SECONDS = 90
"""Within these a server answers; on a busy machine some take half of it."""


class Server:
    """A process that serves on `port` of this machine."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.process = process
        self._log = log

    def log(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str, seconds: float = 30) -> str:
        """The body of an answer."""
        with urlopen(self.url + quote(path), timeout=seconds) as answer:
            return answer.read().decode()

    def answers(self, path: str) -> str | None:
        """The same, or nothing where there is no answer."""
        try:
            return self.get(path)
        except (URLError, OSError):
            if (status := self.process.poll()) is not None:
                raise RuntimeError(f"it ended with {status}:\n{self.log()}") from None
            return None

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def serving(command: list[str], port: int, ready: str, **environment: str) -> Iterator[Server]:
    """A server for as long as a `with` block lasts; it answers at `ready` when that begins.

    Args:
        command: A module of Python's, and its arguments.
        port: Where it will listen.
        ready: A path.
        environment: Variables for it.
    """
    log = Path(f"server-{port}.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | environment,
            start_new_session=True,
        )
    server = Server(port, process, log)
    try:
        until("the server answers", SECONDS, lambda: server.answers(ready))
        yield server
    except BaseException:
        print("the server said:", *server.log().splitlines()[-40:], sep="\n  ")
        raise
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
