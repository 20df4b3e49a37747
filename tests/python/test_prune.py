"""Deleting what is not needed of threads, and nothing that is."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any

import psycopg
import pytest
from typing_extensions import TypedDict

from langgraph_rust._storage.command import main as storage
from langgraph_rust.channels import DeltaChannel
from langgraph_rust.checkpoint.base._prune import (
    Keep,
    Link,
    Look,
    may_encode_seed,
    superfluous,
)
from langgraph_rust.checkpoint.base.id import time_of, uuid6
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph_rust.checkpoint.serde.types import _DeltaSnapshot
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph_rust.graph import START, StateGraph

Savers = Callable[[], Any]


@contextmanager
def sqlite() -> Iterator[SqliteSaver]:
    with SqliteSaver.from_conn_string(":memory:") as saver:
        saver.linear_storage = False
        yield saver


@contextmanager
def memory() -> Iterator[InMemorySaver]:
    yield InMemorySaver()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def saver(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "postgres":
        with postgres(request.getfixturevalue("database")) as made:
            yield made
        return
    with {"memory": memory, "sqlite": sqlite}[request.param]() as made:
        yield made


@contextmanager
def postgres(database: str) -> Iterator[Any]:
    from langgraph_rust.checkpoint.postgres import PostgresSaver

    with PostgresSaver.from_conn_string(database) as saver:
        saver.setup()
        saver.linear_storage = False
        yield saver


def fold(state: list[Any], writes: list[Any]) -> list[Any]:
    return [*state, *(item for write in writes for item in write)]


def graph(saver: Any, kind: Any = operator.add) -> Any:
    state: Any = TypedDict("State", {"log": Annotated[list, kind]})  # pyright: ignore
    builder = StateGraph(state).add_node("a", lambda state: {"log": ["a"]})
    return builder.add_edge(START, "a").compile(checkpointer=saver)


def thread(name: str) -> Any:
    return {"configurable": {"thread_id": name, "checkpoint_ns": ""}}


def ids(saver: Any, name: str) -> list[str]:
    return [one.checkpoint["id"] for one in saver.list(thread(name))]


def filled(saver: Any, name: str = "1", turns: int = 5, **options: Any) -> Any:
    app = graph(saver, **options)
    for turn in range(turns):
        app.invoke({"log": [f"q{turn}"]}, thread(name))
    return app


def test_the_newest_stays(saver: Any) -> None:
    app = filled(saver)
    before, newest = app.get_state(thread("1")), ids(saver, "1")[0]
    filled(saver, "2")
    others = ids(saver, "2")
    saver.prune(["1", "nowhere"])
    assert ids(saver, "1") == [newest]
    after = app.get_state(thread("1"))
    assert after._replace(parent_config=before.parent_config) == before
    assert ids(saver, "2") == others
    assert app.invoke({"log": ["on"]}, thread("1"))["log"] == [*before.values["log"], "on", "a"]


def test_the_newest_few_stay(saver: Any) -> None:
    filled(saver)
    all_ids = ids(saver, "1")
    saver.prune(["1"], last=4)
    assert ids(saver, "1") == all_ids[:4]
    saver.prune(["1"], last=9)
    assert ids(saver, "1") == all_ids[:4]


def test_what_is_newer_stays(saver: Any) -> None:
    app = filled(saver)
    made = [one.checkpoint["ts"] for one in saver.list(thread("1"))]
    saver.prune(["1"], newer_than=datetime.fromisoformat(made[6]) - timedelta(microseconds=200))
    assert 7 <= len(ids(saver, "1")) < 15
    saver.prune(["1"], newer_than=datetime.now(timezone.utc) + timedelta(days=1))
    assert len(ids(saver, "1")) == 1
    assert len(app.get_state(thread("1")).values["log"]) == 10


def test_nothing_stays_if_that_is_wanted(saver: Any) -> None:
    filled(saver)
    saver.prune(["1"], strategy="delete")
    assert ids(saver, "1") == []


@pytest.mark.parametrize("kind", ["delta", "linear"])
def test_what_a_list_is_rebuilt_from_stays(saver: Any, kind: str) -> None:
    saver.linear_storage = kind == "linear"
    options = {"kind": DeltaChannel(fold, snapshot_frequency=4)} if kind == "delta" else {}
    for turns in range(1, 9):
        name = str(turns)
        app = filled(saver, name, turns, **options)
        before = app.get_state(thread(name))
        count = len(ids(saver, name))
        saver.prune([name])
        assert app.get_state(thread(name)).values == before.values
        assert len(ids(saver, name)) < count or turns == 1
        on = app.invoke({"log": ["on"]}, thread(name))["log"]
        assert on == [*before.values["log"], "on", "a"]


def test_so_it_does_of_a_thread_that_was_compacted(tmp_path: Path) -> None:
    path = str(tmp_path / "threads.sqlite")
    with SqliteSaver.from_conn_string(path) as saver:
        saver.linear_storage = False
        app = filled(saver, turns=20)
        before = app.get_state(thread("1"))
    assert storage([path, "compact", "--all"]) == 0
    with SqliteSaver.from_conn_string(path) as saver:
        app = graph(saver)
        newest = saver.get_tuple(thread("1"))
        assert newest and "log" not in newest.checkpoint["channel_values"]
        count = len(ids(saver, "1"))
        saver.prune(["1"])
        assert len(ids(saver, "1")) < count
        assert app.get_state(thread("1")).values == before.values
        on = app.invoke({"log": ["on"]}, thread("1"))["log"]
        assert on == [*before.values["log"], "on", "a"]


def test_so_it_does_of_one_in_postgres(database: str) -> None:
    with postgres(database) as saver:
        app = filled(saver, turns=20)
        before = app.get_state(thread("1"))
        assert storage([database, "compact", "--all"]) == 0
        # Also where no metadata says that it was, and a newer value is there, but of no use.
        app.update_state(thread("1"), {"log": []})
        count = len(ids(saver, "1"))
        for last in (8, 3, 1):
            saver.prune(["1"], last=last)
            kept = [one.checkpoint["id"] for one in saver.list(thread("1"))]
            assert len(kept) < count
            for one in kept[:last]:
                at = {"configurable": {**thread("1")["configurable"], "checkpoint_id": one}}
                state = app.get_state(at).values["log"]
                assert state == before.values["log"][: len(state)] and len(state) > 20
        on = app.invoke({"log": ["on"]}, thread("1"))["log"]
        assert on == [*before.values["log"], "on", "a"]


def test_nothing_stays_in_postgres_that_nobody_has(database: str) -> None:
    with postgres(database) as saver:
        filled(saver)
        saver.prune(["1"], last=2)
        kept = [one.checkpoint for one in saver.list(thread("1"))]
        used = {pair for one in kept for pair in one["channel_versions"].items()}
        with psycopg.connect(database) as conn:
            blobs = conn.execute("SELECT channel, version FROM checkpoint_blobs").fetchall()
            on = conn.execute("SELECT DISTINCT checkpoint_id FROM checkpoint_writes").fetchall()
        assert {*blobs} <= used
        assert {one for (one,) in on} <= {one["id"] for one in kept}
        assert saver.get_tuple({"configurable": {**thread("1")["configurable"]}})
        (_, oldest) = saver.list(thread("1"))
        assert oldest.parent_config is None


def test_nothing_is_older_than_what_a_shallow_saver_has(database: str) -> None:
    from langgraph_rust.checkpoint.postgres import ShallowPostgresSaver

    with pytest.warns(DeprecationWarning):
        made = ShallowPostgresSaver.from_conn_string(database)
        with made as saver:
            saver.setup()
            app = filled(saver)
            before = app.get_state(thread("1"))
            saver.prune(["1"])
            assert app.get_state(thread("1")) == before
            with pytest.raises(ValueError, match="last"):
                saver.prune(["1"], last=0)
            saver.prune(["1"], strategy="delete")
            assert saver.get_tuple(thread("1")) is None


def test_threads_of_langgraph_js_are_refused(database: str) -> None:
    with postgres(database) as saver:
        filled(saver)
        with psycopg.connect(database) as conn:
            conn.execute(
                "UPDATE checkpoints SET metadata = metadata || '{\"delta_writes_versioned\": true}'"
            )
        before = ids(saver, "1")
        with pytest.raises(NotImplementedError, match=r"LangGraph\.js"):
            saver.prune(["1"])
        assert ids(saver, "1") == before


def test_drop_in_mode_answers_as_langgraph_does(
    database: str, run_program: Callable[..., Any]
) -> None:
    run_program(f"""
        import langgraph_rust
        langgraph_rust.install()
        from langgraph.checkpoint.postgres import PostgresSaver
        from langgraph.channels import DeltaChannel
        from langgraph.graph import START, StateGraph
        from typing import Annotated, TypedDict

        class State(TypedDict):
            log: Annotated[list, DeltaChannel(lambda old, new: [*old, *sum(new, [])])]

        with PostgresSaver.from_conn_string({database!r}) as saver:
            saver.setup()
            builder = StateGraph(State).add_node("a", lambda state: {{"log": ["a"]}})
            app = builder.add_edge(START, "a").compile(checkpointer=saver)
            config = {{"configurable": {{"thread_id": "1"}}}}
            for turn in range(3):
                app.invoke({{"log": ["q"]}}, config)
            before = app.get_state(config).values
            try:
                saver.prune(["1"])
                raise AssertionError("not refused")
            except NotImplementedError as error:
                assert "last=2" in str(error)
            saver.prune(["1"], last=2)
            assert app.get_state(config).values == before
    """)


@pytest.mark.parametrize(
    ("value", "may_be"),
    [
        ([], True),
        ([1] * 20, True),
        ([1] * 70_000, True),
        (_DeltaSnapshot([]), True),
        (_DeltaSnapshot(["x" * 300]), True),
        (_DeltaSnapshot(["x" * 70_000]), True),
        ({}, False),
        ("[]", False),
        (7, False),
        (datetime(2024, 1, 1), False),
        ({1}, False),
    ],
)
def test_bytes_tell_what_a_list_may_be_rebuilt_from(value: Any, may_be: bool) -> None:
    kind, data = JsonPlusSerializer().dumps_typed(value)
    assert may_encode_seed(kind, data[:8]) == may_be
    assert may_encode_seed("msgpack+aes", data[:8])


def test_packets_of_an_old_format_stay_with_the_parent() -> None:
    links = [Link("1", None, frozenset()), Link("2", "1", frozenset()), Link("3", "2", frozenset())]
    looks = {one: Look((), {}, needs_parent=one == "3") for one in "123"}
    assert superfluous(links, Keep(1, None), looks.__getitem__) == ["1"]
    assert superfluous(links, Keep(2, None), looks.__getitem__) == ["1"]


def test_values_that_nobody_has_go_from_memory() -> None:
    saver = InMemorySaver()
    filled(saver)
    saver.prune(["1"])
    kept = saver.get_tuple(thread("1"))
    assert kept
    assert {key[2:] for key in saver.blobs} == {*kept.checkpoint["channel_versions"].items()}
    assert not [key for key in saver.writes if key[2] != kept.checkpoint["id"]]


def test_subgraphs_are_pruned_by_namespace(saver: Any) -> None:
    config = {"configurable": {"thread_id": "1", "checkpoint_ns": "child"}}
    filled(saver)
    for number in range(3):
        saver.put(
            config,
            {
                "v": 4,
                "id": str(uuid6()),
                "ts": "",
                "channel_values": {},
                "channel_versions": {},
                "versions_seen": {},
            },
            {"step": number},
            {},
        )
    saver.prune(["1"])
    assert len([*saver.list(config)]) == 1
    assert len(ids(saver, "1")) == 1


def test_what_makes_no_sense_is_refused(saver: Any) -> None:
    filled(saver)
    before = ids(saver, "1")
    for wrong in (
        {"strategy": "oldest"},
        {"last": 0},
        {"newer_than": datetime(2024, 1, 1)},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            saver.prune(["1"], **wrong)
    assert ids(saver, "1") == before


@pytest.mark.parametrize(
    "kept", [{"last": 1}, {"last": 5}, {"newer_than": datetime.now(timezone.utc)}]
)
def test_to_delete_a_thread_excludes_keeping_something_of_it(saver: Any, kept: Any) -> None:
    filled(saver)
    before = ids(saver, "1")
    with pytest.raises(ValueError, match=r"excludes last and newer_than: leave these out"):
        saver.prune(["1"], strategy="delete", **kept)
    assert ids(saver, "1") == before


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"last": "3"}, "last must be an int"),
        ({"last": True}, "last must be an int"),
        ({"newer_than": timedelta(days=7)}, r"datetime.now\(timezone.utc\) - timedelta"),
    ],
)
def test_what_is_of_another_type_is_refused(saver: Any, wrong: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        saver.prune(["1"], **wrong)


def test_one_text_is_not_taken_for_several(saver: Any) -> None:
    filled(saver)
    before = ids(saver, "1")
    with pytest.raises(TypeError, match=r"thread_ids must be .* not a str; for one: \['1'\]"):
        saver.prune("1", strategy="delete")
    with pytest.raises(TypeError, match=r"run_ids must be .* not a str; for one: \['1'\]"):
        saver.delete_for_runs("1")
    assert ids(saver, "1") == before


async def test_async_savers_prune() -> None:
    async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
        saver.linear_storage = False
        app = graph(saver)
        for turn in range(3):
            await app.ainvoke({"log": [f"q{turn}"]}, thread("1"))
        before = await app.aget_state(thread("1"))
        await saver.aprune(["1"], last=2)
        assert len([one async for one in saver.alist(thread("1"))]) == 2
        await asyncio.to_thread(saver.prune, ["1"])
        assert len([one async for one in saver.alist(thread("1"))]) == 1
        assert (await app.aget_state(thread("1"))).values == before.values
    memory = InMemorySaver()
    filled(memory)
    await memory.aprune(["1"])
    assert len(ids(memory, "1")) == 1


async def test_async_savers_of_postgres_prune(database: str) -> None:
    from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver

    async with AsyncPostgresSaver.from_conn_string(database) as saver:
        await saver.setup()
        app = graph(saver, DeltaChannel(fold, snapshot_frequency=4))
        for turn in range(5):
            await app.ainvoke({"log": [f"q{turn}"]}, thread("1"))
        before = await app.aget_state(thread("1"))
        await saver.aprune(["1"], last=2)
        left = [one async for one in saver.alist(thread("1"))]
        await asyncio.to_thread(saver.prune, ["1"], last=1)
        assert len([one async for one in saver.alist(thread("1"))]) <= len(left) < 15
        assert (await app.aget_state(thread("1"))).values == before.values


def test_an_id_tells_its_time() -> None:
    before = datetime.now(timezone.utc)
    made = time_of(str(uuid6()))
    assert made and abs(made - before) < timedelta(seconds=1)
    assert time_of("nothing") is None
    assert time_of("00000000-0000-4000-8000-000000000000") is None
