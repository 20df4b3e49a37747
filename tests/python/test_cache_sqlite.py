"""The cache in SQLite: several processes share it, and it is locked for no longer than needed."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from _driver_graphs import PATIENCE

from langgraph_rust.cache import sqlite
from langgraph_rust.cache.sqlite import SqliteCache
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer

A, B = (("ns", "a"), "key"), (("ns", "b"), "key")


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "cache.sqlite")


@pytest.fixture
def cache(path: str) -> SqliteCache[Any]:
    return SqliteCache(path=path)


def rows(path: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as conn:
        return conn.execute("SELECT ns, key, expiry, encoding, val FROM cache").fetchall()


def test_values_come_back_in_another_process(cache: SqliteCache[Any], path: str) -> None:
    cache.set({A: ([1], None), B: ("b", None)})
    other: SqliteCache[Any] = SqliteCache(path=path)
    assert other.get([A, B, (("ns", "a"), "missing"), (("other",), "key")]) == {A: [1], B: "b"}
    assert other.get([]) == {}
    assert other.get([(["ns", "a"], "key")]) == {A: [1]}  # type: ignore[list-item]


@pytest.mark.parametrize("namespace", [(), ("a,b",), ("a", "b,c"), ("",)])
def test_under_the_name_that_was_asked_for(cache: SqliteCache[Any], namespace: Any) -> None:
    cache.set({(namespace, "k"): (1, None)})
    assert cache.get([(namespace, "k")]) == {(namespace, "k"): 1}


def test_more_than_a_statement_takes(cache: SqliteCache[Any]) -> None:
    pairs = {(("ns",), str(n)): (n, None) for n in range(40_000)}
    cache.set(pairs)
    assert len(cache.get([*pairs])) == 40_000
    cache.clear([*(("ns", str(n)) for n in range(40_000)), ("ns",)])
    assert cache.get([*pairs]) == {}


def test_entries_expire(
    cache: SqliteCache[Any], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(sqlite, "time", SimpleNamespace(time=lambda: now))
    cache.set({A: ("short", 10), B: ("long", None)})
    now = 1010.0
    assert cache.get([A, B]) == {A: "short", B: "long"}
    now = 1010.1
    assert cache.get([A, B]) == {B: "long"}
    assert [row[0] for row in rows(path)] == ["ns,b"]


def test_clearing(cache: SqliteCache[Any]) -> None:
    cache.set({A: (1, None), B: (2, None)})
    cache.clear([("ns", "a"), ("unknown",)])
    assert cache.get([A, B]) == {B: 2}
    cache.clear([])
    assert cache.get([B]) == {B: 2}
    cache.clear()
    assert cache.get([A, B]) == {}


async def test_asynchronous_methods_do_the_same(cache: SqliteCache[Any]) -> None:
    await cache.aset({A: (1, None)})
    assert await cache.aget([A]) == {A: 1}
    await cache.aclear()
    assert await cache.aget([A]) == {}


def test_what_cannot_be_encoded_stores_nothing(cache: SqliteCache[Any], path: str) -> None:
    with pytest.raises(TypeError, match="not msgpack serializable"):
        cache.set({A: (1, None), B: (object(), None)})
    assert rows(path) == []


def test_nothing_is_encoded_or_decoded_while_it_is_locked(path: str) -> None:
    class Slow(JsonPlusSerializer):
        def dumps_typed(self, obj: Any) -> Any:
            other.set({B: ("other", None)})
            return super().dumps_typed(obj)

        def loads_typed(self, data: Any) -> Any:
            other.set({B: ("again", None)})
            return super().loads_typed(data)

    other: SqliteCache[Any] = SqliteCache(path=path)
    other._conn.execute("PRAGMA busy_timeout = 0")
    cache: SqliteCache[Any] = SqliteCache(path=path, serde=Slow())
    cache.set({A: (1, None)})
    assert cache.get([A]) == {A: 1} and other.get([B]) == {B: "again"}


def test_from_several_threads(cache: SqliteCache[Any], path: str) -> None:
    def work(number: int) -> None:
        for n in range(50):
            cache.set({(("ns",), f"{number}-{n}"): (n, None)})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(rows(path)) == 200


def test_it_waits_for_others(cache: SqliteCache[Any]) -> None:
    assert cache._conn.execute("PRAGMA busy_timeout").fetchone() == (30_000,)
    assert cache._conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        SqliteCache(path=str(tmp_path / "none" / "cache"))


def test_with_langgraphs_own(
    cache: SqliteCache[Any], path: str, run_program: Callable[..., Any]
) -> None:
    pytest.importorskip("langgraph.cache.sqlite")
    cache.set({A: ({"n": [1, None]}, None), B: ("b", 1000)})
    program = f"""
        from langgraph.cache.sqlite import SqliteCache
        cache = SqliteCache(path={path!r})
        found = cache.get([{A!r}, {B!r}])
        assert found == {{{A!r}: {{"n": [1, None]}}, {B!r}: "b"}}, found
        cache.set({{(("ns", "c"), "key"): ({{"n": [1, None]}}, 1000)}})
    """
    run_program(program)
    assert cache.get([(("ns", "c"), "key")]) == {(("ns", "c"), "key"): {"n": [1, None]}}
    ours, _, theirs = sorted(rows(path))
    assert ours[3:] == theirs[3:] and isinstance(theirs[2], float)
