"""The elements of a picture, read from its SVG."""

from __future__ import annotations

import re
from typing import NamedTuple
from xml.etree import ElementTree

_SPACE = "{http://www.w3.org/2000/svg}"

_STEPS = 12
"""Into how many pieces a curve is taken apart."""

SLACK = 0.2
"""Pixels that numbers may be off: they are written with one digit after the point."""


class Rect(NamedTuple):
    """A rectangle, in pixels from the top left of the picture."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Rect) -> bool:
        """Whether they have more than a rim in common."""
        return (
            self.x + SLACK < other.x + other.width
            and other.x + SLACK < self.x + self.width
            and self.y + SLACK < other.y + other.height
            and other.y + SLACK < self.y + self.height
        )

    def holds(self, other: Rect) -> bool:
        """Whether all of `other` is in it."""
        return (
            self.x <= other.x + SLACK
            and self.y <= other.y + SLACK
            and other.x + other.width <= self.x + self.width + SLACK
            and other.y + other.height <= self.y + self.height + SLACK
        )

    def has(self, point: tuple[float, float], rim: float = SLACK) -> bool:
        """Whether a point is in it, or at most `rim` beside it."""
        x, y = point
        within = self.x - rim <= x <= self.x + self.width + rim
        return within and self.y - rim <= y <= self.y + self.height + rim


class Text(NamedTuple):
    """Something written, with the room that it takes."""

    text: str
    rect: Rect


class Line(NamedTuple):
    """An edge: points all along it, from its source, and whether it is dashed."""

    points: list[tuple[float, float]]
    is_dashed: bool


class Picture:
    """What is in a picture, kind by kind, in the order of the SVG.

    Args:
        svg: The picture.

    Raises:
        ElementTree.ParseError: It is not XML.
    """

    def __init__(self, svg: str) -> None:
        root = ElementTree.fromstring(svg)
        self.whole = Rect(0.0, 0.0, float(root.get("width", 0)), float(root.get("height", 0)))
        self.nodes: list[Text] = []
        self.boxes: list[Rect] = []
        self.titles: list[Text] = []
        self.labels: list[Text] = []
        self.lines: list[Line] = []
        before = root
        for element in root:
            kind = (element.get("class") or "").split()
            if element.tag == f"{_SPACE}g":
                rect = element.find(f"{_SPACE}rect")
                assert rect is not None, "a node without a box"
                self.nodes.append(Text(element.findtext(f"{_SPACE}text") or "", _rect(rect)))
            elif "cluster" in kind:
                self.boxes.append(_rect(element))
            elif "edge" in kind:
                self.lines.append(Line(_points(element.get("d", "")), "dashed" in kind))
            elif element.tag == f"{_SPACE}text":
                is_title = "title" in (before.get("class") or "").split()
                texts = self.titles if is_title else self.labels
                texts.append(Text(element.text or "", _rect(before)))
            before = element


def _rect(element: ElementTree.Element) -> Rect:
    return Rect(*(float(element.get(name, 0)) for name in ("x", "y", "width", "height")))


def _points(course: str) -> list[tuple[float, float]]:
    """Take a path apart that moves, goes straight down or up, and bends."""
    points: list[tuple[float, float]] = []
    for command, numbers in re.findall(r"([A-Za-z])([^A-Za-z]*)", course):
        at = [float(number) for number in numbers.split()]
        if command == "M":
            points.append((at[0], at[1]))
            continue
        x, y = points[-1]
        if command == "V":
            at = [x, y, x, at[0], x, at[0]]
        assert len(at) == 6, f"what does {command} do in a path?"
        for step in range(1, _STEPS + 1):
            t = step / _STEPS
            weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t * t, t**3)
            points.append(
                (
                    sum(w * c for w, c in zip(weights, (x, *at[0::2]), strict=True)),
                    sum(w * c for w, c in zip(weights, (y, *at[1::2]), strict=True)),
                )
            )
    return points
