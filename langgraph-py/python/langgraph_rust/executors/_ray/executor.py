"""Calls as Ray tasks, or in warm actors."""

# Ray is large, and not there where types are checked.
# pyright: reportMissingImports=false

from __future__ import annotations

import os
import pickle
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from langgraph_rust.executors.base import Call, Executor, Running

RESOURCES = (
    "accelerator_type",
    "label_selector",
    "memory",
    "num_cpus",
    "num_gpus",
    "resources",
    "runtime_env",
    "scheduling_strategy",
)
"""The options that are Ray's own."""

ACTORS = "actors"

REFERRED = 100 * 1024
"""From this size on, in bytes, what several calls are given is put into Ray's object store once."""

KEPT = 64
"""How many such objects are kept; Ray drops those that are not."""


class RayExecutor(Executor):
    """Runs nodes on a Ray cluster: the one that `ray.init` was called for, or else a local one.

    A node's options are Ray's own (`num_cpus`, `num_gpus`, `memory`, `resources`, `runtime_env`,
    ...), for a task of its own at each call, or `"actors": n` for up to `n` processes that stay
    warm, each of which has these resources as long as it lives.

    Args:
        idle: After how many seconds without a call a warm process ends.

    Raises:
        ValueError: There can be no such number of seconds.
    """

    max_retries = 3
    """As Ray has it for tasks."""

    def __init__(self, *, idle: float = 60.0) -> None:
        if not isinstance(idle, (int, float)) or not idle >= 0:
            raise ValueError(f"idle must be a number of seconds from 0 on, not {idle!r}")
        self.idle = idle
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._mailbox: Any = None
        self._objects: OrderedDict[bytes, Any] = OrderedDict()
        self._pools: dict[str, Any] = {}

    def check(self, options: Mapping[str, Any]) -> None:
        """Look at a node's options; Ray itself is not started for that."""
        for name in options:
            if name not in (*RESOURCES, ACTORS):
                known = ", ".join(map(repr, (ACTORS, *RESOURCES)))
                raise ValueError(f"the executor 'ray' has no option {name!r}; it has {known}")
        actors = options.get(ACTORS)
        if actors is not None and (type(actors) is not int or actors < 1):
            raise ValueError(f"'actors' must be a number of processes, not {actors!r}")

    def start(self, call: Call) -> Running:
        """Begin a call.

        Raises:
            ImportError: Ray is not installed.
            ConnectionError: There is no cluster.
        """
        mailbox = self._connected()
        from langgraph_rust.executors._ray.running import InActor, InTask

        number = mailbox.open()
        options = dict(call.options)
        actors = options.pop(ACTORS, None)
        referred: list[Any] = []
        function = self._refer(call.function, referred)
        values = {field: self._refer(body, referred) for field, body in call.values.items()}
        packed = (mailbox.name, number, function, call.request, values)
        given = (pickle.dumps(packed, protocol=5), *referred)
        if actors is None:
            return InTask(mailbox, number, call.node, options, given)
        return InActor(mailbox, number, call.node, self._pool(actors, options), given)

    def close(self) -> None:
        """End all idle actors; those that run a node end with that. Ray itself is left as it is."""
        with self._lock:
            mailbox, pools = self._mailbox, list(self._pools.values())
        self._reset()
        for pool in pools:
            pool.close()
        if mailbox is not None:
            mailbox.close()

    def _connected(self) -> Any:
        try:
            import ray
        except ImportError:
            raise ImportError(
                "The executor 'ray' needs Ray: pip install 'langgraph-rust[ray]'"
            ) from None
        from langgraph_rust.executors._ray.mailbox import Mailbox

        with self._lock:
            if not ray.is_initialized():
                ray.init(log_to_driver=True)
            session = ray.get_runtime_context().get_job_id()
            mailbox = self._mailbox
            if mailbox is None or mailbox.session != session or mailbox.is_dead:
                # Those of another connection went with it.
                self._objects.clear()
                self._pools.clear()
                self._mailbox = Mailbox(session)
            return self._mailbox

    def _refer(self, body: bytes, referred: list[Any]) -> bytes | int:
        """Return the bytes, or which of `referred` they are: put into the object store once."""
        if len(body) < REFERRED:
            return body
        import ray
        from xxhash import xxh3_128_digest

        key = xxh3_128_digest(body)
        with self._lock:
            found = self._objects.pop(key, None)
            if found is None:
                found = ray.put(body)
            self._objects[key] = found
            while len(self._objects) > KEPT:
                self._objects.popitem(last=False)
        referred.append(found)
        return len(referred) - 1

    def _pool(self, actors: int, options: dict[str, Any]) -> Any:
        from langgraph_rust.executors._ray.actors import Actors

        key = repr((actors, sorted(options.items())))
        with self._lock:
            pool = self._pools.get(key)
            if pool is None:
                pool = self._pools[key] = Actors(actors, options, self.idle)
            return pool
