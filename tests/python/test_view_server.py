"""The viewer's server: lists, checkpoints, values, changes; who is answered; no trace left."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import _view
import httpx
import pytest

from langgraph_rust._storage.database import Unusable
from langgraph_rust._view._source.memory import Memory
from langgraph_rust._view._source.opening import open_source
from langgraph_rust._view._source.source import Source
from langgraph_rust._view._value.redaction import Redaction
from langgraph_rust._view._web.server import PAGE
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.sqlite import SqliteSaver

Got = Callable[..., Any]


@pytest.fixture
def path(tmp_path: Path) -> str:
    made = str(tmp_path / "threads.db")
    _view.make_sqlite(made)
    return made


@pytest.fixture(params=["sqlite", "linear", "memory", "postgres"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    """The same threads, wherever they are."""
    if request.param == "memory":
        saver = InMemorySaver()
        _view.fill(saver)
        made: Source = Memory(saver)
    elif request.param == "postgres":
        url = request.getfixturevalue("database")
        from langgraph_rust.checkpoint.postgres import PostgresSaver

        with PostgresSaver.from_conn_string(url) as saver:
            saver.setup()
            _view.fill(saver)
        made = open_source(url)
    else:
        name = str(tmp_path / "threads.db")
        _view.make_sqlite(name, linear=request.param == "linear")
        made = open_source(name)
    yield made
    made.close()


async def get(browser: httpx.AsyncClient, what: str, **asked: Any) -> Any:
    answer = await browser.get(f"/api/{what}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def channel(told: Any, name: str) -> Any:
    return next(one for one in told["channels"] if one["name"] == name)


# --- what is shown ---


async def test_threads_are_listed_and_found(source: Source) -> None:
    async with _view.client(source) as browser:
        found = await get(browser, "threads")
        assert [one["id"] for one in found["threads"]] == ["failed", "forked", "waits"]
        assert found["next"] is None
        for words, wanted in {
            "ork": ["forked"],
            "is:failed": ["failed"],
            "is:interrupted": ["waits"],
            "tier=paid": ["waits"],
            "tier=free": [],
            "is:interrupted tier=paid wai": ["waits"],
        }.items():
            found = await get(browser, "threads", q=words)
            assert [one["id"] for one in found["threads"]] == wanted, words


async def test_a_thread_is_a_tree_of_checkpoints(source: Source) -> None:
    async with _view.client(source) as browser:
        found = await get(browser, "checkpoints", thread="forked")
        by_id = {one["id"]: one for one in found["checkpoints"]}
        parents = [one["parent"] for one in by_id.values() if one["parent"]]
        assert len(parents) - len(set(parents)) == 1
        newest = found["checkpoints"][0]
        assert newest["source"] == "update"
        fork = by_id[newest["parent"]]
        assert "__interrupt__" in fork["marks"]
        told = await get(browser, "checkpoint", thread="forked", checkpoint=fork["id"])
        assert len(told["children"]) == 2


async def test_a_checkpoint_says_what_it_holds(source: Source) -> None:
    async with _view.client(source) as browser:
        told = await get(browser, "checkpoint", thread="waits")
        assert told["next"] == ["ask"]
        assert channel(told, "count")["value"]["text"] == "3"
        assert channel(told, "messages")["value"]["count"] == 6
        (task,) = told["tasks"]
        assert (task["name"], task["state"]) == ("ask", "interrupted")
        assert "go on?" in json.dumps(task["interrupts"])
        failed = await get(browser, "checkpoint", thread="failed")
        assert failed["tasks"][0]["error"]["text"] == "ValueError('no such luck')"


async def test_values_come_in_parts_whether_stored_or_rebuilt(source: Source) -> None:
    async with _view.client(source) as browser:
        asked = {"thread": "waits", "channel": "messages", "offset": 4, "limit": 5, "depth": 2}
        found = await get(browser, "value", **asked)
        assert found["count"] == 6
        texts = [dict(one["items"])["content"]["text"] for _, one in found["items"]]
        assert texts == ["hello 2", "turn 3"]
        one = await get(browser, "value", thread="waits", channel="log", pointer="/1")
        assert one["text"] == "heard yes"


async def test_changes_are_those_since_the_checkpoint_before(source: Source) -> None:
    async with _view.client(source) as browser:
        told = await get(browser, "checkpoint", thread="waits")
        assert [one["name"] for one in told["channels"] if one["changed"] and not one["engine"]]
        found = await get(browser, "diff", thread="waits", channel="count")
        (change,) = found["changes"]
        assert (change["before"]["text"], change["after"]["text"]) == ("2", "3")
        other = (await get(browser, "checkpoints", thread="waits"))["checkpoints"][-1]["id"]
        found = await get(browser, "diff", thread="waits", channel="log", against=other)
        assert len(found["changes"]) >= 1


async def test_every_checkpoint_has_the_state_that_get_state_gives(source: Source) -> None:
    # Of lists that are stored as changes, too.
    if isinstance(source, Memory):
        saver: Any = source._saver
    elif "sqlite" in type(source).__module__:
        saver = SqliteSaver(sqlite3.connect(source.name, check_same_thread=False))
    else:
        pytest.skip("the saver would need another connection")
    graph = _view.asking(saver)
    async with _view.client(source) as browser:
        for state in graph.get_state_history(_view.config("waits")):
            own = state.config["configurable"]["checkpoint_id"]
            for name in ("log", "messages"):
                told = await get(browser, "checkpoint", thread="waits", checkpoint=own)
                found = [one for one in told["channels"] if one["name"] == name]
                count = found[0]["value"]["count"] if found and "value" in found[0] else 0
                assert count == len(state.values.get(name, ()))


async def test_pages_follow_each_other(path: str) -> None:
    with sqlite3.connect(path) as connection:
        rows = [(f"t{number:03}", "", f"c{number:04}", None, "msgpack", b"\x80", "{}")
                for number in range(130)]  # fmt: skip
        long = [("long", "", f"d{number:04}", f"d{number - 1:04}", "msgpack", b"\x80", "{}")
                for number in range(250)]  # fmt: skip
        connection.executemany("INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?)", rows + long)
    connection.close()
    async with _view.client(open_source(path)) as browser:
        seen: list[str] = []
        asked: dict[str, Any] = {}
        while True:
            found = await get(browser, "threads", **asked)
            seen += [one["id"] for one in found["threads"]]
            if not found["next"]:
                break
            asked = {"newest": found["next"][0], "last": found["next"][1]}
        assert len(seen) == len(set(seen)) == 134
        own: list[str] = []
        before: dict[str, Any] = {}
        while True:
            found = await get(browser, "checkpoints", thread="long", **before)
            own += [one["id"] for one in found["checkpoints"]]
            if not found["next"]:
                break
            before = {"before": found["next"]}
        assert own == [f"d{number:04}" for number in range(249, -1, -1)]


async def test_what_is_not_there_is_said(path: str) -> None:
    async with _view.client(open_source(path)) as browser:
        for what, asked, status in (
            ("thread", {"thread": "none"}, 404),
            ("checkpoint", {"thread": "waits", "checkpoint": "none"}, 404),
            ("value", {"thread": "waits", "channel": "log", "pointer": "/99"}, 404),
            ("value", {"thread": "waits", "channel": "none"}, 404),
            ("value", {"thread": "waits", "channel": "log", "offset": "x"}, 400),
            ("checkpoint", {}, 400),
        ):
            answer = await browser.get(f"/api/{what}", params=asked)
            assert answer.status_code == status, what
            assert answer.json()["error"]


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database at all, but long enough to be looked at" * 100)
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE x (y)")
    for name in ("none", "text", "other.db"):
        with pytest.raises(Unusable):
            open_source(str(tmp_path / name))
    with pytest.raises(Unusable, match="not supported"):
        open_source("mysql://host/name")


# --- nothing is written ---


async def test_nothing_is_written_and_nothing_put_beside(path: str) -> None:
    folder = Path(path).parent

    def state() -> dict[str, str]:
        return {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()
        }

    before = state()
    assert set(before) == {"threads.db"}
    async with _view.client(open_source(path)) as browser:
        await get(browser, "threads", q="is:interrupted tier=paid")
        for thread in ("waits", "forked", "failed"):
            for one in (await get(browser, "checkpoints", thread=thread))["checkpoints"]:
                await get(browser, "checkpoint", thread=thread, checkpoint=one["id"])
                await get(browser, "diff", thread=thread, checkpoint=one["id"], channel="log")
        await get(browser, "storage", thread="waits")
        assert (await browser.get("/api/export", params={"thread": "waits"})).status_code == 200
        assert state() == before
    assert state() == before


async def test_what_is_stored_meanwhile_is_seen(path: str) -> None:
    source = open_source(path)
    async with _view.client(source) as browser:
        mark = source.mark()
        assert len((await get(browser, "threads"))["threads"]) == 3
        with sqlite3.connect(path, check_same_thread=False) as connection:
            graph = _view.asking(SqliteSaver(connection))
            graph.invoke({"messages": [("user", "x")]}, _view.config("new"))
            assert source.mark() != mark
            assert len((await get(browser, "threads"))["threads"]) == 4
            graph.invoke({"messages": [("user", "x")]}, _view.config("newer"))
            assert len((await get(browser, "threads"))["threads"]) == 5
        connection.close()
        assert len((await get(browser, "threads"))["threads"]) == 5
    source.close()


def test_a_postgres_database_cannot_be_written_to(database: str) -> None:
    from langgraph_rust._view._source.postgres import Postgres
    from langgraph_rust.checkpoint.postgres import PostgresSaver

    with PostgresSaver.from_conn_string(database) as saver:
        saver.setup()
    source = Postgres(database.replace("//postgres@", "//postgres:hidden@"))
    assert "hidden" not in source.name
    with pytest.raises(Unusable, match="read-only"):
        source.ask("INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint) "
                    "VALUES ('a', 'b', '{}') RETURNING 1")  # fmt: skip
    source.close()


async def test_a_database_in_another_mode_is_read_with_its_locks(path: str) -> None:
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    connection.close()
    async with _view.client(open_source(path)) as browser:
        assert len((await get(browser, "threads"))["threads"]) == 3
        assert [file.name for file in Path(path).parent.iterdir()] == ["threads.db"]


async def test_what_is_hidden_is_not_searched_for(path: str) -> None:
    async with _view.client(open_source(path), redaction=Redaction(["tier"])) as browser:
        assert (await get(browser, "threads", q="tier=paid"))["threads"] == []


# --- who is answered ---


async def test_nobody_is_answered_without_the_token(path: str) -> None:
    async with _view.client(open_source(path)) as browser:
        browser.cookies.clear()
        for address in ("/", "/api/threads", "/page/main.js", "/?token=wrong", "/api/export"):
            answer = await browser.get(address)
            assert answer.status_code == 403
            assert "waits" not in answer.text
        answer = await browser.get(f"/?token={_view.TOKEN}")
        assert answer.status_code == 200
        said = answer.headers["set-cookie"]
        assert "HttpOnly" in said and "SameSite=Strict" in said
        browser.cookies.set("langgraph-view-8000", _view.TOKEN)
        assert (await browser.get("/api/threads")).status_code == 200


async def test_other_names_and_other_pages_are_refused(path: str) -> None:
    async with _view.client(open_source(path)) as browser:
        for host in ("evil.example", "evil.example:8000", "127.0.0.1:9", "127.0.0.1"):
            answer = await browser.get("/api/threads", headers={"host": host})
            assert answer.status_code == 403
        for origin in ({}, {"origin": "http://evil.example"}, {"origin": "null"}):
            answer = await browser.post("/api/run", headers=origin, json={"thread": "waits"})
            assert answer.status_code == 403
        headers = (await browser.get("/api/threads")).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers


async def test_files_outside_of_the_page_are_not_served(path: str) -> None:
    async with _view.client(open_source(path)) as browser:
        for address in ("/page/../command.py", "/page/%2e%2e/command.py", "/page//etc/passwd"):
            assert (await browser.get(address)).status_code in (403, 404)


def test_the_page_names_no_other_place() -> None:
    for file in PAGE.iterdir():
        found = set(re.findall(r"""(?:https?:)?//[\w.-]+\.[a-z]+[^\s"'`]*""", file.read_text()))
        assert found <= {"http://www.w3.org/2000/svg"}, file.name


# --- export ---


async def test_an_export_holds_nothing_that_is_hidden(source: Source) -> None:
    rules = Redaction(["count"], [r"no such \w+"])
    async with _view.client(source, redaction=rules) as browser:
        answer = await browser.get("/api/export", params={"thread": "failed"})
        assert "no such luck" not in answer.text
        asked = {"thread": "waits", "key": "log", "pattern": "turn [12]"}
        answer = await browser.get("/api/export", params=asked)
        assert answer.headers["content-disposition"].startswith("attachment")
        text = answer.text
        assert "hello 1" in text and "turn 3" in text
        for hidden in ("turn 1", "turn 2", "heard yes", "work 1"):
            assert hidden not in text
        assert "default-src 'none'" in text
        assert not re.search(r"""(src|href)=["'](?!data:|#)""", text.split("<script")[0])
        answer = await browser.get("/api/export", params={"thread": "waits", "pattern": "("})
        assert answer.status_code == 400


async def test_a_text_cannot_end_the_script_that_it_is_in(path: str) -> None:
    with sqlite3.connect(path, check_same_thread=False) as connection:
        graph = _view.asking(SqliteSaver(connection))
        graph.invoke(
            {"messages": [("user", "</script><script>alert(1)")]}, _view.config("</script>")
        )
    connection.close()
    async with _view.client(open_source(path)) as browser:
        text = (await browser.get("/api/export", params={"thread": "</script>"})).text
        assert text.count("</script>") == 2
        assert "\\u003c/script>\\u003cscript>alert(1)" in text


# --- several at once ---


async def test_many_threads_may_ask_at_once(path: str) -> None:
    source = open_source(path)
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(30):
                assert len(source.threads("", None, 10)) == 3
                assert source.checkpoints("waits", "", None, 10)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    source.close()


async def test_tasks_have_the_names_of_their_nodes_and_what_they_were_sent(tmp_path: Path) -> None:
    from langgraph_rust.func import entrypoint, task
    from langgraph_rust.graph import START, StateGraph
    from langgraph_rust.types import Send

    path = str(tmp_path / "threads.db")
    made = StateGraph(_view.State).add_node("split", lambda state: {})
    made.add_node("each", lambda item: {"log": [item["key"]]}).add_edge(START, "split")
    sends = [Send("each", {"key": key}) for key in "ab"]
    made.add_conditional_edges("split", lambda state: sends, ["each"])
    with SqliteSaver.from_conn_string(path) as saver:

        @task
        def double(number: int) -> int:
            return 2 * number

        @entrypoint(checkpointer=saver)
        def flow(number: int) -> int:
            return double(number).result()

        flow.invoke(3, _view.config("flow"))
        made.compile(checkpointer=saver).invoke({"log": []}, _view.config("sends"))
    async with _view.client(open_source(path), redaction=Redaction([], ["b"])) as browser:

        async def tasks(thread: str, step: int) -> Any:
            listed = await browser.get("/api/checkpoints", params={"thread": thread})
            own = next(one["id"] for one in listed.json()["checkpoints"] if one["step"] == step)
            asked = {"thread": thread, "checkpoint": own}
            return (await browser.get("/api/checkpoint", params=asked)).json()["tasks"]

        assert [one["name"] for one in await tasks("flow", -1)] == ["flow", "called by flow"]
        sent = await tasks("sends", 1)
        assert [one["name"] for one in sent] == ["each", "each"]
        inputs = [one["input"]["items"][0][1]["text"] for one in sent]
        assert inputs == ["a", "█████"]
