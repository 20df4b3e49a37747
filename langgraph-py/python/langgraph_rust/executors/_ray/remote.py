"""What runs on the cluster: imported there, by name."""

# Ray is large, and not there where types are checked.
# pyright: reportMissingImports=false

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any

import ray

from langgraph_rust.executors._worker.perform import Questions, perform


class PostLink:
    """The way home of one call, by way of the mailbox."""

    def __init__(self, post: Any, call: int) -> None:
        self._post = post
        self._call = call
        self.count = 0
        self._lock = threading.Lock()
        self._questions = Questions()
        self._last: Any = None

    def tell(self, body: bytes) -> None:
        """Send what nobody answers."""
        self._say("tell", 0, body)

    def ask(self, body: bytes) -> Future[bytes]:
        """Send a question, and fetch its answer."""
        number, future = self._questions.new()
        self._say("ask", number, body)
        self._post.fetch.remote(self._call, number).future().add_done_callback(
            lambda fetched: _pass_on(fetched, future)
        )
        return future

    def flush(self) -> int:
        """Wait until all has arrived that was said; return how much that is."""
        if self._last is not None:
            ray.get(self._last)
        return self.count

    def _say(self, kind: str, number: int, body: bytes) -> None:
        with self._lock:
            self.count += 1
            said = (self._call, kind, number, body)
            # One caller's calls of an actor arrive in their order.
            self._last = self._post.say.remote(said)


def _pass_on(fetched: Future[bytes], future: Future[bytes]) -> None:
    try:
        future.set_result(fetched.result())
    except Exception as error:
        future.set_exception(error)


def run(
    post: Any, call: int, function: bytes, request: bytes, fields: list[str], *values: bytes
) -> tuple[int, bytes]:
    """Run a call; return how many messages it sent, and how it ended."""
    link = PostLink(post, call)
    done = perform(function, request, dict(zip(fields, values, strict=True)), link)
    return link.flush(), done


class Warm:
    """A process that runs one call after the other."""

    def run(self, *given: Any) -> tuple[int, bytes]:
        """Run a call."""
        return run(*given)
