"""The SQLite stores: a batch is one transaction, nothing slow holds it, the rest as upstream's."""

from __future__ import annotations

import asyncio
import gc
import math
import sqlite3
import struct
import subprocess
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from _driver_graphs import PATIENCE

from langgraph_rust.store.base import (
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchOp,
)
from langgraph_rust.store.sqlite import AsyncSqliteStore, SqliteStore, _schema
from langgraph_rust.store.sqlite._queries import Reading, search_query

NS = ("docs",)

WORDS = {"north": (0.0, 1.0), "east": (1.0, 0.0), "north-east": (0.7, 0.7), "far": (0.0, 9.0)}


def embed(texts: Any) -> list[list[float]]:
    return [list(WORDS.get(text, (-1.0, -1.0))) for text in texts]


def index(embed: Any = embed, **more: Any) -> Any:
    return {"dims": 2, "embed": embed, "fields": ["text"], **more}


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "store.sqlite")


@pytest.fixture
def store(path: str) -> Iterator[SqliteStore]:
    with SqliteStore.from_conn_string(path) as store:
        yield store


@pytest.fixture
def vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for sqlite-vec where this Python's SQLite loads no extensions."""
    if hasattr(sqlite3.Connection, "enable_load_extension"):
        return

    def measure(name: str, distance: Callable[[Any, Any], float]) -> Callable[[Any], None]:
        def of(a: bytes, b: bytes) -> float:
            return distance(struct.unpack("2f", a), struct.unpack("2f", b))

        return lambda conn: conn.create_function(f"vec_distance_{name}", 2, of)

    def load(conn: sqlite3.Connection) -> None:
        for register in (
            measure("cosine", lambda a, b: 1 - _dot(a, b) / math.sqrt(_dot(a, a) * _dot(b, b))),
            measure("L2", math.dist),
            measure("L1", lambda a, b: sum(abs(x - y) for x, y in zip(a, b, strict=True))),
        ):
            register(conn)

    monkeypatch.setattr(_schema, "_load_vector_functions", load)


def _dot(a: Any, b: Any) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def rows(path: str, query: str = "SELECT prefix, key FROM store") -> list[Any]:
    with closing(sqlite3.connect(path)) as conn:
        return conn.execute(query).fetchall()


def statements(conn: Any) -> list[str]:
    seen: list[str] = []
    conn.set_trace_callback(seen.append)
    return seen


def keys(found: Any) -> list[str]:
    return [item.key for item in found]


class TestOneTransaction:
    def test_of_a_batch(self, store: SqliteStore) -> None:
        store.setup()
        seen = statements(store.conn)
        store.batch([PutOp(NS, str(n), {"n": n}) for n in range(20)] + [GetOp(NS, "1")])
        assert [text for text in seen if text.startswith(("BEGIN", "COMMIT"))] == [
            "BEGIN IMMEDIATE",
            "COMMIT",
        ]

    def test_that_only_reads_keeps_no_writer_waiting(self, store: SqliteStore, path: str) -> None:
        store.put(NS, "a", {})
        with closing(sqlite3.connect(path, timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert store.get(NS, "a") and store.search(()) and store.list_namespaces()

    def test_reads_see_what_was_before(self, store: SqliteStore) -> None:
        store.put(NS, "a", {"n": 1})
        ops = [PutOp(NS, "a", {"n": 2}), PutOp(NS, "b", {}), GetOp(NS, "a"), SearchOp(NS)]
        _, _, got, found = store.batch(ops)
        assert got.value == {"n": 1} and keys(found) == ["a"]
        assert store.get(NS, "a").value == {"n": 2}

    def test_of_several_threads(self, store: SqliteStore) -> None:
        store.setup()
        seen = statements(store.conn)
        puts = [threading.Thread(target=store.put, args=(NS, str(n), {})) for n in range(8)]
        with store.lock:
            for put in puts:
                put.start()
            while len(store._commits._waiting) < 8:
                pass
        for put in puts:
            put.join(PATIENCE)
        assert seen.count("COMMIT") == 1 and len(store.search(NS, limit=20)) == 8

    def test_an_interrupt_in_the_middle_leaves_nothing(self, path: str, vectors: None) -> None:
        class Rings(sqlite3.Cursor):
            def executemany(self, text: str, rows: Any) -> Any:
                if "INTO store_vectors" in text:
                    raise KeyboardInterrupt
                return super().executemany(text, rows)

        class Own(sqlite3.Connection):
            def cursor(self, *_: Any) -> Any:
                return super().cursor(Rings)

        with closing(sqlite3.connect(path, factory=Own)) as conn:
            store = SqliteStore(conn, index=index())
            with pytest.raises(KeyboardInterrupt):
                store.put(NS, "a", {"text": "north"})
            assert not conn.in_transaction and store.get(NS, "a") is None
            store.put(NS, "b", {"text": "north"}, index=False)
        assert rows(path) == [("docs", "b")]

    @pytest.mark.parametrize(
        ("op", "error", "text"),
        [
            (PutOp(NS, "b", {"x": object()}), TypeError, "key 'b' in .*docs.*JSON"),
            (PutOp(NS, "b", {1: 2}), TypeError, "Dict key must be str"),
            (PutOp(NS, "b", 5), TypeError, "must be a dictionary"),  # type: ignore[arg-type]
            (PutOp(("a.b",), "b", {}), InvalidNamespaceError, "periods"),
            (SearchOp(NS, {"x": {"$in": 1}}), ValueError, r"Unsupported operator: \$in"),
            (SearchOp(NS, {"x'": 1}), ValueError, "Invalid filter key"),
            (SearchOp(NS, {"x\n": 1}), ValueError, "Invalid filter key"),
            (ListNamespacesOp((MatchCondition("in", NS),)), ValueError, "match type"),  # type: ignore[arg-type]
            ("get", ValueError, "Unknown operation"),
        ],
    )
    def test_what_cannot_be_is_said_before_anything_is_stored(
        self, store: SqliteStore, path: str, op: Any, error: Any, text: str
    ) -> None:
        with pytest.raises(error, match=text):
            store.batch([PutOp(NS, "a", {}), op])
        assert store.get(NS, "a") is None

    def test_one_that_fails_within_the_database(self, store: SqliteStore) -> None:
        store.setup()
        store.conn.execute(
            "CREATE TRIGGER no BEFORE INSERT ON store WHEN new.key = 'no' "
            "BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        )
        with pytest.raises(sqlite3.IntegrityError, match="not this one"):
            store.batch([PutOp(NS, "a", {}), PutOp(NS, "no", {})])
        assert store.search(NS) == []

    def test_more_than_a_statement_takes(self, store: SqliteStore) -> None:
        store.batch([PutOp(NS, str(n), {"n": n}) for n in range(40_000)])
        found = store.batch([GetOp(NS, str(n)) for n in range(40_000)])
        assert [item.value["n"] for item in found] == [*range(40_000)]
        store.batch([PutOp(NS, str(n), None) for n in range(40_000)])
        assert store.search(()) == []


class TestEmbedding:
    def test_the_database_is_free_meanwhile(self, path: str, vectors: None) -> None:
        stores: list[SqliteStore] = []

        def slow(texts: Any) -> Any:
            with SqliteStore.from_conn_string(path) as other:
                other.conn.execute("PRAGMA busy_timeout = 0")
                other.put(NS, "other", {})
            assert stores[0].get(NS, "other") is not None
            return embed(texts)

        with SqliteStore.from_conn_string(path, index=index(slow)) as store:
            stores.append(store)
            store.put(NS, "a", {"text": "north"})
            assert keys(store.search((), query="north")) == ["a"]

    @pytest.mark.parametrize(
        ("fails", "error", "text"),
        [
            (lambda texts: 1 / 0, ZeroDivisionError, "division"),
            (lambda texts: [[1.0, 2.0]] * 2, ValueError, "returned 2 vectors for 1 texts"),
            (lambda texts: [None], ValueError, "no vector of 32-bit floats for 'north'"),
            (lambda texts: [["x"]], ValueError, "no vector of 32-bit floats for 'north'"),
            (lambda texts: [[]], ValueError, "it is empty"),
        ],
    )
    def test_that_fails_stores_nothing(
        self, path: str, vectors: None, fails: Any, error: Any, text: str
    ) -> None:
        with SqliteStore.from_conn_string(path, index=index(fails)) as store:
            with pytest.raises(error, match=text):
                store.batch([PutOp(NS, "b", {}), PutOp(NS, "a", {"text": "north"})])
            assert store.search(NS) == []

    def test_each_text_once(self, path: str, vectors: None) -> None:
        seen: list[Any] = []

        def counts(texts: Any) -> Any:
            seen.append(texts)
            return embed(texts)

        with SqliteStore.from_conn_string(path, index=index(counts)) as store:
            puts = [PutOp(NS, key, {"text": "north"}) for key in "ab"]
            store.batch([*puts, SearchOp(NS, query="north"), SearchOp(NS, query="east")])
        assert seen == [["north", "east"]]

    def test_an_index_that_is_no_list_of_paths(self, path: str, vectors: None) -> None:
        with SqliteStore.from_conn_string(path, index=index()) as store:
            with pytest.raises(ValueError, match="must be False or a list of paths"):
                store.put(NS, "a", {"text": "north"}, index="text")  # type: ignore[arg-type]

    @pytest.mark.skipif(hasattr(sqlite3.Connection, "enable_load_extension"), reason="this one can")
    def test_a_python_that_loads_no_extensions(self, path: str) -> None:
        with SqliteStore.from_conn_string(path, index=index()) as store:
            with pytest.raises(sqlite3.NotSupportedError, match="loadable"):
                store.setup()


class TestRanking:
    @pytest.fixture
    def store(self, path: str, vectors: None) -> Iterator[SqliteStore]:
        with SqliteStore.from_conn_string(path, index=index(text_fields=None)) as store:
            for word in ("north", "east", "north-east"):
                store.put(NS, word, {"text": word})
            yield store

    def test_the_nearest_come_first(self, store: SqliteStore) -> None:
        found = store.search((), query="north")
        assert keys(found) == ["north", "north-east", "east"]
        scores = [item.score for item in found]
        assert scores == pytest.approx([1, math.sqrt(0.5), 0], abs=1e-6)

    def test_every_page_is_full(self, store: SqliteStore) -> None:
        pages = [store.search((), query="north", limit=1, offset=n) for n in range(4)]
        assert [keys(page) for page in pages] == [["north"], ["north-east"], ["east"], []]

    def test_equals_are_on_one_page_each(self, store: SqliteStore) -> None:
        store.batch([PutOp(NS, f"same{n}", {"text": "north"}) for n in range(5)])
        pages = [store.search((), query="north", limit=2, offset=n) for n in range(0, 8, 2)]
        assert len({key for page in pages for key in keys(page)}) == 8

    def test_an_item_counts_once_with_its_best(self, store: SqliteStore) -> None:
        store.put(NS, "many", {"all": ["north"] * 9 + ["east"]}, index=["all[*]"])
        found = store.search((), query="north", limit=3)
        assert keys(found) == ["many", "north", "north-east"] and found[0].score == 1

    @pytest.mark.parametrize("distance", ["l2", "inner_product"])
    def test_with_other_distances(self, path: str, vectors: None, distance: str) -> None:
        own = index(distance_type=distance)
        with SqliteStore.from_conn_string(path + distance, index=own) as store:
            for word in ("far", "east", "north"):
                store.put(NS, word, {"text": word})
            found = store.search((), query="north")
            assert keys(found) == ["north", "east", "far"]
            assert found[0].score == 0 and found[2].score == -8

    def test_filters_and_namespaces_hold(self, store: SqliteStore) -> None:
        store.put(("other",), "north", {"text": "north"})
        assert keys(store.search(NS, query="north", filter={"text": "east"})) == ["east"]
        assert len(store.search(NS, query="north")) == 3

    @pytest.mark.parametrize("how", ["stored", "deleted", "not indexed", "swept"])
    def test_an_item_is_not_found_by_what_it_said(
        self, store: SqliteStore, path: str, how: str
    ) -> None:
        if how == "stored":
            store.put(NS, "north", {"text": "east"})
        elif how == "swept":
            store.put(NS, "north", {"text": "north"}, ttl=-1)
            store.sweep_ttl()
        elif how == "deleted":
            store.delete(NS, "north")
        if how != "stored":
            store.put(NS, "north", {"text": "east"}, index=False)
        found = {item.key: item.score for item in store.search(NS, query="north")}
        assert found.get("north", 0) == pytest.approx(0)
        query = "SELECT count(*) FROM store_vectors WHERE key = 'north'"
        assert rows(path, query) == [(int(how == "stored"),)]

    def test_nor_after_a_store_without_an_index(self, store: SqliteStore, path: str) -> None:
        with SqliteStore.from_conn_string(path) as other:
            other.put(NS, "north", {"text": "?"})
        assert "north" not in keys(store.search(NS, query="north"))


class TestFilters:
    @pytest.fixture
    def store(self, store: SqliteStore) -> SqliteStore:
        self.when, self.id = datetime(2026, 1, 2, tzinfo=timezone.utc), uuid.uuid4()
        value = {
            "n": 3,
            "big": 2**60 + 1,
            "list": [1, {"a": None}],
            "when": self.when,
            "id": self.id,
            "deep": {"a-b": "x"},
            "none": None,
            "true": True,
        }
        store.put(NS, "a", value)
        store.put(NS, "b", {"n": 10, "big": 2**60})
        return store

    @pytest.mark.parametrize(
        "wanted",
        [
            {"n": 3},
            {"n": 3.0},
            {"n": {"$lt": 9, "$gt": 2.5}},
            {"n": {"$ne": 10}},
            {"big": 2**60 + 1},
            {"list": [1, {"a": None}]},
            {"list": {"$eq": [1, {"a": None}]}},
            {"deep": {"$eq": {"a-b": "x"}}},
            {"deep.a-b": "x"},
            {"true": True},
            {"none": None, "n": {"$lte": 3}},
            {"list": {"$ne": None}},
            {"n": {"$lt": 10**100, "$gte": -(10**100)}, "true": {"$eq": 1}},
        ],
    )
    def test_what_is_found(self, store: SqliteStore, wanted: Any) -> None:
        assert keys(store.search(NS, filter=wanted)) == ["a"]

    def test_values_as_they_are_stored(self, store: SqliteStore) -> None:
        assert keys(store.search(NS, filter={"when": self.when, "id": self.id})) == ["a"]

    @pytest.mark.parametrize("name", ["x' OR 1=1 --", "a b", "", "x')", "ключ", "a[0]", "$"])
    def test_keys_that_are_refused(self, store: SqliteStore, name: str) -> None:
        with pytest.raises(ValueError, match="Invalid filter key"):
            store.search(NS, filter={name: {"$gt": 0}})

    def test_nothing_of_the_callers_is_in_a_statement(self) -> None:
        op = SearchOp(("mine",), {"mine": "mine", "x": {"$gt": "mine"}}, query="mine")
        for reading in (Reading(), Reading(distance_type="mine")):
            query = search_query(op, reading)
            assert "mine" not in query.query and "mine" in query.params

    def test_a_namespace_ends_with_its_label(self, store: SqliteStore) -> None:
        for namespace in (("Docs",), ("docs2",), ("docs", "x"), ("d*",)):
            store.put(namespace, "a", {})
        assert {item.namespace for item in store.search(NS)} == {NS, ("docs", "x")}
        assert {item.namespace for item in store.search(("d*",))} == {("d*",)}


class TestNamespaces:
    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({}, "a.b.c a.b.d a.x d*"),
            ({"prefix": ("a", "b")}, "a.b.c a.b.d"),
            ({"prefix": ("a", "*", "c")}, "a.b.c"),
            ({"prefix": ("d*",)}, "d*"),
            ({"suffix": ("*", "d")}, "a.b.d"),
            ({"max_depth": 1}, "a d*"),
            ({"max_depth": 2}, "a.b a.x d*"),
            ({"max_depth": 9, "limit": 2, "offset": 1}, "a.b.d a.x"),
        ],
    )
    def test_what_is_listed(self, store: SqliteStore, asked: Any, found: str) -> None:
        for text in ("a.x", "d*", "a.b.d", "a.b.c"):
            store.put(tuple(text.split(".")), "k", {})
        assert [
            ".".join(namespace) for namespace in store.list_namespaces(**asked)
        ] == found.split()


class TestExpiry:
    def expiring(self, path: str, **more: Any) -> Any:
        return SqliteStore.from_conn_string(path, ttl={"default_ttl": 60, **more})

    def times(self, path: str) -> dict[str, Any]:
        return dict(rows(path, "SELECT key, expires_at FROM store"))

    def test_only_what_asks_is_postponed(self, path: str) -> None:
        with self.expiring(path, refresh_on_read=True) as store:
            store.batch([PutOp(NS, key, {}, ttl=60) for key in "abc"])
            before = self.times(path)
            store.batch([GetOp(NS, "a"), GetOp(NS, "b", refresh_ttl=False)])
            store.search(NS, filter={"x": None}, limit=1, refresh_ttl=False)
            after = self.times(path)
            assert after["a"] != before["a"]
            assert (after["b"], after["c"]) == (before["b"], before["c"])
            store.search(NS)
            assert self.times(path)["c"] != before["c"]

    def test_reading_writes_nothing_without(self, path: str) -> None:
        with self.expiring(path) as store:
            store.put(NS, "a", {})
            before = self.times(path)
            store.get(NS, "a", refresh_ttl=True)
            assert self.times(path) == before

    @pytest.mark.parametrize("omits", [False, True])
    def test_expired_items_may_be_left_out(self, path: str, omits: bool) -> None:
        with self.expiring(path, omit_expired=omits, refresh_on_read=omits) as store:
            store.batch([PutOp(NS, "a", {}, ttl=-1), PutOp(NS, "b", {})])
            assert (store.get(NS, "a") is None) == omits
            assert ("a" not in keys(store.search(NS))) == omits
            store.delete(NS, "b")
            assert (store.list_namespaces() == []) == omits
            assert store.sweep_ttl() == 1 and store.list_namespaces() == []

    def test_swept_by_itself_until_the_block_ends(self, path: str) -> None:
        with self.expiring(path, sweep_interval_minutes=1e-4) as store:
            store.put(NS, "a", {}, ttl=-1)
            future = store.start_ttl_sweeper()
            assert store.start_ttl_sweeper() is future
            until(lambda: store.get(NS, "a") is None)
        assert future.result(PATIENCE) is None and store._ttl_sweeper_thread is None

    def test_until_it_is_cancelled(self, path: str) -> None:
        with self.expiring(path) as store:
            future = store.start_ttl_sweeper()
            thread = store._ttl_sweeper_thread
            assert thread is not None and future.cancel()
            thread.join(PATIENCE)
            assert not thread.is_alive() and store.stop_ttl_sweeper()
            assert store.start_ttl_sweeper() is not future

    def test_until_nobody_has_the_store(self) -> None:
        with closing(sqlite3.connect(":memory:", check_same_thread=False)) as conn:
            store = SqliteStore(conn, ttl={})
            assert store.start_ttl_sweeper().done()
            store = SqliteStore(conn, ttl={"default_ttl": 1})
            future, gone = store.start_ttl_sweeper(), weakref.ref(store)
            del store
            gc.collect()
            assert gone() is None and future.result(PATIENCE) is None


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end


class TestAsync:
    async def test_a_tick_is_one_trip(self, path: str) -> None:
        async with AsyncSqliteStore.from_conn_string(path) as store:
            await store.setup()
            trips: list[Any] = []
            before = store.conn._execute
            store.conn._execute = lambda *given: trips.append(given) or before(*given)  # type: ignore[method-assign]
            await asyncio.gather(*(store.aput(NS, str(n), {"n": n}) for n in range(50)))
            assert len(trips) == 1
            found = await asyncio.gather(*(store.aget(NS, str(n)) for n in range(50)))
            assert len(trips) == 2 and [item.value["n"] for item in found] == [*range(50)]
        assert len(rows(path)) == 50

    async def test_embeds_on_the_event_loop_with_the_database_free(
        self, path: str, vectors: None
    ) -> None:
        stores: list[AsyncSqliteStore] = []

        async def slow(texts: Any) -> Any:
            assert await stores[0].abatch([GetOp(NS, "a")]) == [None]
            return embed(texts)

        async with AsyncSqliteStore.from_conn_string(path, index=index(slow)) as store:
            stores.append(store)
            await store.abatch([PutOp(NS, "a", {"text": "north"})])
        with SqliteStore.from_conn_string(path, index=index()) as other:
            assert keys(other.search((), query="north")) == ["a"]

    async def test_what_fails_stores_nothing(self, path: str, vectors: None) -> None:
        async def fails(texts: Any) -> Any:
            raise ZeroDivisionError

        async with AsyncSqliteStore.from_conn_string(path, index=index(fails)) as store:
            with pytest.raises(ZeroDivisionError):
                await store.abatch([PutOp(NS, "b", {}), PutOp(NS, "a", {"text": "north"})])
            with pytest.raises(TypeError, match="JSON"):
                await store.abatch([PutOp(NS, "b", {}), PutOp(NS, "c", {"x": object()})])
            assert await store.asearch(NS) == []

    async def test_one_that_fails_is_the_only_one(self, path: str) -> None:
        async with AsyncSqliteStore.from_conn_string(path) as store:
            await store.setup()
            await store.conn.execute(
                "CREATE TRIGGER no BEFORE INSERT ON store WHEN new.key = 'no' "
                "BEGIN SELECT RAISE(ABORT, 'not this one'); END"
            )
            async with store.lock:
                puts = [
                    asyncio.ensure_future(store.abatch([PutOp(NS, key, {})])) for key in ("a", "no")
                ]
                while len(store._commits._waiting) < 2:
                    await asyncio.sleep(0)
            done = await asyncio.gather(*puts, return_exceptions=True)
            assert done[0] == [None] and isinstance(done[1], sqlite3.IntegrityError)
        assert rows(path) == [("docs", "a")]

    async def test_other_threads_may_use_it(self, path: str) -> None:
        async with AsyncSqliteStore.from_conn_string(path) as store:
            await asyncio.to_thread(store.put, NS, "a", {"n": 1}, ttl=5)
            assert (await asyncio.to_thread(store.get, NS, "a")).value == {"n": 1}
            with pytest.raises(asyncio.InvalidStateError):
                store.get(NS, "a")

    async def test_a_connection_that_is_not_open_yet(self, path: str) -> None:
        import aiosqlite

        store = AsyncSqliteStore(aiosqlite.connect(path))
        try:
            await store.aput(NS, "a", {})
            assert await store.aget(NS, "a") is not None
        finally:
            await store.conn.close()

    async def test_swept_by_itself_until_the_block_ends(self, path: str) -> None:
        ttl: Any = {"sweep_interval_minutes": 1e-4}
        async with AsyncSqliteStore.from_conn_string(path, ttl=ttl) as store:
            await store.aput(NS, "a", {}, ttl=-1)
            task = await store.start_ttl_sweeper()
            assert await store.start_ttl_sweeper() is task

            async def gone() -> None:
                while await store.aget(NS, "a"):
                    pass

            await asyncio.wait_for(gone(), PATIENCE)
        assert task.done() and not task.cancelled()

    async def test_a_sweeper_does_not_keep_the_store(self, path: str) -> None:
        async with AsyncSqliteStore.from_conn_string(path) as other:
            store = AsyncSqliteStore(other.conn, ttl={"default_ttl": 1})
            await store.start_ttl_sweeper()
            gone = weakref.ref(store)
            del store
            await asyncio.sleep(0)
            gc.collect()
            assert gone() is None

    def test_a_process_that_ends_is_not_kept(
        self, path: str, run_program: Callable[..., subprocess.CompletedProcess[str]]
    ) -> None:
        run_program(f"""
            import asyncio
            from langgraph_rust.store.sqlite import AsyncSqliteStore

            async def main():
                own = AsyncSqliteStore.from_conn_string({path!r}, ttl={{"default_ttl": 1}})
                store = await own.__aenter__()
                await store.start_ttl_sweeper()
                await store.aput(("docs",), "a", {{}})
                return own

            loop = asyncio.new_event_loop()
            own = loop.run_until_complete(main())
        """)
        assert rows(path) == [("docs", "a")]


class TestDatabases:
    @pytest.mark.parametrize("level", [None, "", "DEFERRED", "IMMEDIATE", "EXCLUSIVE"])
    def test_of_every_isolation_level(self, path: str, level: Any) -> None:
        with closing(sqlite3.connect(path, isolation_level=level)) as conn:
            store = SqliteStore(conn)
            store.put(NS, "a", {"n": 1})
            assert store.get(NS, "a").value == {"n": 1} and not conn.in_transaction
            assert conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert rows(path) == [("docs", "a")]

    def test_ours_wait_for_others(self, store: SqliteStore) -> None:
        assert store.conn.execute("PRAGMA busy_timeout").fetchone() == (30_000,)

    def test_rows_may_be_what_their_owner_likes(self, path: str) -> None:
        with closing(sqlite3.connect(path, detect_types=sqlite3.PARSE_DECLTYPES)) as conn:
            conn.row_factory = lambda cursor, row: {"it": row}
            store = SqliteStore(conn, deserializer=lambda text: {"text": text})
            store.put(NS, "a", {"n": 1})
            assert store.get(NS, "a").value == {"text": b'{"n":1}'}
            assert store.search(NS) and store.list_namespaces() == [NS]

    def test_that_is_read_only(self, path: str) -> None:
        with SqliteStore.from_conn_string(path) as store:
            store.put(NS, "a", {"n": 1})
            store.conn.execute("PRAGMA journal_mode=DELETE")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as conn:
            store = SqliteStore(conn)
            assert store.get(NS, "a").value == {"n": 1}
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                store.put(NS, "a", {})

    def test_set_up_by_several_at_once(self, path: str) -> None:
        failed: list[Any] = []

        def sets_up() -> None:
            try:
                with SqliteStore.from_conn_string(path) as store:
                    store.setup()
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=sets_up) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert failed == [] and rows(path, "SELECT v FROM store_migrations") == [
            (version,) for version in range(len(SqliteStore.MIGRATIONS))
        ]

    def test_a_migration_that_nobody_noted(self, path: str) -> None:
        with SqliteStore.from_conn_string(path) as store:
            store.setup()
            store.conn.execute("DELETE FROM store_migrations WHERE v > 1")
        with SqliteStore.from_conn_string(path) as store:
            store.put(NS, "a", {}, ttl=1)
            assert store.get(NS, "a") is not None

    def test_from_before_items_expired(self, path: str) -> None:
        class Old(SqliteStore):
            MIGRATIONS = SqliteStore.MIGRATIONS[:2]

        with Old.from_conn_string(path) as old:
            old.setup()
            old.conn.execute("INSERT INTO store (prefix, key, value) VALUES ('docs', 'a', '{}')")
        with SqliteStore.from_conn_string(path) as store:
            assert store.get(NS, "a").value == {}
            store.put(NS, "b", {}, ttl=5)
            assert store.sweep_ttl() == 0


THEIRS = """
    from langgraph.store.sqlite import SqliteStore

    with SqliteStore.from_conn_string({path!r}, ttl={{"default_ttl": 60}}) as store:
        store.setup()
        {body}
"""
VALUE = {"text": "né", "n": [1, 2.5, None], "deep": {"b": True, "a": "x"}}


class TestWithLangGraph:
    """Items go from LangGraph's store to this one and back; needs its distribution."""

    @pytest.fixture
    def theirs(self, path: str, run_program: Any) -> Callable[[str], None]:
        pytest.importorskip("langgraph.store.sqlite")
        return lambda body: run_program(THEIRS.format(path=path, body=body))

    def test_there_and_back(self, path: str, theirs: Callable[[str], None]) -> None:
        theirs(
            f"store.put(('docs', 'x'), 'a', {VALUE!r}); store.put(('docs',), 'b', {{}}, ttl=None)"
        )
        before = rows(path, "SELECT * FROM store WHERE key = 'a'")
        with SqliteStore.from_conn_string(path, ttl={"default_ttl": 60}) as store:
            item = store.get(("docs", "x"), "a")
            assert item.value == VALUE and item.created_at.tzinfo is None
            assert store.search((), filter={"deep.a": "x"}) and store.list_namespaces()
            store.put(("docs", "y"), "a", VALUE)
            store.delete(NS, "b")
        theirs(
            "found = {item.namespace: item.value for item in store.search(())}; "
            f"assert found == {{('docs', 'x'): {VALUE!r}, ('docs', 'y'): {VALUE!r}}}, found; "
            "assert store.sweep_ttl() == 0"
        )
        after = rows(path, "SELECT * FROM store ORDER BY prefix")
        assert after[0] == before[0]
        assert [type(cell) for cell in after[1]] == [type(cell) for cell in after[0]]
        assert after[1][2] == after[0][2] and len(after[1][5]) == len(after[0][5])

    def test_the_schema_is_the_same(self, path: str, theirs: Callable[[str], None]) -> None:
        theirs("store.put(('docs',), 'a', {})")
        with SqliteStore.from_conn_string(path + "2") as store:
            store.put(NS, "a", {})
        for query in (
            "SELECT type, name, tbl_name FROM sqlite_master ORDER BY name",
            "SELECT * FROM pragma_table_info('store')",
            "SELECT * FROM pragma_index_list('store')",
            "SELECT * FROM store_migrations",
        ):
            assert rows(path, query) == rows(path + "2", query)
