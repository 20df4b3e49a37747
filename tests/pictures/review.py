"""What may be wrong with a picture, given the graph that it is of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from tests.pictures.picture import SLACK, Picture, Rect, Text

LONGEST = 48
"""More letters of a text are cut off."""

Edge = Sequence[Any]
"""Source, target, label or `None`, and whether it is only taken sometimes."""


def review(svg: str, nodes: Sequence[str], edges: Sequence[Edge]) -> list[str]:
    """Return what is wrong with a picture, a line each.

    Args:
        svg: The picture.
        nodes: The ids of the drawn nodes; those in boxes begin with the names of theirs.
        edges: The edges between them.
    """
    picture = Picture(svg)
    ordered = sorted(edges, key=lambda edge: (nodes.index(edge[0]), nodes.index(edge[1])))
    labelled = [edge for edge in ordered if edge[2] is not None]
    boxes = _boxes(nodes)
    for kind, wanted, found in (
        ("nodes", nodes, picture.nodes),
        ("edges", edges, picture.lines),
        ("labels", labelled, picture.labels),
        ("boxes", boxes, picture.boxes),
        ("labels of boxes", boxes, picture.titles),
    ):
        if len(wanted) != len(found):
            return [f"{len(found)} {kind} are drawn of {len(wanted)}"]
    return [
        *_nodes(picture, nodes),
        *_around(picture, nodes, boxes),
        *_lines(picture, nodes, ordered, boxes),
        *_labels(picture, [str(edge[2]) for edge in labelled]),
    ]


def _boxes(nodes: Sequence[str]) -> list[str]:
    """The boxes of nodes, from the outside in, as their ids begin."""
    found: dict[str, None] = {}
    for node in nodes:
        names = node.split(":")[:-1]
        found |= {":".join(names[: depth + 1]): None for depth in range(len(names))}
    return [*found]


def _nodes(picture: Picture, nodes: Sequence[str]) -> Iterator[str]:
    for node, drawn in zip(nodes, picture.nodes, strict=True):
        if not picture.whole.holds(drawn.rect):
            yield f"{node} is outside of the picture"
        if drawn.text != _cut(node.split(":")[-1]):
            yield f"{node} is called {drawn.text}"
    for (one, first), (other, second) in combinations(zip(nodes, picture.nodes, strict=True), 2):
        if first.rect.overlaps(second.rect):
            yield f"{one} and {other} overlap"


def _around(picture: Picture, nodes: Sequence[str], boxes: Sequence[str]) -> Iterator[str]:
    for box, rect, title in zip(boxes, picture.boxes, picture.titles, strict=True):
        for node, drawn in zip(nodes, picture.nodes, strict=True):
            is_inside = node.startswith(f"{box}:")
            if is_inside and not rect.holds(drawn.rect):
                yield f"{node} is not in its box {box}"
            if not is_inside and rect.overlaps(drawn.rect):
                yield f"the box {box} cuts {node}"
            if title.rect.overlaps(drawn.rect):
                yield f"the label of {box} lies on {node}"
        for other, around in zip(boxes, picture.boxes, strict=True):
            related = any(one == two or one.startswith(f"{two}:") for one, two in
                          ((box, other), (other, box)))  # fmt: skip
            if not related and rect.overlaps(around):
                yield f"the boxes {box} and {other} overlap"
        if not rect.holds(title.rect):
            yield f"the label of {box} is outside of it"
        if not title.text.startswith(_cut(box.split(":")[-1])[: LONGEST - 1]):
            yield f"the box {box} is called {title.text}"


def _lines(
    picture: Picture, nodes: Sequence[str], edges: Sequence[Edge], boxes: Sequence[str]
) -> Iterator[str]:
    rects = dict(zip(nodes, (drawn.rect for drawn in picture.nodes), strict=True))
    courses: dict[tuple[Any, ...], str] = {}
    for (source, target, _, is_dashed), line in zip(edges, picture.lines, strict=True):
        edge = f"the edge from {source} to {target}"
        if is_dashed != line.is_dashed:
            yield f"{edge} is {'not ' if is_dashed else ''}dashed"
        if not rects[source].has(line.points[0]):
            yield f"{edge} does not begin at its source"
        if not rects[target].has(line.points[-1]):
            yield f"{edge} does not end at its target"
        if not all(map(picture.whole.has, line.points)):
            yield f"{edge} leaves the picture"
        for node, rect in rects.items():
            if _enters(line.points, rect):
                yield f"{edge} crosses {node}"
        for box, rect in zip(boxes, picture.boxes, strict=True):
            is_outside = not any(node.startswith(f"{box}:") for node in (source, target))
            if is_outside and _enters(line.points, rect):
                yield f"{edge} crosses the box {box}"
        same = courses.setdefault(tuple(sorted(line.points)), edge)
        if same != edge:
            yield f"{edge} lies on {same}"


def _labels(picture: Picture, wanted: Sequence[str]) -> Iterator[str]:
    for label, drawn in zip(wanted, picture.labels, strict=True):
        if drawn.text != _cut(label):
            yield f"the label {label} is written as {drawn.text}"
        if not picture.whole.holds(drawn.rect):
            yield f"the label {label} is outside of the picture"
        for node in picture.nodes:
            if drawn.rect.overlaps(node.rect):
                yield f"the label {label} lies on {node.text}"
        crossing = sum(_enters(line.points, drawn.rect) for line in picture.lines)
        if crossing > 1:
            yield f"{crossing} edges go through the label {label}"
    texts: list[Text] = [*picture.labels, *picture.titles]
    for one, other in combinations(texts, 2):
        if one.rect.overlaps(other.rect):
            yield f"the labels {one.text} and {other.text} overlap"


def _enters(points: Sequence[tuple[float, float]], rect: Rect) -> bool:
    return any(rect.has(point, rim=-SLACK) for point in points)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
