"""What hears of a run of this process, and tells it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from langgraph_rust._view._watching.events import INTERRUPT, Events
from langgraph_rust._view._watching.hearing import Hearing, TokenHearing
from langgraph_rust._view._watching.run import WatchedRun
from langgraph_rust.errors import GraphBubbleUp

if TYPE_CHECKING:
    from uuid import UUID

    from langgraph_rust.pregel.protocol import StreamChunk

logger = logging.getLogger(__name__)


class RunTap:
    """Tells what a run shows; see `pregel._run.setup.Tap`.

    Args:
        run: Which is told of it.
        events: Makes events of chunks.
        begun: Called when the run has begun.
        task: The id of the only task to be heard of, with what comes of it; of all if left out.
        tokens: Whether chat models that would not stream are made to.
    """

    def __init__(
        self,
        run: WatchedRun,
        events: Events,
        begun: Callable[[], object] = lambda: None,
        *,
        task: str | None = None,
        tokens: bool = False,
    ) -> None:
        self.modes = {"custom", "tasks"} if task else {"custom", "tasks", "updates"}
        hearing = TokenHearing if tokens else Hearing
        self.handlers: list[Any] = [hearing(self, begun, whole=events.holds_parts)]
        self._run = run
        self._events = events
        self._task = task
        self._began: dict[str, float] = {}
        self._is_interrupted = False

    def __call__(self, chunk: StreamChunk) -> None:
        """Tell of a chunk. Whatever goes wrong with that is no trouble of the run's."""
        namespace, mode, payload = chunk
        self._tell(namespace, lambda: self._event(namespace, mode, payload))

    def _tell(self, namespace: tuple[str, ...], make: Callable[[], Any]) -> None:
        try:
            if (event := make()) is not None:
                self._run.add({**event, "namespace": "|".join(namespace)})
        except Exception:
            logger.debug("a chunk cannot be shown", exc_info=True)

    def _event(self, namespace: tuple[str, ...], mode: str, payload: Any) -> Any:
        if mode == "tasks":
            return self._of_task(payload)
        if mode == "updates" and not namespace and isinstance(payload, Mapping):
            self._is_interrupted |= INTERRUPT in payload
        return self._events.of_value(mode, payload)

    def _of_task(self, payload: Mapping[str, Any]) -> Any:
        own = payload["id"]
        if self._task not in (None, own):
            return None
        if "input" in payload:
            self._began[own] = time.monotonic()
            event = self._events.of_task(payload)
            return {**event, **self._whole(payload["input"])}
        began = self._began.pop(own, None)
        event = self._events.of_task(payload, None if began is None else time.monotonic() - began)
        if self._task is not None:
            self._is_interrupted |= bool(payload.get("interrupts"))
        return {**event, **self._whole(payload.get("interrupts") or payload["result"])}

    def _whole(self, value: Any) -> Any:
        # Of all tasks it would be too much: states are in checkpoints, and updates are told.
        return {} if self._task is None else {"value": self._events.value(value)}

    # --- what callback handlers hear ---

    def spoke(self, namespace: tuple[str, ...], node: Any, run: UUID, message: Any) -> None:
        """Tell of a message, or a part of one, that a run of a model brings."""
        self._tell(namespace, lambda: self._events.of_message(message, node, str(run)))

    def failed(self, node: str, attempt: int, error: BaseException) -> None:
        """Tell of an attempt at a task that failed."""
        if not isinstance(error, (GraphBubbleUp, asyncio.CancelledError)):
            self._tell((), lambda: self._events.of_attempt(node, attempt, error))

    def ended(self, error: BaseException | None) -> None:
        """Tell how the run ended."""
        if error is None:
            status = "interrupted" if self._is_interrupted else "success"
            self._run.end(status, {"kind": "done"})
        elif isinstance(error, _STOPPED):
            self._run.end("cancelled", {"kind": "stopped"})
        else:
            self._run.end("error", self._events.of_failure(error))


_STOPPED = (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt)
