"""The Postgres savers: one statement a superstep, no lock around a pool, the rest as upstream's."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import pytest
from _driver_graphs import PATIENCE, State, chain, fan_out, thread

from langgraph_rust.checkpoint.base import empty_checkpoint
from langgraph_rust.checkpoint.base.id import uuid6
from langgraph_rust.checkpoint.serde.types import ERROR, INTERRUPT, RESUME, TASKS, _DeltaSnapshot
from langgraph_rust.checkpoint.single_writer import fork
from langgraph_rust.types import interrupt

psycopg: Any = pytest.importorskip(
    "psycopg", reason="psycopg, or the libpq that it needs", exc_type=ImportError
)
psycopg_pool: Any = pytest.importorskip("psycopg_pool")

from langgraph_rust.checkpoint.postgres import (  # noqa: E402
    PostgresSaver,
    ShallowPostgresSaver,
    _reads,
    _rows,
)
from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver  # noqa: E402
from langgraph_rust.checkpoint.postgres.base import BasePostgresSaver  # noqa: E402

SUPERSTEPS = 2
"""Those of a run besides its nodes': its input, and what begins it."""

PLACE: Any = {"configurable": {"thread_id": "1", "checkpoint_ns": ""}}
TABLES = "checkpoints", "checkpoint_blobs", "checkpoint_writes"
AUTOCOMMIT = {"autocommit": True}


@pytest.fixture
def saver(database: str) -> Iterator[PostgresSaver]:
    with PostgresSaver.from_conn_string(database) as saver:
        saver.setup()
        yield saver


@contextmanager
def pooled(database: str, **options: Any) -> Iterator[Any]:
    options = {"min_size": 1, "max_size": 4, "kwargs": AUTOCOMMIT, **options}
    with psycopg_pool.ConnectionPool(database, **options) as pool:
        saver = PostgresSaver(pool)
        saver.setup()
        yield saver


@asynccontextmanager
async def apooled(database: str, **options: Any) -> AsyncIterator[Any]:
    options = {"min_size": 1, "max_size": 4, "kwargs": AUTOCOMMIT, **options}
    async with psycopg_pool.AsyncConnectionPool(database, **options) as pool:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        yield saver


class Recording(psycopg.Cursor):
    """A cursor that remembers what it executes."""

    seen: list[str]

    def execute(self, query: Any, *given: Any, **named: Any) -> Any:
        self.seen.append(query)
        return super().execute(query, *given, **named)

    def executemany(self, query: Any, *given: Any, **named: Any) -> Any:
        self.seen.append(query)
        return super().executemany(query, *given, **named)


def statements(saver: PostgresSaver) -> list[str]:
    seen: list[str] = []
    saver.conn.cursor_factory = type("Own", (Recording,), {"seen": seen})
    return seen


def commits(database: str) -> int:
    """How many transactions others have committed; what is counted is seen a moment later."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("SELECT pg_stat_force_next_flush()")
        return conn.execute(
            "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()[0]


def rows(database: str, table: str) -> list[Any]:
    with psycopg.connect(database) as conn:
        return sorted(conn.execute(f"SELECT * FROM {table}").fetchall(), key=repr)


def node(_: State) -> State:
    return {"log": [1]}


async def anode(_: State) -> State:
    await asyncio.sleep(0)
    return {"log": [1]}


def checkpoint(values: Any = (), step: int = 0, **more: Any) -> Any:
    made: Any = {**empty_checkpoint(), "v": 4, "id": str(uuid6(clock_seq=step)), **more}
    made["channel_values"] = dict(values)
    made["channel_versions"] = {name: f"{step}.1" for name in made["channel_values"]}
    return made


def stored(saver: Any, config: Any, values: Any = (), step: int = 0, **more: Any) -> Any:
    made = checkpoint(values, step, **more)
    return saver.put(config, made, {"source": "loop", "step": step}, made["channel_versions"])


class TestOneStatementASuperstep:
    @pytest.mark.parametrize("durability", ["sync", "async"])
    def test_of_a_chain(self, saver: PostgresSaver, durability: Any) -> None:
        seen = statements(saver)
        chain([node] * 5, checkpointer=saver).invoke({}, thread(), durability=durability)
        storing = [text for text in seen if "INSERT" in text]
        assert len(storing) == SUPERSTEPS + 5

    def test_at_exit(self, saver: PostgresSaver) -> None:
        seen = statements(saver)
        chain([node] * 5, checkpointer=saver).invoke({}, thread(), durability="exit")
        assert len([text for text in seen if "INSERT" in text]) == 1

    def test_however_much_a_task_writes(self, saver: PostgresSaver) -> None:
        place = saver.put(PLACE, checkpoint(), {}, {})
        seen = statements(saver)
        saver.put_writes(place, [("a", n) for n in range(100)], "task", "path")
        assert len([text for text in seen if "INSERT" in text]) == 1
        found = saver.get_tuple(place)
        assert found and found.pending_writes == [("task", "a", n) for n in range(100)]

    @pytest.mark.parametrize("largest", [_rows.LARGEST, 0])
    def test_what_would_be_too_large_for_one_is_a_transaction(
        self, saver: PostgresSaver, largest: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_rows, "LARGEST", largest)
        place = stored(saver, PLACE, {"large": ["x" * 1000]})
        before = place["configurable"]["checkpoint_id"]
        writes = [(before, f"t{n}", "", [("a", "x" * 1000)] * 3) for n in range(3)]
        saver.put_superstep(place, checkpoint({"b": [1]}, 1), {}, {"b": "1.1"}, writes)
        newest, first = saver.list(PLACE)
        assert len(first.pending_writes or ()) == 9
        assert newest.checkpoint["channel_values"] == {"b": [1]}

    def test_nothing_is_not_stored(self, saver: PostgresSaver) -> None:
        place = saver.put(PLACE, checkpoint(), {}, {})
        seen = statements(saver)
        saver.put_writes(place, [], "task")
        assert seen == []

    async def test_of_an_async_run(self, databases: Callable[[], str]) -> None:
        counts = []
        for length in (3, 8):
            database = databases()
            async with apooled(database) as saver:
                graph = chain([anode] * length, checkpointer=saver)
                before = commits(database)
                await graph.ainvoke({}, thread())
            time.sleep(0.1)
            counts.append(commits(database) - before)
        assert counts[1] - counts[0] == 5


class TestWholeOrNotAtAll:
    def superstep(self, saver: Any, writes: Any, values: Any = ()) -> Any:
        first = saver.put(PLACE, checkpoint(), {}, {})
        before = first["configurable"]["checkpoint_id"]
        made = checkpoint(values, 1)
        given = [(before, *own) for own in writes]
        return saver.put_superstep(first, made, {}, made["channel_versions"], given)

    def test_together(self, saver: PostgresSaver) -> None:
        writes = [("t1", "p1", [("a", 1), ("b", 2)]), ("t0", "p2", [(INTERRUPT, "?")])]
        self.superstep(saver, writes, {"large": [1], "small": 2})
        newest, first = saver.list(PLACE)
        assert first.pending_writes == [("t1", "a", 1), ("t1", "b", 2), ("t0", INTERRUPT, "?")]
        assert newest.parent_config == first.config
        assert newest.checkpoint["channel_values"] == {"large": [1], "small": 2}

    def test_what_cannot_be_encoded(self, saver: PostgresSaver) -> None:
        with pytest.raises(TypeError, match="not msgpack serializable"):
            self.superstep(saver, [("t", "", [("a", 1), ("b", object())])])
        (only,) = saver.list(PLACE)
        assert only.pending_writes == []

    @pytest.mark.parametrize("own_sql", [False, True])
    def test_what_the_database_refuses(self, saver: PostgresSaver, own_sql: bool) -> None:
        if own_sql:
            saver = OwnSql(saver.conn)
        with pytest.raises(psycopg.DataError):
            self.superstep(saver, [("t", "", [("a", 1)]), ("t2", "", [("nul\0", 1)])])
        (only,) = saver.list(PLACE)
        assert only.pending_writes == []
        assert saver.conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE

    def test_what_is_written_twice(self, saver: PostgresSaver) -> None:
        """Ordinary writes stay, reserved ones are replaced, also within one statement."""
        writes = [
            ("t", "p", [("a", 1), (ERROR, "mixed")]),
            ("t", "p", [("b", 2)]),
            ("t", "p", [(RESUME, "first"), (RESUME, "last")]),
            ("t", "p", [(ERROR, "later")]),
        ]
        self.superstep(saver, writes)
        _, joined = saver.list(PLACE)
        other = {"configurable": {"thread_id": "2", "checkpoint_ns": ""}}
        place = saver.put(other, checkpoint(), {}, {})
        for task_id, path, own in writes:
            saver.put_writes(place, own, task_id, path)
        one_by_one = saver.get_tuple(place)
        assert one_by_one and joined.pending_writes == one_by_one.pending_writes
        assert joined.pending_writes == [
            ("t", RESUME, "last"),
            ("t", ERROR, "later"),
            ("t", "a", 1),
        ]

    def test_what_is_stored_already(self, saver: PostgresSaver) -> None:
        place = saver.put(PLACE, checkpoint(), {}, {})
        for value in (1, 2):
            saver.put_writes(place, [("a", value)], "task")
            saver.put_writes(place, [(RESUME, value)], "task")
        found = saver.get_tuple(place)
        assert found and found.pending_writes == [("task", RESUME, 2), ("task", "a", 1)]


class OwnSql(PostgresSaver):
    """A saver of somebody's own, with a statement of its own."""

    UPSERT_CHECKPOINTS_SQL = PostgresSaver.UPSERT_CHECKPOINTS_SQL + " -- mine"


class TestWhoHasASay:
    def test_statements_that_are_overridden_are_used(self, saver: PostgresSaver) -> None:
        seen = statements(saver)
        chain([node] * 3, checkpointer=OwnSql(saver.conn)).invoke({}, thread())
        assert len([text for text in seen if text.endswith("-- mine")]) == SUPERSTEPS + 3
        assert saver.get_tuple(thread()).checkpoint["channel_values"]["log"] == [1, 1, 1]

    def test_methods_that_are_overridden_are_called(self, saver: PostgresSaver) -> None:
        calls: list[str] = []

        class Own(PostgresSaver):
            def put_writes(self, *arguments: Any, **named: Any) -> None:
                calls.append("put_writes")
                super().put_writes(*arguments, **named)

        chain([node] * 3, checkpointer=Own(saver.conn)).invoke({}, thread())
        assert calls == ["put_writes"] * 4

    def test_so_are_the_ways_to_encode(self, saver: PostgresSaver) -> None:
        calls: list[str] = []

        class Own(PostgresSaver):
            def _dump_writes(self, *given: Any) -> Any:
                calls.append("writes")
                return super()._dump_writes(*given)

            def _dump_blobs(self, *given: Any) -> Any:
                calls.append("blobs")
                return super()._dump_blobs(*given)

        chain([node], checkpointer=Own(saver.conn)).invoke({}, thread())
        assert {*calls} == {"writes", "blobs"}


class TestPools:
    def test_calls_do_not_wait_for_each_other(self, database: str) -> None:
        with pooled(database) as saver, saver.conn.connection() as conn, conn.transaction():
            place = saver.put(PLACE, checkpoint(), {}, {})
            # Whoever reads a checkpoint waits, and whoever stores writes does not.
            conn.execute("LOCK TABLE checkpoint_blobs IN ACCESS EXCLUSIVE MODE")
            blocked = threading.Thread(target=saver.get_tuple, args=(place,))
            blocked.start()
            try:
                saver.put_writes(place, [("a", 1)], "task")
            finally:
                conn.execute("ROLLBACK")
                blocked.join(PATIENCE)

    async def test_async_ones_do_not_either(self, database: str) -> None:
        async with apooled(database) as saver, saver.conn.connection() as conn:
            place = await saver.aput(PLACE, checkpoint(), {}, {})
            await conn.execute("BEGIN")
            await conn.execute("LOCK TABLE checkpoint_blobs IN ACCESS EXCLUSIVE MODE")
            blocked = asyncio.ensure_future(saver.aget_tuple(place))
            await asyncio.sleep(0.05)
            await asyncio.wait_for(saver.aput_writes(place, [("a", 1)], "task"), PATIENCE)
            assert not blocked.done()
            await conn.execute("ROLLBACK")
            assert await blocked is not None

    def test_nothing_is_encoded_with_a_connection_taken(self, database: str) -> None:
        with pooled(database, max_size=1) as saver:

            class Asks:
                def dumps_typed(self, value: Any) -> Any:
                    saver.get_tuple(PLACE)
                    return inner.dumps_typed(value)

                def loads_typed(self, value: Any) -> Any:
                    saver.put_writes(place, [], "task")
                    assert saver.conn.get_stats()["pool_available"] == 1
                    return inner.loads_typed(value)

            inner, saver.serde = saver.serde, Asks()
            place = stored(saver, PLACE, {"large": [1]})
            saver.put_writes(place, [("a", 1)], "task")
            assert len([*saver.list(PLACE)]) == 1
            assert saver.get_tuple(place).pending_writes == [("task", "a", 1)]
            saver.get_delta_channel_history(config=place, channels=["large"])

    def test_of_connections_without_autocommit(self, database: str) -> None:
        with PostgresSaver.from_conn_string(database) as saver:
            saver.setup()
        with psycopg_pool.ConnectionPool(database, min_size=1) as pool:
            saver = PostgresSaver(pool)
            chain([node], checkpointer=saver).invoke({}, thread())
            saver.prune(["1"])
        assert len(rows(database, "checkpoints")) == 1

    @pytest.mark.parametrize("threshold", [None, 0, 5])
    def test_statements_are_prepared_as_the_connection_says(
        self, database: str, threshold: int | None
    ) -> None:
        kwargs = {**AUTOCOMMIT, "prepare_threshold": threshold}
        with pooled(database, max_size=1, kwargs=kwargs) as saver:
            chain([node] * 10, checkpointer=saver).invoke({}, thread())
            with saver.conn.connection() as conn:
                query = "SELECT statement FROM pg_prepared_statements"
                known = conn.execute(query, prepare=False).fetchall()
        assert any("INSERT" in text for (text,) in known) == (threshold is not None)


def end_connections(database: str) -> None:
    """End all connections to a database but the one that is used for it."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


class TestLostConnections:
    def test_a_pool_replaces_them(self, database: str) -> None:
        with pooled(database, min_size=4) as saver:
            saver.conn.wait()
            for _ in range(3):
                end_connections(database)
                place = stored(saver, PLACE, {"a": [1]})
                end_connections(database)
                saver.put_writes(place, [("a", 1)], "task")
                end_connections(database)
                assert saver.get_tuple(place).pending_writes == [("task", "a", 1)]

    async def test_so_does_an_async_one(self, database: str) -> None:
        async with apooled(database, min_size=4) as saver:
            await saver.conn.wait()
            for _ in range(3):
                await asyncio.to_thread(end_connections, database)
                place = await saver.aput(PLACE, checkpoint(), {}, {})
                await asyncio.to_thread(end_connections, database)
                await saver.aput_writes(place, [("a", 1)], "task")
                await asyncio.to_thread(end_connections, database)
                found = await saver.aget_tuple(place)
                assert found and found.pending_writes == [("task", "a", 1)]

    @pytest.mark.parametrize("reads", [True, False])
    def test_while_a_statement_runs_only_reading_is_tried_again(
        self, database: str, reads: bool
    ) -> None:
        ended: list[int] = []

        class Ends(psycopg.Cursor):
            def execute(self, query: Any, *given: Any, **named: Any) -> Any:
                if not ended and ("SELECT\n" in query if reads else "INSERT" in query):
                    ended.append(1)
                    end_connections(database)
                return super().execute(query, *given, **named)

        with pooled(database) as own:
            place = own.put(PLACE, checkpoint(), {}, {})
        with psycopg_pool.ConnectionPool(
            database, min_size=1, kwargs={**AUTOCOMMIT, "cursor_factory": Ends}
        ) as pool:
            saver: Any = PostgresSaver(pool)
            if reads:
                assert saver.get_tuple(place) is not None
            else:
                with pytest.raises(psycopg.OperationalError):
                    saver.put_writes(place, [("a", 1)], "task")
                assert saver.get_tuple(place).pending_writes == []
            assert ended

    async def test_so_it_is_by_the_async_saver(self, database: str) -> None:
        ended: list[int] = []

        class Ends(psycopg.AsyncCursor):
            async def execute(self, query: Any, *given: Any, **named: Any) -> Any:
                if not ended and "SELECT\n" in query:
                    ended.append(1)
                    await asyncio.to_thread(end_connections, database)
                return await super().execute(query, *given, **named)

        async with apooled(database, kwargs={**AUTOCOMMIT, "cursor_factory": Ends}) as saver:
            place = await saver.aput(PLACE, checkpoint(), {}, {})
            assert await saver.aget_tuple(place) is not None
            assert ended

    def test_a_single_one_that_is_closed(self, saver: PostgresSaver) -> None:
        saver.conn.close()
        with pytest.raises(psycopg.OperationalError, match=r"closed.*ConnectionPool"):
            saver.get_tuple(PLACE)

    async def test_a_single_async_one_that_is_closed(self, database: str) -> None:
        async with AsyncPostgresSaver.from_conn_string(database) as saver:
            await saver.conn.close()
            with pytest.raises(psycopg.OperationalError, match=r"closed.*AsyncConnectionPool"):
                await saver.aget_tuple(PLACE)


class TestConnections:
    def test_a_statement_that_an_interrupt_left_is_ended(self, saver: PostgresSaver) -> None:
        place = stored(saver, PLACE, {"a": [1]})
        saver.conn.pgconn.send_query(b"SELECT pg_sleep(600)")
        saver.put_writes(place, [("a", 1)], "task")
        assert saver.get_tuple(place).pending_writes == [("task", "a", 1)]

    def test_so_is_the_transaction_that_it_was_in(self, database: str) -> None:
        interrupts: list[int] = []

        class Interrupted(psycopg.Cursor):
            def execute(self, query: Any, *given: Any, **named: Any) -> Any:
                if interrupts:
                    self.connection.pgconn.send_query(b"SELECT pg_sleep(600)")
                    raise KeyboardInterrupt
                return super().execute(query, *given, **named)

        with PostgresSaver.from_conn_string(database) as own:
            own.setup()
            with psycopg.connect(database, cursor_factory=Interrupted) as conn:
                saver: Any = PostgresSaver(conn)
                # In a pipeline, psycopg refuses what the cursor does here.
                saver.single_writer = "off"
                place = stored(saver, PLACE, {"a": [1]})
                interrupts.append(1)
                with pytest.raises(KeyboardInterrupt):
                    saver.put_writes(place, [("a", 1)], "lost")
                assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
                interrupts.clear()
                saver.put_writes(place, [("a", 2)], "task")
            assert own.get_tuple(place).pending_writes == [("task", "a", 2)]

    def test_a_single_one_is_used_by_one_thread_at_a_time(self, saver: PostgresSaver) -> None:
        def run(number: int) -> Any:
            graph = chain([node] * 5, checkpointer=saver)
            return graph.invoke({}, thread(str(number)))["log"]

        with ThreadPoolExecutor(8) as threads:
            assert [*threads.map(run, range(16))] == [[1] * 5] * 16

    @pytest.mark.parametrize("is_async", [False, True])
    async def test_in_a_pipeline_all_the_time(self, database: str, is_async: bool) -> None:
        if is_async:
            async with AsyncPostgresSaver.from_conn_string(database, pipeline=True) as saver:
                await saver.setup()
                graph = chain([anode] * 3, checkpointer=saver)
                assert (await graph.ainvoke({}, thread()))["log"] == [1] * 3
                await saver.aprune(["1"])
                with suppress(psycopg.Error):
                    await saver.aput(PLACE, checkpoint({"nul\0": 1}), {}, {})
                assert len([it async for it in saver.alist(None)]) == 1
        else:
            with PostgresSaver.from_conn_string(database, pipeline=True) as own:
                own.setup()
                graph = chain([node] * 3, checkpointer=own)
                assert graph.invoke({}, thread())["log"] == [1] * 3
                own.prune(["1"])
                with suppress(psycopg.Error):
                    own.put(PLACE, checkpoint({"nul\0": 1}), {}, {})
                assert len([*own.list(None)]) == 1
        assert len(rows(database, "checkpoints")) == 1

    def test_without_autocommit_what_is_stored_is_stored(self, saver: PostgresSaver) -> None:
        conninfo = saver.conn.info.dsn + " password=postgres"
        with psycopg.connect(conninfo) as conn:
            own = PostgresSaver(conn)
            place = own.put(PLACE, checkpoint(), {}, {})
            assert saver.get_tuple(place) is not None
            assert own.get_tuple(place) is not None
            assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
            conn.execute("SELECT 1")
            other = own.put(PLACE, checkpoint(), {}, {})
            conn.rollback()
            assert own.get_tuple(other) is None

    def test_that_are_none(self) -> None:
        with pytest.raises(TypeError, match=r"str.*ConnectionPool"):
            PostgresSaver("postgres://").get_tuple(PLACE)  # type: ignore[arg-type]

    def test_a_pool_has_no_pipeline(self, saver: PostgresSaver) -> None:
        with saver.conn.pipeline() as pipe, pytest.raises(ValueError, match="single Connection"):
            PostgresSaver(psycopg_pool.ConnectionPool("", open=False), pipe)

    def test_tables_are_made_by_several_at_once(self, database: str) -> None:
        begin = threading.Barrier(4, timeout=PATIENCE)

        def make(_: int) -> None:
            with PostgresSaver.from_conn_string(database) as saver:
                begin.wait()
                saver.setup()

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(make, range(4)))
        versions = [version for (version,) in rows(database, "checkpoint_migrations")]
        assert sorted(versions) == [*range(len(BasePostgresSaver.MIGRATIONS))]

    async def test_sync_methods_from_the_loops_own_thread(self, database: str) -> None:
        async with apooled(database) as saver:
            for call in (saver.get_tuple, lambda given: next(saver.list(given)), saver.prune):
                with pytest.raises(asyncio.InvalidStateError, match="different thread"):
                    call(PLACE)
            place = await asyncio.to_thread(saver.put, PLACE, checkpoint(), {}, {})
            await asyncio.to_thread(saver.put_writes, place, [("a", 1)], "task")
            await asyncio.to_thread(saver.copy_thread, "1", "2")
            await asyncio.to_thread(saver.delete_thread, "1")
            (found,) = await asyncio.to_thread(lambda: [*saver.list(None)])
            assert found.config["configurable"]["thread_id"] == "2"
            assert found.pending_writes == [("task", "a", 1)]
            graph = chain([node], checkpointer=saver)
            await asyncio.to_thread(graph.invoke, {}, thread("3"))

    async def test_a_run_that_is_cancelled_leaves_the_connection_usable(
        self, database: str
    ) -> None:
        async with AsyncPostgresSaver.from_conn_string(database) as saver:
            await saver.setup()
            graph = chain([anode] * 50, checkpointer=saver)
            for delay in range(1, 30):
                run = asyncio.ensure_future(graph.ainvoke({}, thread(str(delay))))
                await asyncio.sleep(delay / 1000)
                run.cancel()
                with suppress(asyncio.CancelledError):
                    await run
            await saver.aput(PLACE, checkpoint(), {}, {})
            assert len([it async for it in saver.alist(PLACE)]) >= 1


class TestThreads:
    def test_copies(self, saver: PostgresSaver) -> None:
        def asks(_: State) -> State:
            return {"log": [interrupt("?")]}

        graph = chain([node, asks], checkpointer=saver)
        graph.invoke({}, thread())
        saver.copy_thread("1", "2")
        first = [*saver.list({"configurable": {"thread_id": "1"}})]
        copy = [*saver.list({"configurable": {"thread_id": "2"}})]
        assert len(first) == 3
        assert [it.checkpoint for it in first] == [it.checkpoint for it in copy]
        assert [it.pending_writes for it in first] == [it.pending_writes for it in copy]

    def test_deletes_everything(self, saver: PostgresSaver, database: str) -> None:
        for name in ("1", "2"):
            fan_out([node] * 2, checkpointer=saver).invoke({"value": [1]}, thread(name))
        saver.delete_thread("1")
        for table in TABLES:
            assert {row[0] for row in rows(database, table)} == {"2"}

    def test_deletes_what_a_run_left(self, saver: PostgresSaver, database: str) -> None:
        saver.linear_storage = False
        graph = chain([node] * 2, checkpointer=saver)
        for run_id in ("a", "b"):
            graph.invoke({}, {**thread(), "metadata": {"run_id": run_id}})
        graph.invoke({}, {**thread("2"), "metadata": {"run_id": "a"}})
        saver.delete_for_runs(["a"])
        left = [*saver.list(None)]
        assert left and {it.metadata["run_id"] for it in left} == {"b"}
        known = {it.config["configurable"]["checkpoint_id"] for it in left}
        assert {row[2] for row in rows(database, "checkpoint_writes")} <= known
        assert left[0].checkpoint["channel_values"]["log"] == [1] * 4
        used = {
            (channel, version)
            for it in left
            for channel, version in it.checkpoint["channel_versions"].items()
        }
        # Those of the newest that is gone stay: a run may just be beginning on it.
        blobs = {(row[2], row[3]) for row in rows(database, "checkpoint_blobs")}
        assert len(blobs - used) <= 1 and rows(database, "checkpoint_blobs")[0][0] == "1"

    def test_a_run_that_begins_on_what_is_deleted_keeps_its_values(
        self, saver: PostgresSaver
    ) -> None:
        old = saver.put(
            PLACE, made := checkpoint({"a": [1]}, 1), {"run_id": "a"}, made["channel_versions"]
        )
        made = checkpoint({"a": [2]}, 2)
        newest = saver.put(old, made, {"run_id": "b"}, made["channel_versions"])
        saver.delete_for_runs(["b"])
        later = {**made, "id": str(uuid6(clock_seq=3))}
        found = saver.get_tuple(saver.put(fork(newest), later, {"run_id": "c"}, {}))
        assert found and found.checkpoint["channel_values"] == {"a": [2]}

    def test_the_saver_can_be_used_while_it_lists(self, saver: PostgresSaver) -> None:
        graph = chain([node] * (_reads.PAGE * 2), checkpointer=saver)
        graph.invoke({}, thread())
        seen = []
        for found in saver.list({"configurable": {"thread_id": "1"}}):
            seen.append(found.config["configurable"]["checkpoint_id"])
            assert saver.get_tuple(found.config) is not None
        assert seen == sorted(seen, reverse=True)
        assert len({*seen}) == len(seen) == SUPERSTEPS + _reads.PAGE * 2


class TestLists:
    @pytest.mark.parametrize("page", [1, 2, 3, 64])
    def test_page_by_page(
        self, saver: PostgresSaver, page: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_reads, "PAGE", page)
        for name in ("1", "2"):
            for ns in ("", "inner"):
                place: Any = {"configurable": {"thread_id": name, "checkpoint_ns": ns}}
                for step in range(3):
                    place = stored(saver, place, step=step)
        for source, target in (("1", "3"), ("1", "4")):
            saver.copy_thread(source, target)

        def found(*given: Any, **named: Any) -> list[tuple[str, str, str]]:
            return [tuple(it.config["configurable"].values()) for it in saver.list(*given, **named)]

        everything = found(None)
        assert len({*everything}) == len(everything) == 24
        ids = [checkpoint_id for _, _, checkpoint_id in everything]
        assert ids == sorted(ids, reverse=True)
        assert found(None, limit=7) == everything[:7]
        assert found(None, limit=0) == []
        own = {"configurable": {"thread_id": "3"}}
        assert found(own) == [it for it in everything if it[0] == "3"]
        assert len(found(own, filter={"step": 1})) == 2
        before: Any = {"configurable": {"checkpoint_id": ids[10]}}
        assert found(None, before=before) == [it for it in everything if it[2] < ids[10]]

    def test_packets_of_an_old_format(self, saver: PostgresSaver) -> None:
        for name in ("1", "2"):
            place: Any = {"configurable": {"thread_id": name, "checkpoint_ns": ""}}
            first = stored(saver, place, v=1)
            saver.put_writes(first, [(TASKS, f"{name}a"), (TASKS, f"{name}b")], "task")
            stored(saver, first, step=1, v=1)
        for found in saver.list(None):
            name = found.config["configurable"]["thread_id"]
            wanted = {TASKS: [f"{name}a", f"{name}b"]} if found.parent_config else {}
            assert found.checkpoint["channel_values"] == wanted
        assert saver.get_tuple(place).checkpoint["channel_values"] == {TASKS: ["2a", "2b"]}


class TestValues:
    VALUES = {
        "none": None,
        "text": "é\N{SNOWMAN}",
        "nul": "a\0b",
        "int": 2**63,
        "float": 0.1,
        "infinite": float("inf"),
        "bool": True,
        "bytes": b"\0\xff",
        "list": [1, {"a": [1, 2]}],
        r"back\slash 'quote' \\x41 {brace}": ["channel"],
        "": [1],
    }

    def test_come_back_as_they_were(self, saver: PostgresSaver) -> None:
        place = stored(saver, PLACE, self.VALUES)
        saver.put_writes(place, [*self.VALUES.items()], r"task\1", "päth")
        found = saver.get_tuple(place)
        assert found is not None
        assert repr(dict(sorted(found.checkpoint["channel_values"].items()))) == repr(
            dict(sorted(self.VALUES.items()))
        )
        assert found.pending_writes == [(r"task\1", *own) for own in self.VALUES.items()]

    def test_whatever_the_connection_encodes_texts_in(self, database: str) -> None:
        with PostgresSaver.from_conn_string(f"{database}?client_encoding=latin1") as saver:
            saver.setup()
            place = stored(saver, PLACE, {"ä": [1], "b": "ö"})
            saver.put_writes(place, [("ü", 1)], "täsk", "päth")
        with PostgresSaver.from_conn_string(database) as saver:
            found = saver.get_tuple(place)
        assert found and found.checkpoint["channel_values"] == {"ä": [1], "b": "ö"}
        assert found.pending_writes == [("täsk", "ü", 1)]

    def test_shallow_channels_without_a_value(self, database: str) -> None:
        with (
            pytest.warns(DeprecationWarning),
            ShallowPostgresSaver.from_conn_string(database) as saver,
        ):
            saver.setup()
            place = stored(saver, PLACE, {"a": [1]})
            made = checkpoint({"a": [1]}, 1)
            place = saver.put(place, made, {}, {"a": "1.1", "gone": "1.1"})
            found = saver.get_tuple(place)
            assert found and found.checkpoint["channel_values"] == {"a": [1]}

    def test_thread_ids_may_be_numbers(self, saver: PostgresSaver) -> None:
        place = saver.put(
            {"configurable": {"thread_id": 7, "checkpoint_ns": ""}}, checkpoint(), {}, {}
        )
        saver.put_writes(place, [("a", 1)], "task")
        assert saver.get_tuple(place).pending_writes == [("task", "a", 1)]
        assert len([*saver.list({"configurable": {"thread_id": 7}})]) == 1
        saver.delete_thread(7)  # type: ignore[arg-type]
        assert saver.get_tuple(place) is None

    def test_writes_need_a_checkpoint(self, saver: PostgresSaver) -> None:
        with pytest.raises(KeyError, match="checkpoint_id"):
            saver.put_writes(PLACE, [("a", 1)], "task")


class TestDeltaHistory:
    def test_ancestors_whose_ids_are_in_no_order(self, saver: PostgresSaver) -> None:
        saver.single_writer = "off"
        place: Any = PLACE
        for step, own in enumerate(("5", "9", "1", "7")):
            made = checkpoint({"a": _DeltaSnapshot([0])} if step == 1 else {}, step, id=own)
            place = saver.put(place, made, {}, made["channel_versions"])
            saver.put_writes(place, [("a", step)], "task")
        history = saver.get_delta_channel_history(config=place, channels=["a", "b", "a"])
        assert history["a"]["seed"].value == [0]
        assert [value for _, _, value in history["a"]["writes"]] == [1, 2]
        assert history["b"] == {"writes": []}

    def test_long_chains(self, saver: PostgresSaver) -> None:
        length = 1500
        with saver.conn.cursor() as cursor:
            cursor.execute(
                "INSERT INTO checkpoints SELECT '1', '', lpad(n::text, 5, '0'), "
                "CASE WHEN n > 0 THEN lpad((n - 1)::text, 5, '0') END, NULL, jsonb_build_object("
                "'v', 4, 'channel_values', CASE WHEN n = 0 THEN '{\"a\": 7}' ELSE '{}' END::jsonb),"
                " '{}' FROM generate_series(0, %s) n",
                (length,),
            )
        config: Any = {"configurable": {**PLACE["configurable"], "checkpoint_id": f"{length:05}"}}
        old: Any = {"configurable": {**PLACE["configurable"], "checkpoint_id": "00003"}}
        saver.put_writes(fork(old), [("a", 1)], "t")
        history = saver.get_delta_channel_history(config=config, channels=["a"])
        assert history["a"] == {"seed": 7, "writes": [("t", "a", 1)]}

    def test_a_checkpoint_that_is_its_own_ancestor(self, saver: PostgresSaver) -> None:
        for own, parent in (("1", "2"), ("2", "1")):
            config = {"configurable": {**PLACE["configurable"], "checkpoint_id": parent}}
            place = saver.put(config, checkpoint(id=own), {}, {})
        assert saver.get_delta_channel_history(config=place, channels=["a"]) == {
            "a": {"writes": []}
        }

    async def test_of_an_unknown_thread(self, database: str) -> None:
        async with apooled(database) as saver:
            history = await saver.aget_delta_channel_history(config=PLACE, channels=["a"])
            assert history == {"a": {"writes": []}}
            assert await saver.aget_delta_channel_history(config=PLACE, channels=[]) == {}


class TestPrune:
    def test_names_the_fix(self, saver: PostgresSaver) -> None:
        with pytest.raises(ValueError, match="'keep_latest' or 'delete'"):
            saver.prune(["1"], strategy="all")
        with pytest.raises(TypeError, match="not a str"):
            saver.prune("1")

    def test_a_thread_goes_on(self, saver: PostgresSaver, database: str) -> None:
        graph = chain([node] * 3, checkpointer=saver)
        graph.invoke({}, thread())
        saver.prune(["1"])
        assert len(rows(database, "checkpoints")) == 1
        assert graph.invoke({}, thread())["log"] == [1] * 6


class TestShallow:
    def test_a_thread_goes_on(self, database: str) -> None:
        def asks(_: State) -> State:
            return {"log": [interrupt("?")]}

        with pytest.warns(DeprecationWarning, match="PostgresSaver"):
            context = ShallowPostgresSaver.from_conn_string(database)
            with context as saver:
                saver.setup()
                graph = chain([node, asks], checkpointer=saver)
                graph.invoke({}, thread())
                assert graph.get_state(thread()).next == ("n1",)
                from langgraph_rust.types import Command

                assert graph.invoke(Command(resume=2), thread())["log"] == [1, 2]
        assert len(rows(database, "checkpoints")) == 1


class TestTablesThatAreNotThere:
    SAID = r'relation "checkpoint\w*" does not exist(.|\n)*\nCall `setup\(\)` of the saver once\.'

    def test_are_to_be_made(self, database: str) -> None:
        with PostgresSaver.from_conn_string(database) as saver:
            graph = chain([lambda _: {"log": [1]}], checkpointer=saver)
            with pytest.raises(psycopg.errors.UndefinedTable, match=self.SAID):
                saver.get_tuple(PLACE)
            with pytest.raises(psycopg.errors.UndefinedTable, match=self.SAID):
                graph.invoke({"log": []}, thread("1"))
            saver.setup()
            graph.invoke({"log": []}, thread("1"))

    def test_so_it_is_with_a_pool_and_in_pipeline_mode(self, database: str) -> None:
        with psycopg_pool.ConnectionPool(database, kwargs=AUTOCOMMIT, min_size=1) as pool:
            with pytest.raises(psycopg.errors.UndefinedTable, match=self.SAID):
                PostgresSaver(pool).prune(["1"], last=2)
        with PostgresSaver.from_conn_string(database, pipeline=True) as saver:
            with pytest.raises(psycopg.errors.UndefinedTable, match=self.SAID):
                saver.get_tuple(PLACE)

    async def test_so_says_the_async_saver(self, database: str) -> None:
        async with AsyncPostgresSaver.from_conn_string(database) as saver:
            with pytest.raises(psycopg.errors.UndefinedTable, match=self.SAID):
                await saver.aget_tuple(PLACE)
            with pytest.raises(psycopg.errors.UndefinedTable, match=self.SAID):
                await saver.aput_writes(
                    {"configurable": {**PLACE["configurable"], "checkpoint_id": "1"}},
                    [("a", 1), ("b", 2)],
                    "t",
                )
