"""The interface of caches for node and task results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from langgraph_rust.checkpoint.serde._default import DefaultSerde

if TYPE_CHECKING:
    from langgraph_rust.checkpoint.serde.base import SerializerProtocol

ValueT = TypeVar("ValueT")
"""Type of the cached values."""

Namespace = tuple[str, ...]
"""Path that groups entries, so that they can be cleared together."""

FullKey = tuple[Namespace, str]
"""Namespace of an entry and its key within."""


class BaseCache(ABC, Generic[ValueT]):
    """Interface of a cache. An entry may expire; a missing and an expired entry look the same.

    Args:
        serde: Encodes values; the class's own `serde`, a `JsonPlusSerializer`, if left out.
    """

    serde: SerializerProtocol = DefaultSerde()  # type: ignore[assignment]

    def __init__(self, *, serde: SerializerProtocol | None = None) -> None:
        self.serde = serde or self.serde

    @abstractmethod
    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Return the values of those keys that are cached."""

    @abstractmethod
    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Asynchronous `get`."""

    @abstractmethod
    def set(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        """Store values, each with its time to live in seconds, or `None` to keep it for good."""

    @abstractmethod
    async def aset(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        """Asynchronous `set`."""

    @abstractmethod
    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Delete the entries of the given namespaces, or all entries if `None`."""

    @abstractmethod
    async def aclear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Asynchronous `clear`."""


_LAZY = {
    "JsonPlusSerializer": "langgraph_rust.checkpoint.serde.jsonplus",
    "SerializerProtocol": "langgraph_rust.checkpoint.serde.base",
}


def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(module), name)
