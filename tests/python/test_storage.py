"""`python -m langgraph_rust storage`: what a database takes, and making it smaller."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import ormsgpack
import pytest
from _storage_graph import TURNS, State, config, given, graph, one
from hypothesis import given as generated
from hypothesis import strategies as st
from langchain_core.messages import RemoveMessage

from langgraph_rust._storage import compact as compacting
from langgraph_rust._storage import spans
from langgraph_rust._storage.command import main
from langgraph_rust._storage.layout import layout_of
from langgraph_rust.checkpoint.serde.base import CipherProtocol
from langgraph_rust.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.graph.message import REMOVE_ALL_MESSAGES
from langgraph_rust.types import Command, Overwrite


@pytest.fixture(autouse=True)
def stored_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be made smaller has been stored whole."""
    monkeypatch.setenv("LANGGRAPH_RUST_LINEAR_STORAGE", "0")


def talk(path: Path, *threads: str, turns: int = TURNS, first: int = 0, **options: Any) -> None:
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        app = graph(SqliteSaver(connection, **options))
        for thread in threads or ("1",):
            for turn in range(first, first + turns):
                app.invoke(given(turn), config(thread))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "threads.sqlite"
    talk(path)
    return path


def states(path: Path, *threads: str, saver: Callable[[Any], Any] = SqliteSaver) -> list[Any]:
    """All that is held at every checkpoint, messages with their ids."""
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        app = graph(saver(connection))
        return [
            (state.config, state.values, state.next, state.metadata, state.parent_config)
            for thread in threads or ("1",)
            for state in app.get_state_history(config(thread))
        ]


def command(*arguments: Any) -> tuple[int, list[str]]:
    from contextlib import redirect_stdout
    from io import StringIO

    told = StringIO()
    with redirect_stdout(told):
        status = main([str(argument) for argument in arguments])
    return status, told.getvalue().splitlines()


def compacted(path: Path, *more: str) -> Any:
    which = () if {"--channel", "--dry-run"} & {*more} else ("--all",)
    status, told = command(path, "compact", "--json", *which, *more)
    assert status == 0
    return json.loads("\n".join(told))


def stored(path: Path, channel: str, thread: str = "1") -> list[bool]:
    """At which checkpoints a channel's value is stored, oldest first."""
    with SqliteSaver.from_conn_string(str(path)) as saver:
        found = [
            channel in made.checkpoint["channel_values"] for made in saver.list(config(thread))
        ]
    return found[::-1]


def content(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        tables = ("checkpoints", "writes")
        return [sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in tables]


# --- the report ---


def test_a_report_says_what_channels_take(database: Path) -> None:
    status, told = command(database, "--json")
    found = json.loads("\n".join(told))
    assert status == 0
    use = {entry["channel"]: entry for entry in found["channels"]}
    assert use["log"]["values"] == len(stored(database, "log")) - 1
    assert use["log"]["writes"] == 3 * TURNS
    assert use["log"]["linear_bytes"] < use["log"]["value_bytes"] / 2
    assert use["plain"]["linear_bytes"] == use["plain"]["value_bytes"] + use["plain"]["write_bytes"]
    assert found["row_bytes"] == sum(e["value_bytes"] + e["write_bytes"] for e in use.values())
    with closing(sqlite3.connect(database)) as connection:
        sizes = [
            connection.execute(f"SELECT sum({column}) FROM {table}").fetchone()[0]
            for table, column in (
                ("checkpoints", "length(checkpoint) + length(metadata)"),
                ("writes", "length(value)"),
            )
        ]
    assert sum(sizes) < found["row_bytes"] < found["file_bytes"]


def test_what_a_report_promises_is_what_comes(database: Path) -> None:
    promised = json.loads("\n".join(command(database, "--json")[1]))
    compacted(database)
    now = json.loads("\n".join(command(database, "--json")[1]))
    assert now["file_bytes"] < promised["file_bytes"]
    # Ids that messages got take room of their own, and the names of the values do not any more.
    assert now["row_bytes"] == pytest.approx(promised["linear_row_bytes"], rel=0.1)
    assert now["linear_row_bytes"] == now["row_bytes"]


def test_a_report_is_readable_and_sorted(database: Path) -> None:
    _, told = command(database)
    assert told[0].split() == [
        "thread",
        "namespace",
        "channel",
        "values",
        "writes",
        "total",
        "linear",
    ]
    assert "in files" in told[-1]
    assert len(command(database, "--limit", "2")[1]) == 7


def test_a_report_reads_only_and_waits_for_nobody(database: Path) -> None:
    before = database.read_bytes()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert command(database)[0] == 0
    assert database.read_bytes() == before


def test_a_thread_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "two.sqlite"
    talk(path, "1", "2", turns=6)
    found = json.loads("\n".join(command(path, "--json", "--thread", "2")[1]))
    assert {entry["thread"] for entry in found["channels"]} == {"2"}
    compacted(path, "--thread", "2")
    assert all(stored(path, "log", "1")[1:])
    assert not all(stored(path, "log", "2")[1:])


# --- making it smaller ---


def test_every_state_is_as_before(database: Path) -> None:
    before = states(database)
    said = compacted(database)
    assert said["values"] > TURNS
    assert said["completed_writes"] > 0
    assert not all(stored(database, "messages")[1:])
    assert states(database) == before


def test_a_summary_in_the_place_of_messages_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "summary.sqlite"

    def chat(state: State) -> Any:
        messages = state["messages"]
        if len(messages) < 12:
            return {"messages": [("ai", f"a{len(messages)}")]}
        old = [RemoveMessage(str(message.id)) for message in messages[1:-3]]
        return {"messages": [*old, ("system", "all that was said")]}

    with SqliteSaver.from_conn_string(str(path)) as saver:
        app = StateGraph(State).add_node("chat", chat).add_edge(START, "chat").compile(saver)
        for turn in range(16):
            app.invoke({"messages": [("user", f"q{turn}")]}, config())
    before = states(path)
    said = compacted(path)
    assert not said["left_alone"] and said["values"] > 24
    assert states(path) == before


def test_threads_go_on_and_are_made_smaller_again(database: Path) -> None:
    for turn in range(TURNS, TURNS + 4):
        compacted(database)
        before = states(database)
        talk(database, first=turn, turns=1)
        assert states(database)[-len(before) :] == before
    before = states(database)
    assert compacted(database)["values"] > 0
    assert states(database) == before


def test_a_second_time_there_is_nothing_to_do(database: Path) -> None:
    compacted(database)
    before = content(database)
    assert compacted(database)["values"] == 0
    assert content(database) == before


def test_a_dry_run_changes_nothing(database: Path) -> None:
    before = content(database)
    would = compacted(database, "--dry-run")
    assert content(database) == before
    did = compacted(database)
    assert (would["values"], would["value_bytes"]) == (did["values"], did["value_bytes"])


def test_nothing_else_of_a_row_changes(database: Path) -> None:
    checkpoints, writes = content(database)
    compacted(database)
    now, written = content(database)
    for old, new in zip(checkpoints, now, strict=True):
        assert [*old[:5], old[6]] == [*new[:5], new[6]]
        before, after = [JsonPlusSerializer().loads_typed((row[4], row[5])) for row in (old, new)]
        kept = {name: before["channel_values"][name] for name in after["channel_values"]}
        assert {**before, "channel_values": kept} == after
        assert list(kept) == list(after["channel_values"])
    assert [row[:8] for row in writes] == [row[:8] for row in written]
    changed = {old[6] for old, new in zip(writes, written, strict=True) if old != new}
    assert changed == {"messages"}


def test_only_named_channels_are_touched(database: Path) -> None:
    compacted(database, "--channel", "log", "newest")
    assert not all(stored(database, "log")[1:])
    assert all(stored(database, "messages")[1:])


def test_which_channels_must_be_said(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([str(database), "compact"])
    assert "--channel NAME ..., or say --all" in capsys.readouterr().err
    assert all(stored(database, "log")[1:])


def test_a_channel_that_is_not_there_is_named(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compacted(database, "--channel", "logs")["values"] == 0
    assert "no channel 'logs' holds a list" in capsys.readouterr().err


def test_what_is_no_list_that_grows_is_left_alone(database: Path) -> None:
    left = compacted(database)["left_alone"]
    reasons = {entry["channel"]: entry["reason"] for entry in left}
    assert "it does not give the value" in reasons["newest"]
    assert "it does not give the value" in reasons["plain"]
    assert "text" not in reasons
    for name in ("newest", "plain", "text"):
        assert all(stored(database, name)[1:])


def test_a_list_that_was_never_added_to_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "plain.sqlite"
    builder = StateGraph(State).add_node("idle", lambda state: {"text": "x"})
    with SqliteSaver.from_conn_string(str(path)) as saver:
        app = builder.add_edge(START, "idle").compile(saver)
        app.invoke({"plain": ["a", "b", "c", "d"], "text": ""}, config())
        app.invoke({"text": ""}, config())
    assert "may have no reducer" in compacted(path)["left_alone"][0]["reason"]
    assert states(path)[0][1]["plain"] == ["a", "b", "c", "d"]


def test_encrypted_threads_are_left_alone(tmp_path: Path) -> None:
    class Cipher(CipherProtocol):
        def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
            return "turn", plaintext[::-1]

        def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
            return ciphertext[::-1]

    path = tmp_path / "encrypted.sqlite"
    talk(path, serde=EncryptedSerializer(Cipher()), turns=4)
    before = content(path)
    said = compacted(path)
    assert "msgpack+turn" in said["left_alone"][0]["reason"]
    assert content(path) == before
    status, shown = command(path)
    assert status == 0
    assert re.search(
        r"\d+ checkpoints are stored as 'msgpack\+turn', which is encrypted", "\n".join(shown)
    )


def test_forks_updates_and_overwrites_are_kept(database: Path) -> None:
    with SqliteSaver.from_conn_string(str(database)) as saver:
        app = graph(saver)
        history = list(app.get_state_history(config()))
        for place in (3, 9, 16):
            app.invoke(None, history[place].config)
            app.update_state(history[place].config, {"log": ["noted"]}, as_node="one")
            app.invoke({"log": ["anew"]}, history[place + 2].config)
        app.update_state(config(), {"log": Overwrite(["x"])}, as_node="other")
        app.update_state(config(), {"messages": [RemoveMessage(REMOVE_ALL_MESSAGES)]}, "one")
    talk(database, first=16, turns=5)
    before = states(database)
    assert compacted(database)["values"] > TURNS
    assert states(database) == before


@pytest.mark.parametrize("place", range(2, 3 * TURNS, 5))
def test_what_comes_later_on_an_old_checkpoint_changes_no_other(database: Path, place: int) -> None:
    compacted(database)
    before = states(database)
    with SqliteSaver.from_conn_string(str(database)) as saver:
        app = graph(saver)
        old = before[place][0]
        app.invoke(None, old)
        app.invoke(Command(update={"log": ["said"], "messages": [("user", "told")]}), old)
        app.update_state(old, {"log": ["noted"]}, as_node="one")
        app.update_state(old, {"log": ["given"]}, as_node="__input__")
        app.invoke({"log": ["anew"], "messages": []}, old, durability="exit")
    now = {str(state[0]): state for state in states(database)}
    assert [now[str(state[0])] for state in before] == before


def test_subgraphs_have_threads_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "nested.sqlite"
    inner = StateGraph(State).add_node("one", one).add_edge(START, "one")

    def app(saver: Any) -> Any:
        builder = StateGraph(State).add_node("inner", inner.compile(checkpointer=True))
        return builder.add_edge(START, "inner").compile(saver)

    def seen() -> list[Any]:
        with SqliteSaver.from_conn_string(str(path)) as saver:
            found = app(saver).get_state_history(config(checkpoint_ns="inner"))
            return [(state.config, state.values) for state in found]

    with SqliteSaver.from_conn_string(str(path)) as saver:
        for turn in range(8):
            app(saver).invoke({"log": [f"q{turn}"]}, config())
    before = seen()
    assert len(before) > 8
    compacted(path)
    assert seen() == before
    found = json.loads("\n".join(command(path, "--json")[1]))["channels"]
    assert {entry["namespace"] for entry in found} == {"", "inner"}


def test_a_thread_that_moves_is_looked_at_again(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = compacting._plans
    moves = [TURNS, TURNS + 1]

    def while_others_write(*arguments: Any) -> Any:
        made = planned(*arguments)
        if moves:
            talk(database, first=moves.pop(0), turns=1)
        return made

    monkeypatch.setattr(compacting, "_plans", while_others_write)
    compacted(database)
    assert not moves
    assert len(states(database)) == 4 * (TURNS + 2)
    assert compacted(database)["values"] == 0


KILLED = """
import sys
from langgraph_rust._storage.command import main
print("begun", flush=True)
sys.exit(main([sys.argv[1], "compact", "--all"]))
"""


def test_killed_at_any_moment_it_loses_nothing_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "killed.sqlite"
    names = [str(number) for number in range(12)]
    talk(path, *names, turns=10)
    before = states(path, *names)
    whole = tmp_path / "whole.sqlite"
    shutil.copy(path, whole)
    began = time.monotonic()
    compacted(whole)
    usual, chance = time.monotonic() - began, random.Random(5)
    statuses = []
    for _ in range(60):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout and process.stdout.readline() == "begun\n"
        time.sleep(chance.random() * usual * 0.7)
        process.send_signal(signal.SIGKILL)
        statuses.append(process.wait())
        process.stdout.close()
        if len(statuses) % 3 == 0:
            assert states(path, *names) == before
        if statuses.count(-signal.SIGKILL) > 8:
            break
    assert statuses.count(-signal.SIGKILL) > 1
    compacted(path)
    assert states(path, *names) == before
    assert content(path) == content(whole)


def test_file_gets_smaller_unless_that_is_not_wanted(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    large = tmp_path / "large.sqlite"
    shutil.copy(database, large)
    size = large.stat().st_size
    compacted(large, "--no-vacuum")
    assert large.stat().st_size >= size
    capsys.readouterr()
    # An earlier run may have been stopped before this.
    assert compacted(large)["file_bytes"] < size * 0.6
    # What goes on is for somebody who looks at a terminal.
    assert capsys.readouterr().err == ""


def test_progress_is_shown_on_a_terminal(
    database: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    compacted(database)
    assert capsys.readouterr().err == "vacuum\n"


def test_others_may_read_while_it_gets_smaller(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("BEGIN")
        count = connection.execute("SELECT count(*) FROM checkpoints").fetchone()
        said = compacted(database)
        assert said["values"] > 0
        assert "when those who use it now are done" in said["not_vacuumed"]
        assert connection.execute("SELECT count(*) FROM checkpoints").fetchone() == count


# --- the command line ---


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.sqlite"], "there is no file nowhere.sqlite"),
        (["postgresql://localhost:1/x"], "cannot be reached"),
        (["mysql://localhost/x"], "mysql databases are not supported"),
        (["text.txt"], "cannot be read as a SQLite database"),
        (["empty.sqlite"], "holds no checkpoints"),
        (["threads.sqlite", "--thread", "7"], "there is no thread '7'"),
    ],
)
def test_bad_input_is_named(
    database: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(database.parent)
    Path("text.txt").write_text("text " * 400)
    with closing(sqlite3.connect("empty.sqlite")) as connection:
        connection.execute("CREATE TABLE other (x)")
    assert main(arguments) == 1
    assert said in capsys.readouterr().err


def test_options_of_compact_are_for_compact(database: Path) -> None:
    with pytest.raises(SystemExit):
        main([str(database), "--dry-run"])


def test_it_is_a_command_unless_a_script_has_its_name(database: Path) -> None:
    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "langgraph_rust", "storage", *arguments]
        return subprocess.run(
            command, cwd=database.parent, env=dict(os.environ), capture_output=True, text=True
        ).stdout

    assert "in files" in run("threads.sqlite")
    (database.parent / "storage").mkdir()
    assert "in files" in run("threads.sqlite")
    (database.parent / "storage" / "__main__.py").write_text("print('a program')")
    assert run("threads.sqlite") == "a program\n"


# --- bytes ---

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=40)
    | st.binary(max_size=300)
    | st.builds(ormsgpack.Ext, st.integers(0, 127), st.binary(max_size=40)),
    lambda inner: (
        st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=40), inner, max_size=20)
    ),
)


@generated(VALUES, st.integers(0, 3))
def test_a_value_ends_where_it_ends(value: Any, beyond: int) -> None:
    packed = ormsgpack.packb(value)
    assert spans.end_of(packed + b"\xc1" * beyond, 0) == len(packed)
    for end in {0, len(packed) // 2, len(packed) - 1}:
        with pytest.raises(spans.BrokenBytes):
            spans.end_of(packed[:end], 0)


@generated(st.lists(VALUES, max_size=40))
def test_a_list_is_made_of_its_items(values: list[Any]) -> None:
    packed = ormsgpack.packb(values)
    parts = spans.items(packed)
    assert parts == [ormsgpack.packb(value) for value in values]
    assert spans.list_of(len(parts), parts) == packed


@generated(st.dictionaries(st.text(max_size=9), VALUES, max_size=20), st.data())
def test_values_are_taken_out_of_a_checkpoint(values: dict[str, Any], data: Any) -> None:
    gone = data.draw(st.sets(st.sampled_from(sorted(values)))) if values else set()
    made = {"v": 4, "ts": "now", "channel_values": values, "channel_versions": {"a": "1"}, "z": [1]}
    layout = layout_of(ormsgpack.packb(made))
    assert layout.format == 4
    kept = {name: value for name, value in values.items() if name not in gone}
    assert layout.without(gone) == ormsgpack.packb({**made, "channel_values": kept})
