"""Whether a history of messages is one that models accept."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, ToolMessage

from langgraph_rust.errors import ErrorCode, create_error_message

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage


class _Kinds(dict[type, type | None]):
    """Class of a message to which of the two it is; asking each message takes far longer."""

    def __missing__(self, cls: type) -> type | None:
        kind = next((kind for kind in (AIMessage, ToolMessage) if issubclass(cls, kind)), None)
        return self.setdefault(cls, kind)


_kinds = _Kinds()
_id_of = itemgetter("id")


def _validate_chat_history(messages: Sequence[BaseMessage]) -> None:
    """Check that every tool call in a history was answered, before or after it.

    Raises:
        ValueError: Some were not.
    """
    # All of it each time: anybody may have changed any of it, even in place.
    calls: list[Any] = []
    answered: set[str] = set()
    for message in messages:
        kind = _kinds[type(message)]
        if kind is ToolMessage:
            answered.add(message.tool_call_id)  # type: ignore[attr-defined]
        elif kind is AIMessage:
            calls += message.tool_calls  # type: ignore[attr-defined]
    if answered.issuperset(map(_id_of, calls)):
        return
    unanswered = [call for call in calls if call["id"] not in answered]
    raise ValueError(
        create_error_message(
            message="Found AIMessages with tool_calls that do not have a corresponding "
            "ToolMessage. Here are the first few of those tool calls: "
            f"{unanswered[:3]}.\n\n"
            "Every tool call (LLM requesting to call a tool) in the message history MUST have a "
            "corresponding ToolMessage (result of a tool invocation to return to the LLM) - this "
            "is required by most LLM providers.",
            error_code=ErrorCode.INVALID_CHAT_HISTORY,
        )
    )
