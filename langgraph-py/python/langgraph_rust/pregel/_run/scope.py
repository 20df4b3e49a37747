"""What a node with time limits sees: a config in which everything that leads out is guarded."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from langgraph_rust._internal._config import merge_configs, patch_configurable
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CALL,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SEND,
    CONFIG_KEY_STREAM,
)
from langgraph_rust._internal._lazy.callbacks import EVENTS
from langgraph_rust.pregel.protocol import StreamProtocol
from langgraph_rust.runtime import Runtime

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

RefreshOn = Literal["auto", "heartbeat"]
"""What counts as progress of a node."""


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


_progress_handler_class: type[Any] | None = None


def _progress_handler(scope: TimedAttemptScope) -> Any:
    """Return a callback handler for which every event is progress."""
    global _progress_handler_class
    if _progress_handler_class is None:
        from langchain_core.callbacks import BaseCallbackHandler

        # Inline, as a thread would report progress late.
        namespace: dict[str, Any] = dict.fromkeys(EVENTS, _touch) | {"run_inline": True}
        _progress_handler_class = type("ProgressHandler", (BaseCallbackHandler,), namespace)
    handler = _progress_handler_class()
    # Weakly: a callback manager may outlive the attempt.
    handler._scope = weakref.ref(scope)
    return handler


def _touch(self: Any, *args: Any, **kwargs: Any) -> None:
    if (scope := self._scope()) is not None:
        scope.touch()
