"""The handle of one tool call in a stream of events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from langgraph_rust.stream.stream_channel import StreamChannel

__all__ = ("ToolCallStream",)


class ToolCallStream:
    """A tool call while it runs; `run.tool_calls` yields one for each call that starts.

    Iterating it, sync or async as the run is, yields the pieces of its output as they come.

    Args:
        tool_call_id: The id of the call.
        tool_name: The tool.
        input: Its arguments, if they are known.
    """

    def __init__(
        self, tool_call_id: str, tool_name: str, input: dict[str, Any] | None = None
    ) -> None:
        self.tool_call_id = tool_call_id
        self.tool_name = tool_name
        self.input = input
        self.output: Any = None
        """What the tool returned; `None` until then, and if it failed."""
        self.error: str | None = None
        """What it failed with, if it did."""
        self.completed = False
        """Whether it is over, in either way."""
        self._output_deltas: StreamChannel[Any] = StreamChannel()

    @property
    def output_deltas(self) -> StreamChannel[Any]:
        """The pieces of the output, in the order they came; closed when the call is over."""
        return self._output_deltas

    def _bind(self, *, is_async: bool) -> None:
        """Have the pieces iterated as the run is."""
        self._output_deltas._bind(is_async=is_async)

    def _push_delta(self, delta: Any) -> None:
        self._output_deltas.push(delta)

    def _finish(self, output: Any) -> None:
        self.output = output
        self._close()

    def _fail(self, message: str) -> None:
        self.error = message
        self._close()

    def _close(self) -> None:
        self.completed = True
        self._output_deltas.close()

    def __iter__(self) -> Iterator[Any]:
        """Yield the pieces; raises `TypeError` in async runs."""
        return iter(self._output_deltas)

    def __aiter__(self) -> AsyncIterator[Any]:
        """Yield the pieces; raises `TypeError` in sync runs."""
        return self._output_deltas.__aiter__()

    def __repr__(self) -> str:
        ended = "completed" if self.error is None else "failed"
        return (
            f"ToolCallStream(tool_call_id={self.tool_call_id!r}, "
            f"tool_name={self.tool_name!r}, status={ended if self.completed else 'running'})"
        )
