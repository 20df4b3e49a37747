"""Items, operations, and what every store does the same way."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

import pytest

from langgraph_rust.store.base import (
    NOT_PROVIDED,
    BaseStore,
    GetOp,
    InvalidNamespaceError,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    SearchItem,
    SearchOp,
    validate_op_namespace,
)

NOW = datetime(2024, 1, 2, tzinfo=timezone.utc)


class Recorder(BaseStore):
    """Answers every operation with itself."""

    supports_ttl = True

    def batch(self, ops: Iterable[Op]) -> Any:
        self.seen = list(ops)
        return self.seen

    async def abatch(self, ops: Iterable[Op]) -> Any:
        return self.batch(ops)


CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any], Op]] = [
    ("get", (("a",), 1), {}, GetOp(("a",), "1", True)),
    ("get", (("a",), "k"), {"refresh_ttl": False}, GetOp(("a",), "k", False)),
    (
        "search",
        (("a",),),
        {"query": "q", "filter": {"x": 1}, "limit": 2, "offset": 3},
        SearchOp(("a",), {"x": 1}, 2, 3, "q", True),
    ),
    ("search", ((),), {}, SearchOp(())),
    ("put", (("a",), 1, {"x": 1}), {}, PutOp(("a",), "1", {"x": 1})),
    ("put", (("a",), "k", {}, ["x"]), {"ttl": 5}, PutOp(("a",), "k", {}, ["x"], 5)),
    ("delete", (("a",), "k"), {}, PutOp(("a",), "k", None)),
    (
        "list_namespaces",
        (),
        {"prefix": ("a",), "suffix": ("*",), "max_depth": 1, "limit": 2, "offset": 3},
        ListNamespacesOp(
            (MatchCondition("prefix", ("a",)), MatchCondition("suffix", ("*",))), 1, 2, 3
        ),
    ),
    ("list_namespaces", (), {}, ListNamespacesOp(())),
]


@pytest.mark.parametrize(("name", "arguments", "options", "op"), CALLS)
async def test_methods_become_operations(
    name: str, arguments: tuple[Any, ...], options: dict[str, Any], op: Op
) -> None:
    store = Recorder()
    getattr(store, name)(*arguments, **options)
    assert store.seen == [op]
    assert type(store.seen[0]) is type(op)
    await getattr(store, f"a{name}")(*arguments, **options)
    assert store.seen == [op]


def test_the_stores_ttl_settings_are_the_defaults() -> None:
    store = Recorder()
    store.ttl_config = {"refresh_on_read": False, "default_ttl": 7}
    assert store.get(("a",), "k").refresh_ttl is False  # type: ignore[union-attr]
    assert store.get(("a",), "k", refresh_ttl=True).refresh_ttl is True  # type: ignore[union-attr]
    for options, ttl in (({}, 7), ({"ttl": None}, None), ({"ttl": 1}, 1)):
        store.put(("a",), "k", {}, **options)
        assert store.seen[0].ttl == ttl  # type: ignore[union-attr]


async def test_a_ttl_needs_support() -> None:
    store = Recorder()
    store.supports_ttl = False
    store.put(("a",), "k", {}, ttl=None)
    for call in (store.put, store.aput):
        with pytest.raises(NotImplementedError, match="TTL is not supported by Recorder"):
            await call(("a",), "k", {}, ttl=1)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("namespace", "message"),
    [
        (("a", ""), "Namespace labels cannot be empty strings. Got  in ('a', '')"),
        (("a.b",), "Namespace labels cannot contain periods ('.')."),
        (("a\0",), "Namespace labels cannot contain NUL bytes ('\\x00')."),
        ((1,), "Namespace labels must be strings, but got int."),
    ],
)
async def test_bad_labels(namespace: Any, message: str) -> None:
    store = Recorder()
    for name, arguments, options in (
        ("get", (namespace, "k"), {}),
        ("search", (namespace,), {}),
        ("put", (namespace, "k", {}), {}),
        ("delete", (namespace, "k"), {}),
        ("list_namespaces", (), {"prefix": namespace}),
        ("list_namespaces", (), {"suffix": namespace}),
    ):
        with pytest.raises(InvalidNamespaceError) as error:
            getattr(store, name)(*arguments, **options)
        assert message in str(error.value)
        with pytest.raises(InvalidNamespaceError):
            await getattr(store, f"a{name}")(*arguments, **options)
    for op in (
        GetOp(namespace, "k"),
        PutOp(namespace, "k", None),
        SearchOp(namespace),
        ListNamespacesOp((MatchCondition("prefix", namespace),)),
    ):
        with pytest.raises(InvalidNamespaceError):
            validate_op_namespace(op)


def test_only_puts_need_a_namespace_of_their_own() -> None:
    store = Recorder()
    for namespace, message in (((), "Namespace cannot be empty."), (("langgraph",), "Root label")):
        with pytest.raises(InvalidNamespaceError, match=message):
            store.put(namespace, "k", {})
        store.get(namespace, "k")
        store.delete(namespace, "k")
    validate_op_namespace(GetOp((), "k"))


class TestItems:
    def test_plain_form(self) -> None:
        item = SearchItem(("a",), "k", {"v": 1}, NOW, NOW, 0.5)
        assert item.dict() == {
            "namespace": ["a"],
            "key": "k",
            "value": {"v": 1},
            "created_at": "2024-01-02T00:00:00+00:00",
            "updated_at": "2024-01-02T00:00:00+00:00",
            "score": 0.5,
        }
        assert repr(item).startswith("Item(namespace=['a'], key='k', value={'v': 1}, ")

    def test_can_be_made_from_the_plain_form(self) -> None:
        item = Item(value={}, key="k", namespace=("a",), created_at=NOW, updated_at=NOW)
        assert Item(**item.dict()) == item
        assert hash(Item(**item.dict())) == hash(item)

    def test_differ_by_any_attribute(self) -> None:
        given: dict[str, Any] = {
            "value": {},
            "key": "k",
            "namespace": ("a",),
            "created_at": NOW,
            "updated_at": NOW,
        }
        item = Item(**given)
        for name, other in (("value", {"v": 1}), ("key", "l"), ("namespace", ("b",))):
            assert Item(**given | {name: other}) != item
        assert item != given


def test_left_out_is_false_and_readable() -> None:
    assert not NOT_PROVIDED
    assert repr(NOT_PROVIDED) == "NOT_GIVEN"
