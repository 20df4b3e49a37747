"""User interface events: components that a frontend shows beside the messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from typing_extensions import TypedDict

from langgraph_rust._internal._constants import CONF, CONFIG_KEY_SEND
from langgraph_rust.config import get_config, get_stream_writer

if TYPE_CHECKING:
    from langchain_core.messages import AnyMessage

__all__ = (
    "AnyUIMessage",
    "RemoveUIMessage",
    "UIMessage",
    "delete_ui_message",
    "push_ui_message",
    "ui_message_reducer",
)


class UIMessage(TypedDict):
    """Show a component, or change what it shows."""

    type: Literal["ui"]
    """Tells it from other events."""
    id: str
    """Identifies the event; a later one with the same id replaces it."""
    name: str
    """Name of the component."""
    props: dict[str, Any]
    """Its properties."""
    metadata: dict[str, Any]
    """`merge`, ids and names of the run, and whatever the sender added."""


class RemoveUIMessage(TypedDict):
    """Remove a component."""

    type: Literal["remove-ui"]
    """Tells it from other events."""
    id: str
    """Id of the event that showed it."""


AnyUIMessage = UIMessage | RemoveUIMessage
"""Any user interface event."""


def push_ui_message(
    name: str,
    props: dict[str, Any],
    *,
    id: str | None = None,
    metadata: dict[str, Any] | None = None,
    message: AnyMessage | None = None,
    state_key: str | None = "ui",
    merge: bool = False,
) -> UIMessage:
    """Show a component, from within a node, by the `custom` stream and by the state.

    Args:
        name: Name of the component.
        props: Its properties.
        id: Id of the event; a random UUID by default.
        metadata: Added to the event's metadata.
        message: The message that the component belongs to; its id goes into the metadata.
        state_key: The state key to write it to; none if `None` or empty.
        merge: Whether `props` are merged into those of the earlier event with this id.

    Returns:
        The event.

    Raises:
        RuntimeError: Not called from within a node.
    """
    from uuid import uuid4

    write = get_stream_writer()
    config = get_config()
    message_id = _message_id(message)
    event: UIMessage = {
        "type": "ui",
        "id": id or str(uuid4()),
        "name": name,
        "props": props,
        "metadata": {
            "merge": merge,
            "run_id": config.get("run_id"),
            "tags": config.get("tags"),
            "name": config.get("run_name"),
            **(metadata or {}),
            **({"message_id": message_id} if message_id else {}),
        },
    }
    write(event)
    if state_key:
        config[CONF][CONFIG_KEY_SEND]([(state_key, event)])
    return event


def _message_id(message: Any) -> str | None:
    if not message:
        return None
    return message.get("id") if isinstance(message, dict) else getattr(message, "id", None)


def delete_ui_message(id: str, *, state_key: str = "ui") -> RemoveUIMessage:
    """Remove a component, from within a node.

    Args:
        id: Id of the event that showed it.
        state_key: The state key that the event was written to.

    Returns:
        The event of its removal.

    Raises:
        RuntimeError: Not called from within a node.
    """
    write = get_stream_writer()
    event: RemoveUIMessage = {"type": "remove-ui", "id": id}
    write(event)
    get_config()[CONF][CONFIG_KEY_SEND]([(state_key, event)])
    return event


def ui_message_reducer(
    left: list[AnyUIMessage] | AnyUIMessage,
    right: list[AnyUIMessage] | AnyUIMessage,
) -> list[AnyUIMessage]:
    """Add events to a list; the reducer for user interface events in a state.

    An event replaces the one with its id, with merged `props` if its metadata says `merge`. A
    removal drops the event with its id.

    Args:
        left: The list so far, or a single event.
        right: What to add, a list or a single event.

    Returns:
        A new list.

    Raises:
        ValueError: An event to be removed does not exist.
    """
    merged = list(left) if isinstance(left, list) else [left]
    positions = {event.get("id"): position for position, event in enumerate(merged)}
    removed = set()
    for event in right if isinstance(right, list) else [right]:
        id_ = event.get("id")
        position = positions.get(id_)
        if event.get("type") == "remove-ui":
            if position is None:
                raise ValueError(
                    f"Attempting to delete an UI message with an ID that doesn't exist ('{id_}')"
                )
            removed.add(id_)
        elif position is None:
            positions[id_] = len(merged)
            merged.append(event)
        else:
            removed.discard(id_)
            merged[position] = _replacement(merged[position], event)
    return [event for event in merged if event.get("id") not in removed]


def _replacement(old: AnyUIMessage, new: AnyUIMessage) -> AnyUIMessage:
    shown = cast("UIMessage", new)
    if not shown.get("metadata", {}).get("merge", False):
        return new
    return {**shown, "props": {**cast("UIMessage", old)["props"], **shown["props"]}}
