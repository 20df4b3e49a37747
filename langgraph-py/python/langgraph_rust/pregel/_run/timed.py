"""Time limits of async nodes: one attempt of a node, run against the clock.

The node runs as an asyncio task of its own, with a config in which everything that leads out of the
node is guarded: once the attempt is over, a node that still runs can write nothing any more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SEND,
    CONFIG_KEY_TASK_ID,
    CONFIG_KEY_TIMED_ATTEMPT_OBSERVER,
)
from langgraph_rust._internal._log import retry_logger
from langgraph_rust._internal._runnable import (
    RunnableSeq,
    bring,
    brought,
    create_task_in_config_context,
)
from langgraph_rust.errors import GraphBubbleUp, NodeTimeoutError
from langgraph_rust.pregel._run.scope import RefreshOn, TimedAttemptScope
from langgraph_rust.runtime import Runtime

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable, RunnableConfig

    from langgraph_rust.types import TimeoutPolicy

_Limit = Literal["idle", "run"]
Work = Callable[["RunnableConfig", "TimedAttemptScope"], Coroutine[Any, Any, Any]]
"""What an attempt runs, given its guarded config and its scope."""


async def ainvoke_timed(
    runnable: Runnable, input: Any, config: RunnableConfig, timeout: TimeoutPolicy, name: str
) -> Any:
    """Run one attempt of a node within its time limits, and return its result.

    Args:
        runnable: The node.
        input: Its input.
        config: The task's config.
        timeout: The limits.
        name: The node's name.

    Raises:
        NodeTimeoutError: A limit was exceeded.
    """
    if _keeps_time(runnable, timeout):
        return await runnable.ainvoke(input, config)
    task_id = config.get(CONF, {}).get(CONFIG_KEY_TASK_ID) or ""
    attempt = TimedAttempt(timeout, config, name=name, task_id=task_id)

    async def work(config: RunnableConfig, scope: TimedAttemptScope) -> Any:
        return await runnable.ainvoke(input, config)

    try:
        result = await attempt.run(work, discard=lambda: _discard_writes(config))
    except GraphBubbleUp:
        # The node is paused or passes a command on; nothing went wrong.
        attempt.finish()
        raise
    except BaseException as error:
        attempt.finish(error)
        raise
    attempt.finish()
    return result


def _keeps_time(runnable: Any, timeout: TimeoutPolicy) -> bool:
    """Whether the node does it itself: one that runs elsewhere knows when it has begun there."""
    body: Any = runnable.steps[0] if isinstance(runnable, RunnableSeq) else runnable
    return getattr(type(body), "runs_elsewhere", False) and body.timeout is timeout


def _discard_writes(config: RunnableConfig) -> None:
    """Take back what the node wrote through its config."""
    discard = getattr(config.get(CONF, {}).get(CONFIG_KEY_SEND), "discard_writes", None)
    if discard is not None:
        discard()


class TimedAttempt:
    """One attempt at running a node within time limits; tells the config's observer about it.

    Args:
        timeout: The limits.
        config: The task's config.
        name: The node's name.
        task_id: The task's id.
    """

    def __init__(
        self, timeout: TimeoutPolicy, config: RunnableConfig, *, name: str, task_id: str
    ) -> None:
        self._name = name
        self._config = config
        self._limits = _Limits.of(timeout)
        self._observe = config.get(CONF, {}).get(CONFIG_KEY_TIMED_ATTEMPT_OBSERVER)
        if self._observe is not None:
            self._context = _describe(self._limits, config, name, task_id)
            self._report("start")

    async def run(self, work: Work, *, discard: Callable[[], None]) -> Any:
        """Run `work`, and return its result.

        `discard` takes back what the attempt wrote; called when time is up.

        Raises:
            NodeTimeoutError: A limit was exceeded.
        """
        limits = self._limits
        observed = self._observe is not None and limits.idle is not None
        scope = TimedAttemptScope(
            on_progress=self._report_progress if observed else None,
            # Tokens come fast; four reports per limit tell as much.
            progress_min_interval=(limits.idle or 0.0) / 4,
            refresh_on=limits.refresh_on,
        )
        config = scope.wrap_config(self._config)
        started = time.monotonic()

        async def begin() -> tuple[Any, BaseException | None]:
            # Made here, as a task may be cancelled before it begins.
            return await bring(work(config, scope))

        task = create_task_in_config_context(begin, config)
        clocks = _start_clocks(limits, scope)
        try:
            try:
                await asyncio.wait({task, *clocks}, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                # Who cancels a node waits until it has cleaned up, time limit or not.
                task.cancel()
                await asyncio.wait({task})
                raise
            if task.done():
                return brought(task.result())
            exceeded: _Limit = next(kind for clock, kind in clocks.items() if clock.done())
            scope.close()
            discard()
            raise NodeTimeoutError(
                self._name,
                time.monotonic() - started,
                kind=exceeded,
                idle_timeout=limits.idle,
                run_timeout=limits.run,
            )
        finally:
            scope.close()
            _abandon(task)
            for clock in clocks:
                clock.cancel()

    def finish(self, error: BaseException | None = None) -> None:
        """Tell the observer that the attempt is over."""
        self._report(
            "finish",
            finished_at=_now(),
            status="success" if error is None else "error",
            error_type=None if error is None else type(error).__name__,
            error_message=None if error is None else str(error),
        )

    def _report_progress(self) -> None:
        self._report("progress", progress_at=_now())

    def _report(self, event: Literal["start", "progress", "finish"], **details: Any) -> None:
        if self._observe is None:
            return
        try:
            self._observe(_AttemptEvent(self._context, event, **details))
        except Exception:
            retry_logger.warning("Timed attempt observer failed", exc_info=True)


@dataclass(frozen=True)
class _Limits:
    """A timeout policy in seconds."""

    run: float | None
    idle: float | None
    refresh_on: RefreshOn | None
    """What counts as progress; `None` without an idle limit."""

    @classmethod
    def of(cls, timeout: TimeoutPolicy) -> _Limits:
        idle = _seconds(timeout.idle_timeout)
        refresh_on = None if idle is None else timeout.refresh_on
        return cls(_seconds(timeout.run_timeout), idle, refresh_on)


def _seconds(limit: float | timedelta | None) -> float | None:
    return limit.total_seconds() if isinstance(limit, timedelta) else limit


def _start_clocks(limits: _Limits, scope: TimedAttemptScope) -> dict[asyncio.Task[None], _Limit]:
    """Start a task for each limit, which ends when the limit is exceeded."""
    clocks: dict[asyncio.Task[None], _Limit] = {}
    if limits.idle is not None:
        clocks[asyncio.create_task(scope.wait_until_idle(limits.idle))] = "idle"
    if limits.run is not None:
        clocks[asyncio.create_task(asyncio.sleep(limits.run))] = "run"
    return clocks


def _abandon(task: asyncio.Task[Any]) -> None:
    """Cancel a task without waiting, unless it is done: it may refuse to stop."""
    task.cancel()
    task.add_done_callback(_forget_outcome)


def _forget_outcome(task: asyncio.Task[Any]) -> None:
    # An exception that nobody looked at would be logged.
    with suppress(asyncio.CancelledError):
        task.exception()


# --- What the observer is told -------------------------------------------------------------------


class _AttemptContext(NamedTuple):
    """What an observer is told about an attempt with each event; servers use these names."""

    task_id: str
    task_name: str
    attempt: int
    run_id: str | None
    thread_id: str | None
    checkpoint_ns: str | None
    started_at: datetime
    run_timeout_secs: float | None
    idle_timeout_secs: float | None
    refresh_on: RefreshOn | None


@dataclass(frozen=True)
class _AttemptEvent:
    """An event in the life of an attempt."""

    context: _AttemptContext
    event: Literal["start", "progress", "finish"]
    progress_at: datetime | None = None
    finished_at: datetime | None = None
    status: Literal["success", "error"] | None = None
    error_type: str | None = None
    error_message: str | None = None


def _describe(limits: _Limits, config: RunnableConfig, name: str, task_id: str) -> _AttemptContext:
    runtime = config.get(CONF, {}).get(CONFIG_KEY_RUNTIME)
    info = runtime.execution_info if isinstance(runtime, Runtime) else None
    return _AttemptContext(
        task_id=task_id,
        task_name=name,
        attempt=1 if info is None else info.node_attempt,
        run_id=None if info is None else info.run_id,
        thread_id=None if info is None else info.thread_id,
        checkpoint_ns=None if info is None else info.checkpoint_ns,
        started_at=_now(),
        run_timeout_secs=limits.run,
        idle_timeout_secs=limits.idle,
        refresh_on=limits.refresh_on,
    )


def _now() -> datetime:
    return datetime.now(timezone.utc)
