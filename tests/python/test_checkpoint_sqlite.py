"""The SQLite savers: one transaction per call, shared by callers, and the rest as upstream's."""

from __future__ import annotations

import asyncio
import functools
import linecache
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from _driver_graphs import PATIENCE, State, chain, fan_out, thread

from langgraph_rust.checkpoint.base import empty_checkpoint
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.single_writer import fork
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.checkpoint.sqlite import _commits as commits_module
from langgraph_rust.checkpoint.sqlite._commits import Commits
from langgraph_rust.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph_rust.types import interrupt

SUPERSTEPS = 2
"""Those of a run besides its nodes': its input, and what begins it."""

PLACE: Any = {"configurable": {"thread_id": "1", "checkpoint_ns": ""}}


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[SqliteSaver]:
    with SqliteSaver.from_conn_string(str(tmp_path / "own.sqlite")) as saver:
        yield saver


def statements(saver: SqliteSaver) -> list[str]:
    seen: list[str] = []
    saver.setup()
    saver.conn.set_trace_callback(lambda text: seen.append(text.split(" ")[0]))
    return seen


def node(_: State) -> State:
    return {"log": [1]}


async def anode(_: State) -> State:
    await asyncio.sleep(0)
    return {"log": [1]}


def rows(path: Path, table: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as conn:
        return conn.execute(f"SELECT * FROM {table}").fetchall()


class TestOneCommitASuperstep:
    @pytest.mark.parametrize("durability", ["sync", "async"])
    def test_of_a_chain(self, saver: SqliteSaver, durability: Any) -> None:
        seen = statements(saver)
        chain([node] * 5, checkpointer=saver).invoke({}, thread(), durability=durability)
        assert seen.count("COMMIT") == SUPERSTEPS + 5
        assert seen.count("BEGIN") == SUPERSTEPS + 5

    def test_tasks_that_finish_before_others_are_stored_as_they_finish(
        self, saver: SqliteSaver
    ) -> None:
        done = threading.Event()

        def waits(_: State) -> State:
            end = threading.Event()
            while not stored(saver) and not end.wait(0.01):
                pass
            done.set()
            return {}

        fan_out([node, waits], checkpointer=saver).invoke({}, thread())
        assert done.is_set()

    def test_of_an_async_run(self, tmp_path: Path) -> None:
        seen: list[str] = []

        async def main() -> None:
            async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "own")) as saver:
                await saver.setup()
                await saver.conn.set_trace_callback(lambda text: seen.append(text.split(" ")[0]))
                await chain([anode] * 5, checkpointer=saver).ainvoke({}, thread())

        asyncio.run(main())
        assert seen.count("COMMIT") == SUPERSTEPS + 5

    def test_at_exit(self, saver: SqliteSaver) -> None:
        seen = statements(saver)
        chain([node] * 5, checkpointer=saver).invoke({}, thread(), durability="exit")
        assert seen.count("COMMIT") == 1


def stored(saver: SqliteSaver) -> list[Any]:
    with saver.cursor(transaction=False) as cursor:
        return cursor.execute("SELECT * FROM writes WHERE channel = 'log'").fetchall()


class Overridden(SqliteSaver):
    """A saver of somebody's own, who counts."""

    calls: list[str]

    def put_writes(self, *arguments: Any, **named: Any) -> None:
        self.calls.append("put_writes")
        super().put_writes(*arguments, **named)


class TestWhoHasASay:
    def test_methods_that_are_overridden_are_called(self, saver: SqliteSaver) -> None:
        own = Overridden(saver.conn)
        own.calls = []
        chain([node] * 3, checkpointer=own).invoke({}, thread())
        assert own.calls == ["put_writes"] * 4

    @pytest.mark.parametrize("cls", [SqliteSaver, InMemorySaver])
    def test_so_are_methods_that_are_replaced(
        self, cls: Any, saver: SqliteSaver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        own = saver if cls is SqliteSaver else InMemorySaver()
        calls: list[Any] = []
        before = own.put_writes
        monkeypatch.setattr(own, "put_writes", lambda *given: calls.append(1) or before(*given))
        chain([node] * 3, checkpointer=own).invoke({}, thread())
        assert len(calls) == 4

    def test_and_on_the_class(self, saver: SqliteSaver, monkeypatch: pytest.MonkeyPatch) -> None:
        calls: list[Any] = []
        before = SqliteSaver.put

        def put(self: Any, *given: Any) -> Any:
            calls.append(1)
            return before(self, *given)

        monkeypatch.setattr(SqliteSaver, "put", put)
        chain([node] * 3, checkpointer=saver).invoke({}, thread())
        assert len(calls) == SUPERSTEPS + 3


class TestWholeOrNotAtAll:
    def superstep(self, saver: Any, value: Any) -> None:
        first = saver.put(PLACE, empty_checkpoint(), {}, {})
        before = first["configurable"]["checkpoint_id"]
        writes = [(before, "task", "path", [("a", 1), ("b", value)])]
        saver.put_superstep(first, empty_checkpoint(), {}, {}, writes)

    @pytest.mark.parametrize("make", [InMemorySaver, lambda: None])
    def test_what_cannot_be_encoded(self, saver: SqliteSaver, make: Callable[[], Any]) -> None:
        own = make() or saver
        with pytest.raises(TypeError, match="not msgpack serializable"):
            self.superstep(own, object())
        (only,) = own.list(PLACE)
        assert only.pending_writes == [] and only.parent_config is None

    @pytest.mark.parametrize("make", [InMemorySaver, lambda: None])
    def test_together(self, saver: SqliteSaver, make: Callable[[], Any]) -> None:
        own = make() or saver
        self.superstep(own, 2)
        newest, first = own.list(PLACE)
        assert first.pending_writes == [("task", "a", 1), ("task", "b", 2)]
        assert newest.parent_config == first.config

    def test_an_interrupt_in_the_middle(self, saver: SqliteSaver) -> None:
        saver.setup()
        first = saver.put(PLACE, empty_checkpoint(), {}, {})

        def rings(text: str) -> None:
            if text.startswith("INSERT OR REPLACE INTO checkpoints"):
                raise KeyboardInterrupt

        class Rings(sqlite3.Connection):
            def execute(self, text: str, *given: Any) -> Any:
                rings(text)
                return super().execute(text, *given)

        path = saver.conn.execute("PRAGMA database_list").fetchone()[2]
        with closing(sqlite3.connect(path, factory=Rings)) as conn:
            own = SqliteSaver(conn)
            before = first["configurable"]["checkpoint_id"]
            writes = [(before, "task", "path", [("a", 1)])]
            with pytest.raises(KeyboardInterrupt):
                own.put_superstep(first, empty_checkpoint(), {}, {}, writes)
            assert not conn.in_transaction
        (only,) = saver.list(PLACE)
        assert only.pending_writes == []


class TestSharedCommits:
    def test_threads_that_wait_for_the_connection(self, saver: SqliteSaver) -> None:
        seen, threads = statements(saver), []
        with saver.lock:
            for number in range(8):
                config = {"configurable": {"thread_id": str(number), "checkpoint_ns": ""}}
                work = threading.Thread(target=saver.put, args=(config, empty_checkpoint(), {}, {}))
                threads.append(work)
                work.start()
            while len(saver._commits._waiting) < 8:
                pass
        for work in threads:
            work.join(PATIENCE)
        assert seen.count("COMMIT") == 1
        assert len(list(saver.list(None))) == 8

    def test_who_is_done_does_not_wait_for_the_connection(self) -> None:
        commits, both, over = Commits(), threading.Event(), threading.Event()
        with closing(sqlite3.connect(":memory:", check_same_thread=False)) as conn:
            conn.execute("CREATE TABLE t (x)")
            lock = threading.Lock()

            @contextmanager
            def own() -> Iterator[None]:
                with lock:
                    both.wait(PATIENCE)
                    yield
                    over.wait(PATIENCE)

            def store() -> None:
                insert = "INSERT INTO t VALUES (1)"
                commits.store(lambda conn: conn.execute(insert), own(), lambda: conn)

            leads, follows = (threading.Thread(target=store) for _ in range(2))
            leads.start()
            while not lock.locked():
                pass
            follows.start()
            while len(commits._waiting) < 2:
                pass
            both.set()
            follows.join(PATIENCE)
            assert leads.is_alive() and not follows.is_alive()
            over.set()
            leads.join(PATIENCE)
            assert conn.execute("SELECT count(*) FROM t").fetchall() == [(2,)]

    def test_a_leader_that_never_tells_costs_a_nap(self) -> None:
        commits = Commits()
        with closing(sqlite3.connect(":memory:")) as conn:
            conn.execute("CREATE TABLE t (x)")
            commits._leading.acquire()
            insert = "INSERT INTO t VALUES (1)"
            commits.store(lambda conn: conn.execute(insert), nullcontext(), lambda: conn)
            assert conn.execute("SELECT x FROM t").fetchall() == [(1,)]

    def test_one_that_fails_is_the_only_one(self) -> None:
        commits = Commits()
        with closing(sqlite3.connect(":memory:")) as conn:
            conn.execute("CREATE TABLE t (x UNIQUE)")

            def insert(value: int) -> Callable[[Any], Any]:
                return lambda conn: conn.execute("INSERT INTO t VALUES (?)", (value,))

            jobs = [commits.add(insert(value)) for value in (1, 2, 2, 3)]
            commits.commit(conn)
            assert [job.is_done for job in jobs] == [True] * 4
            assert [type(job.error) for job in jobs] == [
                type(None),
                type(None),
                sqlite3.IntegrityError,
                type(None),
            ]
            assert conn.execute("SELECT x FROM t").fetchall() == [(1,), (2,), (3,)]

    def test_an_interrupt_leaves_the_others_for_the_next(self) -> None:
        commits = Commits()
        with closing(sqlite3.connect(":memory:")) as conn:
            conn.execute("CREATE TABLE t (x)")
            calls: list[int] = []

            def rings(conn: Any) -> None:
                calls.append(1)
                if len(calls) == 1:
                    raise KeyboardInterrupt

            commits.add(lambda conn: conn.execute("INSERT INTO t VALUES (1)"))
            own = commits.add(rings)
            with pytest.raises(KeyboardInterrupt):
                commits.commit(conn)
            assert conn.execute("SELECT x FROM t").fetchall() == []
            commits.withdraw(own)
            commits.commit(conn)
            assert conn.execute("SELECT x FROM t").fetchall() == [(1,)] and len(calls) == 1


@pytest.mark.parametrize("is_memory", [False, True])
class TestThreads:
    @pytest.fixture
    def own(self, saver: SqliteSaver, is_memory: bool) -> Any:
        return InMemorySaver() if is_memory else saver

    def test_copies(self, own: Any) -> None:
        saver = own

        def asks(_: State) -> State:
            return {"log": [interrupt("?")]}

        graph = chain([node, asks], checkpointer=saver)
        graph.invoke({}, thread())
        saver.copy_thread("1", "2")
        first = [*saver.list({"configurable": {"thread_id": "1"}})]
        copy = [*saver.list({"configurable": {"thread_id": "2"}})]
        assert [it.checkpoint for it in first] == [it.checkpoint for it in copy]
        assert [it.pending_writes for it in first] == [it.pending_writes for it in copy]

    def test_deletes_what_a_run_left(self, own: Any) -> None:
        saver = own
        # Otherwise what the second has left would be rebuilt from what the first has.
        saver.linear_storage = False
        graph = chain([node], checkpointer=saver)
        for run_id in ("a", "b"):
            graph.invoke({}, {**thread(), "metadata": {"run_id": run_id}})
        saver.delete_for_runs(["a"])
        left = [*saver.list({"configurable": {"thread_id": "1"}})]
        assert left and {it.metadata["run_id"] for it in left} == {"b"}
        known = {it.config["configurable"]["checkpoint_id"] for it in left}
        if isinstance(saver, InMemorySaver):
            written = [(checkpoint_id,) for _, _, checkpoint_id in saver.writes]
        else:
            with saver.cursor(transaction=False) as cursor:
                written = cursor.execute("SELECT DISTINCT checkpoint_id FROM writes").fetchall()
        assert {checkpoint for (checkpoint,) in written} <= known

    def test_the_saver_can_be_used_while_it_lists(self, own: Any) -> None:
        saver = own
        graph = chain([node] * 50, checkpointer=saver)
        graph.invoke({}, thread())
        seen = 0
        for found in saver.list({"configurable": {"thread_id": "1"}}):
            seen += 1
            assert saver.get_tuple(found.config) is not None
            saver.put_writes(fork(found.config), [("other", 1)], "task")
        assert seen == SUPERSTEPS + 50


@contextmanager
def interrupted_at(line: int) -> Iterator[None]:
    """Interrupt what runs of `_commits.py` before its `line`th line, where a signal can be heard.

    None is between the end of a `with` block and what its context manager does then, though a
    tracer is called there.
    """
    left = line

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename != commits_module.__file__:
            return None
        text = linecache.getline(commits_module.__file__, frame.f_lineno).strip()
        if event == "line" and text.startswith("with "):
            # The second time it is on its way out.
            entered.symmetric_difference_update({(id(frame), frame.f_lineno)})
            if (id(frame), frame.f_lineno) not in entered:
                return trace
        left -= event == "line"
        if left == 0 and event == "line":
            raise KeyboardInterrupt
        return trace

    entered: set[tuple[int, int]] = set()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(None)


class TestWithOthers:
    """The connection is not the saver's alone, nor is the database."""

    def test_an_interrupt_at_any_line_loses_nothing_of_others(self) -> None:
        """Interrupts the commits of one thread at each line in turn; another one waits."""
        for line in range(1, 60):
            commits = Commits()
            with closing(sqlite3.connect(":memory:")) as conn:
                conn.execute("CREATE TABLE t (x PRIMARY KEY)")
                other = commits.add(lambda conn: conn.execute("INSERT OR IGNORE INTO t VALUES (1)"))
                with interrupted_at(line), suppress(KeyboardInterrupt):
                    commits.commit(conn)
                while not other.is_done:
                    commits.commit(conn)
                assert conn.execute("SELECT x FROM t").fetchall() == [(1,)], line

    def test_an_interrupt_at_any_line_of_storing_keeps_nobody_from_it(self) -> None:
        """Interrupts what stores at each line in turn; then somebody else stores."""

        def insert(value: int) -> Callable[[Any], Any]:
            return lambda conn: conn.execute("INSERT OR IGNORE INTO t VALUES (?)", (value,))

        for line in range(1, 80):
            commits, lock = Commits(), threading.Lock()
            with closing(sqlite3.connect(":memory:")) as conn:
                conn.execute("CREATE TABLE t (x PRIMARY KEY)")
                with interrupted_at(line), suppress(KeyboardInterrupt):
                    commits.store(insert(1), lock, lambda conn=conn: conn)
                assert not conn.in_transaction
                commits.store(insert(2), lock, lambda conn=conn: conn)
                assert (2,) in conn.execute("SELECT x FROM t").fetchall(), line

    def test_a_list_that_is_being_read_does_not_hold_the_database(self, tmp_path: Path) -> None:
        path = str(tmp_path / "own")
        with (
            SqliteSaver.from_conn_string(path) as saver,
            SqliteSaver.from_conn_string(path) as other,
        ):
            chain([node] * 50, checkpointer=saver).invoke({}, thread())
            found = saver.list({"configurable": {"thread_id": "1"}})
            next(found)
            other.put(PLACE, empty_checkpoint(), {}, {})
            saver.put(PLACE, empty_checkpoint(), {}, {})
            assert len([*found]) == SUPERSTEPS + 50 - 1

    def test_a_transaction_that_the_caller_has_begun(self, tmp_path: Path) -> None:
        with closing(sqlite3.connect(tmp_path / "own")) as conn:
            conn.execute("CREATE TABLE mine (x)")
            conn.execute("INSERT INTO mine VALUES (1)")
            saver = SqliteSaver(conn)
            assert saver.get_tuple(PLACE) is None and not conn.in_transaction
            assert conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    async def test_whoever_has_the_async_savers_lock(self, tmp_path: Path) -> None:
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "own")) as saver:
            await saver.setup()
            await saver.conn.execute("CREATE TABLE mine (x)")

            async def mine() -> None:
                async with saver.lock:
                    await saver.conn.execute("INSERT INTO mine VALUES (1)")
                    await asyncio.sleep(0.05)
                    await saver.conn.rollback()

            own = asyncio.ensure_future(mine())
            await asyncio.sleep(0.01)
            await saver.aput(PLACE, empty_checkpoint(), {}, {})
            await own
            async with saver.conn.execute("SELECT * FROM mine") as cursor:
                assert [*await cursor.fetchall()] == []

    def test_an_old_database_that_another_process_has_just_upgraded(self, tmp_path: Path) -> None:
        class Late(sqlite3.Connection):
            def execute(self, text: str, *given: Any) -> Any:
                if text == "PRAGMA table_info(writes)":
                    return iter(())
                return super().execute(text, *given)

        path = tmp_path / "own"
        with closing(sqlite3.connect(path)) as conn:
            SqliteSaver(conn).setup()
        with closing(sqlite3.connect(path, factory=Late)) as conn:
            SqliteSaver(conn).setup()

    def test_writes_need_a_checkpoint(self, saver: SqliteSaver) -> None:
        with pytest.raises(KeyError, match="checkpoint_id"):
            saver.put_writes(PLACE, [("a", 1)], "task")

    async def test_what_an_async_subclass_overrides(self, tmp_path: Path) -> None:
        calls: list[str] = []

        class Own(AsyncSqliteSaver):
            async def aput(self, *given: Any) -> Any:
                calls.append("aput")
                return await super().aput(*given)

        async with Own.from_conn_string(str(tmp_path / "own")) as saver:
            await asyncio.to_thread(saver.put, PLACE, empty_checkpoint(), {}, {})
            assert calls == ["aput"]
            graph = chain([node], checkpointer=saver)
            await asyncio.to_thread(graph.invoke, {}, thread("2"))
            assert len(calls) == 1 + SUPERSTEPS + 1

    @pytest.mark.parametrize("name", ["put", "put_writes"])
    def test_a_method_that_is_wrapped(
        self, saver: SqliteSaver, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls, before = [], getattr(SqliteSaver, name)

        @functools.wraps(before)
        def wrapped(self: Any, *given: Any, **named: Any) -> Any:
            calls.append(1)
            return before(self, *given, **named)

        monkeypatch.setattr(SqliteSaver, name, wrapped)
        chain([node] * 2, checkpointer=saver).invoke({}, thread())
        assert len(calls) >= 3


class Autocommit(sqlite3.Connection):
    """What `autocommit=True` makes of a connection since Python 3.12."""

    autocommit = True

    def commit(self) -> None:
        pass

    rollback = commit


class TestConnections:
    def test_that_commit_by_themselves(self, tmp_path: Path) -> None:
        path = tmp_path / "own"
        with closing(sqlite3.connect(path, factory=Autocommit, isolation_level=None)) as conn:
            SqliteSaver(conn).put(PLACE, empty_checkpoint(), {}, {})
            assert len(rows(path, "checkpoints")) == 1 and not conn.in_transaction
            with pytest.raises(sqlite3.Error):
                SqliteSaver(conn).put(PLACE, {**empty_checkpoint(), "id": None}, {}, {})
            assert not conn.in_transaction

    @pytest.mark.parametrize("level", [None, "", "DEFERRED", "IMMEDIATE", "EXCLUSIVE"])
    def test_of_every_isolation_level(self, tmp_path: Path, level: Any) -> None:
        path = tmp_path / "own"
        with closing(sqlite3.connect(path, isolation_level=level)) as conn:
            chain([node] * 2, checkpointer=SqliteSaver(conn)).invoke({}, thread())
            assert not conn.in_transaction
        assert len(rows(path, "checkpoints")) == SUPERSTEPS + 2

    def test_for_reading_only(self, tmp_path: Path) -> None:
        path = tmp_path / "own"
        with SqliteSaver.from_conn_string(str(path)) as saver:
            graph = chain([node], checkpointer=saver)
            graph.invoke({}, thread())
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as conn:
            graph = chain([node], checkpointer=SqliteSaver(conn))
            assert graph.get_state(thread()).values == {"log": [1]}
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                graph.invoke({}, thread())

    async def test_one_that_was_not_awaited(self, tmp_path: Path) -> None:
        conn = aiosqlite.connect(tmp_path / "own")
        saver = AsyncSqliteSaver(conn)
        await chain([anode], checkpointer=saver).ainvoke({}, thread())
        await conn.close()

    async def test_sync_methods_from_the_loops_own_thread(self, tmp_path: Path) -> None:
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "own")) as saver:
            with pytest.raises(asyncio.InvalidStateError, match="different thread"):
                saver.get_tuple(PLACE)
            await asyncio.to_thread(saver.put, PLACE, empty_checkpoint(), {}, {})
            assert len(await asyncio.to_thread(lambda: [*saver.list(PLACE)])) == 1
            assert await saver.aget_tuple(PLACE) is not None


EXITS = """
import asyncio
from langgraph_rust.checkpoint.sqlite.aio import AsyncSqliteSaver
async def main():
    saver = AsyncSqliteSaver.from_conn_string(":memory:")
    await (await saver.__aenter__()).setup()
    return saver
kept = asyncio.run(main())
print("ended")
"""


def test_a_process_is_not_kept_from_ending(run_program: Callable[..., Any]) -> None:
    assert run_program(EXITS).stdout == "ended\n"


async def test_a_path_in_the_place_of_a_connection_is_named(tmp_path: Path) -> None:
    for path in ("own.sqlite", tmp_path / "own.sqlite", b"own.sqlite"):
        for cls in (SqliteSaver, AsyncSqliteSaver):
            said = rf"{cls.__name__} takes a connection.*{cls.__name__}\.from_conn_string\('.*own"
            with pytest.raises(TypeError, match=said):
                cls(path)  # type: ignore[arg-type]
