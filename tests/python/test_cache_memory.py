"""The in-memory cache."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from typing_extensions import TypedDict

from langgraph_rust.cache import memory
from langgraph_rust.cache.base import BaseCache
from langgraph_rust.cache.memory import InMemoryCache
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph_rust.func import entrypoint, task
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import CachePolicy, RetryPolicy

A, B = (("ns", "a"), "key"), (("ns", "b"), "key")


def test_values_come_back_as_copies() -> None:
    cache: InMemoryCache[Any] = InMemoryCache()
    value = [1]
    cache.set({A: (value, None), B: ("b", None)})
    found = cache.get([A, B, (("ns", "a"), "missing"), (("other",), "key")])
    assert found == {A: [1], B: "b"}
    assert found[A] is not value
    assert cache.get([]) == {}
    assert cache.get([(["ns", "a"], "key")]) == {A: [1]}  # type: ignore[list-item]


def test_entries_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(memory, "time", SimpleNamespace(time=lambda: now))
    cache: InMemoryCache[str] = InMemoryCache()
    cache.set({A: ("short", 10), B: ("long", None)})
    now = 1009.9
    assert cache.get([A, B]) == {A: "short", B: "long"}
    now = 1010.0
    assert cache.get([A, B]) == {B: "long"}
    now = 1000.0
    assert cache.get([A]) == {}


def test_clearing() -> None:
    cache: InMemoryCache[int] = InMemoryCache()
    cache.set({A: (1, None), B: (2, None)})
    cache.clear([("ns", "a"), ("unknown",)])
    assert cache.get([A, B]) == {B: 2}
    cache.clear()
    assert cache.get([A, B]) == {}


async def test_asynchronous_methods_do_the_same() -> None:
    cache: InMemoryCache[int] = InMemoryCache()
    await cache.aset({A: (1, None)})
    assert await cache.aget([A]) == {A: 1}
    await cache.aclear()
    assert await cache.aget([A]) == {}


def test_the_serializer_can_be_chosen() -> None:
    assert isinstance(BaseCache.serde, JsonPlusSerializer)
    own = JsonPlusSerializer(pickle_fallback=True)
    cache: InMemoryCache[Any] = InMemoryCache(serde=own)
    cache.set({A: (range(3), None)})
    assert cache.get([A]) == {A: range(3)}


@pytest.mark.parametrize("kind", ["node", "task"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_what_succeeds_when_it_is_tried_again_is_cached(kind: str, is_async: bool) -> None:
    ran: list[Any] = []

    def work(given: Any) -> Any:
        ran.append(given)
        if len(ran) == 1:
            raise ConnectionError
        return {"n": 2}

    async def awork(given: Any) -> Any:
        return work(given)

    options: Any = {
        "retry_policy": RetryPolicy(initial_interval=0.001),
        "cache_policy": CachePolicy(),
    }
    function: Any = awork if is_async else work
    app: Any
    if kind == "node":
        builder = StateGraph(TypedDict("State", {"n": int}))
        builder.add_node("work", function, **options)
        app = builder.add_edge(START, "work").compile(cache=InMemoryCache())
    else:
        called = task(**options)(function)

        def flow(given: Any) -> Any:
            return called(given).result()

        async def aflow(given: Any) -> Any:
            return await called(given)

        app = entrypoint(cache=InMemoryCache())(aflow if is_async else flow)
    for _ in range(2):
        result = asyncio.run(app.ainvoke({"n": 1})) if is_async else app.invoke({"n": 1})
        assert result == {"n": 2}
    assert len(ran) == 2
