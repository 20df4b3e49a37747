"""A cache in this process's memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from langgraph_rust.cache.base import BaseCache, FullKey, Namespace, ValueT

if TYPE_CHECKING:
    from langgraph_rust.checkpoint.serde.base import SerializerProtocol


class InMemoryCache(BaseCache[ValueT]):
    """Keeps encoded results in a dictionary; safe to share between threads.

    Expired entries are dropped when they are asked for.

    Args:
        serde: Encodes values; a `JsonPlusSerializer` if left out.
    """

    def __init__(self, *, serde: SerializerProtocol | None = None) -> None:
        super().__init__(serde=serde)
        self._cache: dict[Namespace, dict[str, tuple[str, bytes, float | None]]] = {}
        self._lock = threading.RLock()

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Return the values of those keys that are cached, each decoded anew."""
        found: dict[FullKey, ValueT] = {}
        now = time.time()
        with self._lock:
            for namespace, key in keys:
                namespace = tuple(namespace)
                entries = self._cache.get(namespace)
                if entries is None or key not in entries:
                    continue
                tag, data, expiry = entries[key]
                if expiry is not None and now >= expiry:
                    del entries[key]
                else:
                    found[namespace, key] = self.serde.loads_typed((tag, data))
        return found

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Asynchronous `get`; runs on the event loop, as there is nothing to wait for."""
        return self.get(keys)

    def set(  # type: ignore[override]
        self, keys: Mapping[FullKey, tuple[ValueT, int | None]]
    ) -> None:
        """Store values, each with its time to live in seconds, or `None` to keep it for good."""
        now = time.time()
        with self._lock:
            for (namespace, key), (value, ttl) in keys.items():
                expiry = None if ttl is None else now + ttl
                entry = (*self.serde.dumps_typed(value), expiry)
                self._cache.setdefault(namespace, {})[key] = entry

    async def aset(  # type: ignore[override]
        self, keys: Mapping[FullKey, tuple[ValueT, int | None]]
    ) -> None:
        """Asynchronous `set`."""
        self.set(keys)

    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Delete the entries of the given namespaces, or all entries if `None`."""
        with self._lock:
            if namespaces is None:
                self._cache.clear()
            else:
                for namespace in namespaces:
                    self._cache.pop(namespace, None)

    async def aclear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Asynchronous `clear`."""
        self.clear(namespaces)
