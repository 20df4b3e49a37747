"""The viewer with a graph: answers, updates, branches, what a run shows; only if it is allowed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import _view
import httpx
import pytest

from langgraph_rust._storage.database import Unusable
from langgraph_rust._view._acting.acts import Acts
from langgraph_rust._view._acting.graph import Acting
from langgraph_rust._view._acting.routes import routes
from langgraph_rust._view._source.opening import open_source
from langgraph_rust._view._value.redaction import NOTHING, Redaction
from langgraph_rust._view._watching.hub import Hub
from langgraph_rust._view.command import main
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.config import get_stream_writer
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.viewer import Viewer

ORIGIN = {"origin": f"http://{_view.HOST}"}


def browser_of(acting: Acting, database: str | None, redaction: Redaction = NOTHING) -> Any:
    source = open_source(database) if database else acting.source()
    hub = Hub(redaction)
    return _view.client(source, runs=hub, more=routes(Acts(acting, hub)))


@pytest.fixture
def path(tmp_path: Path) -> str:
    made = str(tmp_path / "threads.db")
    _view.make_sqlite(made)
    return made


async def run(browser: httpx.AsyncClient, what: str = "run", **asked: Any) -> list[tuple[str, Any]]:
    """Begin a run; return what is told of it until it is over."""
    answer = await browser.post(f"/api/{what}", headers=ORIGIN, json=asked)
    assert answer.status_code == 200, answer.text
    told = await browser.get("/api/events", params=answer.json())
    assert told.status_code == 200, told.text
    events = [json.loads(data.partition("data: ")[2]) for data in told.text.strip().split("\n\n")]
    return [(event.pop("kind"), event) for event in events]


async def newest(browser: httpx.AsyncClient, thread: str) -> Any:
    return (await browser.get("/api/checkpoint", params={"thread": thread})).json()


def interrupt_of(told: Any) -> str:
    (task,) = told["tasks"]
    return dict(task["interrupts"][0]["items"])["id"]["text"]


async def test_an_interrupt_is_answered(path: str) -> None:
    acting = Acting(_view.asking(None), path, is_allowed=True)
    async with browser_of(acting, path) as browser:
        question = interrupt_of(await newest(browser, "waits"))
        events = await run(browser, thread="waits", resume="yes", interrupt=question)
        assert events[-1][0] == "done", events[-1]
        assert {"updates", "task"} <= {kind for kind, _ in events}
        told = await newest(browser, "waits")
        assert told["next"] == []
        log = (await browser.get("/api/value", params={"thread": "waits", "channel": "log"})).json()
        assert log["items"][-1][1]["text"] == "heard yes"


async def test_an_interrupt_is_answered_in_postgres(database: str) -> None:
    from langgraph_rust.checkpoint.postgres import PostgresSaver

    with PostgresSaver.from_conn_string(database) as saver:
        saver.setup()
        _view.fill(saver)
    acting = Acting(_view.asking(None), database, is_allowed=True)
    async with browser_of(acting, database) as browser:
        question = interrupt_of(await newest(browser, "waits"))
        events = await run(browser, thread="waits", resume="yes", interrupt=question)
        assert events[-1][0] == "done", events[-1]
        assert (await newest(browser, "waits"))["next"] == []


async def test_a_question_in_a_subgraph_is_answered_once(tmp_path: Path) -> None:
    inner = StateGraph(_view.State).add_node(_view.ask).add_edge(START, "ask").compile()
    graph = StateGraph(_view.State).add_node("inner", inner).add_edge(START, "inner").compile()
    path = str(tmp_path / "threads.db")
    with SqliteSaver.from_conn_string(path) as saver:
        graph.copy({"checkpointer": saver}).invoke({"log": []}, _view.config("1"))
    async with browser_of(Acting(graph, path, is_allowed=True), path) as browser:
        thread = (await browser.get("/api/thread", params={"thread": "1"})).json()
        (namespace,) = [row["namespace"] for row in thread["namespaces"] if row["namespace"]]
        place = {"thread": "1", "namespace": namespace}
        question = interrupt_of((await browser.get("/api/checkpoint", params=place)).json())
        events = await run(browser, **place, resume="yes", interrupt=question)
        assert events[-1][0] == "done", events[-1]
        told = await browser.get("/api/value", params={"thread": "1", "channel": "log"})
        assert told.json()["items"][-1][1]["text"] == "heard yes"
        # The page may still show it.
        events = await run(browser, **place, resume="no", interrupt=question)
        assert "any more" in events[-1][1]["text"]


async def test_a_run_that_is_told_to_be_over_keeps_no_other_from_beginning(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its saver may take its time to close."""
    acting = Acting(_view.asking(None), path, is_allowed=True)
    may_close, opened = asyncio.Event(), acting.opened

    @asynccontextmanager
    async def opened_slowly() -> AsyncIterator[Any]:
        async with opened() as graph:
            yield graph
            await may_close.wait()

    monkeypatch.setattr(acting, "opened", opened_slowly)
    async with browser_of(acting, path) as browser:
        for _ in range(2):
            events = await run(browser, thread="new", input='{"log": []}')
            assert events[-1][0] == "done", events[-1]
        may_close.set()


async def test_a_run_from_an_older_checkpoint_is_a_branch(path: str) -> None:
    acting = Acting(_view.asking(None), path, is_allowed=True)
    async with browser_of(acting, path) as browser:
        before = (await browser.get("/api/checkpoints", params={"thread": "waits"})).json()
        older = next(one for one in before["checkpoints"] if one["step"] == 0)
        events = await run(browser, thread="waits", checkpoint=older["id"])
        assert events[-1][0] == "done", events[-1]
        told = await browser.get(
            "/api/checkpoint", params={"thread": "waits", "checkpoint": older["id"]}
        )
        assert len(told.json()["children"]) == 2


async def test_the_state_is_edited_and_gone_on_with(path: str) -> None:
    acting = Acting(_view.asking(None), path, is_allowed=True)
    async with browser_of(acting, path) as browser:
        asked = {"thread": "waits", "values": '{"count": 40}', "as_node": "work"}
        answer = await browser.post("/api/update", headers=ORIGIN, json=asked)
        made = answer.json()["checkpoint"]
        told = await newest(browser, "waits")
        assert (told["id"], told["source"], told["next"]) == (made, "update", ["ask"])
        asked["as_node"] = "nobody"
        answer = await browser.post("/api/update", headers=ORIGIN, json=asked)
        assert answer.status_code == 409 and "nobody" in answer.json()["error"]


async def test_nothing_is_done_unless_it_is_allowed(path: str) -> None:
    acting = Acting(_view.asking(None), path, is_allowed=False)
    before = Path(path).read_bytes()
    async with browser_of(acting, path) as browser:
        for what in ("run", "update"):
            answer = await browser.post(f"/api/{what}", headers=ORIGIN, json={"thread": "waits"})
            assert answer.status_code == 409
            assert "--write" in answer.json()["error"]
        answer = await browser.get("/graph.svg", params={"thread": "waits"})
        assert "ask" in answer.text
    assert Path(path).read_bytes() == before


async def test_what_is_no_request_is_refused(path: str) -> None:
    acting = Acting(_view.asking(None), path, is_allowed=True)
    async with browser_of(acting, path) as browser:
        for body in (b"", b"[]", b"{}", b'{"thread": 1}'):
            answer = await browser.post("/api/run", headers=ORIGIN, content=body)
            assert answer.status_code == 400


async def test_a_failure_is_shown_with_its_traceback_but_for_what_is_hidden(path: str) -> None:
    acting = Acting(_view.failing(None), path, is_allowed=True)
    async with browser_of(acting, path, Redaction([], ["luck"])) as browser:
        kind, event = (await run(browser, thread="failed"))[-1]
        assert kind == "failed"
        assert "Traceback" in event["text"] and "in fail" in event["text"]
        assert "no such █████" in event["text"]


async def test_threads_in_memory_are_shown_and_run_with_custom_chunks() -> None:
    def node(state: _view.State) -> _view.State:
        get_stream_writer()({"progress": object()})
        return {"log": ["x"]}

    builder = StateGraph(_view.State).add_node(node).add_edge(START, "node")
    acting = Acting(builder.compile(checkpointer=InMemorySaver()), None, is_allowed=True)
    async with browser_of(acting, None) as browser:
        events = await run(browser, thread="new", input='{"log": ["begun"]}')
        custom = next(event for kind, event in events if kind == "custom")
        # What cannot be stored is still named.
        assert "object object" in str(custom)
        told = await newest(browser, "new")
        assert told["step"] == 1


def test_a_graph_without_a_saver_in_memory_needs_a_database() -> None:
    with pytest.raises(Unusable, match="name a database"):
        Acting(_view.asking(None), None, is_allowed=True).source()


# --- the command line ---


def test_a_thread_is_exported(path: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    made = tmp_path / "thread.html"
    line = [path, "--export", str(made), "--thread", "waits", "--redact-key", "log"]
    assert main(line, "langgraph-rust") == 0
    assert "thread.html" in capsys.readouterr().out
    text = made.read_text()
    assert "turn 3" in text and "heard yes" not in text


@pytest.mark.parametrize(
    "line",
    [
        [],
        ["x.db", "--export", "y.html"],
        ["x.db", "--write"],
        ["x.db", "--redact-pattern", "("],
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused(line: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line, "langgraph-rust")
    assert ended.value.code == 2


def test_trouble_is_said(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main([str(tmp_path / "none.db")], "langgraph-rust") == 1
    assert "there is no file" in capsys.readouterr().err


# --- beside a program ---


def test_a_program_shows_what_it_keeps_in_memory() -> None:
    graph = _view.asking(InMemorySaver())
    with Viewer(graph, redact_keys=["log"]) as viewer:
        address, _, token = viewer.address.partition("?token=")
        with httpx.Client(base_url=address) as browser:
            assert browser.get("").status_code == 403
            assert browser.get("", params={"token": token}).status_code == 200
            assert browser.get("/api/threads").json()["threads"] == []
            with browser.stream("GET", "/api/live") as live:
                graph.invoke({"messages": [("user", "hi")]}, _view.config("mine"))
                assert next(live.iter_lines()) == "event: changed"
            assert browser.get("/api/threads").json()["threads"][0]["id"] == "mine"
            told = browser.get("/api/checkpoint", params={"thread": "mine"}).json()
            assert {"log", "redacted"} <= set(json.dumps(told).replace('"', " ").split())
            begun = browser.post(
                "/api/run",
                headers={"origin": address.rstrip("/")},
                json={"thread": "mine", "resume": "yes"},
            )
            told = browser.get("/api/events", params=begun.json())
            assert told.text.rstrip().endswith('data: {"kind": "done"}')
    assert graph.get_state(_view.config("mine")).next == ()
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


@pytest.mark.parametrize("target", [object(), "none.db"])
def test_what_cannot_be_shown_is_refused(target: Any) -> None:
    with pytest.raises(ValueError):
        Viewer(target)


async def test_what_the_page_stores_is_stored_as_the_graph_stores(tmp_path: Path) -> None:
    from langgraph_rust.checkpoint.serde.encrypted import EncryptedSerializer
    from langgraph_rust.checkpoint.sqlite import SqliteSaver

    pytest.importorskip("Crypto")
    file = str(tmp_path / "secret.db")
    with SqliteSaver.from_conn_string(file) as saver:
        saver.serde = EncryptedSerializer.from_pycryptodome_aes(key=b"0123456789abcdef")
        graph = _view.asking(saver)
        graph.invoke({"log": ["begun"]}, _view.config("1"))
        acting = Acting(graph, file, is_allowed=True)
        async with browser_of(acting, file) as browser:
            events = await run(browser, thread="1", resume="a secret")
            assert events[-1][0] == "done", events[-1]
        assert graph.get_state(_view.config("1")).values["log"][-1] == "heard a secret"
    assert b"a secret" not in b"".join(one.read_bytes() for one in tmp_path.iterdir())


async def test_inputs_are_not_run_again(path: str) -> None:
    acting = Acting(_view.asking(None), path, is_allowed=True)
    async with browser_of(acting, path) as browser:
        first = (await browser.get("/api/checkpoints", params={"thread": "forked"})).json()
        own = first["checkpoints"][-1]["id"]
        told = await browser.get("/api/checkpoint", params={"thread": "forked", "checkpoint": own})
        (task,) = told.json()["tasks"]
        asked = {"thread": "forked", "checkpoint": own, "task": task["id"], "name": task["name"]}
        kind, event = (await run(browser, "rerun", **asked))[-1]
        assert kind == "failed" and "no task of a node" in event["text"]


async def test_cookies_of_other_programs_are_no_trouble(path: str) -> None:
    async with browser_of(Acting(_view.asking(None), path, is_allowed=False), path) as browser:
        ours = next(f"{name}={value}" for name, value in browser.cookies.items())
        browser.cookies.clear()
        for theirs in ('prefs={"theme": "dark"}', "user name=1", 'x=a,b "q"', "="):
            answer = await browser.get("/api/threads", headers={"cookie": f"{theirs}; {ours}"})
            assert answer.status_code == 200, theirs


def test_the_programs_logging_is_left_alone(tmp_path: Path) -> None:
    import logging

    file = tmp_path / "program.log"
    handler = logging.FileHandler(file, mode="w")
    access = logging.getLogger("uvicorn.access")
    logger = logging.getLogger("a.program")
    logger.addHandler(handler)
    access.addHandler(handler)
    try:
        logger.warning("before")
        with Viewer(_view.asking(InMemorySaver())):
            logger.warning("after")
        assert access.handlers == [handler]
        assert file.read_text() == "before\nafter\n"
    finally:
        logger.removeHandler(handler)
        access.removeHandler(handler)
        handler.close()


async def test_numbers_stay_as_they_were_written(path: str) -> None:
    async with browser_of(Acting(_view.asking(None), path, is_allowed=True), path) as browser:
        assert (await run(browser, thread="waits", resume="9007199254740993"))[-1][0] == "done"
        asked = {"thread": "waits", "values": '{"count": 9007199254740993}'}
        assert (await browser.post("/api/update", headers=ORIGIN, json=asked)).status_code == 200
        told = await browser.get("/api/value", params={"thread": "waits", "channel": "log"})
        assert told.json()["items"][-1][1]["text"] == "heard 9007199254740993"
        told = await browser.get("/api/value", params={"thread": "waits", "channel": "count"})
        assert told.json()["text"] == "9007199254740993"


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=repr)
async def test_a_node_that_would_end_the_process_ends_its_run(error: BaseException) -> None:
    def exits(state: _view.State) -> _view.State:
        raise error

    graph = StateGraph(_view.State).add_node(exits).add_edge(START, "exits")
    acting = Acting(graph.compile(checkpointer=InMemorySaver()), None, is_allowed=True)
    async with browser_of(acting, None) as browser:
        events = await run(browser, thread="1", input='{"log": []}')
        assert events[-1][0] in ("failed", "stopped")
        assert (await browser.get("/api/threads")).status_code == 200
