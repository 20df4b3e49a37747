"""Pictures of graphs, made without a network."""

from __future__ import annotations

import copy
import operator
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from xml.etree import ElementTree

import pytest
from langchain_core.runnables.graph import Graph
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.graph import END, START, StateGraph
from langgraph_rust.pregel._build.picture import DrawableGraph
from langgraph_rust.types import CachePolicy, Command, RetryPolicy, TimeoutPolicy, interrupt
from tests.pictures.review import review


class State(TypedDict, total=False):
    """What the graphs have."""

    log: Annotated[list[str], operator.add]


def does(state: State) -> Any:
    """Something."""
    return {"log": ["done"]}


async def waits(state: State) -> Any:
    """Something, some time."""


def agent() -> Any:
    """An agent, with a subgraph."""
    inner = StateGraph(State).add_node("first", does).add_node("second", does)
    inner.add_edge(START, "first").add_edge("first", "second")
    graph = StateGraph(State)
    graph.add_node("agent", does)
    graph.add_node("tools <&>", inner.compile(), metadata={"colour": "red"})
    graph.add_node("late", does, defer=True)
    graph.add_edge(START, "agent").add_edge("tools <&>", "agent")
    graph.add_conditional_edges("agent", lambda _: "late", {"asks": "tools <&>", "ends": "late"})
    return graph.compile(interrupt_before=["late"])


def texts(picture: str) -> list[str]:
    """What is written in a picture."""
    root = ElementTree.fromstring(picture)
    return [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]


def classes(picture: str) -> dict[str, str]:
    """The nodes of a picture by their label: how they are drawn."""
    space = "{http://www.w3.org/2000/svg}"
    groups = ElementTree.fromstring(picture).iter(f"{space}g")
    return {group.findtext(f"{space}text") or "": group.get("class") or "" for group in groups}


def faults(drawn: Any) -> list[str]:
    """What is wrong with a picture."""
    edges = [(edge.source, edge.target, edge.data, edge.conditional) for edge in drawn.edges]
    return review(drawn.draw_svg(), [*drawn.nodes], edges)


def test_a_picture_has_nodes_labels_and_what_is_special() -> None:
    drawn = agent().get_graph()
    picture = drawn.draw_svg()
    written = texts(picture)
    for text in ("agent", "tools <&>", "asks", "ends", "colour = red"):
        assert text in written
    assert "waits for all others" in written
    assert "stops before" in written
    kinds = classes(picture)
    assert kinds["__start__"] == "node first"
    assert kinds["__end__"] == "node last"
    assert picture.count('class="edge dashed"') == 2
    assert isinstance(drawn, Graph)
    assert drawn._repr_svg_() == picture


def test_subgraphs_are_boxes() -> None:
    picture = agent().get_graph(xray=True).draw_svg()
    assert picture.count('class="cluster"') == 1
    assert {"first", "second", "tools <&>: colour = red"} <= set(texts(picture))
    assert picture.count('class="title inner"') == 1


def test_nodes_lie_on_nothing() -> None:
    long = "a name that is much longer than what anybody would like to read in a picture"
    graph = StateGraph(State).add_node("agent", agent()).add_node(long, agent(), defer=True)
    for name in ("one", "other", "third"):
        graph.add_node(name, does).add_edge(START, name).add_edge(name, "agent")
    graph.add_conditional_edges("agent", lambda _: END, {long: long, "it is over": END, "1": "one"})
    graph.add_conditional_edges(long, lambda _: END, {"again": "agent", "more": long, "": END})
    for xray in (False, 1, True):
        assert faults(graph.compile().get_graph(xray=xray)) == []


def test_what_becomes_of_failures_is_written_in_nodes() -> None:
    inner = StateGraph(State).add_node("first", does, retry_policy=RetryPolicy(max_attempts=5))
    inner.add_node("second", does).add_edge(START, "first").add_edge("first", "second")
    graph = StateGraph(State)
    graph.add_node("once", does, retry_policy=RetryPolicy(max_attempts=1))
    graph.add_node("cached", does, cache_policy=CachePolicy(ttl=60))
    graph.add_node("timed", waits, timeout=TimeoutPolicy(run_timeout=2, idle_timeout=0.5))
    policies = [RetryPolicy(max_attempts=2), RetryPolicy(max_attempts=4)]
    graph.add_node("inner", inner.compile(), retry_policy=policies)
    graph.add_edge(START, "once").add_edge("once", "cached").add_edge("cached", "timed")
    app = graph.add_edge("timed", "inner").compile(interrupt_before=["inner"])
    drawn: Any = app.get_graph()
    assert drawn.marks["once"] == drawn.marks.get(START, []) == []
    assert drawn.marks["cached"] == ["cached for 60 s"]
    assert drawn.marks["timed"] == ["at most 2 s", "at most 0.5 s without progress"]
    assert drawn.marks["inner"] == ["tries up to 4 times"]
    assert {"cached for 60 s", "at most 2 s", "tries up to 4 times"} <= {*texts(drawn.draw_svg())}
    # What langchain-core makes of a graph is pinned by LangGraph's tests.
    assert [node.metadata for node in drawn.nodes.values() if node.metadata] == [
        {"__interrupt": "before"}
    ]
    assert "tries" not in drawn.draw_mermaid() + str(drawn.to_json())

    opened: Any = app.get_graph(xray=True)
    assert opened.marks["inner:first"] == ["tries up to 5 times"]
    assert "inner: stops before, tries up to 4 times" in texts(opened.draw_svg())
    opened.trim_first_node()
    for again in (copy.deepcopy(opened), pickle.loads(pickle.dumps(opened)), opened.reid()):
        assert again.marks == opened.marks
        assert again.draw_svg() == opened.draw_svg()


def test_policies_of_the_graph_are_those_of_nodes_without() -> None:
    graph = StateGraph(State).add_node("own", does, retry_policy=RetryPolicy(max_attempts=9))
    app: Any = graph.add_node("none", does).add_edge(START, "own").add_edge("own", "none").compile()
    app.retry_policy, app.cache_policy = [RetryPolicy()], CachePolicy()
    drawn = app.get_graph()
    assert drawn.marks["own"] == ["tries up to 9 times", "cached"]
    assert drawn.marks["none"] == ["tries up to 3 times", "cached"]
    assert START not in drawn.marks


def test_marks_follow_nodes_without_names() -> None:
    drawn, outer = DrawableGraph(), DrawableGraph()
    node = drawn.add_node(InMemorySaver)  # pyright: ignore[reportArgumentType]  # any class
    drawn.marks[node.id] = ["a mark"]
    assert drawn.reid().marks == {"InMemorySaver": ["a mark"]}
    outer.extend(drawn, prefix="left out")
    assert outer.marks == drawn.marks
    assert drawn != outer.reid()
    assert drawn == DrawableGraph({**drawn.nodes})


def test_the_first_and_the_last_node_are_langgraphs() -> None:
    graph = StateGraph(State).add_node("node", does).add_node("unreached", does)
    kinds = classes(graph.add_edge(START, "node").compile().get_graph().draw_svg())
    assert kinds[START] == "node first"
    assert kinds[END] == "node last"


def test_nodes_of_a_row_are_in_their_order() -> None:
    names = [f"node {number}" for number in range(12)]
    graph = StateGraph(State)
    for name in names:
        graph.add_node(name, does).add_edge(START, name)
    picture = ElementTree.fromstring(graph.compile().get_graph().draw_svg())
    space = "{http://www.w3.org/2000/svg}"
    left = {
        group.findtext(f"{space}text"): float(group.find(f"{space}rect").get("x"))  # type: ignore
        for group in picture.iter(f"{space}g")
    }
    assert sorted(names, key=left.__getitem__) == names


def test_png_is_made_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", refuse)
    drawn = agent().get_graph()
    for made in (drawn.draw_png(), drawn.draw_mermaid_png(), drawn.draw_png(scale=1.0)):
        assert made.startswith(b"\x89PNG")
    file = tmp_path / "graph.png"
    assert drawn.draw_mermaid_png(output_file_path=str(file)) == file.read_bytes()
    drawn.draw_svg(str(tmp_path / "graph.svg"), theme="dark")
    assert (tmp_path / "graph.svg").read_text().startswith("<svg")
    bundle = agent()._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert bundle["image/png"].startswith(b"\x89PNG")


def test_ways_of_mermaid_stay_for_whoever_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from langchain_core.runnables.graph import MermaidDrawMethod

    asked: list[Any] = []
    name = "langchain_core.runnables.graph_mermaid.draw_mermaid_png"
    monkeypatch.setattr(name, lambda **options: asked.append(options) or b"theirs")
    drawn = agent().get_graph()
    assert drawn.draw_mermaid_png(draw_method=MermaidDrawMethod.API) == b"theirs"
    assert asked[0]["draw_method"] is MermaidDrawMethod.API


def test_wrong_options_are_said() -> None:
    drawn = agent().get_graph()
    with pytest.raises(ValueError, match=r"no theme is called .pink.; there are 'light'"):
        drawn.draw_svg(theme="pink")
    with pytest.raises(ValueError, match="the scale must be above 0"):
        drawn.draw_png(scale=0.0)
    with pytest.raises(ValueError, match="too large; SVG has no limit"):
        drawn.draw_png(scale=1000.0)


def test_a_run_is_drawn_on_its_graph() -> None:
    def asks(state: State) -> Any:
        return {"log": [interrupt("what?")]}

    graph = StateGraph(State)
    graph.add_node("again", does).add_node("asks", asks).add_node("never", does)
    graph.add_edge(START, "again").add_edge("again", "asks").add_edge("asks", "never")
    app = graph.compile(InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    app.invoke({}, config)
    kinds = classes(app.get_graph().draw_svg(run=app.get_state_history(config)))
    assert kinds["again"] == "node done"
    assert kinds["asks"] == "node waiting"
    assert kinds["never"] == "node untouched"

    app.invoke(Command(resume="that"), config)
    kinds = classes(app.get_graph().draw_svg(run=app.get_state_history(config)))
    assert set(kinds.values()) == {"node first done", "node done", "node last done"}

    def fails(state: State) -> Any:
        raise ValueError("failed")

    graph = StateGraph(State).add_node("fails", fails).add_edge(START, "fails")
    app = graph.add_edge("fails", END).compile(InMemorySaver())
    with pytest.raises(ValueError, match="failed"):
        app.invoke({}, config)
    kinds = classes(app.get_graph().draw_svg(run=app.get_state_history(config)))
    assert kinds["fails"] == "node failed"


def test_a_large_graph_takes_less_than_a_second() -> None:
    import time

    graph = StateGraph(State)
    names = [f"node {number}" for number in range(1000)]
    for number, name in enumerate(names):
        graph.add_node(name, does)
        graph.add_edge(names[number - 1 - number % 5] if number > 5 else START, name)
    drawn = graph.compile().get_graph()
    began = time.process_time()
    drawn.draw_svg()
    assert time.process_time() - began < 1.0


APP = """
import operator
from typing import Annotated, TypedDict

from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import interrupt


class State(TypedDict):
    log: Annotated[list[str], operator.add]


def asks(state):
    return {"log": [interrupt("what?")]}


builder = StateGraph(State).add_node("node", lambda state: {"log": ["done"]})
builder.add_node("asks", asks).add_edge(START, "node").add_edge("node", "asks")
graph = builder.compile()


def make():
    return builder
"""

Draw = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def draw(tmp_path: Path) -> Draw:
    """The command, in a folder with an app."""
    (tmp_path / "app.py").write_text(APP)

    def draw(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "langgraph_rust", "draw", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    return draw


def begin(saver: Any) -> None:
    """Run the app until it asks, with the thread `1`."""
    names: dict[str, Any] = {}
    exec(compile(APP, "app", "exec", dont_inherit=True), names)
    names["builder"].compile(saver).invoke({"log": []}, {"configurable": {"thread_id": "1"}})


def test_the_command(tmp_path: Path, draw: Draw) -> None:
    assert "node" in texts(draw("app:graph").stdout)
    assert draw("app:make", "-o", "graph.svg", "--theme", "dark").returncode == 0
    assert "node" in texts((tmp_path / "graph.svg").read_text())
    assert draw("app:graph", "-o", "graph.png", "--xray").returncode == 0
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")
    assert "which graph? Name it as module:attribute" in draw("app").stderr
    assert "has no attribute 'none'" in draw("app:none").stderr
    assert "SVG or PNG?" in draw("app:graph", "-o", "graph.gif").stderr


def test_the_command_draws_a_stored_run(tmp_path: Path, draw: Draw) -> None:
    with SqliteSaver.from_conn_string(str(tmp_path / "threads.db")) as saver:
        begin(saver)
    before = (tmp_path / "threads.db").read_bytes()
    stored = ("--database", "threads.db")
    kinds = classes(draw("app:make", *stored, "--thread", "1").stdout)
    assert kinds["node"] == "node done"
    assert kinds["asks"] == "node waiting"
    assert draw("app:graph", *stored, "--thread", "1", "-o", "run.png").returncode == 0
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "threads.db").read_bytes() == before

    for arguments, why in {
        (*stored, "--thread", "2"): "draw: there is no thread '2' in the database\n",
        ("--database", "none.db", "--thread", "1"): "draw: there is no file none.db\n",
        ("--thread", "1"): "draw: which --database? The graph has no saver of its own\n",
    }.items():
        drawn = draw("app:graph", *arguments)
        assert (drawn.returncode, drawn.stderr) == (1, why)
    assert not (tmp_path / "none.db").exists()
    assert "--database takes --thread ID" in draw("app:graph", *stored).stderr


def test_the_command_draws_a_run_stored_in_postgres(database: str, draw: Draw) -> None:
    from langgraph_rust.checkpoint.postgres import PostgresSaver

    wanted = ("app:graph", "--database", database, "--thread")
    assert "the database holds no checkpoints" in draw(*wanted, "1").stderr
    with PostgresSaver.from_conn_string(database) as saver:
        saver.setup()
        begin(saver)
    assert classes(draw(*wanted, "1").stdout)["asks"] == "node waiting"
    assert draw(*wanted, "2").stderr == "draw: there is no thread '2' in the database\n"
