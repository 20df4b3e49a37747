"""Lists that are stored as changes, a whole one only now and then."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage, RemoveMessage
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.graph.message import add_messages
from langgraph_rust.types import Command, Overwrite, interrupt

SWITCH = "LANGGRAPH_RUST_LINEAR_STORAGE"
THREAD: Any = {"configurable": {"thread_id": "1"}}


def keep_newest(state: list[Any], new: list[Any]) -> list[Any]:
    return [*state, *new][-9:]


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    messages: Annotated[list[Any], add_messages]
    newest: Annotated[list[str], keep_newest]
    text: Annotated[str, operator.add]


def answer(state: State) -> Any:
    said = f"a{len(state['log'])}"
    return {"log": [said], "messages": [("ai", said)], "newest": [said], "text": said}


def graph(saver: Any, node: Any = answer) -> Any:
    return StateGraph(State).add_node("answer", node).add_edge(START, "answer").compile(saver)


def given(text: str) -> Any:
    return {"log": [text], "messages": [("user", text)], "newest": [text], "text": text}


def memory(linear: Any) -> InMemorySaver:
    saver = InMemorySaver()
    saver.linear_storage = linear
    return saver


def stored(saver: Any, name: str) -> list[bool]:
    """At which checkpoints a field's value is stored, oldest first."""
    found = [name in one.checkpoint["channel_values"] for one in saver.list(THREAD)]
    return found[::-1]


def history(app: Any) -> list[Any]:
    return [
        (
            state.metadata["step"],
            state.values.get("log"),
            [message.content for message in state.values.get("messages", ())],
        )
        for state in app.get_state_history(THREAD)
    ]


def test_every_checkpoint_holds_what_it_would_hold() -> None:
    apps = [graph(memory(linear)) for linear in (False, True)]
    for turn in range(20):
        one, other = [app.invoke(given(f"q{turn}"), THREAD) for app in apps]
        assert one["log"] == other["log"]
    assert history(apps[0]) == history(apps[1])


def test_a_list_is_stored_when_half_of_it_has_changed() -> None:
    saver = memory(True)
    app = graph(saver)
    for turn in range(20):
        app.invoke(given(f"q{turn}"), THREAD)
    places = [place for place, is_stored in enumerate(stored(saver, "log")) if is_stored]
    gaps = [later - earlier for earlier, later in pairwise(places)]
    assert gaps == sorted(gaps)
    assert gaps[0] == 1 and gaps[-1] > 12


def test_a_list_that_nobody_writes_to_is_not_stored_again() -> None:
    def count(state: State) -> Any:
        return {"text": "."}

    saver = memory(True)
    app = graph(saver, count)
    app.invoke({"log": ["only"]}, THREAD)
    for _ in range(6):
        app.invoke({"text": "?"}, THREAD)
    versions = {one.checkpoint["channel_versions"].get("log") for one in saver.list(THREAD)}
    assert len(versions - {None}) == 1
    assert app.get_state(THREAD).values["log"] == ["only"]


def test_storage_grows_with_the_thread_not_with_its_square(tmp_path: Path) -> None:
    sizes = {}
    for linear in (False, True):
        path = tmp_path / f"{linear}.sqlite"
        with SqliteSaver.from_conn_string(str(path)) as saver:
            saver.linear_storage = linear
            app = graph(saver)
            for turn in range(60):
                app.invoke({"log": [f"{turn:0200}"]}, THREAD)
        sizes[linear] = path.stat().st_size
    assert sizes[True] < sizes[False] / 5


def test_postgres_too(database: str) -> None:
    from langgraph_rust.checkpoint.postgres import PostgresSaver

    plain = graph(memory(False))
    with PostgresSaver.from_conn_string(database) as saver:
        saver.setup()
        saver.linear_storage = True
        app = graph(saver)
        for turn in range(12):
            plain.invoke(given(f"q{turn}"), THREAD)
            app.invoke(given(f"q{turn}"), THREAD)
        assert history(app) == history(plain)
        assert not all(stored(saver, "log")[1:])


def test_a_saver_of_newest_checkpoints_alone_stores_whole_values(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from langgraph_rust.checkpoint.postgres.shallow import ShallowPostgresSaver

    monkeypatch.setenv(SWITCH, "1")
    with (
        pytest.warns(DeprecationWarning),
        ShallowPostgresSaver.from_conn_string(database) as saver,
    ):
        saver.setup()
        app = graph(saver)
        for turn in range(4):
            app.invoke(given(f"q{turn}"), THREAD)
        assert len(app.get_state(THREAD).values["log"]) == 8


def test_what_is_not_known_to_replay_is_stored_whole() -> None:
    saver = memory(True)
    graph(saver).invoke(given("q"), THREAD)
    assert all(stored(saver, "newest")[1:])
    assert all(stored(saver, "text")[1:])


def test_a_field_may_be_named() -> None:
    saver = memory({"newest"})
    app = graph(saver)
    for turn in range(4):
        app.invoke(given(f"q{turn}"), THREAD)
    assert not all(stored(saver, "newest")[1:])
    assert all(stored(saver, "log")[1:])
    assert app.get_state(THREAD).values["newest"] == [
        "q0",
        "a1",
        "q1",
        "a3",
        "q2",
        "a5",
        "q3",
        "a7",
    ]


def test_a_name_that_is_no_field_with_a_reducer_is_passed_over() -> None:
    saver = memory(["elsewhere", "branch:to:answer"])
    assert graph(saver).invoke(given("q"), THREAD)["log"] == ["q", "a1"]


def test_messages_keep_the_ids_that_they_got() -> None:
    app = graph(memory(True))
    for turn in range(6):
        app.invoke(given(f"q{turn}"), THREAD)
    seen = [[m.id for m in s.values["messages"]] for s in app.get_state_history(THREAD) if s.values]
    assert all(earlier == seen[0][: len(earlier)] for earlier in seen)


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_overwriting_and_removing_are_replayed(durability: str) -> None:
    def node(state: State) -> Any:
        match len(state["log"]) % 3:
            case 0:
                return {"log": Overwrite(["anew"]), "messages": [RemoveMessage("last")]}
            case 1:
                return {"log": ["more"], "messages": Overwrite([AIMessage("anew", id="last")])}
        return {"log": ["more"], "messages": [AIMessage("changed", id="last")]}

    apps = [graph(memory(linear), node) for linear in (False, True)]
    for turn in range(9):
        results = []
        for app in apps:
            try:
                done = app.invoke(given(f"q{turn}"), THREAD, durability=durability)
                results.append((done["log"], [m.content for m in done["messages"]]))
            except ValueError as error:  # nothing to remove
                results.append(str(error))
        assert results[0] == results[1]
    plain, linear = [history(app) for app in apps]
    # The state before the beginning, which changes are stored on.
    assert plain == [state for state in linear if state[0] != -2]


def test_it_may_be_switched_off_and_on() -> None:
    saver = memory(True)
    app = graph(saver)
    for turn in range(9):
        saver.linear_storage = turn % 3 != 2
        app.invoke(given(f"q{turn}"), THREAD)
    texts = [text for turn in range(9) for text in (f"q{turn}", f"a{2 * turn + 1}")]
    assert app.get_state(THREAD).values["log"] == texts


def test_a_thread_forks_and_is_updated() -> None:
    app = graph(memory(True))
    for turn in range(4):
        app.invoke(given(f"q{turn}"), THREAD)
    before = app.get_state(THREAD).values["log"]
    old = list(app.get_state_history(THREAD))[4]
    forked = app.invoke(given("other"), old.config)
    assert forked["log"] == [*old.values["log"], "other", f"a{len(old.values['log']) + 1}"]
    app.update_state(THREAD, {"log": ["noted"]})
    assert app.get_state(THREAD).values["log"] == [*forked["log"], "noted"]
    assert before in [state.values.get("log") for state in app.get_state_history(THREAD)]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def untold(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A saver that nobody has told anything."""
    if request.param == "memory":
        yield InMemorySaver()
    elif request.param == "sqlite":
        with SqliteSaver.from_conn_string(":memory:") as saver:
            yield saver
    else:
        from langgraph_rust.checkpoint.postgres import PostgresSaver

        with PostgresSaver.from_conn_string(request.getfixturevalue("database")) as saver:
            saver.setup()
            yield saver


def stores_changes(saver: Any) -> bool:
    app = graph(saver)
    for turn in range(4):
        app.invoke(given(f"q{turn}"), THREAD)
    return not all(stored(saver, "log")[1:])


def test_what_lasts_is_stored_so_unless_told_otherwise(
    untold: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SWITCH, raising=False)
    assert untold.linear_storage is None
    assert stores_changes(untold) == (not isinstance(untold, InMemorySaver))


@pytest.mark.parametrize("switch", ["0", "1"])
def test_the_environment_decides_for_the_savers_that_ship(
    untold: Any, switch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SWITCH, switch)
    assert stores_changes(untold) == (switch == "1")
    assert not stores_changes(memory(False))
    assert stores_changes(memory(True))


def test_the_environment_must_say_one_or_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "")
    assert not stores_changes(InMemorySaver())
    monkeypatch.setenv(SWITCH, "maybe")
    with pytest.raises(ValueError, match=f"{SWITCH} is 'maybe', which is neither on"):
        graph(InMemorySaver()).invoke(given("q"), THREAD)
    assert not stores_changes(memory(False))


async def test_async_savers_store_so_too(tmp_path: Path, database: str) -> None:
    from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver
    from langgraph_rust.checkpoint.sqlite.aio import AsyncSqliteSaver

    async with (
        AsyncSqliteSaver.from_conn_string(str(tmp_path / "threads")) as one,
        AsyncPostgresSaver.from_conn_string(database) as other,
    ):
        await other.setup()
        for saver in (one, other):
            app = graph(saver)
            for turn in range(4):
                await app.ainvoke(given(f"q{turn}"), THREAD)
            found = ["log" in s.checkpoint["channel_values"] async for s in saver.alist(THREAD)]
            assert not all(found[:-1])


@pytest.mark.parametrize("second", ["sync", "async", "exit"])
@pytest.mark.parametrize("first", ["sync", "async", "exit"])
def test_another_answer_to_an_old_question_leaves_the_first_as_it_was(
    first: Any, second: Any
) -> None:
    def node(state: State) -> Any:
        said = interrupt("?")
        return {"log": [said], "messages": [("user", said)]}

    def after(state: State) -> Any:
        return {"log": ["after"], "messages": [("ai", "after")]}

    seen = []
    for linear in (False, True):
        builder = StateGraph(State).add_node("ask", node).add_node("after", after)
        builder.add_edge(START, "ask").add_edge("ask", "after")
        app = builder.compile(memory(linear))
        for turn in range(3):
            app.invoke(given(f"q{turn}"), THREAD, durability=first)
            app.invoke(Command(resume=f"yes{turn}"), THREAD, durability=first)
        end = app.get_state(THREAD)
        asked = next(s for s in app.get_state_history(THREAD) if s.next == ("ask",))
        forked = app.invoke(Command(resume="no"), asked.config, durability=second)
        again = app.get_state(end.config)
        assert again.values == end.values
        seen.append((forked["log"], again.values["log"]))
    assert seen[0] == seen[1]
