"""What the review finds: pictures that are right, each with one thing wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest

from langgraph_rust.graph import END, START, StateGraph
from tests.pictures.review import review


def drawn() -> tuple[str, list[str], list[list[Any]]]:
    """A picture with a box, labels, a loop and an edge that leads back; its nodes and its edges."""
    inner = StateGraph(dict).add_node("first", lambda _: {}).add_node("second", lambda _: {})
    inner.add_edge(START, "first").add_edge("first", "second")
    graph = StateGraph(dict).add_node("agent", lambda _: {}).add_node("tools", inner.compile())
    graph.add_edge(START, "agent").add_edge("tools", "agent")
    paths = {"asks": "tools", "on": "agent", "ends": END}
    graph.add_conditional_edges("agent", lambda _: END, paths)
    made: Any = graph.compile().get_graph(xray=True)
    edges = [[edge.source, edge.target, edge.data, edge.conditional] for edge in made.edges]
    return made.draw_svg(), [*made.nodes], edges


def moved(svg: str, of: str, x: float, y: float = 0.0) -> str:
    """The picture with a rectangle moved: the first after the text `of`."""
    before, found, after = svg.partition(of)
    assert found
    at = re.search(r'x="([\d.]+)" y="([\d.]+)"', after)
    assert at
    there = f'x="{float(at[1]) + x:.1f}" y="{float(at[2]) + y:.1f}"'
    return before + found + after[: at.start()] + there + after[at.end() :]


def test_nothing_is_wrong_with_a_picture() -> None:
    assert review(*drawn()) == []


@pytest.mark.parametrize(
    ("of", "x", "y", "found"),
    [
        ('<g class="node">\n', 900, 0, "is outside of the picture"),
        ('<g class="node">\n', 0, -60, "__start__ and agent overlap"),
        ('<rect class="cluster"', 60, 0, "is not in its box tools"),
        ('<rect class="cluster"', 0, -90, "the box tools cuts agent"),
        ('<rect class="title inner"', 0, -60, "the label of tools is outside of it"),
        (">ends</text>", 0, -40, "the label asks lies on agent"),
    ],
)
def test_what_lies_on_something_is_found(of: str, x: float, y: float, found: str) -> None:
    svg, nodes, edges = drawn()
    assert found in "\n".join(review(moved(svg, of, x, y), nodes, edges))


@pytest.mark.parametrize(
    ("pattern", "instead", "found"),
    [
        (r'<path class="edge[^\n]*\n', "", "5 edges are drawn of 6"),
        (r'(class="edge)"', r'\1 dashed"', "is dashed"),
        (r'class="edge dashed"', 'class="edge"', "is not dashed"),
        (r'(class="edge" d=")M[\d.]+ [\d.]+', r"\1M0.0 0.0", "does not begin at its source"),
        (r">asks<", ">asked<", "the label asks is written as asked"),
        (r">second<", ">third<", "tools:second is called third"),
    ],
)
def test_what_is_missing_or_wrong_is_found(pattern: str, instead: str, found: str) -> None:
    svg, nodes, edges = drawn()
    changed, count = re.subn(pattern, instead, svg, count=1)
    assert count
    assert found in "\n".join(review(changed, nodes, edges))


def test_edges_that_lie_on_others_are_found() -> None:
    svg, nodes, edges = drawn()
    paths = re.findall(r'<path class="edge[^"]*" d="([^"]*)"', svg)
    across = svg.replace(paths[0], "M{:.1f} {:.1f}V{:.1f}".format(*_through(svg)), 1)
    assert "crosses" in "\n".join(review(across, nodes, edges))
    twice = svg.replace(paths[1], paths[0], 1)
    assert "lies on the edge" in "\n".join(review(twice, nodes, edges))


def _through(svg: str) -> tuple[float, float, float]:
    """A way from the first node through the second."""
    rects = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', svg)
    x, y, width, height = map(float, rects[0])
    return x + width / 2, y + height, y + height + 100
