"""A pytest plugin that draws every graph that a test makes.

It runs inside the tested environment, so it imports nothing but the standard library, pytest and
the tested package. A picture that was drawn before is not written again; workers share the folder.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

FOLDER = "PICTURES_FOLDER"
"""The environment variable that says where the pictures are written."""

_made: list[Any] = []
"""The graphs that the test under way has made."""


def pytest_collection_finish() -> None:
    """Hear of graphs that are made from now on."""
    from langgraph_rust.pregel import Pregel

    original = Pregel.__init__

    @functools.wraps(original)
    def init(self: Any, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **options)
        _made.append(self)

    Pregel.__init__ = init  # pyright: ignore[reportAttributeAccessIssue]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Draw what the test made, before its fixtures end."""
    graphs = [*_made]
    _made.clear()
    for graph in graphs:
        for xray in (False, True):
            _draw(graph, xray, item.nodeid)


def _draw(graph: Any, xray: bool, test: str) -> None:
    about: dict[str, Any] = {"test": test, "xray": xray}
    try:
        drawn = graph.get_graph(xray=xray)
        about["nodes"] = [*drawn.nodes]
        about["edges"] = [
            [edge.source, edge.target, edge.data and str(edge.data), edge.conditional]
            for edge in drawn.edges
        ]
        about["svg"] = drawn.draw_svg(theme="light")
        drawn.draw_png(scale=0.5)
    except Exception as error:
        about["error"] = f"{type(error).__name__}: {error}"
    told = about.get("svg") or about["error"]
    path = Path(os.environ[FOLDER], f"{hashlib.sha256(told.encode()).hexdigest()[:16]}.json")
    if not path.exists():
        own = path.with_suffix(f".{os.getpid()}")
        own.write_text(json.dumps(about), encoding="utf-8")
        own.replace(path)
