"""What the tests of named mistakes share: graphs to make them in, and ways to catch them."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

from langgraph_rust.pregel import Pregel
from langgraph_rust.warnings import LangGraphMistakeWarning


def run(graph: Pregel, given: Any, config: Any = None, *, is_async: bool, **options: Any) -> Any:
    """Run a graph by the one or the other way."""
    if is_async:
        return asyncio.run(graph.ainvoke(given, config, **options))
    return graph.invoke(given, config, **options)


class Caught(list[str]):
    """The mistakes that are named while this is entered; nothing else may be."""

    places: list[tuple[str, int]]

    def __init__(self) -> None:
        super().__init__()
        self._catching = warnings.catch_warnings(record=True)

    def __enter__(self) -> Caught:
        self._warned = self._catching.__enter__()
        warnings.simplefilter("always")
        return self

    def __exit__(self, *error: Any) -> None:
        self._catching.__exit__(*error)
        assert self._warned is not None
        assert all(each.category is LangGraphMistakeWarning for each in self._warned)
        self.extend(str(each.message) for each in self._warned)
        self.places = [(each.filename, each.lineno) for each in self._warned]


def notes(error: BaseException) -> list[str]:
    """The notes of an error, but for the one that names the task it happened in."""
    found: list[str] = getattr(error, "__notes__", [])
    return [note for note in found if not note.startswith("During task")]
