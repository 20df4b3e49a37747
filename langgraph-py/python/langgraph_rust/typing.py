"""Type variables of the graph builders and of what they build."""

from __future__ import annotations

from typing_extensions import TypeVar

from langgraph_rust._internal._typing import StateLike

__all__ = (
    "ContextT",
    "InputT",
    "OutputT",
    "StateT",
    "StateT_co",
    "StateT_contra",
)

StateT = TypeVar("StateT", bound=StateLike)
"""The state of a graph."""

StateT_co = TypeVar("StateT_co", bound=StateLike, covariant=True)
"""The state of a graph, where it is only produced."""

StateT_contra = TypeVar("StateT_contra", bound=StateLike, contravariant=True)
"""The state of a graph, where it is only consumed."""

ContextT = TypeVar("ContextT", bound=StateLike | None, default=None)
"""The run's context; none by default."""

ContextT_contra = TypeVar(
    "ContextT_contra", bound=StateLike | None, contravariant=True, default=None
)
"""The run's context, where it is only consumed."""

InputT = TypeVar("InputT", bound=StateLike, default=StateT)
"""The input of a graph; its state by default."""

OutputT = TypeVar("OutputT", bound=StateLike, default=StateT)
"""The output of a graph; its state by default."""

NodeInputT = TypeVar("NodeInputT", bound=StateLike)
"""The input of one node."""

NodeInputT_contra = TypeVar("NodeInputT_contra", bound=StateLike, contravariant=True)
"""The input of one node, where it is only consumed."""
