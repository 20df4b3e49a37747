"""`MessagesTransformer`: what chat models say, one stream per message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.language_models._compat_bridge import message_to_events
from langchain_core.language_models.chat_model_stream import (
    AsyncChatModelStream,
    ChatModelStream,
)
from langchain_core.messages import AIMessageChunk, BaseMessage, ToolMessage

from langgraph_rust.stream._types import ProtocolEvent, StreamTransformer
from langgraph_rust.stream.stream_channel import StreamChannel

_MessageStream = ChatModelStream | AsyncChatModelStream


class MessagesTransformer(StreamTransformer):
    """Offers a `ChatModelStream` for every message of a chat model, as `run.messages`.

    A message comes as content-block events or, if no model streamed it, whole; its stream is then
    complete from the start. Chunks of the old protocol and tool messages are ignored, as are
    messages of subgraphs, which are on the subgraphs' handles.
    """

    _native = True
    required_stream_modes = ("messages",)

    def __init__(self, scope: tuple[str, ...] = ()) -> None:
        super().__init__(scope)
        self._log: StreamChannel[_MessageStream] = StreamChannel()
        # Messages that are not complete, by the run of their model.
        self._by_run: dict[str, _MessageStream] = {}
        self._ignored_runs: set[str] = set()
        self._pump_fn: Callable[[], bool] | None = None
        self._apump_fn: Callable[[], Awaitable[bool]] | None = None
        self._namespace = list(scope)

    def init(self) -> dict[str, Any]:
        """Return the one projection."""
        return {"messages": self._log}

    def _bind_pump(self, fn: Callable[[], bool]) -> None:
        """Let the readers of messages make the run go on."""
        self._pump_fn = fn

    def _bind_apump(self, fn: Callable[[], Awaitable[bool]]) -> None:
        """Async twin of `_bind_pump`."""
        self._apump_fn = fn

    def process(self, event: ProtocolEvent) -> bool:
        """Add to a message's stream, or begin one."""
        params = event["params"]
        if event["method"] != "messages" or params["namespace"] != self._namespace:
            return True
        payload, metadata = params["data"]
        if isinstance(payload, dict) and "event" in payload:
            self._dispatch(payload, metadata)
        elif isinstance(payload, BaseMessage) and not isinstance(
            payload, (AIMessageChunk, ToolMessage)
        ):
            stream = self._new_stream(metadata, payload.id)
            for part in message_to_events(payload, message_id=payload.id):
                stream.dispatch(part)
            self._log.push(stream)
        return True

    def _dispatch(self, part: Any, metadata: dict[str, Any]) -> None:
        """Give a content-block event to its message's stream."""
        run_id, kind = str(metadata.get("run_id", "")), part["event"]
        if kind == "message-start":
            if part.get("role") == "tool":
                self._ignored_runs.add(run_id)
                return
            message_id = part.get("message_id")
            stream = self._new_stream(metadata, None if message_id is None else str(message_id))
            self._by_run[run_id] = stream
            self._log.push(stream)
            stream.dispatch(part)
            return
        if run_id not in self._ignored_runs and run_id in self._by_run:
            self._by_run[run_id].dispatch(part)
        if kind == "message-finish":
            if run_id in self._ignored_runs:
                self._ignored_runs.discard(run_id)
            else:
                self._by_run.pop(run_id, None)

    def _new_stream(self, metadata: dict[str, Any], message_id: str | None) -> _MessageStream:
        details: Any = {
            "namespace": [],
            "node": metadata.get("langgraph_node"),
            "message_id": message_id,
        }
        if self._apump_fn is None and self._pump_fn is not None:
            stream = ChatModelStream(**details)
            stream.set_request_more(self._pump_fn)
            return stream
        astream = AsyncChatModelStream(**details)
        if self._apump_fn is not None:
            astream.set_arequest_more(self._apump_fn)
        return astream

    def finalize(self) -> None:
        """Forget the messages."""
        self._by_run.clear()
        self._ignored_runs.clear()

    def fail(self, err: BaseException) -> None:
        """Fail the messages that are not complete."""
        for stream in self._by_run.values():
            stream.fail(err)
        self.finalize()
