"""Threads that nobody goes on with are deleted after a time, and no others."""

from __future__ import annotations

import asyncio
import copy
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest

from langgraph_rust.checkpoint.base._expiry import has_expired, limit
from langgraph_rust.checkpoint.base.id import first_id_at, time_of, uuid6
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.postgres import PostgresSaver, ShallowPostgresSaver
from langgraph_rust.checkpoint.postgres import _expiry as postgres_expiry
from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver, AsyncShallowPostgresSaver
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.checkpoint.sqlite import _expiry as sqlite_expiry
from langgraph_rust.checkpoint.sqlite.aio import AsyncSqliteSaver

NOW = datetime.now(timezone.utc)
DAY = timedelta(days=1)
MONTH = timedelta(days=30)
PATIENCE = 30
LATER = "later"
SOON = 1e-4
"""Minutes."""


def id_of(when: datetime) -> str:
    return f"{first_id_at(when)}-8000-000000000000"


def place(name: str, namespace: str = "") -> Any:
    return {"configurable": {"thread_id": name, "checkpoint_ns": namespace}}


def checkpoint(age: timedelta, checkpoint_id: str | None = None) -> Any:
    return {
        "v": 4,
        "id": checkpoint_id or id_of(NOW - age),
        "ts": "",
        "channel_values": {"log": ["x"]},
        "channel_versions": {"log": "1"},
        "versions_seen": {},
    }


def put(saver: Any, name: str, age: timedelta, namespace: str = "", **options: Any) -> None:
    stored = checkpoint(age, **options)
    given = place(name, namespace), stored, {}, {"log": "1"}
    config = saver.put(*given)
    saver.put_writes(config, [("log", ["y"])], "task")


def names(saver: Any) -> list[str]:
    return sorted({one.config["configurable"]["thread_id"] for one in saver.list(None)})


@contextmanager
def made(kind: str, database: Callable[[], str]) -> Iterator[Any]:
    with ExitStack() as stack:
        if kind == "memory":
            yield InMemorySaver()
            return
        if kind == "sqlite":
            yield stack.enter_context(SqliteSaver.from_conn_string(":memory:"))
            return
        cls = {"postgres": PostgresSaver, "shallow": ShallowPostgresSaver}[kind]
        saver = stack.enter_context(cls.from_conn_string(database()))
        saver.setup()
        yield saver


SAVERS = ["memory", "sqlite", "postgres", "shallow"]
pytestmark = pytest.mark.filterwarnings("ignore:.*Shallow.*:DeprecationWarning")


@pytest.fixture(params=SAVERS)
def saver(request: pytest.FixtureRequest) -> Iterator[Any]:
    with made(request.param, lambda: request.getfixturevalue("database")) as saver:
        yield saver


def test_old_threads_go_and_others_stay(saver: Any) -> None:
    put(saver, "old", 40 * DAY)
    put(saver, "older", 400 * DAY)
    put(saver, "new", 3 * DAY)
    put(saver, "gone on with", 40 * DAY)
    put(saver, "gone on with", 3 * DAY)
    put(saver, "old, with a new subgraph", 40 * DAY)
    put(saver, "old, with a new subgraph", 3 * DAY, "child")
    assert sorted(saver.delete_expired(MONTH, now=NOW)) == ["old", "older"]
    assert names(saver) == ["gone on with", "new", "old, with a new subgraph"]
    assert saver.delete_expired(MONTH, now=NOW) == []
    for name in names(saver):
        assert (tuple_ := saver.get_tuple(place(name)))
        assert tuple_.checkpoint["channel_values"] == {"log": ["x"]}
        assert tuple_.pending_writes == [("task", "log", ["y"])]
    assert len(saver.delete_expired(MONTH, now=NOW + MONTH)) == 3
    assert names(saver) == []


def test_many_threads_go(saver: Any) -> None:
    for number in range(50):
        put(saver, f"{number}", 40 * DAY)
    put(saver, "new", DAY)
    assert len(saver.delete_expired(MONTH)) == 50
    assert names(saver) == ["new"]


def test_a_thread_whose_ids_do_not_tell_its_age_stays(saver: Any) -> None:
    put(saver, "named", DAY, checkpoint_id="0")
    put(saver, "of another kind", DAY, checkpoint_id=str(uuid.UUID(int=0, version=4)))
    assert saver.delete_expired(MONTH, now=NOW + 1000 * DAY) == []
    assert names(saver) == ["named", "of another kind"]


def test_what_makes_no_sense_is_refused(saver: Any) -> None:
    put(saver, "old", 40 * DAY)
    for wrong in (timedelta(0), -DAY):
        with pytest.raises(ValueError, match="positive"):
            saver.delete_expired(wrong)
    with pytest.raises(TypeError, match="timedelta"):
        saver.delete_expired(30)
    with pytest.raises(ValueError, match="time zone"):
        saver.delete_expired(MONTH, now=datetime(2024, 1, 1))
    assert names(saver) == ["old"]


def test_swept_as_configured_until_the_block_ends(database: str) -> None:
    for kind in SAVERS:
        with made(kind, lambda: database) as saver:
            assert saver.start_ttl_sweeper().done() and saver.sweep_ttl() == 0
            saver.ttl_config = {"sweep_interval_minutes": SOON}
            assert saver.sweep_ttl() == 0
            saver.ttl_config = {"default_ttl": 60 * 24 * 30, "sweep_interval_minutes": SOON}
            put(saver, "old", 40 * DAY)
            put(saver, "new", DAY)
            done = saver.start_ttl_sweeper()
            until = time.monotonic() + PATIENCE
            while names(saver) != ["new"] and time.monotonic() < until:
                time.sleep(0.01)
            assert names(saver) == ["new"]
            if kind == "memory":
                saver.__exit__(None, None, None)
        assert done.result(PATIENCE) is None
        with psycopg.connect(database, autocommit=True) as conn:
            conn.execute("DROP SCHEMA public CASCADE")
            conn.execute("CREATE SCHEMA public")


def test_one_that_becomes_newer_after_the_look_stays(
    saver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(saver, InMemorySaver):
        pytest.skip("looks once, when nobody else can store")
    put(saver, "old", 40 * DAY)
    put(saver, "gone on with", 40 * DAY)
    for module in (sqlite_expiry, postgres_expiry):
        monkeypatch.setattr(
            module, "find", late(module.find, saver, in_plan=module is not sqlite_expiry)
        )
    assert saver.delete_expired(MONTH) == ["old"]
    for thread in threading.enumerate():
        if thread.name == LATER:
            thread.join(PATIENCE)
    assert names(saver) == ["gone on with"]


def late(find: Callable[..., Any], saver: Any, *, in_plan: bool) -> Callable[..., Any]:
    """A look after which, before anything is deleted, somebody goes on with a thread."""

    def sqlite(*given: Any) -> Any:
        found = find(*given)
        later = threading.Thread(target=put, args=(saver, "gone on with", DAY), name=LATER)
        later.start()
        # It waits for the connection, before whoever deletes.
        until = time.monotonic() + PATIENCE
        while not saver._commits._waiting and time.monotonic() < until:
            time.sleep(0.001)
        return found

    def postgres(*given: Any) -> Any:
        found = yield from find(*given)
        with psycopg.connect(saver.conn.info.dsn, password="postgres") as conn:
            if isinstance(saver, ShallowPostgresSaver):
                conn.execute(
                    "UPDATE checkpoints SET "
                    "checkpoint = jsonb_set(checkpoint, '{id}', to_jsonb(%s::text)) "
                    "WHERE thread_id = 'gone on with'",
                    (id_of(NOW),),
                )
            else:
                conn.execute(
                    "INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint) "
                    'VALUES (\'gone on with\', %s, \'{"v": 4, "id": "", "channel_versions": {}}\')',
                    (id_of(NOW),),
                )
        return found

    return postgres if in_plan else sqlite


def test_in_postgres_what_is_being_stored_is_waited_for(database: str) -> None:
    with PostgresSaver.from_conn_string(database) as saver:
        saver.setup()
        put(saver, "old", 40 * DAY)
        with psycopg.connect(database) as other:
            storing = PostgresSaver(other)
            with other.transaction():
                put(storing, "old", DAY)
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    saver.delete_expired(MONTH)
                deleted: list[Any] = []
                waiting = threading.Thread(
                    target=lambda: deleted.append(saver.delete_expired(MONTH))
                )
                waiting.start()
                time.sleep(0.2)
            waiting.join(PATIENCE)
        assert deleted == [[]]
        assert names(saver) == ["old"]
        found = saver.get_tuple(place("old"))
        assert found and found.checkpoint["channel_values"] == {"log": ["x"]}


@pytest.mark.parametrize(
    ("config", "error", "said"),
    [
        ({"ttl": 5}, ValueError, "unknown key 'ttl': it takes default_ttl and sweep_interval_min"),
        ({"default_ttl": 0}, ValueError, r"ttl_config\['default_ttl'\] must be a positive number"),
        ({"default_ttl": float("nan")}, ValueError, "positive"),
        ({"default_ttl": "60"}, TypeError, r"ttl_config\['default_ttl'\] must be a number"),
        ({"default_ttl": timedelta(days=1)}, TypeError, "number of minutes"),
        ({"default_ttl": 1, "sweep_interval_minutes": 0}, ValueError, "'sweep_interval_minutes'"),
        (5, TypeError, r"a dict such as \{'default_ttl': 60\}, not 5"),
    ],
)
async def test_a_sweeper_does_not_start_with_what_is_no_configuration(
    config: Any, error: type[Exception], said: str
) -> None:
    saver = InMemorySaver()
    saver.ttl_config = config
    with pytest.raises(error, match=said):
        saver.start_ttl_sweeper()
    with pytest.raises(error, match=said):
        saver.sweep_ttl()
    async with AsyncSqliteSaver.from_conn_string(":memory:") as other:
        other.ttl_config = config
        with pytest.raises(error, match=said):
            await other.start_ttl_sweeper()


def test_nor_with_another_interval() -> None:
    saver = InMemorySaver()
    saver.ttl_config = {"default_ttl": 1}
    with pytest.raises(ValueError, match="sweep_interval_minutes must be a positive number"):
        saver.start_ttl_sweeper(0)


@pytest.mark.parametrize("config", [None, {}, {"sweep_interval_minutes": 1}])
def test_it_is_logged_that_no_thread_expires(config: Any, caplog: pytest.LogCaptureFixture) -> None:
    saver = InMemorySaver()
    saver.ttl_config = config
    saver.start_ttl_sweeper()
    saver.stop_ttl_sweeper()
    assert "without ttl_config['default_ttl']" in caplog.text


def test_in_memory_nothing_is_lost_that_is_stored_at_the_same_time() -> None:
    saver = InMemorySaver()
    saver.ttl_config = {"default_ttl": 60 * 24 * 30, "sweep_interval_minutes": 1e-6}
    saver.start_ttl_sweeper()
    for number in range(300):
        put(saver, f"{number}", 40 * DAY)
        put(saver, f"{number}", timedelta(0))
    assert saver.stop_ttl_sweeper(PATIENCE)
    for number in range(300):
        found = saver.get_tuple(place(f"{number}"))
        assert found and found.checkpoint["channel_values"] == {"log": ["x"]}


def test_a_saver_in_memory_can_still_be_copied() -> None:
    saver = InMemorySaver()
    put(saver, "1", DAY)
    assert names(copy.deepcopy(saver)) == names(copy.copy(saver)) == ["1"]


@asynccontextmanager
async def amade(kind: str, database: Callable[[], str]) -> AsyncIterator[Any]:
    async with AsyncExitStack() as stack:
        if kind == "sqlite":
            yield await stack.enter_async_context(AsyncSqliteSaver.from_conn_string(":memory:"))
            return
        cls = {"postgres": AsyncPostgresSaver, "shallow": AsyncShallowPostgresSaver}[kind]
        saver = await stack.enter_async_context(cls.from_conn_string(database()))
        await saver.setup()
        yield saver


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "shallow"])
async def test_with_asyncio(kind: str, request: pytest.FixtureRequest) -> None:
    given = [(place("old"), checkpoint(40 * DAY)), (place("new"), checkpoint(DAY))]
    async with amade(kind, lambda: request.getfixturevalue("database")) as saver:

        async def left() -> list[str]:
            return [one.config["configurable"]["thread_id"] async for one in saver.alist(None)]

        for config, stored in given:
            await saver.aput(config, stored, {}, {"log": "1"})
        assert await saver.adelete_expired(MONTH) == ["old"]
        assert await left() == ["new"]
        assert await asyncio.to_thread(saver.delete_expired, timedelta(hours=1)) == ["new"]
        with pytest.raises(asyncio.InvalidStateError):
            saver.delete_expired(MONTH)
        assert await saver.sweep_ttl() == 0
        saver.ttl_config = {"default_ttl": 60 * 24 * 30, "sweep_interval_minutes": SOON}
        for config, stored in given:
            await saver.aput(config, stored, {}, {"log": "1"})
        task = await saver.start_ttl_sweeper()

        async def swept() -> None:
            while await left() != ["new"]:
                await asyncio.sleep(0.01)

        await asyncio.wait_for(swept(), PATIENCE)
    assert task.done() and not task.cancelled()


async def test_in_memory_with_asyncio() -> None:
    saver = InMemorySaver()
    put(saver, "old", 40 * DAY)
    assert await saver.adelete_expired(MONTH) == ["old"]


def test_the_first_id_at_a_time() -> None:
    when = NOW.replace(microsecond=123_456)
    assert time_of(id_of(when)) == when
    own = str(uuid6())
    made_at = time_of(own)
    assert made_at
    assert first_id_at(made_at) <= own < first_id_at(made_at + timedelta(microseconds=1))
    assert first_id_at(datetime(1, 1, 1, tzinfo=timezone.utc)) == "00000000-0000-6000"
    assert has_expired([own], limit(DAY, NOW + 2 * DAY))
    assert not has_expired([own, str(uuid6())], limit(DAY, NOW))
