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

from langgraph_rust.executors._ray.mailbox import NAMESPACE, Said
from langgraph_rust.executors._worker.perform import Questions, perform

MOST = 10_000
"""So many messages of a call wait to be sent at most; who says more waits, too."""

MOST_BYTES = 8 * 2**20
"""So large they are together at most."""


class PostLink:
    """The way home of one call, by way of the mailbox.

    Messages are sent one after the other, which keeps their order. What is said meanwhile is sent
    together: each sending costs as much as a call of Ray's.
    """

    def __init__(self, post: str, call: int) -> None:
        self._name = post
        self._call = call
        self._lock = threading.Condition()
        self._questions = Questions()
        self._said: list[Said] = []
        self._size = 0
        self._count = 0
        self._is_sending = False
        self._is_over = False
        self._failure: BaseException | None = None

    def tell(self, body: bytes) -> None:
        """Send what nobody answers."""
        self._say("tell", 0, body)

    def ask(self, body: bytes) -> Future[bytes]:
        """Send a question, and fetch its answer."""
        number, future = self._questions.new()
        if self._say("ask", number, body):
            self._post.fetch.remote(self._call, number).future().add_done_callback(
                lambda fetched: _pass_on(fetched, future)
            )
        else:
            future.set_exception(RuntimeError("The node is over, or nobody hears what it says"))
        return future

    def finish(self) -> int:
        """Wait until all has arrived that was said; return how much that is.

        Threads that the node leaves behind are not heard any more.

        Raises:
            RayError: It does not arrive.
        """
        with self._lock:
            self._is_over = True
            while self._is_sending:
                self._lock.wait()
            if self._failure is not None:
                raise self._failure
            return self._count

    @cached_property
    def _post(self) -> Any:
        return ray.get_actor(self._name, namespace=NAMESPACE)

    def _say(self, kind: str, number: int, body: bytes) -> bool:
        """Send a message, at once or after those on their way; whether it is heard."""
        with self._lock:
            while self._is_sending and (len(self._said) >= MOST or self._size >= MOST_BYTES):
                self._lock.wait()
            if self._is_over or self._failure is not None:
                return False
            self._said.append((kind, number, body))
            self._size += len(body)
            self._count += 1
            if not self._is_sending:
                self._send()
            return True

    def _send(self) -> None:
        """Send what was said; with the lock."""
        said, self._said, self._size = self._said, [], 0
        self._is_sending = True
        self._post.say.remote(self._call, said).future().add_done_callback(self._arrived)

    def _arrived(self, sent: Future[None]) -> None:
        with self._lock:
            self._is_sending = False
            self._failure = sent.exception()
            if self._failure is not None:
                self._said.clear()
            elif self._said:
                self._send()
            self._lock.notify_all()


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
    return pickle.dumps((link.finish(), done), protocol=5)


class Warm:
    """A process that runs one call after the other."""

    def is_there(self) -> None:
        """Be called, which happens as soon as the process runs."""

    def run(self, packed: bytes, *referred: bytes) -> bytes:
        """Run a call."""
        return run(packed, *referred)
