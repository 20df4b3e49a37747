"""Pictures of graphs, made without a network."""

from __future__ import annotations

import operator
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any
from xml.etree import ElementTree

import pytest
from langchain_core.runnables.graph import Graph
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.graph import END, START, StateGraph
from langgraph_rust.types import Command, interrupt


class State(TypedDict, total=False):
    """What the graphs have."""

    log: Annotated[list[str], operator.add]


def does(state: State) -> Any:
    """Something."""
    return {"log": ["done"]}


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
    assert {"first", "second", "tools <&>"} <= set(texts(picture))


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


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "from langgraph_rust.graph import START, StateGraph\n"
        "builder = StateGraph(dict).add_node('node', lambda state: {}).add_edge(START, 'node')\n"
        "graph = builder.compile()\n"
        "def make():\n"
        "    return builder\n"
    )

    def draw(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "langgraph_rust", "draw", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    assert "node" in texts(draw("app:graph").stdout)
    assert draw("app:make", "-o", "graph.svg", "--theme", "dark").returncode == 0
    assert "node" in texts((tmp_path / "graph.svg").read_text())
    assert draw("app:graph", "-o", "graph.png", "--xray").returncode == 0
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")
    assert "which graph? Name it as module:attribute" in draw("app").stderr
    assert "has no attribute 'none'" in draw("app:none").stderr
