"""Time limits of async nodes: one attempt of a node, run against the clock.

The node runs as an asyncio task of its own, with a config in which everything that leads out of the
node is guarded: once the attempt is over, a node that still runs can write nothing any more.
"""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from langgraph_rust._internal._config import merge_configs, patch_configurable
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CALL,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SEND,
    CONFIG_KEY_STREAM,
    CONFIG_KEY_TASK_ID,
    CONFIG_KEY_TIMED_ATTEMPT_OBSERVER,
)
from langgraph_rust._internal._runnable import create_task_in_config_context
from langgraph_rust.errors import GraphBubbleUp, NodeTimeoutError
from langgraph_rust.pregel._log import logger
from langgraph_rust.pregel.protocol import StreamProtocol
from langgraph_rust.runtime import Runtime

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable, RunnableConfig

    from langgraph_rust.types import TimeoutPolicy

_Limit = Literal["idle", "run"]
RefreshOn = Literal["auto", "heartbeat"]
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
        task = create_task_in_config_context(lambda: work(config, scope), config)
        clocks = _start_clocks(limits, scope)
        try:
            await asyncio.wait({task, *clocks}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
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
            logger.warning("Timed attempt observer failed", exc_info=True)


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


def _start_clocks(
    limits: _Limits, scope: TimedAttemptScope
) -> dict[asyncio.Task[None], _Limit]:
    """Start a task for each limit, which ends when the limit is exceeded."""
    clocks: dict[asyncio.Task[None], _Limit] = {}
    if limits.idle is not None:
        clocks[asyncio.create_task(scope.wait_until_idle(limits.idle))] = "idle"
    if limits.run is not None:
        clocks[asyncio.create_task(asyncio.sleep(limits.run))] = "run"
    return clocks


def _abandon(task: asyncio.Task[Any]) -> None:
    """Cancel a task, unless it is done, without waiting: it may refuse to stop."""
    if not task.done():
        task.cancel()
        task.add_done_callback(_forget_outcome)


def _forget_outcome(task: asyncio.Task[Any]) -> None:
    # An exception that nobody looked at would be logged.
    with suppress(asyncio.CancelledError):
        task.exception()


# --- What the node sees --------------------------------------------------------------------------


class TimedAttemptScope:
    """The guard around one attempt: notes progress, and lets nothing out after `close()`.

    Args:
        on_progress: Called when progress is made.
        progress_min_interval: Seconds in which it is called at most once.
        refresh_on: `"auto"`: whatever the node does through its config is progress, so are its
            callbacks; `"heartbeat"`: only `runtime.heartbeat()` is. `None`: nobody wants to know.
    """

    __slots__ = (
        "__weakref__",
        "_active",
        "_last_progress",
        "_last_report",
        "_lock",
        "_on_progress",
        "_progress_min_interval",
        "_refresh_on",
    )

    def __init__(
        self,
        on_progress: Callable[[], None] | None = None,
        progress_min_interval: float = 0.0,
        refresh_on: RefreshOn | None = None,
    ) -> None:
        self._active = True
        # Makes closing wait for a write that a thread is just making.
        self._lock = threading.Lock()
        self._last_progress = time.monotonic()
        self._last_report = float("-inf")
        self._on_progress = on_progress
        self._progress_min_interval = progress_min_interval
        self._refresh_on = refresh_on

    def wrap_config(self, config: RunnableConfig) -> RunnableConfig:
        """Return the config with everything guarded that leads out of the node."""
        conf = config.get(CONF, {})
        patch: dict[str, Any] = {}
        for key, guard in (
            (CONFIG_KEY_SEND, self._guard_send),
            (CONFIG_KEY_STREAM, self._guard_stream),
            (CONFIG_KEY_CALL, self._guard_call),
        ):
            if (way_out := conf.get(key)) is not None:
                patch[key] = guard(way_out)
        if isinstance(runtime := conf.get(CONFIG_KEY_RUNTIME), Runtime):
            patch[CONFIG_KEY_RUNTIME] = self._guard_runtime(runtime)
        if patch:
            config = patch_configurable(config, patch)
        if self._refresh_on == "auto":
            config = merge_configs(config, {"callbacks": [_progress_handler(self)]})
        return config

    def touch(self) -> None:
        """Note progress, from any thread."""
        # Without the lock, as it happens for every token. Two threads may report the same progress.
        now = self._last_progress = time.monotonic()
        if self._on_progress is not None:
            if now - self._last_report >= self._progress_min_interval:
                self._last_report = now
                self._on_progress()

    def close(self) -> None:
        """End the attempt: from now on nothing gets out."""
        with self._lock:
            self._active = False

    async def wait_until_idle(self, limit: float) -> None:
        """Return when there has been no progress for `limit` seconds, or the attempt is over."""
        while self._active:
            remaining = self._last_progress + limit - time.monotonic()
            if remaining <= 0:
                return
            await asyncio.sleep(remaining)

    def _note_use(self) -> None:
        if self._refresh_on == "auto":
            self._last_progress = time.monotonic()

    def _guard_send(
        self, send: Callable[[Sequence[tuple[str, Any]]], None]
    ) -> Callable[[Sequence[tuple[str, Any]]], None]:
        def guarded_send(writes: Sequence[tuple[str, Any]]) -> None:
            with self._lock:
                if self._active:
                    if writes:
                        self._note_use()
                    send(writes)

        return guarded_send

    # The following may run the user's code, so not under the lock. A chunk that is lost or late by
    # a moment does no harm.

    def _guard_stream(self, stream: StreamProtocol) -> StreamProtocol:
        return StreamProtocol(self._guard_stream_writer(stream), stream.modes)

    def _guard_stream_writer(self, write: Callable[[Any], None]) -> Callable[[Any], None]:
        def guarded_write(chunk: Any) -> None:
            if self._active:
                self._note_use()
                write(chunk)

        return guarded_write

    def _guard_call(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded_call(*args: Any, **kwargs: Any) -> Any:
            if not self._active:
                raise asyncio.CancelledError
            self._note_use()
            return call(*args, **kwargs)

        return guarded_call

    def _guard_runtime(self, runtime: Runtime) -> Runtime:
        writer = self._guard_stream_writer(runtime.stream_writer)
        if self._refresh_on is None:
            return runtime.override(stream_writer=writer)
        return runtime.override(stream_writer=writer, heartbeat=self.touch)


_EVENTS = (
    "on_llm_start",
    "on_chat_model_start",
    "on_llm_new_token",
    "on_llm_end",
    "on_llm_error",
    "on_chain_start",
    "on_chain_end",
    "on_chain_error",
    "on_tool_start",
    "on_tool_end",
    "on_tool_error",
    "on_retriever_start",
    "on_retriever_end",
    "on_retriever_error",
    "on_agent_action",
    "on_agent_finish",
    "on_text",
    "on_retry",
    "on_custom_event",
)
_progress_handler_class: type[Any] | None = None


def _progress_handler(scope: TimedAttemptScope) -> Any:
    """Return a callback handler for which every event is progress."""
    global _progress_handler_class
    if _progress_handler_class is None:
        from langchain_core.callbacks import BaseCallbackHandler

        # Inline, as a thread would report progress late.
        namespace: dict[str, Any] = dict.fromkeys(_EVENTS, _touch) | {"run_inline": True}
        _progress_handler_class = type("ProgressHandler", (BaseCallbackHandler,), namespace)
    handler = _progress_handler_class()
    # Weakly: a callback manager may outlive the attempt.
    handler._scope = weakref.ref(scope)
    return handler


def _touch(self: Any, *args: Any, **kwargs: Any) -> None:
    if (scope := self._scope()) is not None:
        scope.touch()


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
