"""The built-in transformers of stream events v3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_rust.stream._data import (
    CheckpointsTransformer,
    CustomTransformer,
    DebugTransformer,
    TasksTransformer,
    UpdatesTransformer,
    ValuesTransformer,
)
from langgraph_rust.stream._lifecycle import (
    LifecyclePayload,
    LifecycleTransformer,
    SubgraphStatus,
    SubgraphTransformer,
    _TasksLifecycleBase,
)

if TYPE_CHECKING:
    from langgraph_rust.stream._messages import MessagesTransformer

__all__ = (
    "CheckpointsTransformer",
    "CustomTransformer",
    "DebugTransformer",
    "LifecyclePayload",
    "LifecycleTransformer",
    "MessagesTransformer",
    "SubgraphStatus",
    "SubgraphTransformer",
    "TasksTransformer",
    "UpdatesTransformer",
    "ValuesTransformer",
    "_TasksLifecycleBase",
)


def __getattr__(name: str) -> Any:
    # Lazy, because it needs langchain-core's chat models.
    if name != "MessagesTransformer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from langgraph_rust.stream._messages import MessagesTransformer

    return globals().setdefault(name, MessagesTransformer)
