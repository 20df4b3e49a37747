"""Collecting asynchronous operations into batches."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterable
from typing import Any

import pytest

from langgraph_rust.store.base import GetOp, InvalidNamespaceError, Op, PutOp, SearchOp
from langgraph_rust.store.base.batch import AsyncBatchedBaseStore, _dedupe_ops
from langgraph_rust.store.memory import InMemoryStore

A = ("a",)


class Batched(AsyncBatchedBaseStore):
    def __init__(self) -> None:
        super().__init__()
        self.inner = InMemoryStore()
        self.batches: list[list[Op]] = []
        self.error: Exception | None = None

    async def abatch(self, ops: Iterable[Op]) -> Any:
        self.batches.append(list(ops))
        if self.error is not None:
            raise self.error
        return await self.inner.abatch(self.batches[-1])


async def test_operations_of_one_tick_share_a_batch() -> None:
    store = Batched()
    await asyncio.gather(
        store.aput(A, "x", {"v": 1}), store.aput(A, "y", {"v": 2}), store.aput(A, "x", {"v": 3})
    )
    assert store.batches == [[PutOp(A, "x", {"v": 3}), PutOp(A, "y", {"v": 2})]]
    found = await asyncio.gather(
        store.aget(A, "x"),
        store.aget(A, "y"),
        store.aget(A, "x"),
        store.asearch(A, filter={"v": 2}),
    )
    assert [item.value["v"] for item in found[:3]] == [3, 2, 3]  # type: ignore[union-attr]
    assert [item.key for item in found[3]] == ["y"]  # type: ignore[union-attr]
    assert len(store.batches) == 2
    assert await store.alist_namespaces(prefix=A) == [A]
    await store.adelete(A, "x")
    assert await store.aget(A, "x") is None


def test_duplicates_are_dropped() -> None:
    get, other, search = GetOp(A, "x"), GetOp(A, "y"), SearchOp(A, {"unhashable": []})
    put, later = PutOp(A, "x", {}), PutOp(A, "x", {"later": True})
    given: list[Op] = [get, put, search, get, other, later, search]
    assert _dedupe_ops(given) == ([0, 1, 2, 0, 3, 1, 2], [get, later, search, other])
    assert _dedupe_ops([get]) == (None, [get])
    assert _dedupe_ops([]) == (None, [])


async def test_an_error_reaches_everybody_and_ends_nothing() -> None:
    store = Batched()
    store.error = RuntimeError("broken")
    answers = await asyncio.gather(store.aget(A, "x"), store.aget(A, "y"), return_exceptions=True)
    assert answers == [store.error, store.error]
    store.error = None
    assert await store.aget(A, "x") is None


async def test_cancelled_requests_are_not_sent() -> None:
    store = Batched()
    cancelled = asyncio.ensure_future(store.aget(A, "x"))
    kept = asyncio.ensure_future(store.aget(A, "y"))
    await asyncio.sleep(0)
    cancelled.cancel()
    assert await kept is None
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert all(GetOp(A, "x") not in batch for batch in store.batches)


async def test_a_cancelled_background_task_is_replaced() -> None:
    store = Batched()
    await store.aput(A, "x", {})
    task = store._task
    assert task is not None
    task.cancel()
    await asyncio.wait([task])
    assert await store.aget(A, "x") is not None
    assert store._task is not task


async def test_an_unused_store_is_freed_with_its_task() -> None:
    store = Batched()
    await store.aput(A, "x", {})
    task, dead = store._task, weakref.ref(store)
    assert task is not None
    del store
    gc.collect()
    assert dead() is None
    await asyncio.wait([task])
    assert task.done()


async def test_synchronous_methods_work_from_other_threads_only() -> None:
    store = Batched()

    def use() -> Any:
        store.put(A, "x", {"v": 1})
        store.put(A, "y", {"v": 2})
        store.delete(A, "y")
        return (
            store.get(A, "x"),
            store.search(A),
            store.list_namespaces(),
            store.batch([GetOp(A, "y")]),
        )

    item, found, namespaces, batch = await asyncio.to_thread(use)
    assert item.value == {"v": 1}
    assert [item.key for item in found] == ["x"]
    assert (namespaces, batch) == ([A], [None])
    with pytest.raises(asyncio.InvalidStateError, match=r"with `await store.aget\(...\)`"):
        store.get(A, "x")
    with pytest.raises(asyncio.InvalidStateError, match="Synchronous calls to Batched detected"):
        store.batch([])


async def test_bad_namespaces_are_refused_before_queueing() -> None:
    store = Batched()
    with pytest.raises(InvalidNamespaceError):
        await store.aput((), "x", {})
    with pytest.raises(InvalidNamespaceError):
        await store.aget(("a.b",), "x")
    assert store.batches == []
