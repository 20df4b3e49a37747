"""A cache in Redis, shared by processes and with LangGraph's own."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph_rust.cache.base import BaseCache, FullKey, Namespace, ValueT

if TYPE_CHECKING:
    from langgraph_rust.checkpoint.serde.base import SerializerProtocol

__all__ = ("RedisCache",)

logger = logging.getLogger(__name__)

T = TypeVar("T")

_PAGE = 1000
"""Keys that are looked through, or deleted, at once."""


class RedisCache(BaseCache[ValueT]):
    """Keeps results in Redis, under the keys and in the format of LangGraph's own cache.

    Redis deletes what has expired. If it cannot be reached, or an entry cannot be read, nothing is
    cached, which is logged. With a client for threads the async methods run in threads; with one of
    `redis.asyncio` there are only the async methods.

    Args:
        redis: The client. It must not have `decode_responses=True`, because values are bytes.
        serde: Encodes values; a `JsonPlusSerializer` if left out.
        prefix: What the keys of all entries begin with.
    """

    def __init__(
        self,
        redis: Any,
        *,
        serde: SerializerProtocol | None = None,
        prefix: str = "langgraph:cache:",
    ) -> None:
        super().__init__(serde=serde)
        self.redis = redis
        self.prefix = prefix
        self._is_async = iscoroutinefunction(getattr(redis, "execute_command", None))

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Return the values of those keys that are cached.

        Raises:
            TypeError: the client is one of `redis.asyncio`.
        """
        client = self._client("get")
        with _unless_it_fails("read"):
            return self._decoded(keys, client.mget(self._names(keys)) if keys else ())
        return {}

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Asynchronous `get`."""
        if not self._is_async:
            return await _in_thread(self.get, keys)
        with _unless_it_fails("read"):
            return self._decoded(keys, await self.redis.mget(self._names(keys)) if keys else ())
        return {}

    def set(  # type: ignore[override]
        self, mapping: Mapping[FullKey, tuple[ValueT, int | None]]
    ) -> None:
        """Store values, each with its time to live in seconds, or `None` to keep it for good.

        Raises:
            TypeError: a value cannot be encoded, or the client is one of `redis.asyncio`.
        """
        client = self._client("set")
        entries = self._encoded(mapping)
        with _unless_it_fails("stored"):
            if entries:
                self._filled(client.pipeline(), entries).execute()

    async def aset(  # type: ignore[override]
        self, mapping: Mapping[FullKey, tuple[ValueT, int | None]]
    ) -> None:
        """Asynchronous `set`."""
        if not self._is_async:
            return await _in_thread(self.set, mapping)
        entries = self._encoded(mapping)
        with _unless_it_fails("stored"):
            if entries:
                await self._filled(self.redis.pipeline(), entries).execute()

    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Delete the entries of the given namespaces and those below, or all entries if `None`.

        Raises:
            TypeError: the client is one of `redis.asyncio`.
        """
        client = self._client("clear")
        with _unless_it_fails("cleared"):
            for pattern in self._patterns(namespaces):
                found = list(client.scan_iter(pattern, count=_PAGE))
                for start in range(0, len(found), _PAGE):
                    client.delete(*found[start : start + _PAGE])

    async def aclear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Asynchronous `clear`."""
        if not self._is_async:
            return await _in_thread(self.clear, namespaces)
        with _unless_it_fails("cleared"):
            for pattern in self._patterns(namespaces):
                found = [name async for name in self.redis.scan_iter(pattern, count=_PAGE)]
                for start in range(0, len(found), _PAGE):
                    await self.redis.delete(*found[start : start + _PAGE])

    # --- entries as Redis has them ---

    def _make_key(self, ns: Namespace, key: str) -> str:
        namespace = ":".join(ns)
        return f"{self.prefix}{namespace}:{key}" if namespace else f"{self.prefix}{key}"

    def _parse_key(self, redis_key: str) -> tuple[Namespace, str]:
        """Return the namespace and the key of an entry, if none of them has a colon in it."""
        if not redis_key.startswith(self.prefix):
            raise ValueError(f"Key {redis_key} does not start with prefix {self.prefix}")
        *ns, key = redis_key[len(self.prefix) :].split(":")
        return tuple(ns), key

    def _names(self, keys: Sequence[FullKey]) -> list[str]:
        return [self._make_key(ns, key) for ns, key in keys]

    def _patterns(self, namespaces: Sequence[Namespace] | None) -> list[str]:
        beginnings = [self._make_key(ns, "") for ns in ([()] if namespaces is None else namespaces)]
        # Some characters mean more than themselves.
        return [re.sub(r"([\\*?\[\]])", r"\\\1", beginning) + "*" for beginning in beginnings]

    def _encoded(
        self, mapping: Mapping[FullKey, tuple[ValueT, int | None]]
    ) -> list[tuple[str, bytes, int | None]]:
        entries = []
        for (ns, key), (value, ttl) in mapping.items():
            encoding, data = self.serde.dumps_typed(value)
            entries.append((self._make_key(ns, key), f"{encoding}:".encode() + data, ttl))
        return entries

    def _filled(self, pipe: Any, entries: Sequence[tuple[str, bytes, int | None]]) -> Any:
        for name, data, ttl in entries:
            if ttl is None or ttl > 0:
                pipe.set(name, data, ex=ttl)
            else:
                # Redis takes no such time.
                pipe.delete(name)
        return pipe

    def _decoded(self, keys: Sequence[FullKey], found: Sequence[Any]) -> dict[FullKey, ValueT]:
        values: dict[FullKey, ValueT] = {}
        for key, raw in zip(keys, found, strict=True):
            if isinstance(raw, str):
                raise TypeError("pass a client without `decode_responses=True`: values are bytes")
            if raw is None:
                continue
            with _unless_it_fails(f"read at {key}"):
                encoding, _, data = raw.partition(b":")
                values[key] = self.serde.loads_typed((encoding.decode(), data))
        return values

    def _client(self, name: str) -> Any:
        if self._is_async:
            raise TypeError(
                f"RedisCache.{name} needs a client of `redis`, and this one is of `redis.asyncio`. "
                f"Run the graph with its async methods, or pass a `redis.Redis`."
            )
        return self.redis


@contextmanager
def _unless_it_fails(done: str) -> Iterator[None]:
    """Go on without the cache if it fails: it is there to save time, not to stop anybody."""
    try:
        yield
    except Exception as error:
        logger.warning("The Redis cache could not be %s: %s: %s", done, type(error).__name__, error)


async def _in_thread(work: Callable[..., T], *arguments: Any) -> T:
    # Waiting for the server on the event loop would stop everybody.
    return await asyncio.get_running_loop().run_in_executor(None, partial(work, *arguments))
