"""The `messages` stream: what chat models say, as callback handlers hear it.

A handler emits `(namespace, "messages", (message, metadata))`: the chunks of a model as they come,
and the messages among a node's outputs that no model streamed.

Only imported by runs that stream messages, so langchain-core may be imported here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID, uuid4

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AnyMessage, BaseMessage, RemoveMessage, ToolMessage
from langchain_core.messages.utils import convert_to_messages
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult
from langchain_core.tracers._streaming import (
    _StreamingCallbackHandler,
    _V2StreamingCallbackHandler,
)
from pydantic import BaseModel

from langgraph_rust._internal._config import filter_to_user_tags
from langgraph_rust._internal._constants import NS_SEP, PUSH, REMOVE_ALL_MESSAGES
from langgraph_rust._internal._quiet import takes_tokens
from langgraph_rust.constants import TAG_HIDDEN, TAG_NOSTREAM
from langgraph_rust.pregel.protocol import StreamChunk
from langgraph_rust.types import Command

if TYPE_CHECKING:
    from langchain_protocol.protocol import MessagesData

T = TypeVar("T")

Meta = tuple[tuple[str, ...], dict[str, Any]]
"""Namespace and metadata that a run's messages are emitted with."""


def graph_namespace(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the namespace of the graph that a task belongs to, given the task's run metadata.

    A task's own namespace is one segment longer. The namespace of a function called by a task lies
    within that of its caller, although both run in the same graph, so each call takes off one more.
    """
    segments = metadata["langgraph_checkpoint_ns"].split(NS_SEP)
    own = 1
    path = metadata.get("langgraph_path", ())
    # A call's path is (PUSH, path of the caller, number, True); that of a `Send` ends in False.
    while len(path) == 4 and path[0] == PUSH and path[3] is True:
        own += 1
        path = path[1]
    return tuple(segments[:-own])


class StreamHandler(BaseCallbackHandler, _StreamingCallbackHandler):
    """What the handlers behind stream modes have in common.

    Args:
        stream: Takes the chunks.
        subgraphs: Whether what happens in nested graphs is streamed, too.
        parent_ns: The namespace of the graph that asked for the stream, streamed in any case.
    """

    # In the thread of the node, so that chunks keep their order.
    run_inline = True

    def __init__(
        self,
        stream: Callable[[StreamChunk], None],
        subgraphs: bool,
        *,
        parent_ns: tuple[str, ...] | None = None,
    ) -> None:
        self.stream = stream
        self.subgraphs = subgraphs
        self.parent_ns = parent_ns

    def streams(self, namespace: tuple[str, ...]) -> bool:
        """Tell whether events of the graph at `namespace` are wanted."""
        return self.subgraphs or not namespace or namespace == self.parent_ns

    def tap_output_iter(self, run_id: UUID, output: Iterator[T]) -> Iterator[T]:
        """Leave a runnable's output as it is."""
        return output

    def tap_output_aiter(self, run_id: UUID, output: AsyncIterator[T]) -> AsyncIterator[T]:
        """Leave a runnable's output as it is."""
        return output


class MessagePusher:
    """What a handler is that shows messages which nodes push."""

    def push(self, metadata: dict[str, Any], message: BaseMessage) -> None:
        """Show a message of the task whose run has this metadata, whether or not it was shown."""


@takes_tokens
class StreamMessagesHandler(StreamHandler, MessagePusher):
    """Streams the message chunks of chat models, and the messages that nodes return.

    A message of a node's output is left out if it was streamed before or was part of the node's
    input. Models and nodes that are tagged `nostream` or hidden are silent.
    """

    def __init__(
        self,
        stream: Callable[[StreamChunk], None],
        subgraphs: bool,
        *,
        parent_ns: tuple[str, ...] | None = None,
    ) -> None:
        super().__init__(stream, subgraphs, parent_ns=parent_ns)
        self.metadata: dict[UUID, Meta] = {}
        self.seen: set[int | str] = set()

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Remember where the model runs."""
        if not metadata or TAG_NOSTREAM in (tags or ()):
            return
        if self._remember(run_id, metadata):
            user_tags = filter_to_user_tags(tags)
            if user_tags is not None:
                metadata["tags"] = user_tags

    def on_llm_new_token(
        self,
        token: str | list[str | dict[str, Any]],
        *,
        chunk: Any = None,
        run_id: UUID,
        **kwargs: Any,
    ) -> None:
        """Emit a chunk."""
        meta = self.metadata.get(run_id)
        if meta and isinstance(chunk, ChatGenerationChunk):
            self._emit(meta, chunk.message)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Emit the whole message of a model that did not stream it."""
        meta = self.metadata.pop(run_id, None)
        message = _answer(response)
        if meta and message is not None:
            self._emit(meta, message, dedupe=True)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Forget the model's run."""
        self.metadata.pop(run_id, None)

    def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: Any,
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """If it is a node that starts, remember where it runs and the messages it was given."""
        if not metadata or kwargs.get("name") != metadata.get("langgraph_node"):
            return
        if TAG_HIDDEN in (tags or ()) or not self._remember(run_id, metadata):
            return
        for value in _field_values(inputs):
            self.seen.update(m.id for m in _messages_in(value) if m.id is not None)

    # langchain-core passes the output by position; upstream names it so.
    def on_chain_end(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, response: Any, *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Emit the new messages of a node's output."""
        meta = self.metadata.pop(run_id, None)
        if meta:
            for message in _messages_of_output(response):
                if self._is_shown(message):
                    self._emit(meta, message, dedupe=True)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Forget the node's run."""
        self.metadata.pop(run_id, None)

    def _remember(self, run_id: UUID, metadata: dict[str, Any]) -> bool:
        """Note that the run's messages are streamed; tell whether they are."""
        namespace = graph_namespace(metadata)
        wanted = self.streams(namespace)
        if wanted:
            self.metadata[run_id] = (namespace, metadata)
        return wanted

    def push(self, metadata: dict[str, Any], message: BaseMessage) -> None:
        """Emit a message, if the graph of its node is streamed."""
        namespace = graph_namespace(metadata)
        if self.streams(namespace):
            self._emit((namespace, metadata), message)

    def _emit(self, meta: Meta, message: BaseMessage, *, dedupe: bool = False) -> None:
        if dedupe and message.id in self.seen:
            return
        if message.id is None:
            message.id = str(uuid4())
        self.seen.add(message.id)
        namespace, metadata = meta
        self.stream((namespace, "messages", (message, metadata)))

    def _is_shown(self, message: BaseMessage) -> bool:
        """Whether a message of a node's output belongs in the stream."""
        return True


class StreamMessagesHandlerV2(StreamMessagesHandler, _V2StreamingCallbackHandler):
    """Streams the content-block events of chat models instead of chunks; for stream events v3.

    langchain-core produces these events for a model when it sees a handler of this kind.
    """

    def __init__(
        self,
        stream: Callable[[StreamChunk], None],
        subgraphs: bool,
        *,
        parent_ns: tuple[str, ...] | None = None,
    ) -> None:
        super().__init__(stream, subgraphs, parent_ns=parent_ns)
        self._streamed_runs: set[UUID] = set()

    def on_stream_event(self, event: MessagesData, *, run_id: UUID, **kwargs: Any) -> None:
        """Emit an event of the content-block protocol; its metadata names the model's run."""
        meta = self.metadata.get(run_id)
        if not meta:
            return
        if event.get("event") == "message-start":
            self._streamed_runs.add(run_id)
            if message_id := event.get("message_id"):
                self.seen.add(message_id)
        namespace, metadata = meta
        self.stream((namespace, "messages", (event, {**metadata, "run_id": str(run_id)})))

    def on_llm_new_token(self, token: str | list[str | dict[str, Any]], **kwargs: Any) -> None:
        """Ignore a chunk: a node that calls `model.stream()` itself still causes them."""

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Emit the whole message, unless its events were."""
        message = _answer(response)
        if run_id in self._streamed_runs:
            self._streamed_runs.discard(run_id)
            if self.metadata.pop(run_id, None) and message is not None:
                # The finished message may have another id than its events, and be returned by the
                # node under that.
                if message.id is None:
                    message.id = str(uuid4())
                self.seen.add(message.id)
        else:
            super().on_llm_end(response, run_id=run_id, **kwargs)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Forget the model's run."""
        self._streamed_runs.discard(run_id)
        super().on_llm_error(error, run_id=run_id, **kwargs)

    def _is_shown(self, message: BaseMessage) -> bool:
        # What tools answer is no chat; it is in the `tools` stream.
        return not isinstance(message, ToolMessage)


def _answer(response: LLMResult) -> BaseMessage | None:
    """Return the first message of a chat model's result."""
    if not response.generations or not response.generations[0]:
        return None
    generation = response.generations[0][0]
    return generation.message if isinstance(generation, ChatGeneration) else None


def _messages_of_output(output: Any) -> Iterator[BaseMessage]:
    """Yield the messages that a node's output, or the updates in its commands, brings."""
    if isinstance(output, Command):
        yield from _messages_of_update(output.update)
    elif isinstance(output, Sequence) and any(isinstance(item, Command) for item in output):
        for item in output:
            update = item.update if isinstance(item, Command) else item
            yield from _messages_of_update(update)
    else:
        yield from _messages_of_update(output)


def _messages_of_update(update: Any) -> Iterator[BaseMessage]:
    if isinstance(update, (BaseMessage, Sequence)):
        yield from _messages_in(update)
    else:
        for value in _field_values(update):
            yield from _messages_in(value)


def _messages_in(value: Any) -> Iterator[BaseMessage]:
    """Yield the value if it is a message, or its items that are."""
    if isinstance(value, BaseMessage):
        yield value
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        for item in value:
            if isinstance(item, BaseMessage):
                yield item


def _field_values(state: Any) -> list[Any]:
    """Return the values of a state's fields; none if it is no state object."""
    if isinstance(state, dict):
        return list(state.values())
    if isinstance(state, BaseModel):
        return [getattr(state, name) for name in type(state).model_fields]
    if is_dataclass(state) and not isinstance(state, type):
        return [getattr(state, field.name) for field in fields(state)]
    return []


def _messages_delta_reducer(
    state: list[AnyMessage], writes: list[list[AnyMessage]]
) -> list[AnyMessage]:
    """Apply several writes to a list of messages at once; experimental, for `DeltaChannel`.

    Each write is a message in any form, or a list of them. A message replaces the one with its id;
    a `RemoveMessage` removes the one with its id, if there is one, or, with the id
    `REMOVE_ALL_MESSAGES`, everything before it; a message without an id stays without. Applying
    writes one after the other gives the same as applying all at once.
    """
    new: list[Any] = []
    for write in writes:
        new.extend(write) if isinstance(write, list) else new.append(write)
    messages = convert_to_messages(new)
    resets = [
        position
        for position, message in enumerate(messages)
        if isinstance(message, RemoveMessage) and message.id == REMOVE_ALL_MESSAGES
    ]
    if resets:
        state, messages = [], messages[resets[-1] + 1 :]
    converted = state and isinstance(state[0], BaseMessage)
    current: list[Any] = state if converted else convert_to_messages(state)
    owners = {message.id: position for position, message in enumerate(current)}
    merged: dict[Any, Any] = {}
    for position, message in enumerate(current):
        # Without an id, or with one that a later message has, too: nothing can replace it.
        anonymous = message.id is None or owners[message.id] != position
        merged[object() if anonymous else message.id] = message
    for message in messages:
        if message.id is None:
            merged[object()] = message
        elif isinstance(message, RemoveMessage):
            merged.pop(message.id, None)
        else:
            merged[message.id] = message
    return list(merged.values())
