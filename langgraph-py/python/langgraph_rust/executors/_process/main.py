"""What a worker process runs."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import threading
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any


class PipeLink:
    """The way home of one call; threads that it leaves behind tell nothing when it is over."""

    def __init__(self, pipe: Connection[Any, Any]) -> None:
        from langgraph_rust.executors._worker.perform import Questions

        self._pipe = pipe
        self._sending = threading.Lock()
        self._is_over = False
        self.questions = Questions()

    def tell(self, body: bytes) -> None:
        """Send what nobody answers."""
        self.send("tell", 0, body)

    def ask(self, body: bytes) -> Future[bytes]:
        """Send a question."""
        number, future = self.questions.new()
        self.send("ask", number, body)
        return future

    def send(self, kind: str, number: int, body: bytes) -> None:
        """Send a message; `"done"` is the last."""
        message = pickle.dumps((kind, number, body), protocol=5)
        with self._sending:
            if not self._is_over:
                self._pipe.send_bytes(message)
            self._is_over = self._is_over or kind == "done"


def main(number: int) -> None:
    """Run calls until the other end of the pipe is closed.

    Args:
        number: The file descriptor of this end.
    """
    # Who presses Ctrl-C means the program, which ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe: Connection[Any, Any] = Connection(number)
    _, drop_in = pickle.loads(pipe.recv_bytes())
    if drop_in is not None:
        from langgraph_rust import install

        install(**drop_in)
    from langgraph_rust.executors._worker.perform import perform

    pipe.send_bytes(pickle.dumps(("ready", 0, b""), protocol=5))
    calls: queue.SimpleQueue[tuple[PipeLink, tuple[Any, ...]]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, calls), daemon=True).start()
    while True:
        link, (function, request, values) = calls.get()
        done = perform(function, request, values, link)
        with suppress(OSError):
            link.send("done", 0, done)


def _listen(pipe: Connection[Any, Any], calls: queue.SimpleQueue[Any]) -> None:
    link: PipeLink | None = None
    while True:
        try:
            kind, *rest = pickle.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            # Whoever it worked for is gone, whatever a node may be doing.
            os._exit(0)
        if kind == "run":
            link = PipeLink(pipe)
            calls.put((link, tuple(rest)))
        elif link is not None:
            link.questions.answer(*rest)
