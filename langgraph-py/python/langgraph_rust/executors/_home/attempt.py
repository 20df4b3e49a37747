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
from langgraph_rust.executors.base import Call, Executor, NotPortableError, WorkerDiedError
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
        began = heard = progress = looked = time.monotonic()
        while True:
            is_waiting = running.is_waiting
            message = running.next(GLANCE)
            now = time.monotonic()
            if is_waiting:
                began = heard = progress = now
            # By the clock: one that always says something is to stop as well.
            if now - looked >= GLANCE:
                looked = now
                if is_stopped():
                    raise _cancelled()
            if message is not None:
                if message.kind == "done":
                    break
                heard = now
                if message.kind == "ask":
                    kind = "ask"
                    desk.answer(running, message.number, message.body)
                else:
                    kind = desk.hear(message.body)
                if kind == "heartbeat" or (kind != "beat" and not limits.on_heartbeat_only):
                    progress = now
                # To do what it says may have taken long.
                now = time.monotonic()
            _check(call.node, limits, began, progress, heard, now)
    except BaseException:
        running.cancel()
        raise
    how, body = message.body[:1], message.body[1:]
    if how == b"e":
        reraise(body)
    try:
        return loads(body)
    except Exception as error:
        raise NotPortableError(
            f"What the node '{call.node}' returned cannot be made again from what came of it: "
            f"{type(error).__name__}: {error}"
        ) from error


def _cancelled() -> BaseException:
    """What the engine takes for the end of a task that it has asked to stop."""
    import asyncio

    return asyncio.CancelledError()


def _check(
    node: str, limits: Limits, began: float, progress: float, heard: float, now: float
) -> None:
    if limits.run is not None and now - began > limits.run:
        raise _timeout(node, now - began, "run", limits)
    if limits.idle is not None and now - progress > limits.idle:
        raise _timeout(node, now - progress, "idle", limits)
    if limits.silence is not None and now - heard > limits.silence:
        raise WorkerDiedError(
            f"The process that the node '{node}' ran in has not been heard of for "
            f"{now - heard:.1f} s (heartbeat_timeout is {limits.silence} s)"
        )


def _timeout(node: str, elapsed: float, kind: Any, limits: Limits) -> NodeTimeoutError:
    return NodeTimeoutError(
        node, elapsed, kind=kind, idle_timeout=limits.idle, run_timeout=limits.run
    )
