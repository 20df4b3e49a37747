"""One worker process, as the process that it works for sees it."""

from __future__ import annotations

import pickle
import select
import subprocess
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Pipe
from typing import Any

from langgraph_rust.executors.base import Call, Message, WorkerDiedError

_MAIN = """\
import sys
sys.path[:] = {path}
from langgraph_rust.executors._process.main import main
main({pipe})
"""


class Worker:
    """A process that runs one call after the other.

    It is told over its pipe: `("run", function, request, values)`, then `("answer", number, body)`
    for each question. It tells `Message`s.
    """

    free_since = 0.0
    is_ready = False
    """Whether it has begun: until then no node runs, whatever it was told."""

    def __init__(self) -> None:
        home, away = Pipe()
        with away:
            main = _MAIN.format(path=list(map(str, sys.path)), pipe=away.fileno())
            self._process = subprocess.Popen(
                [sys.executable, "-c", main], pass_fds=[away.fileno()], stdin=subprocess.DEVNULL
            )
        self._pipe = home
        # What `Connection.poll` makes anew at each call.
        self._poll = select.poll()
        self._poll.register(home.fileno(), select.POLLIN)
        self._sending = threading.Lock()
        self._send("install", _drop_in())

    def is_alive(self) -> bool:
        """Whether the process has not ended, as far as is known."""
        return self._process.poll() is None

    def begin(self, call: Call) -> None:
        """Have it run a call."""
        # One that cannot be reached is found to be dead when it is listened to.
        with suppress(OSError):
            self._send("run", call.function, call.request, dict(call.values))

    def answer(self, number: int, body: bytes) -> None:
        """Answer a question of the call's.

        Raises:
            OSError: The process has ended.
        """
        self._send("answer", number, body)

    def next(self, timeout: float, node: str) -> Message | None:
        """Wait for what it says.

        Raises:
            WorkerDiedError: It has ended.
        """
        try:
            if not self._poll.poll(timeout * 1000):
                return None
            message = Message(*pickle.loads(self._pipe.recv_bytes()))
        except (EOFError, OSError):
            code = self._process.wait()
            how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
            raise WorkerDiedError(
                f"The process that the node '{node}' ran in ended {how} before the node was done"
            ) from None
        if message.kind == "ready":
            self.is_ready = True
            return None
        return message

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        self._pipe.close()

    def stop(self) -> None:
        """End it; it has no call."""
        self._pipe.close()
        # It ends by itself, as its pipe is closed; nobody need wait for that.
        self._process.kill()
        self._process.wait()

    def _send(self, *message: Any) -> None:
        body = pickle.dumps(message, protocol=5)
        with self._sending:
            self._pipe.send_bytes(body)


def _drop_in() -> dict[str, Any] | None:
    """What to install in the worker, so that `langgraph` is there what it is here."""
    from langgraph_rust import is_active

    if not is_active():
        return None
    from langgraph_rust._internal._switches import is_on

    return {"strict": is_on("LANGGRAPH_RUST_STRICT")}
