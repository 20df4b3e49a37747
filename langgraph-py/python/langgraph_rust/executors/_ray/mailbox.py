"""How what nodes say gets home, and answers to them: an actor between.

A node sends messages when it has some, and gets an answer by asking for it. Home asks for messages
of all calls, and is answered when there are some.
"""

# Ray is large, and not there where types are checked.
# pyright: reportMissingImports=false

from __future__ import annotations

import queue
import threading
from collections import defaultdict
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from typing import Any
from uuid import uuid4

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

NAMESPACE = "langgraph_rust"

Said = tuple[str, int, bytes]
"""A message: kind, number, body."""


class Post:
    """The actor: what was said and not yet taken, what was answered and not yet fetched."""

    def __init__(self) -> None:
        import asyncio

        self._said: list[tuple[int, list[Said]]] = []
        self._is_said = asyncio.Event()
        self._answers: dict[tuple[int, int], asyncio.Future[bytes]] = defaultdict(
            lambda: asyncio.get_running_loop().create_future()
        )

    async def say(self, call: int, said: list[Said]) -> None:
        """Take messages from a node, which sends more when these have arrived."""
        self._said.append((call, said))
        self._is_said.set()

    async def take(self) -> list[tuple[int, list[Said]]]:
        """Give all messages home, as soon as there is one."""
        await self._is_said.wait()
        self._is_said.clear()
        said, self._said = self._said, []
        return said

    async def answer(self, call: int, number: int, body: bytes) -> None:
        """Take an answer from home."""
        self._answers[call, number].set_result(body)

    async def fetch(self, call: int, number: int) -> bytes:
        """Give an answer to the node that waits for it."""
        answer = await self._answers[call, number]
        self._answers.pop((call, number), None)
        return answer

    async def forget(self, call: int) -> None:
        """Drop what is left of a call."""
        for key in [key for key in self._answers if key[0] == call]:
            self._answers.pop(key).cancel()
        self._said = [said for said in self._said if said[0] != call]


class Mailbox:
    """The home end, for all calls of this process.

    Args:
        session: Which connection to Ray it belongs to.
    """

    def __init__(self, session: str) -> None:
        self.session = session
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        # Nodes find it by its name, if they have something to say: to be given it takes longer.
        self.name = f"post-{uuid4().hex}"
        actor = ray.remote(num_cpus=0, max_concurrency=10_000, scheduling_strategy=here)(Post)
        self.post = actor.options(name=self.name, namespace=NAMESPACE).remote()
        self._numbers = count()
        self._lock = threading.Lock()
        self._open: dict[int, queue.SimpleQueue[Any]] = {}
        self.is_dead = False
        self._listen()

    def open(self) -> int:
        """Number a call; what is said of it is put into its `queue` from now on."""
        with self._lock:
            number = next(self._numbers)
            self._open[number] = queue.SimpleQueue()
            return number

    def queue(self, call: int) -> queue.SimpleQueue[Any]:
        """What is said of a call: `Said`, or whatever else is put there."""
        return self._open[call]

    def forget(self, call: int, *, spoke: bool) -> None:
        """Hear no more of a call; `spoke` says whether it has been heard of."""
        with self._lock:
            self._open.pop(call, None)
        if spoke:
            self.post.forget.remote(call)

    def answer(self, call: int, number: int, body: bytes) -> None:
        """Answer a question."""
        self.post.answer.remote(call, number, body)

    def close(self) -> None:
        """End the actor."""
        with suppress(Exception):
            ray.kill(self.post)

    def _listen(self) -> None:
        # No thread waits: `ray.shutdown` ends a process in which one does.
        self.post.take.remote().future().add_done_callback(self._hand_out)

    def _hand_out(self, taken: Future[list[tuple[int, list[Said]]]]) -> None:
        try:
            for call, messages in taken.result():
                waiting = self._open.get(call)
                if waiting is not None:
                    for said in messages:
                        waiting.put(said)
            # Only now, as what is said next comes after that.
            self._listen()
        except Exception:
            # Ray was shut down, or the actor is gone: what calls say does not arrive any more.
            with self._lock:
                self.is_dead = True
                for waiting in self._open.values():
                    waiting.put(None)
