"""Public names of virtual nodes and tags."""

from __future__ import annotations

from sys import intern
from typing import Any
from warnings import warn

from langgraph_rust._internal import _constants
from langgraph_rust._internal._constants import CONF, CONFIG_KEY_CHECKPOINTER, TASKS
from langgraph_rust.warnings import LangGraphDeprecatedSinceV10

__all__ = (
    "CONF",
    "CONFIG_KEY_CHECKPOINTER",
    "END",
    "START",
    "TAG_HIDDEN",
    "TAG_NOSTREAM",
    "TASKS",
)

TAG_NOSTREAM = intern("nostream")
"""Tag that keeps a chat model's tokens out of the `messages` stream."""
TAG_HIDDEN = intern("langsmith:hidden")
"""Tag that hides a node or edge from traces and streams."""
END = intern("__end__")
"""The virtual last node."""
START = intern("__start__")
"""The virtual first node."""


def __getattr__(name: str) -> Any:
    """Serve names that used to live here, with a deprecation warning."""
    if name in ("Send", "Interrupt"):
        from langgraph_rust import types

        warn(
            f"Importing {name} from langgraph.constants is deprecated. "
            f"Please use 'from langgraph.types import {name}' instead.",
            LangGraphDeprecatedSinceV10,
            stacklevel=2,
        )
        return getattr(types, name)
    if not hasattr(_constants, name):
        raise AttributeError(f"module has no attribute '{name}'")
    warn(
        f"Importing {name} from langgraph.constants is deprecated. "
        "This constant is now private and should not be used directly. "
        "Please let the LangGraph team know if you need this value.",
        LangGraphDeprecatedSinceV10,
        stacklevel=2,
    )
    return getattr(_constants, name)
