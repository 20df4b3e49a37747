"""Building graphs of nodes that share a state.

Names are loaded on first use: `StateGraph` does not load langchain-core, message types do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_rust.constants import END, START
from langgraph_rust.graph.message import add_messages

if TYPE_CHECKING:
    from langgraph_rust.graph.message import MessageGraph, MessagesState
    from langgraph_rust.graph.state import StateGraph

__all__ = (
    "END",
    "START",
    "MessageGraph",
    "MessagesState",
    "StateGraph",
    "add_messages",
)

_HOME = {"StateGraph": "state", "MessagesState": "message", "MessageGraph": "message"}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOME:
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    elif name == "state":
        # Importing the package used to load this submodule, and programs rely on it.
        value = import_module(f"{__name__}.state")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
