"""The cache in Redis: LangGraph's keys and format, and no harm done when it fails."""

from __future__ import annotations

import fnmatch
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from langgraph_rust.cache.redis import RedisCache

A, B, ROOT = (("ns", "a"), "key"), (("ns", "b"), "key"), ((), "key")


class Redis:
    """What the cache uses of a client; what it keeps is in `data` and `ttls`."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {}
        self.ttls: dict[str, int | None] = {}
        self.calls: list[str] = []

    def mget(self, names: list[str]) -> list[bytes | None]:
        self.calls.append("mget")
        return [self.data.get(name) for name in names]

    def scan_iter(self, pattern: str, count: int) -> Iterator[str]:
        # `fnmatch` quotes with brackets, Redis with backslashes.
        quoted = pattern.replace(r"\*", "[*]").replace(r"\?", "[?]")
        yield from [name for name in self.data if fnmatch.fnmatchcase(name, quoted)]

    def delete(self, *names: str) -> None:
        for name in names:
            self.data.pop(name, None)

    def pipeline(self) -> Pipeline:
        return Pipeline(self)


class Pipeline:
    def __init__(self, redis: Any) -> None:
        self.redis = redis
        self.waiting: list[Callable[[], None]] = []

    def set(self, name: str, data: bytes, ex: int | None = None) -> None:
        def store() -> None:
            self.redis.data[name], self.redis.ttls[name] = data, ex

        self.waiting.append(store)

    def delete(self, name: str) -> None:
        self.waiting.append(lambda: self.redis.data.pop(name, None))

    def execute(self) -> None:
        self.redis.calls.append("execute")
        for work in self.waiting:
            work()


class AsyncRedis(Redis):
    async def execute_command(self) -> None: ...

    async def mget(self, names: list[str]) -> list[bytes | None]:  # type: ignore[override]
        return super().mget(names)

    async def scan_iter(  # type: ignore[override]
        self, pattern: str, count: int
    ) -> AsyncIterator[str]:
        for name in super().scan_iter(pattern, count):
            yield name

    async def delete(self, *names: str) -> None:  # type: ignore[override]
        super().delete(*names)

    def pipeline(self) -> Pipeline:
        class Awaited(Pipeline):
            async def execute(self) -> None:  # type: ignore[override]
                super().execute()

        return Awaited(self)


class Unreachable:
    def fail(self, *_: Any, **__: Any) -> Any:
        raise ConnectionError("nobody there")

    mget = scan_iter = pipeline = fail


def test_entries_are_langgraphs() -> None:
    redis = Redis()
    cache: RedisCache[Any] = RedisCache(redis)
    cache.set({A: ("text", None), ROOT: (b"bytes", 60)})
    assert redis.data == {
        "langgraph:cache:ns:a:key": b"msgpack:\xa4text",
        "langgraph:cache:key": b"bytes:bytes",
    }
    assert redis.ttls == {"langgraph:cache:ns:a:key": None, "langgraph:cache:key": 60}
    assert cache.get([A, B, ROOT]) == {A: "text", ROOT: b"bytes"}
    assert cache._parse_key("langgraph:cache:ns:a:key") == A
    assert cache._parse_key("langgraph:cache:key") == ROOT
    with pytest.raises(ValueError, match="does not start with prefix"):
        cache._parse_key("other:key")


def test_one_call_each_for_any_number_and_none_for_nothing() -> None:
    redis = Redis()
    cache: RedisCache[int] = RedisCache(redis)
    cache.set({A: (1, None), B: (2, None)})
    assert cache.get([A, B]) == {A: 1, B: 2}
    assert redis.calls == ["execute", "mget"]
    cache.set({})
    assert cache.get([]) == {}
    assert redis.calls == ["execute", "mget"]


def test_what_has_no_time_to_live_left_is_not_kept() -> None:
    redis = Redis()
    cache: RedisCache[int] = RedisCache(redis)
    cache.set({A: (1, None)})
    cache.set({A: (2, 0), B: (2, 10)})
    assert cache.get([A, B]) == {B: 2}


def test_clearing_takes_labels_for_what_they_are() -> None:
    redis = Redis()
    cache: RedisCache[int] = RedisCache(redis, prefix="own:")
    star = (("n*",), "key")
    redis.data["other:ns:a:key"] = b"theirs"
    cache.set({A: (1, None), B: (2, None), star: (3, None)})
    cache.clear([("n*",), ("unknown",)])
    assert cache.get([A, B, star]) == {A: 1, B: 2}
    cache.clear([("ns", "a")])
    assert cache.get([A, B]) == {B: 2}
    cache.clear()
    assert redis.data == {"other:ns:a:key": b"theirs"}


@pytest.mark.parametrize("client", [Redis, AsyncRedis])
async def test_asynchronous_methods_do_the_same(client: Callable[[], Redis]) -> None:
    cache: RedisCache[int] = RedisCache(client())
    await cache.aset({A: (1, None), B: (2, None)})
    assert await cache.aget([A, B]) == {A: 1, B: 2}
    await cache.aclear([("ns", "a")])
    assert await cache.aget([A, B]) == {B: 2}
    await cache.aclear()
    assert await cache.aget([B]) == {}


def test_synchronous_methods_refuse_an_asynchronous_client() -> None:
    cache: RedisCache[int] = RedisCache(AsyncRedis())
    for call in (lambda: cache.get([A]), lambda: cache.set({A: (1, None)}), cache.clear):
        with pytest.raises(TypeError, match=r"pass a `redis.Redis`"):
            call()


def test_what_cannot_be_read_is_missing(caplog: pytest.LogCaptureFixture) -> None:
    redis = Redis()
    cache: RedisCache[int] = RedisCache(redis)
    cache.set({A: (1, None)})
    redis.data["langgraph:cache:ns:b:key"] = b"unknown:format:with:colons"
    assert cache.get([B, A]) == {A: 1}
    assert "could not be read at (('ns', 'b'), 'key')" in caplog.text


async def test_nobody_is_stopped_when_redis_fails(caplog: pytest.LogCaptureFixture) -> None:
    cache: RedisCache[int] = RedisCache(Unreachable())
    with caplog.at_level(logging.WARNING):
        assert cache.get([A]) == await cache.aget([A]) == {}
        cache.set({A: (1, None)})
        cache.clear()
    assert caplog.text.count("ConnectionError: nobody there") == 4


def test_a_value_that_cannot_be_encoded_is_the_callers() -> None:
    redis = Redis()
    cache: RedisCache[Any] = RedisCache(redis)
    with pytest.raises(TypeError, match="not msgpack serializable"):
        cache.set({A: (1, None), B: (object(), None)})
    assert redis.data == {}


def test_text_from_the_client_is_said_to_be_wrong(caplog: pytest.LogCaptureFixture) -> None:
    redis: Any = Redis()
    redis.data["langgraph:cache:ns:a:key"] = "msgpack:..."
    assert RedisCache(redis).get([A]) == {}
    assert "decode_responses=True" in caplog.text
