"""Runs that are looked at while they go on: of a program, aside, and of workers."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import _view
import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from langgraph_rust._view._acting.acts import Acts
from langgraph_rust._view._acting.graph import Acting
from langgraph_rust._view._source.of_saver import database_of
from langgraph_rust._view._source.source import Place
from langgraph_rust._view._value.redaction import NOTHING, Redaction
from langgraph_rust._view._watching.hub import Hub
from langgraph_rust._view._watching.run import WatchedRun
from langgraph_rust._view._watching.workers import WorkerRuns
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph_rust.config import get_stream_writer
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import Command, RetryPolicy, Send
from langgraph_rust.viewer import Viewer

Told = list[dict[str, Any]]


async def told(events: AsyncIterator[tuple[int, str]] | None) -> Told:
    assert events is not None
    return [json.loads(text) async for _, text in events]


def kinds(events: Told) -> list[str]:
    return [event["kind"] for event in events]


def talking() -> Any:
    """A graph with a subgraph whose node speaks and writes to the stream."""

    def speak(state: _view.State) -> Any:
        get_stream_writer()({"progress": 1})
        said = GenericFakeChatModel(messages=iter([AIMessage("so it is")])).invoke("?")
        return {"messages": [said]}

    inner = StateGraph(_view.State).add_node(speak).add_edge(START, "speak").compile()
    made = StateGraph(_view.State).add_node("first", lambda state: {"log": ["first"]})
    made = made.add_node("inner", inner).add_edge(START, "first").add_edge("first", "inner")
    return made.compile(checkpointer=InMemorySaver())


def watched(graph: Any) -> Hub:
    hub = Hub(NOTHING)
    graph._watch = hub.watcher("the program")
    return hub


CALLS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "invoke": lambda graph, input, config: graph.invoke(input, config),
    "stream": lambda graph, input, config: list(graph.stream(input, config)),
    "custom": lambda graph, input, config: list(
        graph.stream(input, config, stream_mode=["custom", "messages"], subgraphs=True)
    ),
    "ainvoke": lambda graph, input, config: asyncio.run(graph.ainvoke(input, config)),
    "astream": lambda graph, input, config: asyncio.run(_all(graph.astream(input, config))),
}


async def _all(chunks: Any) -> list[Any]:
    return [chunk async for chunk in chunks]


@pytest.mark.parametrize("call", CALLS)
def test_a_programs_run_is_heard_and_gives_what_it_gives(call: str) -> None:
    input: Any = {"log": ["in"]}
    plain = CALLS[call](talking(), input, _view.config("1"))
    graph = talking()
    hub = watched(graph)
    assert str(_without_ids(CALLS[call](graph, input, _view.config("1")))) == str(
        _without_ids(plain)
    )
    (run,) = hub.listed()
    assert (run["thread"], run["status"], run["by"]) == ("1", "success", "the program")
    events = asyncio.run(told(hub.follow(run["id"], 0)))
    assert events[-1] == {"kind": "done"}
    spoken = "".join(event["text"] for event in events if event["kind"] == "messages")
    assert spoken == "so it is", events
    assert [event["namespace"].split(":")[0] for event in events if event["kind"] == "custom"] == [
        "inner"
    ]
    begun = [e["name"] for e in events if e["kind"] == "task" and e["state"] == "begins"]
    assert begun == ["first", "inner", "speak"]
    over = [e for e in events if e["kind"] == "task" and e["state"] == "over"]
    assert len(over) == 3 and all(e["seconds"] >= 0 for e in over)


def _without_ids(value: Any) -> Any:
    import re

    # Ids are random.
    return re.sub(r"[0-9a-f]{8}-?[0-9a-f-]{24,27}", "·", str(value))


def test_attempts_that_failed_are_told_with_their_tracebacks() -> None:
    tries: list[int] = []

    def flaky(state: _view.State) -> Any:
        tries.append(1)
        if len(tries) < 3:
            raise ConnectionError(f"attempt {len(tries)}")
        return {"log": ["well"]}

    made = StateGraph(_view.State)
    made.add_node(flaky, retry_policy=RetryPolicy(initial_interval=0.001, jitter=False))
    graph = made.add_edge(START, "flaky").compile()
    hub = watched(graph)
    graph.invoke({"log": []})
    (run,) = hub.listed()
    assert run["thread"] == ""
    events = asyncio.run(told(hub.follow(run["id"], 0)))
    attempts = [event for event in events if event["kind"] == "attempt"]
    assert [(one["name"], one["number"]) for one in attempts] == [("flaky", 1), ("flaky", 2)]
    assert "ConnectionError: attempt 2" in attempts[1]["text"] and "in flaky" in attempts[1]["text"]
    assert events[-1]["kind"] == "done"


def test_how_a_run_ends_is_told() -> None:
    asking, failing = _view.asking(InMemorySaver()), _view.failing(None)
    hub = watched(asking)
    failing._watch = hub.watcher("the program")
    asking.invoke({"log": []}, _view.config("1"))
    with pytest.raises(ValueError, match="no such luck"):
        failing.invoke({"log": []})
    for _ in asking.stream({"log": []}, _view.config("2")):
        break
    # It does not begin: there is no thread to go on with.
    with pytest.raises(ValueError):
        asking.invoke(None, {})
    assert [run["status"] for run in hub.listed()] == ["cancelled", "error", "interrupted"]
    failed = asyncio.run(told(hub.follow(hub.listed()[1]["id"], 0)))[-1]
    assert failed["kind"] == "failed" and "no such luck" in failed["text"]


def test_whoever_is_within_another_run_is_heard_with_it() -> None:
    within = talking()
    hub = watched(within)
    graph = StateGraph(_view.State).add_node("within", lambda state: within.invoke(state))
    graph.add_edge(START, "within").compile().invoke({"log": []}, _view.config("1"))
    assert hub.listed() == []


def test_what_cannot_be_shown_is_no_trouble_of_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = talking()
    hub = watched(graph)
    for method in ("of_value", "of_message", "of_task"):
        monkeypatch.setattr(hub.events, method, lambda *_: 1 / 0)
    assert graph.invoke({"log": ["in"]}, _view.config("1"))["log"][:2] == ["in", "first"]
    (run,) = hub.listed()
    assert asyncio.run(told(hub.follow(run["id"], 0))) == [{"kind": "done"}]


def test_what_is_redacted_is_in_no_event() -> None:
    graph = talking()
    hub = Hub(Redaction(["progress"], ["so it"]))
    graph._watch = hub.watcher("the program")
    graph.invoke({"log": []}, _view.config("1"))
    text = str(asyncio.run(told(hub.follow(hub.listed()[0]["id"], 0))))
    assert "so it" not in text
    assert "'progress', {'kind': 'redacted'}" in text


def test_copies_are_heard_and_pickles_forget() -> None:
    graph = _view.asking(None)
    hub = watched(graph)
    graph.with_config({"tags": ["x"]}).invoke({"log": []})
    assert len(hub.listed()) == 1
    assert pickle.loads(pickle.dumps(graph))._watch is None
    copy = graph.with_config({"tags": ["x"]})
    hub.close()
    copy.invoke({"log": []})
    assert len(hub.listed()) == 1


async def test_events_are_followed_from_any_number_on_and_the_oldest_go() -> None:
    run = WatchedRun("1", "me", lambda: None)
    for number in range(1, 6001):
        run.add({"kind": "custom", "value": number})
    following = run.follow(5998)
    assert [await anext(following), await anext(following)] == [
        (5999, '{"kind": "custom", "value": 5999}'),
        (6000, '{"kind": "custom", "value": 6000}'),
    ]
    waiting = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0.01)
    await asyncio.to_thread(run.end, "success", {"kind": "done"})
    assert await waiting == (6001, '{"kind": "done"}')
    run.add({"kind": "custom", "value": "late"})
    everything = [number async for number, _ in run.follow(0)]
    assert everything == [*range(1002, 6002)]


async def test_large_events_take_the_place_of_more_old_ones() -> None:
    run = WatchedRun("1", "me", lambda: None)
    for _ in range(100):
        run.add({"kind": "custom", "value": "x" * 100_000})
    run.end("success", {"kind": "done"})
    kept = [number async for number, _ in run.follow(0)]
    assert kept[-1] == 101 and 10 < len(kept) < 25


def test_runs_that_are_over_are_forgotten_those_that_go_on_are_not() -> None:
    hub = Hub(NOTHING)
    first = hub.begin("goes on", "me")
    for number in range(50):
        hub.begin(str(number), "me").end("success", {"kind": "done"})
    listed = hub.listed()
    assert len(listed) < 40 and listed[0]["thread"] == "49"
    assert listed[-1]["id"] == first.id
    assert hub.follow("unknown", 0) is None


# --- a viewer of a graph ---


def test_view_on_a_run_opens_one_viewer(capsys: pytest.CaptureFixture[str]) -> None:
    graph = _view.asking(InMemorySaver())
    plain = _view.asking(InMemorySaver()).invoke({"log": ["in"]}, _view.config("1"))
    result = graph.invoke({"log": ["in"]}, _view.config("1"), view=True)
    assert _without_ids(result) == _without_ids(plain)
    assert list(graph.stream(Command(resume="yes"), _view.config("1"), view=True))
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("is shown at http://127.0.0.1:") == 1
    with pytest.raises(ValueError, match="has a viewer"):
        Viewer(graph)


async def test_a_viewer_knows_where_a_savers_threads_are(tmp_path: Path, database: str) -> None:
    from langgraph_rust.checkpoint.postgres import PostgresSaver

    file = str(tmp_path / "sync.db")
    with SqliteSaver.from_conn_string(file) as saver:
        assert database_of(saver) == file
        graph = _view.asking(saver)
        with Viewer(graph) as viewer:
            graph.invoke({"log": []}, _view.config("1"))
            assert [row.thread for row in viewer._source.threads("", None, 9)] == ["1"]
    file = str(tmp_path / "async.db")
    async with AsyncSqliteSaver.from_conn_string(file) as saver:
        with Viewer(_view.asking(saver)) as viewer:
            assert viewer._source.name == file
    with PostgresSaver.from_conn_string(database) as saver:
        saver.setup()
        with Viewer(_view.asking(saver)) as viewer:
            assert viewer._source.name.startswith("postgresql://postgres@/test")
            assert "password" not in viewer._source.name


def test_a_viewer_whose_threads_cannot_be_opened_shows_runs_alone(tmp_path: Path) -> None:
    with SqliteSaver.from_conn_string(":memory:") as saver:
        for graph in (_view.asking(saver), _view.asking(None)):
            with Viewer(graph) as viewer:
                graph.invoke({"log": []}, _view.config("1"))
                assert viewer._source.name.startswith("runs alone: ")
            assert graph._watch is None
    with pytest.raises(ValueError, match="there is no file"):
        Viewer(_view.asking(None), database=str(tmp_path / "none.db"))


# --- aside ---


def rows(path: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return [
            connection.execute(f"SELECT * FROM {t}").fetchall() for t in ("checkpoints", "writes")
        ]


async def rerun(graph: Any, path: str, name: str, number: int = 0, thread: str = "1") -> Told:
    """Run a task again; the newest of that name unless there is a number."""
    acts = Acts(Acting(graph, path, is_allowed=True), hub := Hub(NOTHING))
    async with acts._acting.opened() as opened:
        history = [one async for one in opened.aget_state_history(_view.config(thread))]
    found = [(one, task) for one in history for task in one.tasks if task.name == name]
    snapshot, task = found[number]
    place = Place(thread, "", snapshot.config["configurable"]["checkpoint_id"])
    before = rows(path)
    events = await told(hub.follow(acts.rerun(place, task.id), 0))
    assert rows(path) == before
    return events


def shown(events: Told) -> Any:
    (over,) = [e for e in events if e["kind"] == "task" and e["state"] != "begins"]
    return {key: value.get("text", value.get("items")) for key, value in over["value"]["items"]}


@pytest.mark.parametrize("linear", [False, True])
async def test_one_task_of_several_runs_again_on_its_input(tmp_path: Path, linear: bool) -> None:
    calls: list[str] = []

    def node(name: str) -> Any:
        def run(state: Any) -> Any:
            calls.append(name)
            return {"log": [f"{name} sees {state.get('log')}"]}

        return run

    made = StateGraph(_view.State)
    for name in ("before", "left", "right", "after"):
        made.add_node(name, node(name))
    made.add_edge(START, "before")
    for name in ("left", "right"):
        made.add_edge("before", name).add_edge(name, "after")
    path = str(tmp_path / "threads.db")
    with SqliteSaver.from_conn_string(path) as saver:
        saver.linear_storage = linear
        made.compile(checkpointer=saver).invoke({"log": ["in"]}, _view.config("1"))
    calls.clear()
    events = await rerun(made.compile(), path, "left")
    assert calls == ["left"]
    assert events[-1]["kind"] == "done"
    (said,) = shown(events)["log"]
    assert said[1]["text"] == "left sees ['in', \"before sees ['in']\"]"


async def test_answers_are_given_again_and_failures_are_shown(tmp_path: Path) -> None:
    path = str(tmp_path / "threads.db")
    _view.make_sqlite(path)
    answered = await rerun(_view.asking(None), path, "ask", number=-1, thread="forked")
    assert "heard first" in str(answered)
    asked = await rerun(_view.asking(None), path, "ask", thread="waits")
    assert "go on?" in str(asked) and asked[-1]["kind"] == "done"
    failed = await rerun(_view.failing(None), path, "fail", thread="failed")
    assert failed[-1]["kind"] == "failed" and "no such luck" in failed[-1]["text"]


async def test_one_packet_of_several_and_a_subgraph_run_again(tmp_path: Path) -> None:
    seen: list[Any] = []

    def each(state: Any) -> Any:
        seen.append(state)
        return {"log": [f"item {state}"]}

    inner = StateGraph(_view.State).add_node("step", lambda state: {"count": 1})
    inner = inner.add_edge(START, "step").compile()
    made = StateGraph(_view.State).add_node("split", lambda state: {}).add_node("each", each)
    made.add_node("inner", inner).add_edge(START, "split")
    made.add_conditional_edges(
        "split", lambda state: [Send("each", n) for n in (1, 2, 3)], ["each"]
    )
    made.add_edge("each", "inner")
    path = str(tmp_path / "threads.db")
    with SqliteSaver.from_conn_string(path) as saver:
        made.compile(checkpointer=saver).invoke({"log": []}, _view.config("1"))
    seen.clear()
    events = await rerun(made.compile(), path, "each", number=1)
    assert seen == [2]
    assert "item 2" in str(shown(events)) and "item 1" not in str(events)
    events = await rerun(made.compile(), path, "inner")
    assert events[-1]["kind"] == "done" and "count" in shown(events)


async def test_a_task_that_the_graph_does_not_have_is_not_run(tmp_path: Path) -> None:
    path = str(tmp_path / "threads.db")
    _view.make_sqlite(path)
    acts = Acts(Acting(_view.asking(None), path, is_allowed=True), hub := Hub(NOTHING))
    events = await told(hub.follow(acts.rerun(Place("waits", "", ""), "none"), 0))
    assert events[-1]["kind"] == "failed" and "no such task" in events[-1]["text"]


async def test_what_the_page_runs_can_be_stopped() -> None:
    async def forever(state: _view.State) -> _view.State:
        await asyncio.sleep(100)
        return {}

    graph = StateGraph(_view.State).add_node(forever).add_edge(START, "forever")
    acting = Acting(graph.compile(checkpointer=InMemorySaver()), None, is_allowed=True)
    acts = Acts(acting, hub := Hub(NOTHING))
    run = acts.run(Place("1", "", ""), {"input": '{"log": []}'})
    following = hub.follow(run, 0)
    assert following is not None
    last = ""
    async for _, last in following:
        if "begins" in last:
            acts.stop(run)
    assert last == '{"kind": "stopped"}'
    assert hub.listed()[0]["status"] == "cancelled"


# --- workers ---


async def test_a_workers_run_is_followed_while_it_goes_on(database: str) -> None:
    from _runs import asking, chain, working

    from langgraph_rust._view._source.postgres import Postgres
    from langgraph_rust.checkpoint.postgres import PostgresSaver

    with PostgresSaver.from_conn_string(database) as saver:
        saver.setup()
    workers = WorkerRuns(Postgres(database).ask, NOTHING)
    assert workers.listed() == []
    assert workers.follow("unknown", 0) is None

    gate = asyncio.Event()

    async def speaks(state: Any) -> Any:
        get_stream_writer()({"progress": 1})
        said = await GenericFakeChatModel(messages=iter([AIMessage("so it is")])).ainvoke("?")
        await gate.wait()
        return {"log": [said.text]}

    def fails(state: Any) -> Any:
        raise ValueError("no such luck")

    graphs = {"graph": chain(speaks), "failing": chain(fails)}
    modes: list[Any] = ["tasks", "messages", "custom", "updates"]
    async with asking(database) as runs, working(database, graphs):
        run = await runs.enqueue("graph", {"log": []}, thread_id="1", stream_mode=modes)
        following = workers.follow(run.id, 0)
        assert following is not None
        seen: Told = []
        async for number, text in following:
            event = json.loads(text)
            assert number == len(seen) + 1
            seen.append(event)
            if event["kind"] == "messages" and event["text"] == "is":
                (listed,) = await asyncio.to_thread(workers.listed)
                assert (listed["thread"], listed["status"]) == ("1", "running")
                assert listed["by"].startswith("worker ")
                gate.set()
        failed = await runs.enqueue("failing", {"log": []})
        last = (await told(workers.follow(failed.id, 0)))[-1]
    assert kinds(seen)[0] == "task" and seen[-1] == {"kind": "done"}
    assert "".join(e["text"] for e in seen if e["kind"] == "messages") == "so it is"
    assert {"custom", "updates"} <= {*kinds(seen)}
    assert last["kind"] == "failed" and "no such luck" in last["text"]
    assert [one["status"] for one in workers.listed()] == ["error", "success"]


def test_a_viewer_that_is_closed_lets_go_of_who_follows(capfd: pytest.CaptureFixture[str]) -> None:
    import threading

    import httpx

    may_end, lines = threading.Event(), []

    def waits(state: _view.State) -> _view.State:
        may_end.wait(20)
        return {"log": ["waited"]}

    graph = StateGraph(_view.State).add_node(waits).add_edge(START, "waits").compile()
    viewer = Viewer(graph)
    address, _, token = viewer.address.partition("?token=")
    running = threading.Thread(target=graph.invoke, args=({"log": []},))
    running.start()
    with httpx.Client(base_url=address) as browser:
        browser.get("", params={"token": token})
        while not (runs := browser.get("/api/runs").json()["runs"]):
            pass
        with browser.stream("GET", "/api/events", params={"run": runs[0]["id"]}) as events:
            following = events.iter_lines()
            lines.append(next(following))
            viewer.close()
            lines.extend(following)
    may_end.set()
    running.join()
    assert lines[0] == "id: 1"
    assert capfd.readouterr().err == ""


async def test_a_node_that_runs_a_graph_runs_again(tmp_path: Path) -> None:
    inner = StateGraph(_view.State).add_node("step", lambda state: {"count": 7})
    inner = inner.add_edge(START, "step").compile()
    made = StateGraph(_view.State).add_node("calls", lambda state: inner.invoke({"log": []}))
    made.add_edge(START, "calls")
    path = str(tmp_path / "threads.db")
    with SqliteSaver.from_conn_string(path) as saver:
        made.compile(checkpointer=saver).invoke({"log": []}, _view.config("1"))
    events = await rerun(made.compile(), path, "calls")
    assert events[-1]["kind"] == "done", events[-1]
    assert "count" in shown(events)


def test_graphs_of_one_saver_share_a_viewer(capsys: pytest.CaptureFixture[str]) -> None:
    saver = InMemorySaver()
    for number in range(3):
        graph = _view.asking(saver).with_config({"tags": ["x"]})
        graph.invoke({"log": []}, _view.config(str(number)), view=True)
    assert capsys.readouterr().err.count("is shown at") == 1


def test_rules_hold_across_tokens_and_in_what_cannot_be_encoded() -> None:
    def node(state: _view.State) -> Any:
        get_stream_writer()({"api_key": "secret", "lock": object()})
        spoken = GenericFakeChatModel(messages=iter([AIMessage("card 4111 1111")])).stream("?")
        return {"log": ["".join(str(chunk.text) for chunk in spoken)]}

    graph = StateGraph(_view.State).add_node(node).add_edge(START, "node").compile()
    hub = Hub(Redaction(["api_key"], [r"\d{4} \d{4}"]))
    graph._watch = hub.watcher("the program")
    graph.invoke({"log": []})
    text = str(asyncio.run(told(hub.follow(hub.listed()[0]["id"], 0))))
    assert "secret" not in text and "4111" not in text and "1111" not in text
    assert "card █████" in text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_has_no_viewer(run_program: Callable[..., Any]) -> None:
    run_program("""
        import os, socket, warnings
        from urllib.parse import urlsplit
        warnings.simplefilter("ignore")
        import _view
        from langgraph_rust.checkpoint.memory import InMemorySaver
        from langgraph_rust.viewer import Viewer

        graph = _view.asking(InMemorySaver())
        viewer = Viewer(graph)
        port = urlsplit(viewer.address).port
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(writing)
            good = graph._watch is None
            os.read(reading, 1)
            os._exit(0 if good else 1)
        viewer.close()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1)
        except ConnectionRefusedError:
            pass
        else:
            raise AssertionError("the child still listens")
        os.close(writing)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        os._exit(0)
    """)


async def test_a_task_whose_failure_was_handled_is_not_run_beside_another(tmp_path: Path) -> None:
    calls: list[str] = []

    def fails(state: _view.State) -> Any:
        calls.append("fails")
        raise ValueError("no such luck")

    def works(state: _view.State) -> Any:
        calls.append("works")
        return {"log": ["worked"]}

    made = StateGraph(_view.State).add_node(works)
    made.add_node(fails, error_handler=lambda state: {"log": ["handled"]})
    made.add_edge(START, "works").add_edge(START, "fails")
    path = str(tmp_path / "threads.db")
    with SqliteSaver.from_conn_string(path) as saver:
        made.compile(checkpointer=saver).invoke({"log": []}, _view.config("1"))
    calls.clear()
    events = await rerun(made.compile(), path, "works")
    assert events[-1]["kind"] == "done" and calls == ["works"]
