"""The `tools` stream: start, partial output and end of every tool call.

Only imported by runs that stream tools and by tools that stream, so langchain-core may be imported
here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any, NamedTuple
from uuid import UUID

from langgraph_rust.constants import TAG_NOSTREAM
from langgraph_rust.errors import GraphDrained, GraphInterrupt
from langgraph_rust.pregel._streams.messages import StreamHandler, graph_namespace
from langgraph_rust.pregel.protocol import StreamChunk

ToolCallWriter = Callable[[Any], None]
"""Streams a piece of one tool call's output."""

_tool_call_writer: ContextVar[ToolCallWriter | None] = ContextVar(
    "langgraph_tool_call_writer", default=None
)
"""The writer of the running tool call; `ToolRuntime.emit_output_delta` uses it."""


class _Running(NamedTuple):
    """A tool call between its start and its end."""

    namespace: tuple[str, ...]
    tool_call_id: str
    token: Token[ToolCallWriter | None]
    """Undoes the setting of the writer."""


class StreamToolCallHandler(StreamHandler):
    """Streams `tool-started`, `tool-output-delta`, `tool-finished` and `tool-error` payloads.

    Each has the `tool_call_id`. A tool that is interrupted neither finishes nor fails: it starts
    again when the run is resumed.
    """

    def __init__(
        self,
        stream: Callable[[StreamChunk], None],
        subgraphs: bool,
        *,
        parent_ns: tuple[str, ...] | None = None,
    ) -> None:
        super().__init__(stream, subgraphs, parent_ns=parent_ns)
        # By run, since the end of a tool is reported without its call's id.
        self._running: dict[UUID, _Running] = {}

    def on_tool_start(
        self,
        serialized: dict[str, Any],
        input_str: str,
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Stream `tool-started` and let the tool stream its output."""
        if not metadata or TAG_NOSTREAM in (tags or ()):
            return
        namespace = graph_namespace(metadata) if metadata.get("langgraph_checkpoint_ns") else ()
        if not self.streams(namespace):
            return
        tool_call_id = kwargs.get("tool_call_id") or str(run_id)

        def write(delta: Any) -> None:
            self._send(namespace, tool_call_id, "tool-output-delta", delta=delta)

        token = _tool_call_writer.set(write)
        self._running[run_id] = _Running(namespace, tool_call_id, token)
        name = (serialized or {}).get("name") or kwargs.get("name") or ""
        details = {} if inputs is None else {"input": inputs}
        self._send(namespace, tool_call_id, "tool-started", tool_name=name, **details)

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Stream `tool-finished`."""
        if running := self._stop(run_id):
            self._send(running.namespace, running.tool_call_id, "tool-finished", output=output)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Stream `tool-error`, unless the tool is only paused."""
        running = self._stop(run_id)
        if running and not isinstance(error, (GraphInterrupt, GraphDrained)):
            self._send(running.namespace, running.tool_call_id, "tool-error", message=str(error))

    def _stop(self, run_id: UUID) -> _Running | None:
        running = self._running.pop(run_id, None)
        if running is not None:
            try:
                _tool_call_writer.reset(running.token)
            except ValueError:
                # The end is reported in another context than the start; the writer set there ends
                # with that context.
                pass
        return running

    def _send(
        self, namespace: tuple[str, ...], tool_call_id: str, event: str, **details: Any
    ) -> None:
        payload = {"event": event, "tool_call_id": tool_call_id, **details}
        self.stream((namespace, "tools", payload))
