"""Message lists as state: the reducer, a ready-made state, and messages pushed by hand.

What needs langchain-core's message types is made on first use, so that `add_messages` and this
module can be imported without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, Literal, overload
from warnings import warn

from typing_extensions import TypedDict, deprecated

from langgraph_rust._internal._constants import CONF, CONFIG_KEY_SEND, REMOVE_ALL_MESSAGES
from langgraph_rust._internal._lazy.callbacks import is_silent
from langgraph_rust.warnings import LangGraphDeprecatedSinceV10

if TYPE_CHECKING:
    from langchain_core.messages import (
        AnyMessage,
        BaseMessage,
        BaseMessageChunk,
        MessageLikeRepresentation,
    )

    from langgraph_rust.graph.state import StateGraph
    from langgraph_rust.pregel._streams.messages import (
        _messages_delta_reducer as _messages_delta_reducer,
    )

    Messages = list[MessageLikeRepresentation] | MessageLikeRepresentation
    """What `add_messages` takes: a message in any form, or a list of them."""

__all__ = (
    "REMOVE_ALL_MESSAGES",
    "MessageGraph",
    "MessagesState",
    "add_messages",
)

_id_of = attrgetter("id")


@overload
def add_messages(left: Messages, right: Messages, **kwargs: Any) -> Messages: ...


@overload
def add_messages(
    left: None = None, right: None = None, **kwargs: Any
) -> Callable[[Messages, Messages], Messages]: ...


def add_messages(
    left: Messages | None = None, right: Messages | None = None, **kwargs: Any
) -> Messages | Callable[[Messages, Messages], Messages]:
    """Add messages to a list; those with an id that is there already replace the old ones.

    This is the reducer for a list of messages in a state:
    `messages: Annotated[list, add_messages]`, or with options
    `Annotated[list, add_messages(format="langchain-openai")]`.

    Messages may be langchain-core messages, message chunks, `(role, text)` pairs, dicts or strings.
    Missing ids are filled in with random UUIDs. A `RemoveMessage` removes the message with its id,
    or, with the id `REMOVE_ALL_MESSAGES`, everything before it.

    Args:
        left: The list so far, or a single message.
        right: What to add, a list or a single message.
        **kwargs: `format`: `"langchain-openai"` to rewrite all contents to the forms that OpenAI
            accepts, or `None` to leave them.

    Returns:
        A new list. Without `left` and `right`: this function, with the options bound.

    Raises:
        ValueError: Only one of `left` and `right` is given; a message to be removed does not exist;
            or `format` is unknown.
    """
    if left is not None and right is not None:
        return _merge_messages(left, right, **kwargs)
    if left is None and right is None:
        return partial(_merge_messages, **kwargs)
    raise ValueError(
        "Must specify non-null arguments for both 'left' and 'right'. Only "
        f"received: '{'left' if left else 'right'}'."
    )


def _merge_messages(
    left: Messages, right: Messages, *, format: Literal["langchain-openai"] | None = None
) -> Messages:
    """Merge two message lists; see `add_messages`."""
    old, old_ids = _with_ids(left)
    new, new_ids = _with_ids(right)
    removals = _removals(new)
    if REMOVE_ALL_MESSAGES in new_ids and any(new_ids[i] == REMOVE_ALL_MESSAGES for i in removals):
        last = max(i for i in removals if new_ids[i] == REMOVE_ALL_MESSAGES)
        return new[last + 1 :]
    if not removals and _is_plain_append(old_ids, new_ids):
        merged = [*old, *new]
    else:
        merged = _merge_by_id(old, old_ids, new, new_ids, removals)
    if format == "langchain-openai":
        return _format_messages(merged)  # type: ignore[return-value]
    if format:
        raise ValueError(f"Unrecognized {format=}. Expected one of 'langchain-openai', None.")
    return merged


def _with_ids(messages: Messages) -> tuple[list[Any], list[str]]:
    """Return the argument as a list of messages that all have an id, and the ids."""
    as_list = _coerce_to_messages(messages if isinstance(messages, list) else [messages])
    ids = list(map(_id_of, as_list))
    if None in ids:
        import uuid

        for index, message in enumerate(as_list):
            # The same object may be listed twice.
            if message.id is None:
                message.id = str(uuid.uuid4())
            ids[index] = message.id
    return as_list, ids


def _coerce_to_messages(messages: list[Any]) -> list[Any]:
    """Return the list itself if it only has complete messages, else a converted copy."""
    kinds = set(map(type, messages))
    if not kinds:
        return messages
    from langchain_core.messages import (
        BaseMessage,
        BaseMessageChunk,
        convert_to_messages,
        message_chunk_to_message,
    )

    if all(issubclass(k, BaseMessage) and not issubclass(k, BaseMessageChunk) for k in kinds):
        return messages
    return [message_chunk_to_message(message) for message in convert_to_messages(messages)]


def _removals(messages: list[Any]) -> list[int]:
    """Return the positions of the `RemoveMessage`s."""
    if not messages:
        return []
    from langchain_core.messages import RemoveMessage

    if not any(issubclass(kind, RemoveMessage) for kind in set(map(type, messages))):
        return []
    return [i for i, message in enumerate(messages) if isinstance(message, RemoveMessage)]


def _is_plain_append(old_ids: list[str], new_ids: list[str]) -> bool:
    if len(new_ids) == 1:
        return new_ids[0] not in old_ids
    distinct = set(new_ids)
    return len(distinct) == len(new_ids) and distinct.isdisjoint(old_ids)


def _merge_by_id(
    old: list[Any], old_ids: list[str], new: list[Any], new_ids: list[str], removals: list[int]
) -> list[Any]:
    """Replace, remove and append, one new message after the other."""
    merged = old.copy()
    positions = {id_: position for position, id_ in enumerate(old_ids)}
    removed: set[str] = set()
    removing = set(removals)
    for index, (message, id_) in enumerate(zip(new, new_ids, strict=True)):
        position = positions.get(id_)
        if index in removing:
            if position is None:
                raise ValueError(
                    f"Attempting to delete a message with an ID that doesn't exist ('{id_}')"
                )
            removed.add(id_)
        elif position is None:
            positions[id_] = len(merged)
            merged.append(message)
        else:
            removed.discard(id_)
            merged[position] = message
    return [message for message in merged if message.id not in removed] if removed else merged


def _format_messages(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Rewrite the contents of messages to the forms that OpenAI accepts."""
    from langchain_core.messages import convert_to_messages

    try:
        from langchain_core.messages import convert_to_openai_messages
    except ImportError:
        warn(
            "Must have langchain-core>=0.3.11 installed to use automatic message "
            "formatting (format='langchain-openai'). Please update your langchain-core "
            "version or remove the 'format' flag. Returning un-formatted "
            "messages.",
            stacklevel=2,
        )
        return list(messages)
    return convert_to_messages(convert_to_openai_messages(messages))


def push_message(
    message: MessageLikeRepresentation | BaseMessageChunk,
    *,
    state_key: str | None = "messages",
) -> AnyMessage:
    """Emit a message in the `messages` stream now, from within a node.

    Args:
        message: The message, in any form; it must have an id.
        state_key: The state key to also write it to; none if `None` or empty.

    Returns:
        The message as an object.

    Raises:
        ValueError: It has no id.
        RuntimeError: Not called from within a node.
    """
    from langchain_core.messages import convert_to_messages

    from langgraph_rust.config import get_config

    config = get_config()
    (message,) = convert_to_messages([message])
    if message.id is None:
        raise ValueError("Message ID is required")
    handlers = _handlers(config.get("callbacks"))
    if handlers:
        from langgraph_rust.pregel._streams.messages import MessagePusher

        for handler in handlers:
            if isinstance(handler, MessagePusher):
                handler.push(config["metadata"], message)
    if state_key:
        config[CONF][CONFIG_KEY_SEND]([(state_key, message)])
    return message  # type: ignore[return-value]


def _handlers(callbacks: Any) -> Sequence[Any]:
    if not callbacks or is_silent(callbacks):
        return ()
    return callbacks if isinstance(callbacks, list) else callbacks.handlers


# --- Made on first use ---------------------------------------------------------------------------

if TYPE_CHECKING:

    class MessagesState(TypedDict):
        """A state that is a list of messages under the key `messages`."""

        messages: Annotated[list[AnyMessage], add_messages]

    class MessageGraph(StateGraph):
        """Deprecated: a graph whose whole state is one list of messages."""

        def __init__(self) -> None: ...


def _make_messages_state() -> Any:
    from langchain_core.messages import AnyMessage

    fields = {"messages": Annotated[list[AnyMessage], add_messages]}
    made = TypedDict("MessagesState", fields)  # type: ignore[operator]
    made.__module__ = __name__
    made.__doc__ = "A state that is a list of messages under the key `messages`."
    return made


def _make_message_graph() -> Any:
    from langchain_core.messages import AnyMessage

    from langgraph_rust.graph.state import StateGraph

    @deprecated(
        "MessageGraph is deprecated in langgraph 1.0.0, to be removed in 2.0.0. "
        "Please use StateGraph with a `messages` key instead.",
        category=None,
    )
    class MessageGraph(StateGraph):
        """Deprecated: a graph whose whole state is one list of messages.

        Every node gets the list and returns messages to add, as by `add_messages`. Use a
        `StateGraph` with `MessagesState`.
        """

        def __init__(self) -> None:
            warn(
                "MessageGraph is deprecated in LangGraph v1.0.0, to be removed in v2.0.0. "
                "Please use StateGraph with a `messages` key instead.",
                category=LangGraphDeprecatedSinceV10,
                stacklevel=2,
            )
            super().__init__(Annotated[list[AnyMessage], add_messages])  # type: ignore[arg-type]

    MessageGraph.__qualname__ = "MessageGraph"
    return MessageGraph


def _make_messages_alias() -> Any:
    from langchain_core.messages import MessageLikeRepresentation

    return list[MessageLikeRepresentation] | MessageLikeRepresentation


def _import_delta_reducer() -> Any:
    from langgraph_rust.pregel._streams.messages import _messages_delta_reducer

    return _messages_delta_reducer


def _import_state_graph() -> Any:
    from langgraph_rust.graph.state import StateGraph

    return StateGraph


_MAKERS: dict[str, Callable[[], Any]] = {
    "MessagesState": _make_messages_state,
    "MessageGraph": _make_message_graph,
    "Messages": _make_messages_alias,
    "StateGraph": _import_state_graph,
    "_messages_delta_reducer": _import_delta_reducer,
}

# Programs import these from here, as old tutorials told them to.
_FROM_LANGCHAIN = frozenset(
    (
        "AnyMessage",
        "BaseMessage",
        "BaseMessageChunk",
        "MessageLikeRepresentation",
        "RemoveMessage",
        "convert_to_messages",
        "message_chunk_to_message",
    )
)


def __getattr__(name: str) -> Any:
    if name in _FROM_LANGCHAIN:
        import langchain_core.messages

        value = getattr(langchain_core.messages, name)
    elif name in _MAKERS:
        value = _MAKERS[name]()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault(name, value)
