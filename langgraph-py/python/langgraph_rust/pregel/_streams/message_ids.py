"""Ids for messages that are written to delta channels.

Such a channel's writes are stored and applied again at every read. A message must have the same id
each time, or nothing could replace or remove it. An empty id counts as none. What is passed in
stays as it is, but for the ids of message objects.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from langchain_core.messages import BaseMessage, convert_to_messages

from langgraph_rust.channels.binop import _get_overwrite
from langgraph_rust.types import Overwrite

_ROLES = frozenset(("user", "human", "assistant", "ai", "tool", "system", "function"))
_TYPES = frozenset(("human", "ai", "tool", "system", "function", "remove"))


def with_message_ids(value: Any) -> Any:
    """Return a write to a channel of messages with all of them as messages that have ids.

    It may be a message in any form, a list of them, or an `Overwrite` with a list. What cannot
    become a message is left as it is.
    """
    is_overwrite, inner = _get_overwrite(value)
    if not is_overwrite:
        return _each(value, _item) if isinstance(value, list) else _message(value)
    if isinstance(inner, list | tuple) and (items := _each(inner, _message)) is not inner:
        return Overwrite(items)
    return value


def with_base_message_ids(value: Any) -> Any:
    """Return a write to a channel of anything: message objects in it have ids, and message dicts.

    Of those in an `Overwrite`, only message objects.
    """
    is_overwrite, inner = _get_overwrite(value)
    if is_overwrite:
        for item in inner if isinstance(inner, list | tuple) else ():
            _stamp(item)
        return value
    if isinstance(value, list):
        return _each(value, _base_item)
    if isinstance(value, dict) and _is_message_dict(value) and not value.get("id"):
        return {**value, "id": str(uuid4())}
    _stamp(value)
    return value


def _each(items: Any, change: Callable[[Any], Any]) -> Any:
    """Return a list or tuple of what `change` makes of each item; `items` itself if of none."""
    changed = [change(item) for item in items]
    if not any(new is not old for new, old in zip(changed, items, strict=True)):
        return items
    return changed if isinstance(items, list) else tuple(changed)


def _item(item: Any) -> Any:
    # What says that it is a message must be one.
    return _converted(item) if _is_message_dict(item) else _message(item)


def _base_item(item: Any) -> Any:
    if _is_message_dict(item):
        return _converted(item)
    _stamp(item)
    return item


def _message(item: Any) -> Any:
    if isinstance(item, BaseMessage):
        _stamp(item)
        return item
    try:
        return _converted(item)
    except Exception:
        return item


def _converted(item: Any) -> BaseMessage:
    message = convert_to_messages([item])[0]
    message.id = message.id or str(uuid4())
    return message


def _is_message_dict(item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    return item.get("role") in _ROLES or item.get("type") in _TYPES


def _stamp(item: Any) -> None:
    if isinstance(item, BaseMessage) and item.id is None:
        item.id = str(uuid4())
