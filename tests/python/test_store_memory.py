"""The in-memory store."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from langgraph_rust.store import memory
from langgraph_rust.store.base import (
    GetOp,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchItem,
    SearchOp,
)
from langgraph_rust.store.memory import InMemoryStore

DOCS = ("docs",)


def keys(found: list[SearchItem]) -> list[str]:
    return [item.key for item in found]


def vector(text: str) -> list[float]:
    """Counts of the letters a, b and c."""
    return [float(text.count(letter)) for letter in "abc"]


def embed(texts: Any) -> list[list[float]]:
    return [vector(text) for text in texts]


async def aembed(texts: Any) -> list[list[float]]:
    return embed(texts)


def indexed(function: Any = embed, **index: Any) -> InMemoryStore:
    return InMemoryStore(index={"dims": 3, "embed": function, "fields": ["text"], **index})


def test_items_are_stored_replaced_and_deleted() -> None:
    store = InMemoryStore()
    assert store.get(DOCS, "k") is None
    store.put(DOCS, "k", MappingProxyType({"v": 1}))
    item = store.get(DOCS, "k")
    assert item is not None
    assert (item.namespace, item.key, item.value) == (DOCS, "k", {"v": 1})
    assert item.created_at.tzinfo is not None
    store.put(DOCS, "k", {"v": 2})
    replaced = store.get(DOCS, "k")
    assert replaced is not None
    assert replaced.value == {"v": 2}
    store.delete(DOCS, "k")
    store.delete(DOCS, "k")
    assert store.get(DOCS, "k") is None


async def test_a_batch_reads_before_it_writes() -> None:
    store = InMemoryStore()
    store.put(DOCS, "k", {"v": 1})
    ops = [PutOp(DOCS, "k", {"v": 2}), GetOp(DOCS, "k"), PutOp(DOCS, "k", {"v": 3}), SearchOp(DOCS)]
    for results in (store.batch(ops), await store.abatch(ops)):
        put, got, put_again, found = results
        assert (put, put_again) == (None, None)
        assert got.value == found[0].value  # type: ignore[union-attr,index]
    assert got.value == {"v": 3}  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="Unknown operation type"):
        store.batch(["nonsense"])  # type: ignore[list-item]


class TestSearch:
    @pytest.fixture
    def store(self) -> InMemoryStore:
        store = InMemoryStore()
        for number in range(5):
            value = {"n": number, "even": number % 2 == 0, "deep": {"list": [number, {"x": 1}]}}
            store.put(("a", "b") if number < 3 else ("a",), str(number), value)
        store.put(("other",), "5", {"n": 5})
        return store

    @pytest.mark.parametrize(
        ("prefix", "options", "expected"),
        [
            ((), {}, "012345"),
            (("a",), {}, "01234"),
            (("a", "b"), {}, "012"),
            (("b",), {}, ""),
            (("a",), {"limit": 2}, "01"),
            (("a",), {"limit": 2, "offset": 2}, "23"),
            (("a",), {"offset": 9}, ""),
            (("a",), {"filter": {"even": True}}, "024"),
            (("a",), {"filter": {"even": True}, "limit": 1, "offset": 1}, "2"),
            ((), {"filter": {"n": {"$gt": 2}}}, "345"),
            ((), {"filter": {"n": {"$gte": 2, "$lt": 4}}}, "23"),
            ((), {"filter": {"n": {"$lte": 1}}}, "01"),
            ((), {"filter": {"n": {"$ne": 3}, "even": {"$eq": False}}}, "1"),
            ((), {"filter": {"deep": {"list": [3, {"x": 1}]}}}, "3"),
            ((), {"filter": {"deep": {"list": [{"$gt": 2}, {}]}}}, "34"),
            ((), {"filter": {"deep": {"list": [3]}}}, ""),
            ((), {"filter": {"missing": None}}, "012345"),
            ((), {"query": "ignored without an index"}, "012345"),
        ],
    )
    async def test_arguments(
        self, store: InMemoryStore, prefix: Any, options: dict[str, Any], expected: str
    ) -> None:
        found = store.search(prefix, **options)
        assert keys(found) == list(expected)
        assert all(item.score is None for item in found)
        assert keys(await store.asearch(prefix, **options)) == list(expected)

    def test_unknown_operators_are_errors(self, store: InMemoryStore) -> None:
        with pytest.raises(ValueError, match=r"Unsupported operator: \$like"):
            store.search((), filter={"n": {"$like": "x"}})


class TestNamespaces:
    @pytest.fixture
    def store(self) -> InMemoryStore:
        store = InMemoryStore()
        for name in ("a/b/c", "a/b/d", "a/x", "b/x/c"):
            store.put(tuple(name.split("/")), "k", {})
        return store

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({}, ["a/b/c", "a/b/d", "a/x", "b/x/c"]),
            ({"prefix": ("a",)}, ["a/b/c", "a/b/d", "a/x"]),
            ({"prefix": ("*", "x")}, ["a/x", "b/x/c"]),
            ({"suffix": ("c",)}, ["a/b/c", "b/x/c"]),
            ({"suffix": ("x", "*")}, ["b/x/c"]),
            ({"prefix": ("a",), "suffix": ("x",)}, ["a/x"]),
            ({"prefix": ("a", "b", "c", "d")}, []),
            ({"max_depth": 2}, ["a/b", "a/x", "b/x"]),
            ({"limit": 2, "offset": 1}, ["a/b/d", "a/x"]),
        ],
    )
    async def test_arguments(
        self, store: InMemoryStore, options: dict[str, Any], expected: list[str]
    ) -> None:
        for found in (store.list_namespaces(**options), await store.alist_namespaces(**options)):
            assert ["/".join(namespace) for namespace in found] == expected

    def test_other_kinds_of_match_are_errors(self, store: InMemoryStore) -> None:
        condition = MatchCondition("infix", ("a",))  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="Unsupported match type: infix"):
            store.batch([ListNamespacesOp((condition,))])


class TestSemanticSearch:
    async def test_best_first(self) -> None:
        for store in (indexed(), indexed(aembed)):
            for text in ("ab", "aab", "c"):
                await store.aput(DOCS, text, {"text": text})
            await store.aput(DOCS, "unindexed", {"text": "aaa"}, index=False)
            found = await store.asearch(DOCS, query="a")
            assert keys(found) == ["aab", "ab", "c", "unindexed"]
            scores = [item.score for item in found]
            assert scores[:3] == pytest.approx([2 / 5**0.5, 1 / 2**0.5, 0.0])
            assert scores[3] is None
            assert keys(await store.asearch(DOCS, query="a", limit=1, offset=1)) == ["ab"]

    def test_an_item_counts_with_its_best_text(self) -> None:
        store = indexed(fields=["parts[*]"])
        store.put(DOCS, "mixed", {"parts": ["c", "b"]})
        store.put(DOCS, "both", {"parts": ["bc"]})
        assert keys(store.search(DOCS, query="b")) == ["mixed", "both"]
        assert set(store._vectors[DOCS]["mixed"]) == {"parts[*].0", "parts[*].1"}

    def test_fields_can_be_chosen_per_item(self) -> None:
        store = indexed()
        store.put(DOCS, "x", {"text": "a", "note": "b"}, index=["note"])
        store.put(DOCS, "y", {"text": "b", "note": "a"})
        assert [item.score for item in store.search(DOCS, query="b")] == pytest.approx([1.0, 1.0])
        assert set(store._vectors[DOCS]["x"]) == {"note"}

    def test_the_same_text_may_occur_more_than_once(self) -> None:
        store = indexed(fields=["text", "note"])
        store.batch([PutOp(DOCS, key, {"text": "a", "note": "a"}) for key in "xy"])
        assert [item.score for item in store.search(DOCS, query="a")] == pytest.approx([1.0, 1.0])

    def test_deleted_items_are_not_found(self) -> None:
        store = indexed()
        store.put(DOCS, "x", {"text": "a"})
        store.delete(DOCS, "x")
        assert store.search(DOCS, query="a") == []

    def test_several_queries_in_a_batch(self) -> None:
        store = indexed()
        for text in "abc":
            store.put(DOCS, text, {"text": text})
        found = store.batch([SearchOp(DOCS, query=text, limit=1) for text in "cab"])
        assert [keys(items) for items in found] == [["c"], ["a"], ["b"]]  # type: ignore[arg-type]

    def test_the_number_of_vectors_is_checked(self) -> None:
        store = indexed(lambda texts: [[1.0]] * 2)
        with pytest.raises(ValueError, match=r"Number of embeddings \(2\) does not match"):
            store.put(DOCS, "x", {"text": "a"})

    def test_the_given_index_is_not_changed(self) -> None:
        index: Any = {"dims": 3, "embed": embed}
        InMemoryStore(index=index)
        assert index == {"dims": 3, "embed": embed}

    @pytest.mark.parametrize("has_numpy", [True, False])
    def test_similarity(self, has_numpy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        if has_numpy:
            pytest.importorskip("numpy")
        monkeypatch.setattr(memory, "_check_numpy", lambda: has_numpy)
        vectors = [[2.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, 0.0], [1.0, 1.0]]
        found = memory._cosine_similarity([1.0, 0.0], vectors)
        assert found == pytest.approx([1.0, 0.0, -1.0, 0.0, 0.5**0.5])
        assert memory._cosine_similarity([1.0], []) == []
