"""The one way from here to a tool and to a chat model."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable, RunnableConfig
    from langchain_core.tools import BaseTool


def call_tool(tool: BaseTool, call: Any, config: RunnableConfig) -> Any:
    """Run a tool for a tool call, with all its arguments filled in.

    Returns:
        A `ToolMessage`, or what the tool itself made to be taken as it is.
    """
    return tool.invoke(call, config)


def acall_tool(tool: BaseTool, call: Any, config: RunnableConfig) -> Awaitable[Any]:
    """Do what `call_tool` does, on an event loop."""
    return tool.ainvoke(call, config)


def call_model(model: Runnable[Any, Any], messages: Any, config: RunnableConfig) -> Any:
    """Ask a chat model, which may be bound to tools or to a schema, for its next message."""
    return model.invoke(messages, config)


def acall_model(model: Runnable[Any, Any], messages: Any, config: RunnableConfig) -> Awaitable[Any]:
    """Do what `call_model` does, on an event loop."""
    return model.ainvoke(messages, config)
