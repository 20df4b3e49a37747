"""Deleting what runs have left, unless what stays is rebuilt from it."""

from __future__ import annotations

import asyncio
import operator
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from langgraph_rust._storage.command import main as storage
from langgraph_rust.channels import DeltaChannel
from langgraph_rust.checkpoint.base._prune import Link, Look, answered, find_bereft, refuse_bereft
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import Overwrite

SEED = 9
"""Items that a thread begins with: a list so long is not stored whole again for some turns."""


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def saver(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "memory":
        made = InMemorySaver()
        made.linear_storage = True
        yield made
    elif request.param == "sqlite":
        with SqliteSaver.from_conn_string(":memory:") as made:
            yield made
    else:
        from langgraph_rust.checkpoint.postgres import PostgresSaver

        with PostgresSaver.from_conn_string(request.getfixturevalue("database")) as made:
            made.setup()
            yield made


def fold(state: list[Any], writes: list[Any]) -> list[Any]:
    return [*state, *(item for write in writes for item in write)]


def graph(saver: Any, kind: Any = operator.add) -> Any:
    fields = {"log": Annotated[list, kind], "other": str}
    state: Any = TypedDict("State", fields)  # pyright: ignore
    builder = StateGraph(state).add_node("a", lambda state: {"log": ["a"], "other": "a"})
    return builder.add_edge(START, "a").compile(checkpointer=saver)


def config(run_id: str = "", thread: str = "1", **more: Any) -> Any:
    return {
        "configurable": {"thread_id": thread, "checkpoint_ns": "", **more},
        "metadata": {"run_id": run_id},
    }


def talk(app: Any, *runs: str, thread: str = "1") -> None:
    for run_id in runs:
        given = ["q"] * SEED if run_id == "r0" else [run_id]
        app.invoke({"log": given}, config(run_id, thread))


def content(app: Any, thread: str = "1") -> list[Any]:
    return [
        (state.config, state.values, state.metadata)
        for state in app.get_state_history(config(thread=thread))
    ]


def test_what_later_runs_are_rebuilt_from_stays(saver: Any) -> None:
    app = graph(saver)
    talk(app, "r0", "r1", "r2", "r3")
    talk(app, "r0", "r1", thread="2")
    before = content(app), content(app, "2")
    with pytest.raises(ValueError, match=r"nothing was deleted") as caught:
        saver.delete_for_runs(["r1"])
    assert (content(app), content(app, "2")) == before
    (first,) = [
        state.config["configurable"]["checkpoint_id"]
        for state in app.get_state_history(config())
        if state.metadata["run_id"] == "r2" and state.metadata["source"] == "input"
    ]
    told = str(caught.value)
    assert f"checkpoint '{first}' of thread '1': 'log'" in told and "'other'" not in told
    assert "thread '2'" not in told
    for way_out in ("later runs", "delete_thread", "prune", "linear_storage = False"):
        assert way_out in told


def test_the_newest_runs_go(saver: Any) -> None:
    app = graph(saver)
    talk(app, "r0", "r1")
    before = content(app)
    talk(app, "r2", "r3")
    saver.delete_for_runs(["r3"])
    assert app.get_state(config()).metadata["run_id"] == "r2"
    saver.delete_for_runs(["r2"])
    assert content(app) == before
    talk(app, "r4")
    assert app.get_state(config()).values["log"] == [*["q"] * SEED, "a", "r1", "a", "r4", "a"]


def test_runs_go_together(saver: Any) -> None:
    app = graph(saver)
    talk(app, "r0", "r1", "r2", "r3")
    saver.delete_for_runs(["r1", "r3", "r2"])
    assert {state[2]["run_id"] for state in content(app)} == {"r0"}
    assert app.get_state(config()).values["log"] == [*["q"] * SEED, "a"]
    talk(app, "r0", thread="2")
    saver.delete_for_runs(["r0"])
    assert content(app) == content(app, "2") == []
    saver.delete_for_runs(["r0", "nobody's"])
    saver.delete_for_runs([])


def test_a_branch_goes_that_nobody_has_gone_on_with(saver: Any) -> None:
    app = graph(saver)
    talk(app, "r0", "r1")
    fork = app.get_state(config()).config["configurable"]["checkpoint_id"]
    talk(app, "r2")
    app.invoke({"log": ["other"]}, config("r3", checkpoint_id=fork))
    log = app.get_state(config()).values["log"]
    saver.delete_for_runs(["r2"])
    assert app.get_state(config()).values["log"] == log
    before = content(app)
    # Both branches need what was before.
    with pytest.raises(ValueError, match="'log'"):
        saver.delete_for_runs(["r1"])
    assert content(app) == before
    saver.delete_for_runs(["r3"])
    assert app.get_state(config()).config["configurable"]["checkpoint_id"] == fork


def test_one_of_two_branches_is_enough_to_refuse(saver: Any) -> None:
    app = graph(saver)
    talk(app, "r0", "r1")
    fork = app.get_state(config()).config["configurable"]["checkpoint_id"]
    talk(app, "r2")
    app.invoke({"log": ["other"]}, config("r3", checkpoint_id=fork))
    with pytest.raises(ValueError, match="'log'"):
        saver.delete_for_runs(["r1", "r2"])
    saver.delete_for_runs(["r1", "r2", "r3"])
    assert app.get_state(config()).values["log"] == [*["q"] * SEED, "a"]


def test_runs_before_a_whole_value_go(saver: Any) -> None:
    app = graph(saver)
    talk(app, "r0", "r1")
    saver.linear_storage = False
    talk(app, "r2")
    saver.linear_storage = True
    talk(app, "r3")
    after = [state for state in content(app) if state[2]["run_id"] in ("r2", "r3")]
    saver.delete_for_runs(["r0", "r1"])
    assert content(app) == after


def test_all_of_a_thread_that_is_stored_whole_goes(saver: Any) -> None:
    saver.linear_storage = False
    app = graph(saver)
    talk(app, "r0", "r1", "r2", "r3")
    after = [state for state in content(app) if state[2]["run_id"] in ("r0", "r3")]
    saver.delete_for_runs(["r1", "r2"])
    assert content(app) == after


def test_delta_channels_are_lists_that_are_rebuilt(saver: Any) -> None:
    app = graph(saver, DeltaChannel(fold, snapshot_frequency=9))
    talk(app, "r0", "r1", "r2")
    before = content(app)
    with pytest.raises(ValueError, match="'log'"):
        saver.delete_for_runs(["r1"])
    assert content(app) == before
    saver.delete_for_runs(["r2"])
    assert app.get_state(config()).values["log"] == [*["q"] * SEED, "a", "r1", "a"]


def test_many_are_counted() -> None:
    found = {("1", "child"): {str(number): ["log"] for number in range(9)}}
    with pytest.raises(ValueError, match=r"\(namespace 'child'\).*checkpoint '4'.*; and 4 more\."):
        refuse_bereft(found)
    refuse_bereft({})
    refuse_bereft({("1", ""): {}})


def test_only_those_are_looked_at_whose_parents_go() -> None:
    deltas = frozenset({"log"})
    links = [Link(str(n), str(n - 1) if n else None, deltas) for n in range(9)]
    looked: list[str] = []

    def look(one: str) -> Look:
        looked.append(one)
        return Look(["log"], {"log": True} if one in "06" else {})

    assert answered(find_bereft(links, {"7", "8"}), look) == {}
    assert answered(find_bereft(links, {"4", "5"}), look) == {} and looked == ["6"]
    assert answered(find_bereft(links, {"7"}), look) == {"8": ["log"]}
    assert looked == ["6", "8", "7", "6"]


def test_before_the_first_write_there_is_nothing_to_lose() -> None:
    links = [
        Link("1", None, frozenset()),
        Link("2", "1", frozenset()),
        Link("3", "2", frozenset()),
        Link("4", "3", frozenset({"log"})),
        Link("5", "4", frozenset({"log"})),
    ]
    looks = {one: Look(["log"] if one > "3" else ["other"], {}) for one in "12345"}
    assert answered(find_bereft(links, {"1", "2"}), looks.__getitem__) == {}
    assert answered(find_bereft(links, {"3"}), looks.__getitem__) == {"4": ["log"]}


async def test_async_savers_refuse(tmp_path: Path) -> None:
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "threads")) as saver:
        await refuses(saver)


async def test_async_savers_of_postgres_refuse(database: str) -> None:
    from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver

    async with AsyncPostgresSaver.from_conn_string(database) as saver:
        await saver.setup()
        await refuses(saver)


async def refuses(saver: Any) -> None:
    app = graph(saver)
    for run_id in ("r0", "r1", "r2"):
        given = ["q"] * SEED if run_id == "r0" else [run_id]
        await app.ainvoke({"log": given}, config(run_id))
    before = [state async for state in app.aget_state_history(config())]
    with pytest.raises(ValueError, match="'log'"):
        await saver.adelete_for_runs(["r1"])
    with pytest.raises(ValueError, match="'log'"):
        await asyncio.to_thread(saver.delete_for_runs, ["r1"])
    assert [state async for state in app.aget_state_history(config())] == before
    await saver.adelete_for_runs(["r2"])
    left = await app.aget_state(config())
    assert left.values["log"] == [*["q"] * SEED, "a", "r1", "a"]


def test_in_a_transaction_of_the_caller(database: str) -> None:
    import psycopg

    from langgraph_rust.checkpoint.postgres import PostgresSaver

    with psycopg.connect(database, autocommit=True) as conn:
        saver = PostgresSaver(conn)
        saver.setup()
        app = graph(saver)
        talk(app, "r0", "r1", "r2")
        with conn.transaction(force_rollback=True):
            conn.execute("SELECT 1")
            saver.delete_for_runs(["r2"])
            assert app.get_state(config()).metadata["run_id"] == "r1"
        assert app.get_state(config()).metadata["run_id"] == "r2"


def test_in_a_pipeline(database: str) -> None:
    from langgraph_rust.checkpoint.postgres import PostgresSaver

    with PostgresSaver.from_conn_string(database, pipeline=True) as saver:
        saver.setup()
        app = graph(saver)
        talk(app, "r0", "r1", "r2")
        before = content(app)
        with pytest.raises(ValueError, match="'log'"):
            saver.delete_for_runs(["r1"])
        assert content(app) == before
        saver.delete_for_runs(["r2"])
        assert app.get_state(config()).metadata["run_id"] == "r1"


def test_drop_in_mode_deletes_what_it_is_told_to(
    database: str, tmp_path: Path, run_program: Callable[..., Any]
) -> None:
    run_program(f"""
        import langgraph_rust
        langgraph_rust.install()
        from langgraph.checkpoint.memory import InMemorySaver
        from langgraph.checkpoint.postgres import PostgresSaver
        from langgraph.checkpoint.sqlite import SqliteSaver
        from langgraph.graph import START, StateGraph
        from typing import Annotated, TypedDict
        import operator

        class State(TypedDict):
            log: Annotated[list, operator.add]

        def deletes(saver, told):
            builder = StateGraph(State).add_node("a", lambda state: {{"log": ["a"]}})
            app = builder.add_edge(START, "a").compile(checkpointer=saver)
            config = {{"configurable": {{"thread_id": "1", "checkpoint_ns": ""}}}}
            saver.linear_storage = told
            for run in range(4):
                given = ["q"] * 9 if run == 0 else ["q"]
                app.invoke({{"log": given}}, {{**config, "metadata": {{"run_id": str(run)}}}})
            newest = saver.get_tuple(config).checkpoint["channel_values"]
            assert ("log" in newest) == (told is None), told
            saver.delete_for_runs(["1"])
            left = {{one.metadata["run_id"] for one in saver.list(config)}}
            assert left == {{"0", "2", "3"}}, left
            saver.delete_thread("1")

        for told in (None, True):
            deletes(InMemorySaver(), told)
            with SqliteSaver.from_conn_string({str(tmp_path / "threads")!r}) as saver:
                deletes(saver, told)
            with PostgresSaver.from_conn_string({database!r}) as saver:
                saver.setup()
                deletes(saver, told)
    """)


def test_so_it_is_of_a_thread_that_was_compacted(tmp_path: Path) -> None:
    path = str(tmp_path / "threads.sqlite")
    with SqliteSaver.from_conn_string(path) as saver:
        saver.linear_storage = False
        app = graph(saver)
        talk(app, "r0", "r1", "r2", "r3")
        before = content(app)
    assert storage([path, "compact", "--all"]) == 0
    with SqliteSaver.from_conn_string(path) as saver:
        app = graph(saver)
        with pytest.raises(ValueError, match="'log'"):
            saver.delete_for_runs(["r1"])
        assert content(app) == before
        saver.delete_for_runs(["r3"])
        assert content(app) == [state for state in before if state[2]["run_id"] != "r3"]


def test_a_list_that_was_never_written_is_not_missed() -> None:
    deltas = frozenset({"log"})
    links = [Link("1", None, deltas), Link("2", "1", deltas), Link("3", "2", deltas)]
    looks = {one: Look(["other"], {"other": False}) for one in "123"}
    assert answered(find_bereft(links, {"1", "2"}), looks.__getitem__) == {}


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_deleted_what_stays_is_as_it_was(seed: int) -> None:
    chance = random.Random(seed)
    made = InMemorySaver()

    class Lists(TypedDict, total=False):
        log: Annotated[list, operator.add]
        late: Annotated[list, operator.add]

    def written(_: Any = None) -> Any:
        log: Any = [chance.random()] * chance.choice([1, 1, 2, 9])
        late = [chance.random()] * chance.choice([1, 9])
        found: Any = {"log": Overwrite(log) if chance.random() < 0.05 else log}
        return {**found, "late": late} if chance.random() < 0.2 else found

    def held() -> dict[str, Any]:
        return {
            state.config["configurable"]["checkpoint_id"]: (state.values, state.next)
            for state in app.get_state_history(config())
        }

    builder = StateGraph(Lists).add_node("a", written).add_node("b", written)
    app: Any = builder.add_edge(START, "a").add_edge("a", "b").compile(made)
    runs = [f"r{number}" for number in range(8)]
    for run_id in runs:
        known = [*held()]
        place = {"checkpoint_id": chance.choice(known)} if known and chance.random() < 0.3 else {}
        made.linear_storage = chance.random() < 0.85
        if known and chance.random() < 0.2:
            app.update_state(config(run_id, **place), written(), as_node="b")
        else:
            durability: Any = chance.choice(["sync", "async", "exit"])
            app.invoke(written(), config(run_id, **place), durability=durability)
    for _ in range(6):
        before = held()
        try:
            made.delete_for_runs(chance.sample(runs, chance.randint(1, 2)))
        except ValueError:
            assert held() == before
        assert all(before[one] == state for one, state in held().items())
