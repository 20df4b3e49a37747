"""What a worker process runs."""

from __future__ import annotations

import fcntl
import os
import pickle
import queue
import signal
import sys
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
        self._process = os.getpid()
        self._sending = threading.Lock()
        self._is_over = False
        self.questions = Questions()

    def tell(self, body: bytes) -> None:
        """Send what nobody answers."""
        self.send("tell", 0, body)

    def ask(self, body: bytes) -> Future[bytes]:
        """Send a question."""
        number, future = self.questions.new()
        if not self.send("ask", number, body):
            future.set_exception(RuntimeError("The node is over, or this is a fork of its process"))
        return future

    def send(self, kind: str, number: int, body: bytes) -> bool:
        """Send a message, `"done"` as the last; whether the call is heard."""
        if os.getpid() != self._process:
            # Forked by the node: it does not speak for it.
            return False
        message = pickle.dumps((kind, number, body), protocol=5)
        with self._sending:
            if self._is_over:
                return False
            self._pipe.send_bytes(message)
            self._is_over = kind == "done"
            return True


def main(number: int, lifeline: int) -> None:
    """Run calls until the other end of the pipe is closed.

    Args:
        number: The file descriptor of this end.
        lifeline: That of a pipe whose other end is closed when home ends.
    """
    _end_with(lifeline)
    _ignore_ctrl_c()
    # What a node starts is none of this.
    os.set_inheritable(number, False)
    pipe: Connection[Any, Any] = Connection(number)
    os.register_at_fork(after_in_child=pipe.close)
    try:
        _, drop_in = pickle.loads(pipe.recv_bytes())
    except (EOFError, OSError):
        return
    if drop_in is not None:
        from langgraph_rust import install

        install(**drop_in)
    from langgraph_rust.executors._worker.perform import perform

    pipe.send_bytes(pickle.dumps(("ready", 0, b""), protocol=5))
    calls: queue.SimpleQueue[tuple[PipeLink, Any, tuple[Any, ...]]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, calls), daemon=True).start()
    while True:
        link, surroundings, (function, request, values) = calls.get()
        # Changed at home, or by the node before.
        _set(*surroundings)
        process = os.getpid()
        done = perform(function, request, values, link)
        if os.getpid() != process:
            # Forked by the node, and come here as if it were the worker.
            os._exit(0)
        try:
            link.send("done", 0, done)
        except OSError:
            os._exit(1)


def _end_with(lifeline: int) -> None:
    """Have the system end this process as soon as home has ended.

    `_listen` hears of that as well, but not while a node holds the interpreter's lock.
    """
    os.set_inheritable(lifeline, False)
    # Elsewhere than on Linux no other signal can be chosen than one that is not heeded.
    if not hasattr(fcntl, "F_SETSIG"):
        return
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def _ignore_ctrl_c() -> None:
    """Who presses Ctrl-C means the program, which ends its workers."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        return
    # Programs that a node starts would inherit that it is ignored, but no handler.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    signal.siginterrupt(signal.SIGINT, False)


def _set(folder: str, path: list[str], environment: dict[str, str]) -> None:
    """Have around a node what is around its graph."""
    with suppress(OSError):
        os.chdir(folder)
    sys.path[:] = path
    if dict(os.environ) == environment:
        return
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)


def _listen(pipe: Connection[Any, Any], calls: queue.SimpleQueue[Any]) -> None:
    link: PipeLink | None = None
    surroundings: Any = None
    while True:
        try:
            kind, *rest = pickle.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            # Whoever it worked for is gone, whatever a node may be doing.
            os._exit(0)
        if kind == "set":
            surroundings = rest
        elif kind == "run":
            link = PipeLink(pipe)
            calls.put((link, surroundings, tuple(rest)))
        elif link is not None:
            link.questions.answer(*rest)
