"""The Postgres savers and upstream's on the same tables: equal rows, and each reads the other's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from _driver_graphs import State, chain, fan_out, thread

from langgraph_rust.checkpoint.base.id import uuid6
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph_rust.checkpoint.serde.types import ERROR, INTERRUPT, RESUME, TASKS, _DeltaSnapshot
from langgraph_rust.types import Command, interrupt

psycopg: Any = pytest.importorskip(
    "psycopg", reason="psycopg, or the libpq that it needs", exc_type=ImportError
)
theirs: Any = pytest.importorskip("langgraph.checkpoint.postgres", exc_type=ImportError)
theirs_aio: Any = pytest.importorskip("langgraph.checkpoint.postgres.aio", exc_type=ImportError)

from langgraph_rust.checkpoint import postgres as ours  # noqa: E402
from langgraph_rust.checkpoint.postgres import aio as ours_aio  # noqa: E402

TABLES = {
    "checkpoint_migrations": "v",
    "checkpoints": "thread_id, checkpoint_ns, checkpoint_id",
    "checkpoint_blobs": "thread_id, checkpoint_ns, channel, version",
    "checkpoint_writes": "thread_id, checkpoint_ns, checkpoint_id, task_id, idx",
}
SHALLOW_TABLES = {
    **TABLES,
    "checkpoints": "thread_id, checkpoint_ns",
    "checkpoint_blobs": "thread_id, checkpoint_ns, channel",
}

SCHEMA = """
SELECT table_name, column_name, data_type, is_nullable, column_default
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
SELECT tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'
ORDER BY 1, 2
"""


@pytest.fixture(autouse=True)
def one_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have upstream's savers know this package's class, as they do in drop-in mode."""
    for module in (theirs, theirs_aio):
        monkeypatch.setattr(module, "_DeltaSnapshot", _DeltaSnapshot)


def everything(database: str, tables: dict[str, str] = TABLES) -> dict[str, Any]:
    """All rows of all tables in the order of their keys, and what the tables are."""
    with psycopg.connect(database) as conn:
        found = {
            table: conn.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()
            for table, order in tables.items()
        }
        return found | {"schema": conn.execute(SCHEMA).fetchall()}


def ids(count: int) -> list[str]:
    return [str(uuid6(clock_seq=step)) for step in range(count)]


def history(saver: Any, names: list[str], *, more: Any = ()) -> None:
    """What a thread may have: values of all kinds, forks, writes of all kinds, an old format."""
    place: Any = {
        "configurable": {"thread_id": "1", "checkpoint_ns": "", "tag": "x"},
        "metadata": {"run_id": "r\0un", "nested": {"left": "out"}},
    }
    for step, name in enumerate(names):
        values = {
            "text": "é",
            "number": 10**17,
            "float": 0.5,
            "none": None,
            "true": True,
            "list": [1, {"a": [step]}],
            "bytes": b"\0\xff",
            "delta": _DeltaSnapshot([step]),
        }
        if step % 2:
            del values["delta"], values["list"]
        versions = {channel: f"{step:032}.5" for channel in [*values, "gone"]}
        checkpoint: Any = {
            "v": 4 if step < 3 else 1,
            "id": name,
            "ts": "2024-01-01T00:00:00+00:00",
            "channel_values": values,
            "channel_versions": versions,
            "versions_seen": {"node": {"text": f"{step:032}.5"}},
            "updated_channels": None,
        }
        metadata: Any = {"source": "loop", "step": step, "parents": {"": "p"}, "writes": {"a": 1}}
        named = saver.put(place, checkpoint, metadata, versions)
        assert [*named["configurable"].values()] == ["1", "", name]
        for task in ("t2", "t1"):
            saver.put_writes(named, [("a", step), ("b", [task])], task, f"path{task[::-1]}")
            saver.put_writes(named, [("a", "late")], task, "other path")
            saver.put_writes(named, [(RESUME, 1), (RESUME, 2)], task)
            saver.put_writes(named, [(RESUME, 3), (ERROR, "e")], task, "again")
            saver.put_writes(named, [(INTERRUPT, "?"), ("c", 1)], task)
        saver.put_writes(named, [(TASKS, "packet")], "t3")
        # Stored again, as a checkpoint of another parent: the parent stays.
        again = {**place["configurable"], "checkpoint_id": "other"}
        saver.put({**place, "configurable": again}, checkpoint, metadata, versions)
        place = {**place, "configurable": {**named["configurable"], "tag": "x"}}


def read(saver: Any, **search: Any) -> Any:
    config: Any = {"configurable": {"thread_id": "1"}}
    return [saver.get_tuple({"configurable": {"thread_id": "1"}}), *saver.list(config, **search)]


def plain(found: Any) -> Any:
    """Without classes of either side."""
    return [repr(it).replace("langgraph_rust", "langgraph") for it in found]


def with_serde(saver: Any) -> Any:
    saver.serde = JsonPlusSerializer()
    return saver


def each(module: Any, name: str, databases: Callable[[], str], work: Any) -> str:
    """Do it in a database of its own, and return that."""
    database = databases()
    with getattr(module, name).from_conn_string(database) as saver:
        saver.setup()
        work(with_serde(saver))
    return database


def test_rows_are_equal(databases: Callable[[], str]) -> None:
    names = ids(5)
    one, other = (
        each(module, "PostgresSaver", databases, lambda saver: history(saver, names))
        for module in (ours, theirs)
    )
    found = everything(one)
    assert len(found["checkpoint_writes"]) > 40
    assert found == everything(other)


def test_of_the_async_savers(databases: Callable[[], str]) -> None:
    names = ids(5)

    async def main(module: Any) -> str:
        database = databases()
        async with module.AsyncPostgresSaver.from_conn_string(database) as saver:
            await saver.setup()
            await asyncio.to_thread(history, with_serde(saver), names)
        return database

    one, other = (asyncio.run(main(module)) for module in (ours_aio, theirs_aio))
    assert everything(one) == everything(other)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_of_the_shallow_savers(databases: Callable[[], str]) -> None:
    names = ids(3)
    found = {}

    def work(saver: Any) -> None:
        history(saver, names)
        found[type(saver).__module__] = [
            saver.get_tuple({"configurable": {"thread_id": "1"}}),
            *saver.list({"configurable": {"thread_id": "1"}}, filter={"step": 2}),
        ]

    one, other = (each(it, "ShallowPostgresSaver", databases, work) for it in (ours, theirs))
    assert everything(one, SHALLOW_TABLES) == everything(other, SHALLOW_TABLES)
    assert len({repr(it) for it in found.values()}) == 1


@pytest.mark.parametrize("writer", [ours, theirs])
def test_each_reads_what_the_other_stored(databases: Callable[[], str], writer: Any) -> None:
    names = ids(5)
    database = each(writer, "PostgresSaver", databases, lambda saver: history(saver, names))
    searches: list[Any] = [
        {},
        {"limit": 2},
        {"filter": {"step": 3}},
        {"filter": {"run_id": "run", "source": "loop"}},
        {"before": {"configurable": {"checkpoint_id": names[3]}}},
    ]
    seen = []
    for module in (ours, theirs):
        with module.PostgresSaver.from_conn_string(database) as saver:
            with_serde(saver)
            named: Any = {"configurable": {"thread_id": "1", "checkpoint_id": names[4]}}
            channels = ["delta", "list", "text", "none", "a", "nothing"]
            delta = saver.get_delta_channel_history(config=named, channels=channels)
            seen.append([[plain(read(saver, **it)) for it in searches], repr(delta)])
    assert seen[0] == seen[1]


@pytest.mark.parametrize("strategy", ["keep_latest", "delete"])
def test_prune_leaves_the_same(databases: Callable[[], str], strategy: str) -> None:
    names = ids(6)

    def work(saver: Any) -> None:
        for number, name in enumerate(names):
            parent = names[number - 1] if number % 3 else None
            place = {"thread_id": "1", "checkpoint_ns": ("", "n:1", "n")[number // 2]}
            config: Any = {"configurable": {**place, "checkpoint_id": parent}}
            checkpoint: Any = {
                "v": 4 - 3 * (number == 5),
                "id": name,
                "channel_values": {"a": [number // 4], "b": [number]},
                "channel_versions": {"a": str(number // 4), "b": str(number)},
            }
            metadata: Any = {"parents": {"": names[0]}}
            named = saver.put(config, checkpoint, metadata, checkpoint["channel_versions"])
            saver.put_writes(named, [(TASKS, "packet"), ("a", 1)], "task")
        saver.prune(["1"], strategy=strategy)

    one, other = (each(module, "PostgresSaver", databases, work) for module in (ours, theirs))
    assert everything(one) == everything(other)


def asks(_: State) -> State:
    return {"log": [interrupt("?")]}


def node(_: State) -> State:
    return {"log": [1]}


@pytest.mark.parametrize("begins", [ours, theirs])
def test_a_thread_goes_on_with_the_other(databases: Callable[[], str], begins: Any) -> None:
    database = databases()
    goes_on = theirs if begins is ours else ours
    with begins.PostgresSaver.from_conn_string(database) as saver:
        saver.setup()
        fan_out([node, asks], checkpointer=with_serde(saver)).invoke({"value": [1]}, thread())
    with goes_on.PostgresSaver.from_conn_string(database) as saver:
        saver.setup()
        graph = fan_out([node, asks], checkpointer=with_serde(saver))
        assert graph.invoke(Command(resume=2), thread()) == {"value": [1], "log": [1, 2]}
    with begins.PostgresSaver.from_conn_string(database) as saver:
        graph = chain([node], checkpointer=with_serde(saver))
        assert graph.invoke({}, thread())["log"] == [1, 2, 1]
