"""What runs on the cluster: imported there, by name."""

# Ray is large, and not there where types are checked.
# pyright: reportMissingImports=false

from __future__ import annotations

import pickle
import threading
from concurrent.futures import Future
from functools import cached_property
from typing import Any

import ray

from langgraph_rust.executors._ray.mailbox import NAMESPACE
from langgraph_rust.executors._worker.perform import Questions, perform


class PostLink:
    """The way home of one call, by way of the mailbox."""

    def __init__(self, post: str, call: int) -> None:
        self._name = post
        self._call = call
        self.count = 0
        self._lock = threading.Lock()
        self._questions = Questions()
        self._pending: list[Any] = []

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
        if self._pending:
            ray.get(self._pending)
        return self.count

    @cached_property
    def _post(self) -> Any:
        return ray.get_actor(self._name, namespace=NAMESPACE)

    def _say(self, kind: str, number: int, body: bytes) -> None:
        with self._lock:
            said = (self._call, self.count, kind, number, body)
            self.count += 1
            self._pending.append(self._post.say.remote(said))


def _pass_on(fetched: Future[bytes], future: Future[bytes]) -> None:
    try:
        future.set_result(fetched.result())
    except Exception as error:
        future.set_exception(error)


def run(packed: bytes, *referred: bytes) -> bytes:
    """Run a call; return how many messages it sent and how it ended, pickled.

    Args:
        packed: `(mailbox, call, function, request, values)`, pickled: one argument, as each costs
            Ray a tenth of a millisecond.
        *referred: What stands in the function and the values as a number, by that number.
    """
    post, call, function, request, values = pickle.loads(packed)

    def whole(body: bytes | int) -> bytes:
        return referred[body] if isinstance(body, int) else body

    link = PostLink(post, call)
    fields = {field: whole(body) for field, body in values.items()}
    done = perform(whole(function), request, fields, link)
    return pickle.dumps((link.flush(), done), protocol=5)


class Warm:
    """A process that runs one call after the other."""

    def run(self, packed: bytes, *referred: bytes) -> bytes:
        """Run a call."""
        return run(packed, *referred)
