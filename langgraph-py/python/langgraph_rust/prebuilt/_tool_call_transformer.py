"""`ToolCallTransformer`: the tool calls of a run, each as a handle of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from langgraph_rust.prebuilt._tool_call_stream import ToolCallStream
from langgraph_rust.stream._types import ProtocolEvent, StreamTransformer
from langgraph_rust.stream.stream_channel import StreamChannel

__all__ = ("ToolCallTransformer",)


class ToolCallTransformer(StreamTransformer):
    """Offers `run.tool_calls`: a `ToolCallStream` for each tool call of the graph's own nodes.

    For `builder.compile(transformers=[ToolCallTransformer])`. The events of the mode `tools` that
    it is made of stay in the run's log; calls within subgraphs are those subgraphs'.
    """

    _native = True
    required_stream_modes = ("tools",)

    def __init__(self, scope: tuple[str, ...] = ()) -> None:
        super().__init__(scope)
        # Nameless: handles are no events, and cannot be sent anywhere.
        self._log: StreamChannel[ToolCallStream] = StreamChannel()
        self._active: dict[str, ToolCallStream] = {}
        self._is_async = False
        self._pump_fn: Callable[[], bool] | None = None
        self._apump_fn: Callable[[], Awaitable[bool]] | None = None

    def init(self) -> dict[str, Any]:
        """Return the projection."""
        return {"tool_calls": self._log}

    def _bind_pump(self, fn: Callable[[], bool]) -> None:
        """Take what goes on with the run when somebody waits for a piece of output."""
        self._pump_fn = fn
        self._is_async = False

    def _bind_apump(self, fn: Callable[[], Awaitable[bool]]) -> None:
        """Take the same of an async run."""
        self._apump_fn = fn
        self._is_async = True

    def process(self, event: ProtocolEvent) -> bool:
        """Keep the handles up to date; the event stays where it is."""
        params = event["params"]
        if event["method"] == "tools" and tuple(params["namespace"]) == self.scope:
            data = params["data"]
            if (call_id := data.get("tool_call_id")) is not None:
                self._show(call_id, data)
        return True

    def _show(self, call_id: str, data: dict[str, Any]) -> None:
        kind = data.get("event")
        if kind == "tool-started":
            stream = self._new_stream(call_id, data.get("tool_name", ""), data.get("input"))
            self._active[call_id] = stream
            self._log.push(stream)
        elif (stream := self._active.get(call_id)) is None:
            return
        elif kind == "tool-output-delta":
            stream._push_delta(data.get("delta"))
        elif kind in ("tool-finished", "tool-error"):
            del self._active[call_id]
            if kind == "tool-finished":
                stream._finish(_normalize_tool_output(data.get("output")))
            else:
                stream._fail(data.get("message", ""))

    def _new_stream(
        self, tool_call_id: str, tool_name: str, tool_input: dict[str, Any] | None
    ) -> ToolCallStream:
        stream = ToolCallStream(tool_call_id, tool_name, tool_input)
        stream._bind(is_async=self._is_async)
        if self._apump_fn is not None:
            stream._output_deltas._arequest_more = self._apump_fn
        if self._pump_fn is not None:
            stream._output_deltas._request_more = self._pump_fn
        return stream

    def finalize(self) -> None:
        """Close what is still open when the run is done."""
        self._end(lambda stream: stream._finish(None))

    def fail(self, err: BaseException) -> None:
        """Fail what is still open when the run fails."""
        self._end(lambda stream: stream._fail(str(err)))

    def _end(self, end: Callable[[ToolCallStream], None]) -> None:
        for stream in self._active.values():
            if not stream.completed:
                end(stream)
        self._active.clear()


def _normalize_tool_output(output: Any) -> Any:
    """Return the content of a message, which may have been serialized; anything else as it is."""
    from langchain_core.messages import ToolMessage

    if isinstance(output, ToolMessage):
        return output.content
    if _is_serialized_tool_message(output) and isinstance(output.get("kwargs"), dict):
        return output["kwargs"].get("content")
    return output


def _is_serialized_tool_message(value: Any) -> bool:
    """Whether it is a `ToolMessage` as langchain-core's `dumpd` writes it."""
    return (
        isinstance(value, dict)
        and value.get("type") == "constructor"
        and isinstance(value.get("id"), list)
        and value["id"][-1] == "ToolMessage"
    )
