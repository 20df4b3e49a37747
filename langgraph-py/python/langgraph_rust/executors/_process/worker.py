"""One worker process, as the process that it works for sees it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Pipe
from typing import Any

from langgraph_rust.executors._process.pipe import HomePipe
from langgraph_rust.executors.base import Call, Message, WorkerDiedError

_MAIN = """\
import sys
sys.path[:] = {path}
from langgraph_rust.executors._process.main import main
main({pipe}, {lifeline})
"""


class Worker:
    """A process that runs one call after the other.

    It is told over its pipe: `("set", folder, path, environment)` when these are not what it was
    told before, `("run", function, request, values)`, then `("answer", number, body)` for each
    question. It tells `Message`s.
    """

    free_since = 0.0
    is_ready = False
    """Whether it has begun: until then no node runs, whatever it was told."""

    def __init__(self) -> None:
        home, away = Pipe()
        # Nothing goes through it: it breaks when this process ends, however it does.
        lifeline, self._lifeline = os.pipe()
        with away, os.fdopen(lifeline):
            ends = {"pipe": away.fileno(), "lifeline": lifeline}
            main = _MAIN.format(path=list(map(str, sys.path)), **ends)
            self._process = subprocess.Popen(
                [sys.executable, "-c", main], pass_fds=[*ends.values()], stdin=subprocess.DEVNULL
            )
        self._pipe = HomePipe(home.fileno(), home.close)
        self._surroundings: Any = None
        self._send("install", _drop_in())

    def is_alive(self) -> bool:
        """Whether the process has not ended, as far as is known."""
        return self._process.poll() is None

    def begin(self, call: Call) -> None:
        """Have it run a call."""
        # One that cannot be reached is found to be dead when it is listened to.
        with suppress(OSError):
            surroundings = _surroundings()
            if surroundings != self._surroundings:
                self._surroundings = surroundings
                self._send("set", *surroundings)
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
            # Looked at first: what it has said before its end is still to be heard.
            is_alive = self.is_alive()
            body = self._pipe.receive(timeout)
            if body is None and not is_alive:
                # Its end of the pipe may live on, in a process that it has started.
                raise EOFError
        except (EOFError, OSError):
            self._process.kill()
            code = self._process.wait()
            how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
            raise WorkerDiedError(
                f"The process that the node '{node}' ran in ended {how} before the node was done"
            ) from None
        if body is None:
            return None
        message = Message(*pickle.loads(body))
        if message.kind == "ready":
            self.is_ready = True
            return None
        return message

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        self.forget()

    def forget(self) -> None:
        """Let go of it; also in a forked process, whose parent it is of."""
        self._pipe.close()
        with suppress(OSError):
            os.close(self._lifeline)

    def _send(self, *message: Any) -> None:
        self._pipe.send(pickle.dumps(message, protocol=5))


def _surroundings() -> tuple[str, list[str], dict[str, str]]:
    """What a node finds around it at home: the folder, where modules are, the environment."""
    try:
        folder = os.getcwd()
    except OSError:
        folder = ""
    return folder, list(map(str, sys.path)), dict(os.environ)


def _drop_in() -> dict[str, Any] | None:
    """What to install in the worker, so that `langgraph` is there what it is here."""
    from langgraph_rust import is_active

    if not is_active():
        return None
    from langgraph_rust._internal._switches import is_on

    return {"strict": is_on("LANGGRAPH_RUST_STRICT")}
