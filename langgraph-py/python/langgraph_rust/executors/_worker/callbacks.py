"""Callbacks of what a node calls, told at home.

Only imported where somebody listens.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeVar
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackHandler, CallbackManager
from langchain_core.tracers._streaming import (
    _StreamingCallbackHandler,
    _V2StreamingCallbackHandler,
)

from langgraph_rust._internal._lazy.callbacks import EVENTS
from langgraph_rust.executors._worker.link import Home
from langgraph_rust.pregel._streams.messages import MessagePusher

T = TypeVar("T")


class Forwarder(BaseCallbackHandler, MessagePusher):
    """Tells home of every event, in the order in which they happen."""

    run_inline = True

    def __init__(self, home: Home) -> None:
        self._home = home

    def push(self, metadata: dict[str, Any], message: Any) -> None:
        """Have a message shown that the node pushes."""
        self._home.tell("push", metadata, message)

    def _tell(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._home.tell("callback", name, args, kwargs)


def _forward(name: str) -> Any:
    def method(self: Forwarder, *args: Any, **kwargs: Any) -> None:
        self._tell(name, args, kwargs)

    method.__name__ = name
    method.__doc__ = "Tell home."
    return method


for _name in EVENTS:
    setattr(Forwarder, _name, _forward(_name))


class _Streams:
    """Chat models stream for handlers of this kind; what is streamed is left as it is."""

    def tap_output_iter(self, run_id: UUID, output: Iterator[T]) -> Iterator[T]:
        return output

    def tap_output_aiter(self, run_id: UUID, output: AsyncIterator[T]) -> AsyncIterator[T]:
        return output


class StreamingForwarder(_Streams, Forwarder, _StreamingCallbackHandler):
    """The same where a handler at home wants tokens."""


class EventForwarder(_Streams, Forwarder, _V2StreamingCallbackHandler):
    """The same where a handler at home wants the events of the newer protocol."""


def not_traced_twice() -> AbstractContextManager[None]:
    """Around a node whose events home hears, and so do home's tracers: there are none here."""
    from langsmith.run_helpers import tracing_context

    return tracing_context(enabled=False)


def make_manager(listening: dict[str, Any], home: Home, *, is_async: bool) -> Any:
    """Make the callback manager of a node whose own is at home."""
    kind = {"tokens": StreamingForwarder, "events": EventForwarder}.get(
        listening["streams"], Forwarder
    )
    handler = kind(home)
    manager = AsyncCallbackManager if is_async else CallbackManager
    return manager(
        [handler],
        inheritable_handlers=[handler],
        parent_run_id=listening["parent_run_id"],
        tags=listening["tags"],
        inheritable_tags=listening["inheritable_tags"],
        metadata=listening["metadata"],
        inheritable_metadata=listening["inheritable_metadata"],
    )
