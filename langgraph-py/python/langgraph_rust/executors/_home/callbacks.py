"""Telling the handlers of a node's config what happened in its worker.

Only imported where somebody listens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.callbacks.manager import handle_event
from langchain_core.tracers._streaming import (
    _StreamingCallbackHandler,
    _V2StreamingCallbackHandler,
)

from langgraph_rust._internal._config import get_callback_manager_for_config
from langgraph_rust.pregel._streams.messages import MessagePusher

_IGNORED_BY = {
    "on_chain": "ignore_chain",
    "on_chat_model": "ignore_chat_model",
    "on_llm": "ignore_llm",
    "on_stream_event": "ignore_llm",
    "on_tool": "ignore_agent",
    "on_retriever": "ignore_retriever",
    "on_agent": "ignore_agent",
    "on_retry": "ignore_retry",
    "on_custom_event": "ignore_custom_event",
}


def describe(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the worker is to know of the config's callback manager."""
    manager = get_callback_manager_for_config(config)  # type: ignore[arg-type]
    kinds = [type(handler).__mro__ for handler in manager.handlers]
    streams = None
    if any(_V2StreamingCallbackHandler in kind for kind in kinds):
        streams = "events"
    elif any(_StreamingCallbackHandler in kind for kind in kinds):
        streams = "tokens"
    return {
        "streams": streams,
        "parent_run_id": manager.parent_run_id,
        "tags": manager.tags,
        "inheritable_tags": manager.inheritable_tags,
        "metadata": manager.metadata,
        "inheritable_metadata": manager.inheritable_metadata,
    }


def push(config: Mapping[str, Any], metadata: dict[str, Any], message: Any) -> None:
    """Have a message that a node pushes shown in the streams of messages."""
    for handler in get_callback_manager_for_config(config).handlers:  # type: ignore[arg-type]
        if isinstance(handler, MessagePusher):
            handler.push(metadata, message)


def replay(config: Mapping[str, Any], name: str, args: tuple[Any, ...], kwargs: Any) -> None:
    """Tell the config's handlers of an event."""
    manager = get_callback_manager_for_config(config)  # type: ignore[arg-type]
    ignored = next((flag for kind, flag in _IGNORED_BY.items() if name.startswith(kind)), None)
    handle_event(manager.handlers, name, ignored, *args, **kwargs)
