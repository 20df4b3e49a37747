"""Whether a state asks for tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from langgraph_rust._internal._quiet import decides

if TYPE_CHECKING:
    from langchain_core.messages import AnyMessage
    from pydantic import BaseModel

    _State = list[AnyMessage] | dict[str, Any] | BaseModel
else:
    _State = Any  # a graph looks for annotations' values, and must not load either for that


@decides
def tools_condition(
    state: _State,
    messages_key: str = "messages",
) -> Literal["tools", "__end__"]:
    """Route to the tools if the last message calls any, otherwise to the end.

    For `add_conditional_edges("model", tools_condition)` in a graph whose tools are a node named
    `"tools"`.

    Args:
        state: A list of messages, or a state that has one: a dict, or any object with attributes.
        messages_key: The key or attribute of that list.

    Returns:
        `"tools"` or `"__end__"`.

    Raises:
        ValueError: The state has no messages.
    """
    if isinstance(state, list):
        messages = state
    else:
        messages = state.get(messages_key) if isinstance(state, dict) else None
        messages = messages or getattr(state, messages_key, None)
        if not messages:
            raise ValueError(f"No messages found in input state to tool_edge: {state}")
    calls = getattr(messages[-1], "tool_calls", ())
    return "tools" if len(calls) > 0 else "__end__"


tools_condition.__module__ = "langgraph_rust.prebuilt.tool_node"
