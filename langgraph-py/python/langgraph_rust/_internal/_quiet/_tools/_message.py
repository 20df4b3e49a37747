"""Tool messages, made without validating what is known to be valid."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import ToolMessage

__all__ = ("tool_message",)


def tool_message(content: str, artifact: Any, call_id: str, name: str, status: str) -> ToolMessage:
    """Return `ToolMessage(content, artifact=..., tool_call_id=call_id, name=..., status=...)`.

    Takes a fifth of its time. The texts must be plain strings.
    """
    if not _is_plain:
        return _validated(content, artifact, call_id, name, status)
    message = _new(ToolMessage)
    # In the order of the fields, as pydantic has them.
    fields = {
        "content": content,
        "additional_kwargs": {},
        "response_metadata": {},
        "type": "tool",
        "name": name,
        "id": None,
        "tool_call_id": call_id,
        "artifact": artifact,
        "status": status,
    }
    _set(message, "__dict__", fields)
    _set(message, "__pydantic_fields_set__", set(_GIVEN))
    _set(message, "__pydantic_extra__", {})
    _set(message, "__pydantic_private__", None)
    return message


def _validated(content: str, artifact: Any, call_id: str, name: str, status: Any) -> ToolMessage:
    return ToolMessage(content, artifact=artifact, tool_call_id=call_id, name=name, status=status)


_new = ToolMessage.__new__
_set = object.__setattr__
_GIVEN = ("content", "artifact", "tool_call_id", "name", "status")


def _looks(message: ToolMessage) -> Any:
    return (
        list(message.__dict__.items()),
        message.__pydantic_fields_set__,
        message.__pydantic_extra__,
        message.__pydantic_private__,
    )


_is_plain = True
# Another release may have other fields.
_is_plain = _looks(tool_message("c", [], "i", "n", "error")) == _looks(
    _validated("c", [], "i", "n", "error")
)
