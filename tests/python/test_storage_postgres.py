"""`python -m langgraph_rust storage postgresql://...`: as for SQLite, in tables of Postgres."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import psycopg
import pytest
from _storage_graph import TURNS, State, config, given, graph, one

from langgraph_rust._storage import compact as compacting
from langgraph_rust._storage.command import main
from langgraph_rust.checkpoint.postgres import PostgresSaver, ShallowPostgresSaver
from langgraph_rust.checkpoint.serde.base import CipherProtocol
from langgraph_rust.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import Command, Overwrite
from sync.environments import Failed, upstream_environment

TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")


@pytest.fixture(autouse=True)
def stored_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be made smaller has been stored whole."""
    monkeypatch.setenv("LANGGRAPH_RUST_LINEAR_STORAGE", "0")


def talk(url: str, *threads: str, turns: int = TURNS, first: int = 0, serde: Any = None) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        saver = PostgresSaver(connection, serde=serde)
        saver.setup()
        app = graph(saver)
        for thread in threads or ("1",):
            for turn in range(first, first + turns):
                app.invoke(given(turn), config(thread))


@pytest.fixture
def talked(database: str) -> str:
    talk(database)
    return database


def states(url: str, *threads: str) -> list[Any]:
    """All that is held at every checkpoint, messages with their ids."""
    with PostgresSaver.from_conn_string(url) as saver:
        app = graph(saver)
        return [
            (state.config, state.values, state.next, state.metadata, state.parent_config)
            for thread in threads or ("1",)
            for state in app.get_state_history(config(thread))
        ]


def content(url: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return [
            sorted(connection.execute(f"SELECT * FROM {table}"), key=repr)  # type: ignore[arg-type]
            for table in TABLES
        ]


def command(*arguments: Any) -> tuple[int, list[str]]:
    told = StringIO()
    with redirect_stdout(told):
        status = main([str(argument) for argument in arguments])
    return status, told.getvalue().splitlines()


def report(url: str, *more: str) -> Any:
    status, told = command(url, "--json", *more)
    assert status == 0
    return json.loads("\n".join(told))


def compacted(url: str, *more: str) -> Any:
    which = () if {"--channel", "--dry-run"} & {*more} else ("--all",)
    status, told = command(url, "compact", "--json", *which, *more)
    assert status == 0
    return json.loads("\n".join(told))


def blobs(url: str, channel: str) -> int:
    with psycopg.connect(url) as connection:
        query = "SELECT count(*) FROM checkpoint_blobs WHERE channel = %s AND type <> 'empty'"
        row = connection.execute(query, (channel,)).fetchone()
        assert row
        return row[0]


# --- the report ---


def test_a_report_says_what_channels_take(talked: str) -> None:
    found = report(talked)
    use = {entry["channel"]: entry for entry in found["channels"]}
    assert use["log"]["values"] == blobs(talked, "log")
    assert use["log"]["writes"] == 3 * TURNS
    assert use["log"]["linear_bytes"] < use["log"]["value_bytes"] / 2
    assert use["plain"]["linear_bytes"] == use["plain"]["value_bytes"] + use["plain"]["write_bytes"]
    assert found["row_bytes"] == sum(e["value_bytes"] + e["write_bytes"] for e in use.values())
    with psycopg.connect(talked) as connection:
        sizes = [
            connection.execute(query).fetchone()
            for query in (
                "SELECT sum(octet_length(blob)) FROM checkpoint_blobs",
                "SELECT sum(octet_length(blob)) FROM checkpoint_writes",
                "SELECT sum(octet_length(checkpoint::text)) FROM checkpoints",
            )
        ]
    assert sum(size[0] for size in sizes if size) < found["row_bytes"] < found["file_bytes"]
    assert "in files" in command(talked)[1][-1]
    assert "before the server compresses them" in command(talked)[1][-1]
    assert found["rows_are_compressed_later"]


def test_what_a_report_promises_is_what_comes(talked: str) -> None:
    promised = report(talked)
    compacted(talked)
    now = report(talked)
    assert now["row_bytes"] == pytest.approx(promised["linear_row_bytes"], rel=0.1)
    assert now["linear_row_bytes"] == now["row_bytes"]


def test_a_report_waits_for_nobody_and_changes_nothing(talked: str) -> None:
    before = content(talked)
    with psycopg.connect(talked) as connection:
        connection.execute("LOCK TABLE checkpoints IN SHARE ROW EXCLUSIVE MODE")
        assert command(talked)[0] == 0
    assert content(talked) == before


def test_a_thread_may_be_named(database: str) -> None:
    talk(database, "1", "2", turns=6)
    assert {entry["thread"] for entry in report(database, "--thread", "2")["channels"]} == {"2"}


# --- making it smaller ---


def test_every_state_is_as_before(talked: str) -> None:
    before, size = states(talked), report(talked)["row_bytes"]
    said = compacted(talked)
    assert said["values"] > TURNS
    assert said["completed_writes"] > 0
    assert report(talked)["row_bytes"] < size
    assert states(talked) == before
    assert blobs(talked, "log") < TURNS


def test_a_second_time_there_is_nothing_to_do(talked: str) -> None:
    compacted(talked)
    before = content(talked)
    assert compacted(talked)["values"] == 0
    assert content(talked) == before


def test_a_dry_run_changes_nothing(talked: str) -> None:
    before = content(talked)
    would = compacted(talked, "--dry-run")
    assert content(talked) == before
    did = compacted(talked)
    assert (would["values"], would["value_bytes"]) == (did["values"], did["value_bytes"])


def test_nothing_else_changes(talked: str) -> None:
    before = content(talked)
    compacted(talked, "--channel", "messages")
    after = content(talked)
    assert after[0] == before[0]
    assert [row for row in before[1] if row not in after[1]]
    assert [row for row in after[1] if row not in before[1]] == []
    gone = {row[2] for row in before[1] if row not in after[1]}
    assert gone == {"messages"}
    changed = [row for row in after[2] if row not in before[2]]
    assert changed and {row[5] for row in changed} == {"messages"}
    assert len(after[2]) == len(before[2])


def test_threads_go_on_and_are_made_smaller_again(talked: str) -> None:
    for turn in range(TURNS, TURNS + 4):
        compacted(talked)
        before = states(talked)
        talk(talked, first=turn, turns=1)
        assert states(talked)[-len(before) :] == before
    before = states(talked)
    assert compacted(talked)["values"] > 0
    assert states(talked) == before


def test_the_newest_values_stay_for_those_who_build_on_them(talked: str) -> None:
    compacted(talked)
    with PostgresSaver.from_conn_string(talked) as saver:
        newest = saver.get_tuple(config())
    assert newest and {"log", "messages"} <= newest.checkpoint["channel_values"].keys()


def test_forks_updates_and_overwrites_are_kept(talked: str) -> None:
    with PostgresSaver.from_conn_string(talked) as saver:
        app = graph(saver)
        history = list(app.get_state_history(config()))
        for place in (3, 9, 16):
            app.invoke(None, history[place].config)
            app.update_state(history[place].config, {"log": ["noted"]}, as_node="one")
            app.update_state(history[place].config, {"text": "noted"}, as_node="other")
            app.invoke({"log": ["anew"]}, history[place + 2].config)
        app.update_state(config(), {"log": Overwrite(["x"])}, as_node="other")
    talk(talked, first=16, turns=5)
    before = states(talked)
    assert compacted(talked)["values"] > TURNS
    assert states(talked) == before


@pytest.mark.parametrize("place", range(2, 3 * TURNS, 7))
def test_what_comes_later_on_an_old_checkpoint_changes_no_other(talked: str, place: int) -> None:
    compacted(talked)
    before = states(talked)
    old, values = before[place][:2]
    with PostgresSaver.from_conn_string(talked) as saver:
        app = graph(saver)
        app.invoke(None, old)
        app.invoke(Command(update={"log": ["said"], "messages": [("user", "told")]}), old)
        noted = app.update_state(old, {"text": "noted"}, as_node="one")
        assert app.get_state(noted).values == {**values, "text": values["text"] + "noted"}
        app.invoke({"log": ["anew"], "messages": []}, old, durability="exit")
    now = {str(state[0]): state for state in states(talked)}
    assert [now[str(state[0])] for state in before] == before


def test_subgraphs_have_threads_of_their_own(database: str) -> None:
    inner = StateGraph(State).add_node("one", one).add_edge(START, "one")

    def app(saver: Any) -> Any:
        builder = StateGraph(State).add_node("inner", inner.compile(checkpointer=True))
        return builder.add_edge(START, "inner").compile(saver)

    def seen() -> list[Any]:
        with PostgresSaver.from_conn_string(database) as saver:
            found = app(saver).get_state_history(config(checkpoint_ns="inner"))
            return [(state.config, state.values) for state in found]

    with PostgresSaver.from_conn_string(database) as saver:
        saver.setup()
        for turn in range(8):
            app(saver).invoke({"log": [f"q{turn}"]}, config())
    before = seen()
    assert len(before) > 8
    assert compacted(database)["values"] > 0
    assert seen() == before
    assert {entry["namespace"] for entry in report(database)["channels"]} == {"", "inner"}


def test_encrypted_threads_are_left_alone(database: str) -> None:
    class Cipher(CipherProtocol):
        def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
            return "turn", plaintext[::-1]

        def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
            return ciphertext[::-1]

    talk(database, serde=EncryptedSerializer(Cipher()), turns=4)
    before = content(database)
    said = compacted(database)
    assert "msgpack+turn" in said["left_alone"][0]["reason"]
    assert content(database) == before
    status, shown = command(database)
    assert status == 0
    assert re.search(
        r"\d+ checkpoints are stored as 'msgpack\+turn', which is encrypted", "\n".join(shown)
    )


def test_a_thread_that_moves_is_looked_at_again(
    talked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = compacting._plans
    moves = [TURNS, TURNS + 1]

    def while_others_write(*arguments: Any) -> Any:
        made = planned(*arguments)
        if moves:
            talk(talked, first=moves.pop(0), turns=1)
        return made

    monkeypatch.setattr(compacting, "_plans", while_others_write)
    compacted(talked)
    assert not moves
    assert len(states(talked)) == 4 * (TURNS + 2)
    assert compacted(talked)["values"] == 0


def test_others_may_go_on_meanwhile(database: str) -> None:
    names = [str(number) for number in range(4)]
    talk(database, *names, turns=6)
    others = threading.Thread(target=talk, args=(database, *names), kwargs={"first": 6, "turns": 6})
    others.start()
    while others.is_alive():
        compacted(database, "--no-vacuum")
    others.join()
    for name in names:
        newest = states(database, name)[0][1]
        assert len(newest["log"]) == 12 * 4
        assert newest["log"][::4] == [f"q{turn}" for turn in range(12)]


KILLED = """
import sys
from langgraph_rust._storage.command import main
print("begun", flush=True)
sys.exit(main([sys.argv[1], "compact", "--all", "--no-vacuum"]))
"""


def test_killed_at_any_moment_it_loses_nothing_and_goes_on(database: str) -> None:
    names = [str(number) for number in range(10)]
    talk(database, *names, turns=10)
    before = states(database, *names)
    began = time.monotonic()
    would = compacted(database, "--dry-run")
    usual, chance = time.monotonic() - began, random.Random(5)
    statuses, left = [], []
    for attempt in range(40):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, database], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout and process.stdout.readline() == "begun\n"
        # Later and later: how long it takes to begin depends on what else the machine does.
        time.sleep(0.1 + chance.random() * usual * (1 + attempt / 4))
        process.send_signal(signal.SIGKILL)
        statuses.append(process.wait())
        process.stdout.close()
        assert states(database, *names) == before
        left.append(compacted(database, "--dry-run")["values"])
        got_on = left[-1] < would["values"]
        if left[-1] == 0 or (got_on and statuses.count(-signal.SIGKILL) > 8):
            break
    assert statuses.count(-signal.SIGKILL) > 1
    # What was done by then stays done.
    assert left == sorted(left, reverse=True) and left[-1] < would["values"]
    compacted(database)
    assert compacted(database)["values"] == 0
    assert states(database, *names) == before


READ = """
import json, operator, sys
from typing import Annotated, TypedDict
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
import langgraph

class State(TypedDict, total=False):
    log: Annotated[list, operator.add]
    messages: Annotated[list, add_messages]
    newest: Annotated[list, lambda old, new: [*old, *new][-9:]]
    plain: list
    text: Annotated[str, operator.add]

with PostgresSaver.from_conn_string(sys.argv[1]) as saver:
    builder = StateGraph(State).add_node("one", lambda state: {"log": ["on"]})
    builder.add_node("other", lambda state: {"text": "y"})
    app = builder.add_edge(START, "one").add_edge("one", "other").compile(saver)
    config = {"configurable": {"thread_id": "1"}}
    found = [
        [state.values.get("log"), state.values.get("plain"), state.values.get("text"),
         state.values.get("newest"), [[m.type, m.id, m.content] for m in state.values["messages"]]]
        for state in app.get_state_history(config) if "messages" in state.values
    ]
    print(json.dumps([found, len(app.invoke({"log": ["q"]}, config)["log"])]))
"""


def test_langgraph_reads_the_same_and_goes_on(talked: str) -> None:
    try:
        upstream = upstream_environment().ensure().python
    except Failed:
        pytest.skip("LangGraph could not be installed")

    def read() -> Any:
        done = subprocess.run(
            [upstream, "-c", READ, talked], capture_output=True, text=True, env={}, timeout=90
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    before, count = read()
    assert compacted(talked)["values"] > TURNS
    after, on = read()
    assert len(before) > 3 * TURNS - 3
    assert after[-len(before) :] == before
    assert on == count + 2


# --- the command line ---


def test_a_database_without_checkpoints_is_named(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([database]) == 1
    assert "holds no checkpoints" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tables_of_a_shallow_saver_are_refused(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with ShallowPostgresSaver.from_conn_string(database) as saver:
        saver.setup()
    assert main([database, "compact", "--all"]) == 1
    assert "holds no checkpoints" in capsys.readouterr().err


def test_a_password_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["postgresql://me:secret@localhost:1/x"]) == 1
    assert "secret" not in capsys.readouterr().err
