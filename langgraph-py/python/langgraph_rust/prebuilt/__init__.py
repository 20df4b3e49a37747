"""Ready-made parts of agents: the node that runs tools, and an agent that calls them in a loop.

What comes in are chat models, tools and states of any kind; what goes out are graphs and nodes like
those that users write. Nothing here is known to the engine, or takes a way around it.

Names are loaded on first use: importing this package loads nothing of langchain-core. But for the
agent, which needs nothing until it is made: packages that trace programs wrap it here and where it
is defined, and would wrap it twice if it came from there afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_rust.prebuilt.chat_agent_executor import create_react_agent

if TYPE_CHECKING:
    from langgraph_rust.prebuilt._tool_call_transformer import ToolCallTransformer
    from langgraph_rust.prebuilt.tool_node import (
        InjectedState,
        InjectedStore,
        ToolNode,
        ToolRuntime,
        tools_condition,
    )
    from langgraph_rust.prebuilt.tool_validator import ValidationNode

__all__ = (
    "InjectedState",
    "InjectedStore",
    "ToolCallTransformer",
    "ToolNode",
    "ToolRuntime",
    "ValidationNode",
    "create_react_agent",
    "tools_condition",
)

_HOME = {
    "InjectedState": "_tools.injected",
    "InjectedStore": "_tools.injected",
    "ToolCallTransformer": "_tool_call_transformer",
    "ToolNode": "tool_node",
    "ToolRuntime": "_tools.injected",
    "ValidationNode": "tool_validator",
    "tools_condition": "_tools.routing",
}

# Importing the package used to load these submodules, and programs rely on it.
_SUBMODULES = frozenset(
    (
        "_tool_call_stream",
        "_tool_call_transformer",
        "tool_node",
        "tool_validator",
    )
)


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOME:
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    elif name in _SUBMODULES:
        value = import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
