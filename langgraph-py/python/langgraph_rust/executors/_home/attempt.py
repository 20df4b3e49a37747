"""One call of a node in a worker, watched over until it is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from langgraph_rust.errors import NodeTimeoutError
from langgraph_rust.executors._home.desk import Desk
from langgraph_rust.executors._travel.errors import reraise
from langgraph_rust.executors._travel.pickling import loads
from langgraph_rust.executors.base import Call, Executor, NotPortableError, Running, WorkerDiedError
from langgraph_rust.types import TimeoutPolicy

GLANCE = 0.05
"""Every so many seconds it is looked whether the node is to stop."""


@dataclass(frozen=True)
class Limits:
    """How long a call may take, in seconds; `None` for as long as it likes."""

    run: float | None = None
    idle: float | None = None
    on_heartbeat_only: bool = False
    """Whether only `runtime.heartbeat()` counts as progress."""
    silence: float | None = None
    """For how long the worker itself may not be heard of."""

    @classmethod
    def of(cls, timeout: TimeoutPolicy | None, silence: float | None) -> Limits:
        """The limits of a node's timeout policy."""
        if timeout is None:
            return cls(silence=silence)
        only = timeout.refresh_on == "heartbeat"
        return cls(_seconds(timeout.run_timeout), _seconds(timeout.idle_timeout), only, silence)


def _seconds(limit: float | timedelta | None) -> float | None:
    return limit.total_seconds() if isinstance(limit, timedelta) else limit


def attempt(
    executor: Executor, call: Call, desk: Desk, limits: Limits, is_stopped: Callable[[], bool]
) -> Any:
    """Have a node run in a worker, and return its result.

    Args:
        executor: Has the workers.
        call: The call.
        desk: Answers what the node asks.
        limits: When it is stopped.
        is_stopped: Whether nobody waits for the node any more; asked every 50 ms.

    Raises:
        WorkerDiedError: The worker ended before the node did, or was silent for too long.
        NodeTimeoutError: The node took too long; it has been stopped.
        asyncio.CancelledError: Nobody waits any more; the node has been stopped.
        BaseException: What the node raised, with the worker's traceback as its cause.
    """
    running = executor.start(call)
    try:
        body = _watch(running, call.node, desk, limits, is_stopped)
    except BaseException:
        running.cancel()
        raise
    how, body = body[:1], body[1:]
    if how == b"e":
        reraise(body)
    try:
        return loads(body)
    except Exception as error:
        raise NotPortableError(
            f"What the node '{call.node}' returned cannot be made again from what came of it: "
            f"{type(error).__name__}: {error}"
        ) from error


def _watch(
    running: Running, node: str, desk: Desk, limits: Limits, is_stopped: Callable[[], bool]
) -> bytes:
    """Do what the worker says until it is done; return how the node ended."""
    clock = _Clock(node, limits)
    looked = time.monotonic()
    while True:
        is_waiting = running.is_waiting
        asked = time.monotonic()
        message = running.next(GLANCE)
        now = time.monotonic()
        if is_waiting:
            clock.begin(now)
        # By the clock: one that always says something is to stop as well.
        if now - looked >= GLANCE:
            looked = now
            if is_stopped():
                raise _cancelled()
        if message is not None:
            if message.kind == "done":
                return message.body
            kind = "ask"
            if message.kind == "ask":
                desk.answer(running, message.number, message.body)
            else:
                kind = desk.hear(message.body)
            clock.heard(kind, now, time.monotonic())
        clock.check(asked, time.monotonic())


class _Clock:
    """Since when a node runs, has done something, and its worker has been heard of.

    Args:
        node: The node's name.
        limits: How long each may be ago.
    """

    def __init__(self, node: str, limits: Limits) -> None:
        self._node = node
        self._limits = limits
        self.begin(time.monotonic())

    def begin(self, now: float) -> None:
        """The node has not begun before now."""
        self._began = self._progress = self._heard = now

    def heard(self, kind: str, came: float, done: float) -> None:
        """Something of this kind was said.

        Args:
            kind: What it was.
            came: When it was taken up at home.
            done: When home had done it: what the worker said meanwhile has not been looked at.
        """
        self._heard = done
        if kind == "heartbeat" or (kind != "beat" and not self._limits.on_heartbeat_only):
            self._progress = done
        else:
            self._progress += done - came

    def check(self, asked: float, now: float) -> None:
        """See whether a limit is exceeded.

        Args:
            asked: When the worker was last listened to. If home does something else after that,
                the worker cannot help not being heard.
            now: The time.

        Raises:
            NodeTimeoutError: The node takes too long.
            WorkerDiedError: The worker is silent for too long.
        """
        limits = self._limits
        if limits.run is not None and now - self._began > limits.run:
            raise self._timeout("run", now - self._began)
        if limits.idle is not None and asked - self._progress > limits.idle:
            raise self._timeout("idle", asked - self._progress)
        if limits.silence is not None and asked - self._heard > limits.silence:
            raise WorkerDiedError(
                f"The process that the node '{self._node}' ran in has not been heard of for "
                f"{asked - self._heard:.1f} s (heartbeat_timeout is {limits.silence} s)"
            )

    def _timeout(self, kind: Any, elapsed: float) -> NodeTimeoutError:
        limits = self._limits
        return NodeTimeoutError(
            self._node, elapsed, kind=kind, idle_timeout=limits.idle, run_timeout=limits.run
        )


def _cancelled() -> BaseException:
    """What the engine takes for the end of a task that it has asked to stop."""
    import asyncio

    return asyncio.CancelledError()
