"""The Postgres stores: one transaction a batch, no lock around a pool, the rest as upstream's."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timezone
from typing import Any

import pytest

from langgraph_rust.store.base import (
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchOp,
)

psycopg: Any = pytest.importorskip(
    "psycopg", reason="psycopg, or the libpq that it needs", exc_type=ImportError
)
psycopg_pool: Any = pytest.importorskip("psycopg_pool")

from psycopg import errors  # noqa: E402
from psycopg.types.json import set_json_dumps, set_json_loads  # noqa: E402

from langgraph_rust.store.postgres import AsyncPostgresStore, PostgresStore  # noqa: E402
from langgraph_rust.store.postgres._schema import explained  # noqa: E402
from langgraph_rust.store.postgres.base import Migration, get_distance_operator  # noqa: E402

PATIENCE = 30
"""Seconds that something may take which takes no time unless it hangs."""

HOUR = 60
"""Minutes."""

NS = ("users", "1")


def embed(texts: Sequence[str]) -> list[list[float]]:
    """Counts `a`, `b` and `c`."""
    return [[float(text.count(letter)) for letter in "abc"] for text in texts]


INDEX: Any = {"dims": 3, "embed": embed, "fields": ["text"]}


@pytest.fixture(params=["connection", "pipeline", "pool"])
def options(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {
        "connection": {},
        "pipeline": {"pipeline": True},
        "pool": {"pool_config": {"max_size": 3}},
    }[request.param]


@pytest.fixture
def store(database: str, options: dict[str, Any]) -> Iterator[PostgresStore]:
    with PostgresStore.from_conn_string(database, **options) as store:
        store.setup()
        yield store


@contextmanager
def made(database: str, **options: Any) -> Iterator[PostgresStore]:
    with PostgresStore.from_conn_string(database, **options) as store:
        store.setup()
        yield store


@asynccontextmanager
async def amade(database: str, **options: Any) -> AsyncIterator[AsyncPostgresStore]:
    async with AsyncPostgresStore.from_conn_string(database, **options) as store:
        await store.setup()
        yield store


def rows(database: str, sql: str) -> list[Any]:
    with psycopg.connect(database, autocommit=True) as conn:
        cursor = conn.execute(sql)
        return cursor.fetchall() if cursor.description else []


def keys(found: Any) -> list[str]:
    return [item.key for item in found]


class TestBatches:
    def test_items_come_back(self, store: PostgresStore) -> None:
        store.put(NS, "k", {"n": 1, "é": [None, "x\ny", {"deep": True}]})
        item = store.get(NS, "k")
        assert item is not None
        assert (item.namespace, item.key) == (NS, "k")
        assert item.value == {"n": 1, "é": [None, "x\ny", {"deep": True}]}
        assert item.created_at == item.updated_at
        assert item.created_at.tzinfo is not None
        store.put(NS, "k", {"n": 2})
        again = store.get(NS, "k")
        assert again is not None
        assert again.value == {"n": 2}
        assert again.created_at == item.created_at < again.updated_at
        store.delete(NS, "k")
        assert store.get(NS, "k") is None

    def test_reads_see_the_state_before_and_the_last_put_counts(self, store: PostgresStore) -> None:
        store.put(NS, "k", {"n": 0})
        results = store.batch(
            [
                PutOp(NS, "k", {"n": 1}),
                GetOp(NS, "k"),
                PutOp(NS, "gone", {"n": 1}),
                ListNamespacesOp(),
                PutOp(NS, "k", {"n": 2}),
                SearchOp(("users",)),
                PutOp(NS, "gone", None),
                GetOp(("other",), "k"),
                GetOp(NS, "k"),
            ]
        )
        assert [results[index] for index in (0, 2, 4, 6, 7)] == [None] * 5
        got, listed, found, twice = (results[index] for index in (1, 3, 5, 8))
        assert got.value == twice.value == {"n": 0}  # type: ignore[union-attr]
        assert listed == [NS]
        assert keys(found) == ["k"]
        assert [item.value for item in store.search(())] == [{"n": 2}]

    def test_nothing_to_do(self, store: PostgresStore) -> None:
        assert store.batch([]) == []

    def test_what_fails_stores_nothing(self, database: str) -> None:
        def wrong(texts: Sequence[str]) -> list[list[float]]:
            return [[1.0]] * len(texts)

        for options in ({}, {"pipeline": True}, {"pool_config": {}}):
            with made(database, index=INDEX, **options) as store:
                store.put(NS, "kept", {"text": "a"})
            with made(database, index={**INDEX, "embed": wrong}, **options) as store:
                with pytest.raises(errors.DataException, match="dimensions"):
                    store.batch([PutOp(NS, "kept", None), PutOp(NS, "new", {"text": "a"})])
                assert keys(store.search(())) == ["kept"]

    def test_any_number_at_once(self, store: PostgresStore) -> None:
        # More than there may be parameters.
        count = 14_000
        store.batch([PutOp(NS, str(number), {"n": number}) for number in range(count)])
        got = store.batch([GetOp(NS, str(number)) for number in range(count)])
        assert [item.value["n"] for item in got] == list(range(count))  # type: ignore[union-attr]
        store.batch([PutOp(NS, str(number), None) for number in range(count)])
        assert store.search(()) == []

    def test_unknown_operations_are_errors(self, store: PostgresStore) -> None:
        with pytest.raises(ValueError, match="Unknown operation type"):
            store.batch([PutOp(NS, "k", {}), "get"])  # type: ignore[list-item]
        assert store.get(NS, "k") is None

    def test_labels_are_checked_first(self, store: PostgresStore) -> None:
        with pytest.raises(InvalidNamespaceError):
            store.batch([PutOp(NS, "k", {}), GetOp(("a.b",), "k")])
        assert store.get(NS, "k") is None

    async def test_asynchronous_methods_do_the_same(
        self, database: str, options: dict[str, Any]
    ) -> None:
        async with amade(database, index=INDEX, **options) as store:
            await store.aput(NS, "a", {"text": "aaa"})
            await store.aput(NS, "b", {"text": "b"})
            found = await store.asearch(("users",), query="ab", limit=5)
            assert [item.score for item in found] == pytest.approx([2**-0.5] * 2)
            item, listed, nothing = await asyncio.gather(
                store.aget(NS, "a"), store.alist_namespaces(), store.aget(NS, "none")
            )
            assert item is not None
            assert item.value == {"text": "aaa"}
            assert (listed, nothing) == ([NS], None)
            with ThreadPoolExecutor() as executor:
                call = asyncio.get_running_loop().run_in_executor
                await call(executor, store.put, NS, "c", {"text": "c"})
                assert keys(await call(executor, lambda: store.search((), query="c", limit=1)))
            await store.adelete(NS, "a")
            assert await store.aget(NS, "a") is None

    async def test_a_synchronous_store_has_asynchronous_methods(self, database: str) -> None:
        with made(database) as store:
            await store.aput(NS, "k", {"n": 1})
            assert keys(await store.asearch(())) == ["k"]


class TestConnections:
    def test_a_batch_takes_one_connection_after_embedding(self, database: str) -> None:
        with psycopg_pool.ConnectionPool(database, min_size=1, max_size=1) as pool:

            def embed_and_look(texts: Sequence[str]) -> list[list[float]]:
                assert pool.get_stats()["pool_available"] == 1
                return embed(texts)

            store = PostgresStore(pool, index={**INDEX, "embed": embed_and_look})
            with made(database, index=INDEX):
                pass
            before = pool.get_stats().get("requests_num", 0)
            store.batch([PutOp(NS, "k", {"text": "a"}), SearchOp((), query="b"), GetOp(NS, "k")])
            assert pool.get_stats().get("requests_num", 0) == before + 1
            assert keys(store.search((), query="a")) == ["k"]

    async def test_the_same_with_asyncio(self, database: str) -> None:
        async with amade(database, index=INDEX, pool_config={"max_size": 1}) as store:
            pool: Any = store.conn

            async def embed_and_look(texts: Sequence[str]) -> list[list[float]]:
                assert pool.get_stats()["pool_available"] == 1
                return embed(texts)

            own = AsyncPostgresStore(pool, index={**INDEX, "embed": embed_and_look})
            before = pool.get_stats().get("requests_num", 0)
            await own.abatch([PutOp(NS, "k", {"text": "a"}), SearchOp((), query="b")])
            assert pool.get_stats().get("requests_num", 0) == before + 1

    def test_what_cannot_be_encoded_never_reaches_a_connection(self, store: PostgresStore) -> None:
        with pytest.raises(TypeError, match="not JSON serializable"):
            store.batch([PutOp(NS, "good", {}), PutOp(NS, "bad", {"at": object()})])
        assert store.search(()) == []

    def test_the_error_names_the_item(self, database: str) -> None:
        with made(database) as store, pytest.raises(TypeError, match=r"in the value of 'bad' in"):
            store.put(NS, "bad", {"at": object()})

    def test_connections_say_how_values_become_json(self, database: str) -> None:
        def dumps(value: Any) -> str:
            return json.dumps(value, default=str)

        at = datetime(2026, 1, 2, tzinfo=timezone.utc)

        def configure(conn: Any) -> None:
            set_json_dumps(dumps, conn)

        with made(database, pool_config={"configure": configure}) as store:
            store.put(NS, "pool", {"at": at})
        with made(database) as store:
            configure(store.conn)
            store.put(NS, "connection", {"at": at})
            assert {str(item.value["at"]) for item in store.search(())} == {str(at)}

    def test_connections_say_what_json_becomes(self, database: str) -> None:
        with psycopg.connect(database, autocommit=True) as conn:
            set_json_loads(bytes, conn)
            store = PostgresStore(conn, deserializer=lambda found: {"raw": found})
            store.setup()
            store.put(NS, "k", {"n": 1})
            item = store.get(NS, "k")
            assert item is not None
            assert item.value == {"raw": b'{"n": 1}'}
            assert [item.value for item in PostgresStore(conn).search(())] == [{"n": 1}]

    def test_threads_with_a_pool_do_not_wait_for_each_other(self, database: str) -> None:
        with made(database, pool_config={"max_size": 2}) as store:
            store.put(NS, "k", {"n": 1})
            with store._cursor(), ThreadPoolExecutor() as executor:
                assert executor.submit(store.get, NS, "k").result(PATIENCE)

    def test_threads_share_a_connection(self, database: str) -> None:
        for options in ({}, {"pipeline": True}):
            with made(database, **options) as store, ThreadPoolExecutor(8) as executor:

                def work(number: int, store: PostgresStore = store) -> None:
                    for _ in range(5):
                        store.batch([PutOp(NS, str(number), {"n": number}), GetOp(NS, "0")])
                        item = store.get(NS, str(number))
                        assert item is not None
                        assert item.value == {"n": number}

                list(executor.map(work, range(16)))

    def test_a_transaction_of_the_callers_stays_theirs(self, database: str) -> None:
        with made(database):
            pass
        with psycopg.connect(database) as conn:
            conn.execute("SELECT 1")
            store = PostgresStore(conn)
            store.put(NS, "lost", {})
            store.batch([PutOp(NS, "also", {}), GetOp(NS, "lost")])
            conn.rollback()
        with made(database) as store:
            conn = store.conn
            with pytest.raises(ZeroDivisionError), conn.transaction():
                store.put(NS, "lost", {})
                store.batch([PutOp(NS, "also", {}), GetOp(NS, "lost")])
                raise ZeroDivisionError
        assert rows(database, "SELECT key FROM store") == []

    @pytest.mark.parametrize("pool", [False, True])
    def test_without_autocommit_nothing_stays_open(self, database: str, pool: bool) -> None:
        with made(database):
            pass
        opened = psycopg_pool.ConnectionPool if pool else psycopg.connect
        with opened(database) as conn:
            store = PostgresStore(conn)
            store.put(NS, "one", {})
            store.batch([PutOp(NS, "more", {}), GetOp(NS, "one")])
            assert rows(database, "SELECT key FROM store ORDER BY 1") == [("more",), ("one",)]
            idle = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
            assert rows(database, f"{idle} AND datname = current_database()") == [(0,)]

    def test_a_pipeline_is_of_a_connection(self, database: str) -> None:
        with made(database, pool_config={}) as store:
            pipe: Any = object()
            with pytest.raises(ValueError, match="only with a single Connection"):
                PostgresStore(store.conn, pipe=pipe)

    async def test_a_pipeline_is_of_a_connection_with_asyncio_too(self, database: str) -> None:
        async with amade(database, pool_config={}) as store:
            pipe: Any = object()
            with pytest.raises(ValueError, match="only with a single AsyncConnection"):
                AsyncPostgresStore(store.conn, pipe=pipe)

    def test_what_is_no_connection_is_said_to_be_none(self) -> None:
        nothing: Any = "postgresql://"
        with pytest.raises(TypeError, match=r"Pass a psycopg.Connection"):
            PostgresStore(nothing).get(NS, "k")

    def test_a_closed_connection_says_what_to_do(self, database: str) -> None:
        with made(database) as store:
            pass
        with pytest.raises(psycopg.OperationalError, match="give it a pool"):
            store.get(NS, "k")

    def test_others_give_cursors_and_conditions_of_their_own(self, database: str) -> None:
        taken = []

        class Own(PostgresStore):
            @contextmanager
            def _cursor(self, *, pipeline: bool = False) -> Iterator[Any]:
                taken.append(pipeline)
                with self.conn.cursor(row_factory=psycopg.rows.dict_row) as cur:
                    yield cur

            def _get_filter_condition(self, key: str, op: str, value: Any) -> tuple[str, list]:
                if op == "$in":
                    return "value->>%s = ANY(%s)", [key, value]
                return super()._get_filter_condition(key, op, value)

        with psycopg.connect(database, autocommit=True) as conn:
            store = Own(conn)
            store.setup()
            taken.clear()
            for key in ("a", "b", "c"):
                store.put(NS, key, {"own": key})
            found = store.search((), filter={"own": {"$in": ["a", "c"], "$ne": "c"}})
            assert keys(found) == ["a"]
            assert store.batch([GetOp(NS, "a"), GetOp(NS, "z"), SearchOp(())])[1] is None
            assert taken == [False] * 4 + [True]

    async def test_others_call_what_carries_out_a_batch(self, database: str) -> None:
        with made(database):
            pass
        connect = psycopg.AsyncConnection.connect

        class Own(AsyncPostgresStore):
            def __init__(self) -> None:
                super().__init__(None, index=None)  # type: ignore[arg-type]

            @asynccontextmanager
            async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[Any]:
                async with await connect(database, row_factory=psycopg.rows.dict_row) as conn:
                    async with conn.cursor(binary=True) as cur:
                        yield cur

            async def abatch(self, ops: Any) -> list[Any]:
                grouped: dict[type, list[tuple[int, Any]]] = {}
                for index, op in enumerate(ops):
                    grouped.setdefault(type(op), []).append((index, op))
                results: list[Any] = [None] * sum(map(len, grouped.values()))
                await self._execute_batch(grouped, results, None)
                return results

        store = Own()
        await store.aput(NS, "k", {"n": 1})
        item, found = await asyncio.gather(store.aget(NS, "k"), store.asearch(()))
        assert item is not None
        assert keys(found) == ["k"]


class TestFilters:
    @pytest.fixture
    def values(self, database: str) -> Iterator[Callable[[dict[str, Any]], set[str]]]:
        with made(database) as store:
            for key, value in {
                "nine": 9,
                "ten": 10,
                "half": 9.5,
                "large": 2**60 + 1,
                "text": "9",
                "true": True,
                "null": None,
                "list": [1, "a"],
                "time": "2026-01-02T00:00:00+00:00",
            }.items():
                store.put(NS, key, {"v": value, "w": "'; DROP TABLE store; --"})
            yield lambda filter: set(keys(store.search((), filter=filter)))

    @pytest.mark.parametrize(
        ("filter", "found"),
        [
            ({"v": 9}, {"nine"}),
            ({"v": 9.0}, {"nine"}),
            ({"v": "9"}, {"text"}),
            ({"v": None}, {"null"}),
            ({"v": True}, {"true"}),
            ({"v": [1, "a"]}, {"list"}),
            ({"v": datetime(2026, 1, 2, tzinfo=timezone.utc)}, {"time"}),
            ({"v": {"$eq": 10}}, {"ten"}),
            ({"v": {"$gte": 9.5, "$lt": 11}}, {"half", "ten"}),
            ({"v": {"$gt": 2**60}}, {"large", "text", "time", "true", "list"}),
            ({"v": {"$lte": "9"}}, {"nine", "ten", "large", "text", "time"}),
            ({"missing": 1}, set()),
            ({"missing": {"$ne": 1}}, set()),
            ({"v": {}}, {"nine", "ten", "half", "large", "text", "true", "null", "list", "time"}),
        ],
    )
    def test_conditions(self, values: Any, filter: dict[str, Any], found: set[str]) -> None:
        # How text is ordered depends on the database, unless it is compared with digits alone.
        if filter == {"v": {"$gt": 2**60}}:
            assert "large" in values(filter)
            assert not {"nine", "ten", "half"} & values(filter)
        else:
            assert values(filter) == found

    @pytest.mark.parametrize("text", ["' OR '1'='1", "v' = '9' OR 'a", "%s", "%%", '"', "\\", "}"])
    def test_whatever_is_said_is_a_parameter(self, values: Any, text: str) -> None:
        for filter in ({text: 1}, {"v": text}, {text: {"$gt": text}}, {text: {"$lte": 1}}):
            assert values(filter) <= {"nine", "ten", "half", "large", "list", "text", "time"}
            if text in filter:
                assert values(filter) == set()
        with pytest.raises(ValueError, match="Unsupported operator"):
            values({"v": {text: 1}})
        assert values({"w": "'; DROP TABLE store; --"}) == values({})

    def test_the_message_names_the_operators(self, store: PostgresStore) -> None:
        with pytest.raises(ValueError, match=r"\$in. Filters have \$eq, .*, \$lte"):
            store.search((), filter={"v": {"$in": [1]}})


class TestNamespaces:
    LABELS = ("a_b", "axb", "a%", "a\\", "*", "é", "x y", "a\n", "'", "(", "[a]")

    def test_labels_are_what_they_are(self, store: PostgresStore) -> None:
        for label in self.LABELS:
            store.put((label,), "k", {})
            store.put((label, "below"), "k", {})
        for label in self.LABELS:
            expected = {(label,), (label, "below")}
            assert {item.namespace for item in store.search((label,))} == expected
            assert {item.namespace for item in store.search((label[:1] + "?",))} == set()
            if label != "*":
                assert set(store.list_namespaces(prefix=(label,))) == expected
                assert set(store.list_namespaces(suffix=(label, "below"))) == {(label, "below")}
        assert len(store.list_namespaces(suffix=("*", "below"))) == len(self.LABELS)

    def test_listing(self, store: PostgresStore) -> None:
        for namespace in (("a", "b", "c"), ("a", "b", "d"), ("a", "x"), ("b",)):
            store.put(namespace, "k", {})
        assert store.list_namespaces() == [("a", "b", "c"), ("a", "b", "d"), ("a", "x"), ("b",)]
        assert store.list_namespaces(max_depth=2) == [("a", "b"), ("a", "x"), ("b",)]
        assert store.list_namespaces(max_depth=2, limit=1, offset=1) == [("a", "x")]
        assert store.list_namespaces(max_depth=0) == [()]
        assert store.list_namespaces(prefix=("a", "*"), suffix=("d",)) == [("a", "b", "d")]
        empty = ListNamespacesOp((MatchCondition("prefix", ()),))
        assert len(store.batch([empty])[0]) == 4  # type: ignore[arg-type]

    def test_what_to_match_is_checked(self, store: PostgresStore) -> None:
        wrong: Any = "infix"
        with pytest.raises(ValueError, match="Unsupported match type: infix"):
            store.batch([ListNamespacesOp((MatchCondition(wrong, ("a",)),))])


class TestExpiry:
    def expiry(self, database: str, key: str) -> float:
        """Minutes until an item expires."""
        sql = f"SELECT extract(epoch FROM expires_at - now()) / 60 FROM store WHERE key = '{key}'"
        return float(rows(database, sql)[0][0])

    def test_reading_postpones_it(self, database: str) -> None:
        with made(database, ttl={"default_ttl": HOUR}) as store:
            for key in ("read", "found", "left"):
                store.put(NS, key, {"key": key})
            rows_then = "UPDATE store SET expires_at = now() + interval '1 minute' RETURNING key"
            assert len(rows(database, rows_then)) == 3
            store.batch([GetOp(NS, "read"), GetOp(NS, "left", refresh_ttl=False)])
            store.search((), filter={"key": "found"})
            store.search((), refresh_ttl=False)
            assert self.expiry(database, "read") > HOUR - 1
            assert self.expiry(database, "found") > HOUR - 1
            assert self.expiry(database, "left") < 2

    def test_reading_never_hastens_it(self, database: str) -> None:
        # Minutes are stored as whole numbers.
        with made(database) as store:
            store.put(NS, "k", {}, ttl=0.4)
            store.get(NS, "k")
            assert self.expiry(database, "k") > 0.3
            assert rows(database, "SELECT ttl_minutes FROM store") == [(0,)]

    def test_without_a_time_to_live_items_stay(self, database: str) -> None:
        with made(database, ttl={"default_ttl": HOUR}) as store:
            store.put(NS, "k", {}, ttl=None)
            store.get(NS, "k")
        assert rows(database, "SELECT expires_at, ttl_minutes FROM store") == [(None, None)]

    def test_sweeping(self, database: str, options: dict[str, Any]) -> None:
        with made(database, ttl={"omit_expired": True}, **options) as store:
            store.put(("old",), "k", {}, ttl=-1)
            store.put(NS, "k", {}, ttl=HOUR)
            assert store.get(("old",), "k") is None
            assert keys(store.search(("old",))) == []
            assert store.list_namespaces() == [NS]
            assert store.sweep_ttl() == 1
            assert store.sweep_ttl() == 0
            assert store.get(NS, "k") is not None

    def test_what_expired_is_there_until_it_is_swept(self, database: str) -> None:
        with made(database, ttl={}) as store:
            store.put(NS, "k", {}, ttl=-1)
            assert store.get(NS, "k", refresh_ttl=False) is not None

    def test_the_sweeper(self, database: str) -> None:
        with made(database, ttl={"sweep_interval_minutes": HOUR}) as store:
            swept = threading.Event()
            store.sweep_ttl = lambda: swept.set() or 0  # type: ignore[method-assign]
            done = store.start_ttl_sweeper(0.0001)
            assert store.start_ttl_sweeper() is done
            assert swept.wait(PATIENCE)
            assert store.stop_ttl_sweeper(PATIENCE)
            assert done.result(PATIENCE) is None
            assert store.stop_ttl_sweeper()
            cancelled = store.start_ttl_sweeper()
            thread = store._ttl_sweeper_thread
            assert thread is not None
            assert cancelled.cancel()
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def test_a_sweep_that_fails_is_logged(
        self, database: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with PostgresStore.from_conn_string(database, ttl={}) as without:
            assert without.start_ttl_sweeper().result(0) is None
        with made(database, ttl={"default_ttl": 1}) as store:
            failed = threading.Event()

            def fail() -> int:
                failed.set()
                raise RuntimeError("no such luck")

            store.sweep_ttl = fail  # type: ignore[method-assign]
            store.start_ttl_sweeper(0.0001)
            assert failed.wait(PATIENCE)
            store.stop_ttl_sweeper()
        assert "no such luck" in caplog.text

    def test_the_sweeper_ends_with_the_store(self, database: str) -> None:
        with psycopg.connect(database, autocommit=True) as conn:
            store = PostgresStore(conn, ttl={"default_ttl": 1})
            store.start_ttl_sweeper(HOUR)
            thread, gone = store._ttl_sweeper_thread, weakref.ref(store)
            del store
            gc.collect()
            assert gone() is None
            assert thread is not None
            thread.join(PATIENCE)
            assert not thread.is_alive()

    async def test_the_sweeper_with_asyncio(self, database: str) -> None:
        async with amade(database, ttl={"default_ttl": HOUR}) as store:
            await store.aput(NS, "old", {}, ttl=-1)
            task = await store.start_ttl_sweeper(0.0001)
            assert await store.start_ttl_sweeper() is task
            while await store.aget(NS, "old", refresh_ttl=False):
                await asyncio.sleep(0.01)
            assert await store.stop_ttl_sweeper(PATIENCE)
            assert task.done()
            cancelled = await store.start_ttl_sweeper()
            cancelled.cancel()
            assert await store.stop_ttl_sweeper()
            async with store:
                last = await store.start_ttl_sweeper()
            await asyncio.wait_for(last, PATIENCE)
            assert await store.sweep_ttl() == 0


class TestSearch:
    @pytest.mark.parametrize("vector_type", ["vector", "halfvec"])
    @pytest.mark.parametrize(
        ("distance", "scores"),
        [
            (None, [1.0, 2**-0.5, 0.0]),
            ("cosine", [1.0, 2**-0.5, 0.0]),
            ("l2", [-1.0, -(2**0.5), -(5**0.5)]),
            ("inner_product", [4.0, 2.0, 0.0]),
        ],
    )
    def test_ranking(
        self, database: str, vector_type: str, distance: str | None, scores: list[float]
    ) -> None:
        index = {**INDEX, "ann_index_config": {"vector_type": vector_type}}
        if distance:
            index["distance_type"] = distance
        with made(database, index=index) as store:
            store.put(NS, "most", {"text": "aa" if distance == "inner_product" else "a"})
            store.put(NS, "some", {"text": "ab"})
            store.put(NS, "none", {"text": "c"})
            found = store.search(("users",), query="aa")
            assert [item.score for item in found] == pytest.approx(scores, abs=1e-3)
            assert keys(found)[-1] == "none"

    def test_pages_do_not_end_early(self, database: str) -> None:
        with made(database, index=INDEX) as store:
            puts = [PutOp(NS, f"{n:02}", {"text": "a" * n + "b"}) for n in range(1, 21)]
            store.batch(puts)
            pages = [store.search((), query="a", limit=2, offset=n) for n in range(0, 20, 2)]
            found = [key for page in pages for key in keys(page)]
            assert found == [f"{n:02}" for n in range(20, 0, -1)]

    def test_each_text_is_embedded_once(self, database: str) -> None:
        asked: list[str] = []

        def count(texts: Sequence[str]) -> list[list[float]]:
            asked.extend(texts)
            return embed(texts)

        with made(database, index={**INDEX, "embed": count, "fields": ["text", "l[*]"]}) as store:
            store.batch(
                [
                    PutOp(NS, "k", {"text": "old"}),
                    PutOp(NS, "k", {"text": "a", "l": ["b", "a"]}),
                    PutOp(NS, "not", {"text": "x"}, index=False),
                    PutOp(NS, "own", {"text": "x", "other": "b"}, index=["other", "other"]),
                    PutOp(NS, "gone", None),
                    SearchOp((), query="b"),
                    SearchOp((), query="c"),
                ]
            )
            assert sorted(asked) == ["a", "b", "c"]
            vectors = rows(database, "SELECT key, field_name, embedding::text FROM store_vectors")
            assert sorted(vectors) == [
                ("k", "l[*].0", "[0,1,0]"),
                ("k", "l[*].1", "[1,0,0]"),
                ("k", "text", "[1,0,0]"),
                ("own", "other", "[0,1,0]"),
            ]
            assert keys(store.search((), query="c", limit=9)) == ["k", "own"]
            asked.clear()
            assert len(store.search((), query="")) == 3
            assert asked == []
            store.delete(NS, "k")
            assert len(rows(database, "SELECT 1 FROM store_vectors")) == 1

    def test_filters_hold_for_ranked_searches(self, database: str) -> None:
        with made(database, index=INDEX) as store:
            for key, color in (("1", "red"), ("2", "red"), ("3", "blue")):
                store.put((color,), key, {"text": "a" * int(key), "color": color, "n": int(key)})
            query = {"query": "a", "filter": {"color": "red", "n": {"$lt": 10}}}
            assert set(keys(store.search((), **query))) == {"1", "2"}
            assert keys(store.search(("blue",), **query)) == []

    def test_vectors_may_be_of_anything_like_numbers(self, database: str) -> None:
        with made(database, index={**INDEX, "embed": lambda texts: [(1, 2, True)]}) as store:
            store.put(NS, "k", {"text": "x"})
            assert [item.score for item in store.search((), query="y")] == pytest.approx([1.0])

    def test_one_vector_for_each_text(self, database: str) -> None:
        with made(database, index={**INDEX, "embed": lambda texts: []}) as store:
            with pytest.raises(ValueError, match=r"\(0\) does not match number of texts \(1\)"):
                store.put(NS, "k", {"text": "x"})
            assert store.search(()) == []

    def test_without_an_index_nothing_is_ranked(self, store: PostgresStore) -> None:
        store.put(NS, "k", {"text": "a"}, index=["text"])
        assert [item.score for item in store.search((), query="a")] == [None]
        with pytest.raises(ValueError, match="Please provide an `index`"):
            get_distance_operator(store)


class TestSetup:
    def test_tables_and_how_far_they_are(self, database: str, options: dict[str, Any]) -> None:
        for _ in range(2):
            with made(database, index=INDEX, **options) as store:
                store.put(NS, "k", {"text": "a"})
                assert keys(store.search((), query="a")) == ["k"]
        assert rows(database, "SELECT v FROM store_migrations ORDER BY v") == [
            (0,),
            (1,),
            (2,),
            (3,),
        ]
        assert rows(database, "SELECT v FROM vector_migrations ORDER BY v") == [(0,), (1,), (2,)]
        indexes = dict(rows(database, "SELECT indexname, indexdef FROM pg_indexes"))
        assert "text_pattern_ops" in indexes["store_prefix_idx"]
        assert "expires_at IS NOT NULL" in indexes["idx_store_expires_at"]
        assert "USING hnsw (embedding vector_cosine_ops)" in indexes["store_vectors_embedding_idx"]

    @pytest.mark.parametrize(
        ("config", "index"),
        [
            ({"kind": "flat"}, None),
            ({"kind": "hnsw", "m": 8, "ef_construction": "20", "other": "'"}, "m='8'"),
            ({"kind": "ivfflat", "nlist": 4, "m": 8}, "WITH (lists='4')"),
            ({"kind": "ivfflat", "lists": 0}, "USING ivfflat (embedding vector_cosine_ops)"),
        ],
    )
    def test_indexes(self, database: str, config: dict[str, Any], index: str | None) -> None:
        with made(database, index={**INDEX, "ann_index_config": config}):
            sql = "SELECT indexdef FROM pg_indexes WHERE indexname = 'store_vectors_embedding_idx'"
            found = [definition for (definition,) in rows(database, sql)]
            assert [index in definition for definition in found if index] == [True] * bool(index)

    @pytest.mark.parametrize(
        ("config", "message"),
        [
            ({"dims": "3); DROP TABLE store; --"}, "Invalid dims"),
            ({"dims": None}, "Invalid dims"),
            ({"ann_index_config": {"vector_type": "bit"}}, "Pass one of vector, halfvec"),
            ({"ann_index_config": {"kind": "btree"}}, "Pass one of hnsw, ivfflat, flat"),
            ({"ann_index_config": {"kind": "hnsw", "m": "x"}}, "value for m: x"),
            ({"distance_type": "hamming"}, "Pass one of l2, inner_product, cosine"),
        ],
    )
    def test_what_becomes_part_of_sql_is_checked(
        self, database: str, config: dict[str, Any], message: str
    ) -> None:
        with PostgresStore.from_conn_string(database, index={**INDEX, **config}) as store:
            with pytest.raises(ValueError, match=message):
                store.setup()

    def test_what_to_embed_is_checked(self) -> None:
        nothing: Any = None
        with pytest.raises(ValueError, match="must be a list or a string"):
            PostgresStore(nothing, index={**INDEX, "fields": 3})
        with pytest.raises(ValueError, match="embed must be provided"):
            PostgresStore(nothing, index={"dims": 3})  # type: ignore[typeddict-item]

    def test_several_at_once(self, database: str) -> None:
        def one(_: int) -> None:
            with made(database, index=INDEX):
                pass

        with ThreadPoolExecutor(6) as executor:
            list(executor.map(one, range(6)))
        assert rows(database, "SELECT count(*) FROM store_migrations") == [(4,)]

    def test_new_tables_can_be_part_of_a_transaction(self, database: str) -> None:
        with psycopg.connect(database) as conn:
            conn.execute("SELECT 1")
            PostgresStore(conn, index=INDEX).setup()
            conn.rollback()
        assert rows(database, "SELECT to_regclass('store')") == [(None,)]

    def test_old_tables_need_autocommit(self, database: str) -> None:
        with made(database):
            pass
        rows(database, "DROP INDEX store_prefix_idx")
        rows(database, "DELETE FROM store_migrations WHERE v > 0")
        with psycopg.connect(database) as conn:
            with pytest.raises(errors.ActiveSqlTransaction, match="autocommit=True"):
                PostgresStore(conn).setup()

    def test_without_setup(self, database: str) -> None:
        with PostgresStore.from_conn_string(database) as store:
            with pytest.raises(errors.UndefinedTable, match=r"Call `setup\(\)` of the store once"):
                store.get(NS, "k")
        with made(database), PostgresStore.from_conn_string(database, index=INDEX) as store:
            with pytest.raises(errors.UndefinedTable, match="of a store with this `index` once"):
                store.put(NS, "k", {"text": "a"})

    def test_without_pgvector(self) -> None:
        with pytest.raises(errors.FeatureNotSupported, match="not available\nA store with an"):
            with explained():
                raise errors.FeatureNotSupported('extension "vector" is not available')

    def test_without_the_right_to_add_it(self, database: str) -> None:
        rows(database, "CREATE ROLE weak")
        rows(database, "GRANT ALL ON SCHEMA public TO weak")
        with PostgresStore.from_conn_string(database, index=INDEX) as store:
            with store._cursor() as cur:
                cur.execute("SET ROLE weak")
            with pytest.raises(errors.InsufficientPrivilege, match="CREATE EXTENSION vector"):
                store.setup()

    def test_migrations_may_be_others(self, database: str) -> None:
        class Own(PostgresStore):
            MIGRATIONS = [*PostgresStore.MIGRATIONS, "CREATE TABLE own (n int)"]
            VECTOR_MIGRATIONS = [
                *PostgresStore.VECTOR_MIGRATIONS,
                Migration("CREATE TABLE %(name)s (n int)", {"name": "other"}),
            ]

        with Own.from_conn_string(database, index=INDEX) as store:
            store.setup()
        assert rows(database, "SELECT to_regclass('own'), to_regclass('other')") == [
            ("own", "other")
        ]
