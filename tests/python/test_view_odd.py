"""The viewer where things are odd: broken rows, replaced files, locks, rules that match much."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import _view
import pytest

from langgraph_rust._view._looking.export import export
from langgraph_rust._view._looking.look import Look
from langgraph_rust._view._source.memory import Memory
from langgraph_rust._view._source.opening import open_source
from langgraph_rust._view._value.redaction import Redaction
from langgraph_rust._view._watching.run import WatchedRun
from langgraph_rust._view._web.guard import Guard
from langgraph_rust._view._web.listening import listen, names
from langgraph_rust.checkpoint.memory import InMemorySaver


@pytest.fixture
def path(tmp_path: Path) -> str:
    made = str(tmp_path / "threads.db")
    _view.make_sqlite(made)
    return made


def test_one_broken_row_hides_no_other(path: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        add = "INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id) VALUES (?, '', ?)"
        connection.execute(add, ("no id", b"\xff"))
        connection.execute(add, ("odd id", "zzz"))
        connection.execute(
            "INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id) "
            "VALUES (CAST(x'ff41' AS TEXT), '', 'a')"
        )
    with closing(open_source(path)) as source:
        found = [row["id"] for row in Look(source).threads()["threads"]]
    assert {"waits", "forked", "failed", "odd id", "\N{REPLACEMENT CHARACTER}A"} <= {*found}


async def test_ids_that_are_no_text_for_others_are_told() -> None:
    saver = InMemorySaver()
    _view.asking(saver).invoke({"messages": []}, _view.config("a\ud800b"))
    async with _view.client(Memory(saver)) as browser:
        told = (await browser.get("/api/threads")).json()
        assert [row["id"] for row in told["threads"]] == ["a\ud800b"]
    export(Memory(saver), "a\ud800b").encode()


def test_a_file_that_was_replaced_is_the_new_one(path: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    other = tmp_path / "other.db"
    shutil.copy(path, other)
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("DELETE FROM checkpoints WHERE thread_id <> 'failed'")
    with closing(open_source(path)) as source:
        assert len(Look(source).threads()["threads"]) == 3
        before = source.mark()
        other.replace(path)
        assert source.mark() != before
        assert [row["id"] for row in Look(source).threads()["threads"]] == ["failed"]


def test_rules_that_match_the_pages_own_words_leave_those(path: str) -> None:
    with closing(open_source(path)) as source:
        page = export(source, "waits", Redaction([], ["[a-z]"]))
    (data,) = re.findall(r'id="answers">(.*?)</script>', page, re.DOTALL)
    answers = json.loads(data)
    assert answers.keys() == {"thread", "lists", "checkpoints"}
    for namespace, listed in answers["lists"].items():
        for row in listed["checkpoints"]:
            assert answers["checkpoints"][f"{namespace} {row['id']}"]["channels"]
    assert "turn 3" not in data and '"name": "messages"' not in data
    newest = answers["checkpoints"][f" {answers['lists']['']['checkpoints'][0]['id']}"]
    assert {channel["state"] for channel in newest["channels"]} <= {
        "stored",
        "rebuilt",
        "empty",
        "changes",
    }


def test_stars_stand_for_any_letters() -> None:
    assert Redaction(["secret*"]).hides("secret\nof two lines")


def test_whoever_listens_everywhere_is_called_anything() -> None:
    async def ends(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    async def ask(host: str) -> int:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request"}

        async def send(message: Any) -> None:
            sent.append(message)

        query = f"token={guard.token}".encode()
        headers = [(b"host", host.encode())]
        scope = {"type": "http", "method": "GET", "headers": headers, "query_string": query}
        await guard(scope, receive, send)
        return sent[0]["status"]

    with closing(listen("0.0.0.0", 0)) as listening:
        guard = Guard(ends, names("0.0.0.0", listening))
    assert asyncio.run(ask("machine.example:80")) == 200
    with closing(listen("127.0.0.1", 0)) as listening:
        guard = Guard(ends, names("127.0.0.1", listening))
    assert asyncio.run(ask("machine.example:80")) == 403


async def test_many_followers_are_woken_once_until_they_look() -> None:
    run = WatchedRun("1", "a program", lambda: None)
    seen: list[int] = []

    async def follow(after: int) -> None:
        async for number, _ in run.follow(after):
            seen.append(number)

    tasks = [asyncio.create_task(follow(after)) for after in (0, 0, 0)]
    await asyncio.sleep(0)
    assert len(run._wakes) == 3
    run.add({"kind": "a"})
    assert not run._wakes
    run.add({"kind": "b"})
    await asyncio.sleep(0.01)
    run.end("success", {"kind": "done"})
    await asyncio.gather(*tasks)
    assert sorted(seen) == [1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_what_a_url_asks_for_stays(database: str) -> None:
    import psycopg

    from langgraph_rust.checkpoint.postgres import PostgresSaver

    where = f"{database}?options=-c%20search_path%3Dother"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA other")
    with PostgresSaver.from_conn_string(where) as saver:
        saver.setup()
        _view.fill(saver)
    with closing(open_source(where)) as source:
        assert len(Look(source).threads()["threads"]) == 3


def test_closing_does_not_wait_for_whoever_has_locked_a_table(database: str) -> None:
    import psycopg

    from langgraph_rust._storage.database import Unusable
    from langgraph_rust.checkpoint.postgres import PostgresSaver

    with PostgresSaver.from_conn_string(database) as saver:
        saver.setup()
    source = open_source(database)
    ended: list[object] = []

    def look() -> None:
        try:
            Look(source).threads()
        except Unusable as error:
            ended.append(error)

    with psycopg.connect(database) as connection:
        connection.execute("LOCK TABLE checkpoints IN ACCESS EXCLUSIVE MODE")
        thread = threading.Thread(target=look)
        thread.start()
        thread.join(0.3)
        source.close()
        thread.join(5)
        assert not thread.is_alive() and len(ended) == 1
