"""Where an agent goes next."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, ToolMessage

from langgraph_rust._internal._quiet import decides
from langgraph_rust.constants import END
from langgraph_rust.prebuilt._agent.states import _get_state_value
from langgraph_rust.types import Send

if TYPE_CHECKING:
    from langchain_core.messages import ToolCall


@dataclass(frozen=True)
class Routes:
    """The routes between the nodes of an agent that has tools."""

    entrypoint: str
    """The node that each turn begins with."""
    last: str
    """The node after the last turn; `END` if there is none."""
    has_post_model_hook: bool
    """Whether a node looks at what the model said before anything comes of it."""
    sends_calls: bool
    """Whether each tool call is a task of its own."""
    returned_directly: Set[str]
    """The tools after which the agent ends."""

    @decides
    def should_continue(self, state: Any) -> str | list[Send]:
        """From the model: to what it calls, or to the end."""
        message = _get_state_value(state, "messages")[-1]
        calls = message.tool_calls if isinstance(message, AIMessage) else ()
        if not self.sends_calls and calls:
            return "tools"
        if self.has_post_model_hook:
            return "post_model_hook"
        return _sends(calls, state) if calls else self.last

    @decides
    def post_model_hook_router(self, state: Any) -> str | list[Send]:
        """From the hook: to calls that are still to be run, back to the model, or to the end."""
        messages = _get_state_value(state, "messages")
        answered = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)}
        said = next(m for m in reversed(messages) if isinstance(m, AIMessage))
        if pending := [call for call in said.tool_calls if call["id"] not in answered]:
            return _sends(pending, state)
        return self.entrypoint if isinstance(messages[-1], ToolMessage) else self.last

    @decides
    def route_tool_responses(self, state: Any) -> str:
        """From the tools: to the end if one of them is to have the last word, else to the model."""
        for message in reversed(_get_state_value(state, "messages")):
            if isinstance(message, ToolMessage):
                if message.name in self.returned_directly:
                    return END
                continue
            # It may have run in another task, whose message is not here.
            calls = message.tool_calls if isinstance(message, AIMessage) else ()
            if any(call["name"] in self.returned_directly for call in calls):
                return END
            break
        return self.entrypoint


def _sends(calls: Iterable[ToolCall], state: Any) -> list[Send]:
    """One task for each call, which gets the state it is made in; see `ToolCallWithContext`."""
    return [
        Send("tools", {"__type": "tool_call_with_context", "tool_call": call, "state": state})
        for call in calls
    ]
