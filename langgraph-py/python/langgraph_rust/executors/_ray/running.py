"""Calls under way on a cluster."""

# Ray is large, and not there where types are checked.
# pyright: reportMissingImports=false

from __future__ import annotations

import pickle
import queue
import threading
from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import ray
from ray.exceptions import RayError, TaskCancelledError

from langgraph_rust.executors._ray.actors import Actors
from langgraph_rust.executors._ray.mailbox import Mailbox
from langgraph_rust.executors._ray.remote import run
from langgraph_rust.executors.base import Message, Running, WorkerDiedError

ON_ITS_WAY = 30.0
"""After so many seconds, what a node has sent is taken for lost."""

SOON = 0.004
"""For so many seconds nobody listens to a call that has just begun."""

_task = ray.remote(max_retries=0)(run)


class _OnCluster(Running):
    """A call whose messages come by the mailbox, and whose end is the result of a Ray task."""

    def __init__(self, mailbox: Mailbox, number: int, node: str) -> None:
        self._mailbox = mailbox
        self._number = number
        self._node = node
        self._queue = mailbox.queue(number)
        self._heard = 0
        self._end: tuple[int, bytes] | None = None
        self._lock = threading.Lock()
        self._is_over = False
        self._is_watched = False
        self.result: Any = None

    def next(self, timeout: float) -> Message | None:
        if self._end is None and not self._is_watched:
            self._watch()
        if self._end is None:
            try:
                said = self._queue.get(timeout=timeout)
            except queue.Empty:
                return None
            if said is None:
                raise _unheard(self._node)
            if isinstance(said, tuple):
                self._heard += 1
                return Message(*said)
            self._end = self._ended(said.result)
        count, done = self._end
        if self._heard < count:
            # What it said before its end is on its way.
            try:
                said = self._queue.get(timeout=ON_ITS_WAY)
            except queue.Empty:
                raise _unheard(self._node) from None
            if not isinstance(said, tuple):
                raise _unheard(self._node)
            self._heard += 1
            return Message(*said)
        self._finish()
        return Message("done", 0, done)

    def _watch(self) -> None:
        """Wait for the end alone, for a moment, and then have it put beside the messages.

        Most calls that are soon over say nothing, and waiting for both takes longer.
        """
        if self._queue.empty() and ray.wait([self.result], timeout=SOON)[0]:
            self._end = self._ended(lambda: ray.get(self.result))
            return
        self._is_watched = True
        self.result.future().add_done_callback(self._queue.put)

    def _ended(self, get: Callable[[], bytes]) -> tuple[int, bytes]:
        try:
            return pickle.loads(get())
        except (RayError, TaskCancelledError) as error:
            raise WorkerDiedError(
                f"The process that the node '{self._node}' ran in ended before the node was done: "
                f"{error}"
            ) from error

    def answer(self, number: int, body: bytes) -> None:
        with suppress(RayError):
            self._mailbox.answer(self._number, number, body)

    def cancel(self) -> None:
        if self._finish():
            self.stop()

    def _finish(self) -> bool:
        """Hear no more of it; whether it was not over yet."""
        with self._lock:
            was_over, self._is_over = self._is_over, True
        if not was_over:
            self._mailbox.forget(self._number, spoke=bool(self._heard))
            self.release()
        return not was_over

    @abstractmethod
    def stop(self) -> None:
        """Stop the node at once."""

    def release(self) -> None:
        """The call is over."""


def _unheard(node: str) -> WorkerDiedError:
    return WorkerDiedError(
        f"What the node '{node}' says does not arrive: was Ray shut down, or a node of it lost?"
    )


class InTask(_OnCluster):
    """A call that is a Ray task of its own, so that it can be stopped."""

    def __init__(
        self, mailbox: Mailbox, number: int, node: str, options: dict[str, Any], given: Any
    ) -> None:
        super().__init__(mailbox, number, node)
        # With options Ray makes another function of it, which it can as well do without.
        task = _task.options(**options) if options else _task
        self.result = task.remote(*given)

    def stop(self) -> None:
        with suppress(RayError):
            ray.cancel(self.result, force=True)


class InActor(_OnCluster):
    """A call that waits for a warm actor, or has one."""

    def __init__(
        self, mailbox: Mailbox, number: int, node: str, actors: Actors, given: Any
    ) -> None:
        super().__init__(mailbox, number, node)
        self._actors = actors
        self._given = given
        self._actor: Any = None

    @property
    def is_waiting(self) -> bool:
        # While there is none at all, nobody knows whether the cluster ever has room for one.
        return self._actor is None and self._actors.is_any_there

    def next(self, timeout: float) -> Message | None:
        if self._actor is None and not self._take(timeout):
            return None
        return super().next(timeout)

    def _take(self, timeout: float) -> bool:
        """Begin the call if there is an actor for it."""
        try:
            actor = self._actors.take(timeout)
        except RayError as error:
            raise WorkerDiedError(
                f"The process that the node '{self._node}' was to run in ended before the node "
                f"began: {error}"
            ) from error
        if actor is None:
            if self._mailbox.is_dead:
                raise _unheard(self._node)
            return False
        with self._lock:
            if not self._is_over:
                self._actor = actor
        if self._actor is None:
            self._actors.give(actor)
            return False
        self.result = actor.run.remote(*self._given)
        return True

    def stop(self) -> None:
        """Nothing: `release` has killed the actor, as the call was not done."""

    def release(self) -> None:
        actor, self._actor = self._actor, None
        if actor is not None:
            (self._actors.lose if self._end is None else self._actors.give)(actor)
