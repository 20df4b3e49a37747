"""What hears of a run of this process, and tells it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from langgraph_rust._view._watching.events import INTERRUPT, Events
from langgraph_rust._view._watching.run import WatchedRun
from langgraph_rust.errors import GraphBubbleUp
from langgraph_rust.pregel._streams.messages import StreamMessagesHandler

if TYPE_CHECKING:
    from langgraph_rust.pregel.protocol import StreamChunk

logger = logging.getLogger(__name__)


class RunTap:
    """Tells what a run shows; see `pregel._run.setup.Tap`.

    Args:
        run: Which is told of it.
        events: Makes events of chunks.
        begun: Called when the run has begun.
        task: The id of the only task to be heard of, with what comes of it; of all if left out.
    """

    def __init__(
        self,
        run: WatchedRun,
        events: Events,
        begun: Callable[[], object] = lambda: None,
        *,
        task: str | None = None,
    ) -> None:
        self.modes = {"custom", "tasks"} if task else {"custom", "tasks", "updates"}
        self.handlers: list[Any] = [
            StreamMessagesHandler(self, True),
            _Ends(self, begun),
        ]
        self._run = run
        self._events = events
        self._task = task
        self._began: dict[str, float] = {}
        self._is_interrupted = False

    def __call__(self, chunk: StreamChunk) -> None:
        """Tell of a chunk. Whatever goes wrong with that is no trouble of the run's."""
        namespace, mode, payload = chunk
        try:
            event = self._event(namespace, mode, payload)
        except Exception:
            logger.debug("a chunk cannot be shown", exc_info=True)
            return
        if event is not None:
            self._run.add({**event, "namespace": "|".join(namespace)})

    def _event(self, namespace: tuple[str, ...], mode: str, payload: Any) -> Any:
        if mode == "tasks":
            return self._of_task(payload)
        if mode == "messages":
            message, metadata = payload
            return self._events.of_message(message, metadata.get("langgraph_node"))
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
        return {**event, **self._whole(payload.get("interrupts") or payload["result"])}

    def _whole(self, value: Any) -> Any:
        # Of all tasks it would be too much: states are in checkpoints, and updates are told.
        return {} if self._task is None else {"value": self._events.value(value)}

    # --- what callback handlers hear ---

    def failed(self, node: str, attempt: int, error: BaseException) -> None:
        """Tell of an attempt at a task that failed."""
        if not isinstance(error, (GraphBubbleUp, asyncio.CancelledError)):
            self._run.add(self._events.of_attempt(node, attempt, error))

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


class _Ends(BaseCallbackHandler):
    """Hears of the run's beginning and end, and of attempts at its tasks."""

    run_inline = True
    ignore_llm = ignore_chat_model = ignore_retriever = ignore_agent = True  # type: ignore[assignment]

    def __init__(self, tap: RunTap, begun: Callable[[], object]) -> None:
        self._tap = tap
        self._begun = begun
        self._root: UUID | None = None
        self._attempts: dict[str, int] = {}
        self._going: dict[UUID, tuple[str, str]] = {}

    def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: Any,
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """Remember an attempt at a task."""
        if self._root is None:
            self._root = run_id
            self._begun()
        node = (metadata or {}).get("langgraph_node")
        if metadata and node is not None and node == more.get("name"):
            place = metadata.get("langgraph_checkpoint_ns", "")
            self._attempts[place] = self._attempts.get(place, 0) + 1
            self._going[run_id] = node, place

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **more: Any) -> None:
        """Tell that the run is over, if it is the run itself."""
        self._going.pop(run_id, None)
        if run_id == self._root:
            self._tap.ended(None)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **more: Any) -> None:
        """Tell of a failure."""
        if run_id == self._root:
            self._tap.ended(error)
        elif attempt := self._going.pop(run_id, None):
            node, place = attempt
            self._tap.failed(node, self._attempts[place], error)
