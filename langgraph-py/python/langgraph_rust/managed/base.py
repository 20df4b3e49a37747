"""The interface of managed values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from langgraph_rust._internal._scratchpad import PregelScratchpad

V = TypeVar("V")
U = TypeVar("U")

__all__ = ("ManagedValueMapping", "ManagedValueSpec")


class ManagedValue(ABC, Generic[V]):
    """A state field that nodes read and cannot write; the engine computes it for each task."""

    @staticmethod
    @abstractmethod
    def get(scratchpad: PregelScratchpad) -> V:
        """Return the value for the task that owns `scratchpad`."""


ManagedValueSpec = type[ManagedValue]
"""A managed value is declared by its class."""

ManagedValueMapping = dict[str, ManagedValueSpec]
"""Field name -> managed value class."""


def is_managed_value(value: Any) -> TypeIs[ManagedValueSpec]:
    """Tell whether `value` is a managed value class."""
    return isinstance(value, type) and issubclass(value, ManagedValue)
