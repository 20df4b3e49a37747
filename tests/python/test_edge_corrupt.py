"""Rows that are broken: the error names thread and checkpoint, and the thread goes on before them.

Of whole checkpoints in memory and in SQLite, `test_serde_strict` says the same.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from _postgres import Databases, databases, psycopg

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.postgres import PostgresSaver
from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph_rust.checkpoint.serde.errors import StoredValueError
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph_rust.graph import START, StateGraph

CONFIG: Any = {"configurable": {"thread_id": "t"}}

BROKEN = b"\x81\xa1v"
"""A map whose only value is missing."""


class Log(TypedDict):
    log: Annotated[list[str], operator.add]


def logging(saver: Any) -> Any:
    builder = StateGraph(Log).add_node("a", lambda state: {"log": ["a"]})
    return builder.add_edge(START, "a").compile(checkpointer=saver)


def named(checkpoint_id: str) -> str:
    return f"Checkpoint {checkpoint_id} of thread 't': "


@pytest.fixture(scope="module")
def make() -> Iterator[Databases]:
    with databases() as make:
        yield make


def break_blob(database: str) -> None:
    """Break the newest value of the channel `log`."""
    with psycopg.connect(database) as conn:
        conn.execute(
            "UPDATE checkpoint_blobs SET blob = %s WHERE channel = 'log' AND version = "
            "(SELECT max(version) FROM checkpoint_blobs WHERE channel = 'log')",
            (BROKEN,),
        )


def test_a_value_in_postgres(make: Databases) -> None:
    database = make()
    with PostgresSaver.from_conn_string(database) as saver:
        saver.setup()
        app = logging(saver)
        app.invoke({"log": ["q"]}, CONFIG)
        newest, before, *_ = saver.list(CONFIG)
        break_blob(database)
        for read in (app.get_state, lambda config: app.invoke({"log": ["more"]}, config)):
            with pytest.raises(StoredValueError, match=named(newest.checkpoint["id"])):
                read(CONFIG)
        assert app.invoke({"log": ["on"]}, before.config)["log"] == ["q", "on", "a"]
        assert app.invoke({"log": ["on"]}, CONFIG)["log"] == ["q", "on", "a", "on", "a"]


async def test_a_value_in_postgres_read_on_a_loop(make: Databases) -> None:
    database = make()
    async with AsyncPostgresSaver.from_conn_string(database) as saver:
        await saver.setup()
        app = logging(saver)
        await app.ainvoke({"log": ["q"]}, CONFIG)
        newest, before, *_ = [found async for found in saver.alist(CONFIG)]
        break_blob(database)
        for read in (app.aget_state, lambda config: app.ainvoke({"log": ["more"]}, config)):
            with pytest.raises(StoredValueError, match=named(newest.checkpoint["id"])):
                await read(CONFIG)
        assert (await app.ainvoke({"log": ["on"]}, before.config))["log"] == ["q", "on", "a"]


async def test_a_checkpoint_in_sqlite_read_on_a_loop(tmp_path: Path) -> None:
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "db")) as saver:
        app = logging(saver)
        await app.ainvoke({"log": ["q"]}, CONFIG)
        newest, before, *_ = [found async for found in saver.alist(CONFIG)]
        broken = newest.checkpoint["id"]
        await saver.conn.execute(
            "UPDATE checkpoints SET checkpoint = ? WHERE checkpoint_id = ?", (BROKEN, broken)
        )
        await saver.conn.commit()
        for read in (app.aget_state, lambda config: app.ainvoke({"log": ["more"]}, config)):
            with pytest.raises(StoredValueError, match=named(broken)):
                await read(CONFIG)
        assert (await app.ainvoke({"log": ["on"]}, before.config))["log"] == ["q", "on", "a"]


def break_in_memory(saver: Any) -> None:
    for own in saver.writes.values():
        for key, write in own.items():
            if write[0] == "late":
                own[key] = (*write[:2], ("msgpack", BROKEN), *write[3:])


def break_in_sqlite(saver: Any) -> None:
    saver.conn.execute("UPDATE writes SET value = ? WHERE task_id = 'late'", (BROKEN,))
    saver.conn.commit()


def break_in_postgres(saver: Any) -> None:
    saver.conn.execute("UPDATE checkpoint_writes SET blob = %s WHERE task_id = 'late'", (BROKEN,))


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
def test_a_write(kind: str, request: pytest.FixtureRequest) -> None:
    if kind == "memory":
        check_write(InMemorySaver(), break_in_memory)
    elif kind == "sqlite":
        with SqliteSaver.from_conn_string(":memory:") as saver:
            check_write(saver, break_in_sqlite)
    else:
        with PostgresSaver.from_conn_string(request.getfixturevalue("make")()) as saver:
            saver.setup()
            check_write(saver, break_in_postgres)


def check_write(saver: Any, break_it: Callable[[Any], None]) -> None:
    app = logging(saver)
    app.invoke({"log": ["q"]}, CONFIG)
    newest, before, *_ = saver.list(CONFIG)
    saver.put_writes(newest.config, [("log", ["late"])], "late")
    break_it(saver)
    with pytest.raises(StoredValueError, match=named(newest.checkpoint["id"])):
        app.get_state(CONFIG)
    assert app.invoke({"log": ["on"]}, before.config)["log"] == ["q", "on", "a"]
    assert app.get_state(CONFIG).values["log"] == ["q", "on", "a"]
