"""A drawn graph that can be looked at without a network: as SVG, as PNG, in a notebook.

langchain-core's `Graph` is drawn by way of Mermaid's text, which a service on the web or a browser
makes a picture of. Here the engine's own layout does; Mermaid's ways stay for whoever names them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from langchain_core.runnables.graph import Graph, MermaidDrawMethod, is_uuid

from langgraph_rust._engine import _draw
from langgraph_rust.constants import END, START

if TYPE_CHECKING:
    from langchain_core.runnables.graph import Node

    from langgraph_rust.pregel._build.read import PregelNode
    from langgraph_rust.types import CachePolicy, RetryPolicy, StateSnapshot

Theme = Literal["light", "dark", "auto"]

_NOTES = {"__interrupt": "stops {}", "defer": "waits for all others"}
"""What the engine's own metadata say, in words; the user's are shown as they are."""


@dataclass(eq=False, repr=False)
class DrawableGraph(Graph):
    """The nodes and edges of a graph, and pictures of them.

    It is equal to another, and shown as text, as langchain-core's is: without the marks.
    """

    marks: dict[str, list[str]] = field(default_factory=dict)
    """Lines that pictures have in nodes besides their metadata, by the ids of nodes; by those of
    nodes that were opened, what the labels of their boxes have."""

    def extend(self, graph: Graph, *, prefix: str = "") -> tuple[Node | None, Node | None]:
        """Add the nodes, edges and marks of another graph.

        Args:
            graph: The other one.
            prefix: What their ids get before a colon, unless all of them are UUIDs.

        Returns:
            The other's first and last node, as they are here.
        """
        if all(map(is_uuid, graph.nodes)):
            prefix = ""
        if isinstance(graph, DrawableGraph):
            for identity, lines in graph.marks.items():
                self.marks[f"{prefix}:{identity}" if prefix else identity] = [*lines]
        return super().extend(graph, prefix=prefix)

    def reid(self) -> DrawableGraph:
        """Return a graph whose nodes have names for ids, where those were UUIDs."""
        graph = super().reid()
        ids = dict(zip(self.nodes, graph.nodes, strict=False))
        marks = {ids.get(identity, identity): [*lines] for identity, lines in self.marks.items()}
        return DrawableGraph(graph.nodes, graph.edges, marks)

    def draw_svg(
        self,
        output_file_path: str | None = None,
        *,
        theme: Theme = "auto",
        run: Iterable[StateSnapshot] | None = None,
    ) -> str:
        """Draw the graph as SVG; nothing but this package takes part.

        Args:
            output_file_path: Where to write it as well.
            theme: Its colours; `"auto"` for those that whoever shows it prefers.
            run: A thread's history, as `get_state_history` gives it: what ran, how often and how
                long, what failed, waits for an answer or is next is drawn as well.

        Returns:
            The SVG.

        Raises:
            ValueError: There is no such theme.
        """
        picture = _draw(*_described(self, run), theme)
        if output_file_path is not None:
            Path(output_file_path).write_text(picture, encoding="utf-8")
        return picture

    def draw_png(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        output_file_path: str | None = None,
        fontname: str | None = None,
        labels: Any = None,
        *,
        theme: Theme = "light",
        scale: float = 2.0,
        run: Iterable[StateSnapshot] | None = None,
    ) -> bytes | None:
        """Draw the graph as PNG; nothing but this package takes part.

        Args:
            output_file_path: Where to write it as well.
            fontname: With this or with `labels` it is drawn by pygraphviz, as langchain-core does.
            labels: See `fontname`.
            theme: Its colours.
            scale: How many pixels there are for one of the SVG's, in each direction.
            run: As in `draw_svg`.

        Returns:
            The PNG; `None` if pygraphviz has written it into a file.

        Raises:
            ValueError: There is no such theme, or the picture would be too large.
        """
        if fontname is not None or labels is not None:
            return super().draw_png(output_file_path, fontname, labels)
        picture = _draw(*_described(self, run), theme, scale)
        if output_file_path is not None:
            Path(output_file_path).write_bytes(picture)
        return picture

    def draw_mermaid_png(
        self,
        *,
        draw_method: MermaidDrawMethod | None = None,
        output_file_path: str | None = None,
        **options: Any,
    ) -> bytes:
        """Draw the graph as PNG: here, unless one of Mermaid's ways is asked for by its name.

        Args:
            draw_method: `MermaidDrawMethod.API` sends the graph to a service on the web, and
                `PYPPETEER` starts a browser. `None` draws it as `draw_png` does.
            output_file_path: Where to write it as well.
            **options: Those of langchain-core's method, which are for Mermaid.

        Returns:
            The PNG.
        """
        if draw_method is not None:
            return super().draw_mermaid_png(
                draw_method=draw_method, output_file_path=output_file_path, **options
            )
        return self.draw_png(output_file_path) or b""

    def _repr_svg_(self) -> str:
        """Show the picture in a notebook."""
        return self.draw_svg()


# --- What is written in nodes --------------------------------------------------------------------


def policies(
    node: PregelNode, retry_policy: Sequence[RetryPolicy], cache_policy: CachePolicy | None
) -> list[str]:
    """Return what a node's policies say, in words.

    Args:
        node: The node.
        retry_policy: The graph's, for a node that has none.
        cache_policy: Likewise.
    """
    lines = []
    attempts = max((each.max_attempts for each in node.retry_policy or retry_policy), default=1)
    if attempts > 1:
        lines.append(f"tries up to {attempts} times")
    if node.timeout is not None:
        limits = {"": node.timeout.run_timeout, " without progress": node.timeout.idle_timeout}
        lines += [f"at most {limit:g} s{of}" for of, limit in limits.items() if limit is not None]
    if (cached := node.cache_policy or cache_policy) is not None:
        lines.append("cached" if cached.ttl is None else f"cached for {cached.ttl:g} s")
    return lines


def notes(metadata: Mapping[str, Any] | None) -> list[str]:
    """Return what a node's metadata say, a line each."""
    lines = []
    for key, value in (metadata or {}).items():
        if key in _NOTES:
            lines.append(_NOTES[key].format(str(value).replace(",", " and ")))
        elif not key.startswith("__"):
            lines.append(f"{key} = {value}")
    return lines


# --- What the engine is told ---------------------------------------------------------------------


def _described(graph: DrawableGraph, run: Iterable[StateSnapshot] | None) -> tuple[Any, Any, Any]:
    marks = graph.marks
    boxes = _Boxes(graph.nodes, marks)
    first, last = graph.first_node(), graph.last_node()
    seen = None if run is None else _Seen(run)
    places = {node: place for place, node in enumerate(graph.nodes)}
    nodes = []
    for identity, node in graph.nodes.items():
        # Of several that lead nowhere, or come from nowhere, LangGraph's own are meant.
        is_first, is_last = node is first or identity == START, node is last or identity == END
        kind = "first" if is_first else "last" if is_last else ""
        visit, ran = ("", []) if seen is None else seen.of(identity)
        lines = [*notes(node.metadata), *marks.get(identity, ()), *ran]
        nodes.append((node.name.split(":")[-1], lines, kind, visit, boxes.of(identity)))
    edges = [
        (
            places[edge.source],
            places[edge.target],
            None if edge.data is None else str(edge.data),
            edge.conditional,
        )
        for edge in graph.edges
    ]
    # Nodes of a row are then in the order in which they were added, if that is as good as another.
    edges.sort(key=itemgetter(0, 1))
    return nodes, edges, boxes.boxes


class _Boxes:
    """The boxes around the nodes of subgraphs, whose ids begin with the names of theirs."""

    def __init__(self, nodes: Iterable[str], marks: Mapping[str, list[str]]) -> None:
        self.boxes: list[tuple[str, int | None]] = []
        self._marks = marks
        self._known: dict[str, int] = {}
        for identity in nodes:
            self._box(identity.rpartition(":")[0])

    def of(self, identity: str) -> int | None:
        """The box that a node is in."""
        return self._box(identity.rpartition(":")[0])

    def _box(self, prefix: str) -> int | None:
        if not prefix:
            return None
        if prefix not in self._known:
            around, _, name = prefix.rpartition(":")
            parent = self._box(around)
            self._known[prefix] = len(self.boxes)
            label = ", ".join(self._marks.get(prefix, ()))
            self.boxes.append((f"{name}: {label}" if label else name, parent))
        return self._known[prefix]


class _Seen:
    """What became of nodes in a run, as its history tells, newest first."""

    def __init__(self, run: Iterable[StateSnapshot]) -> None:
        history = list(run)
        self._runs: dict[str, int] = {}
        self._seconds: dict[str, float] = {}
        self._state: dict[str, str] = {START: "done"} if history else {}
        after = None
        for snapshot in history:
            seconds = _seconds_between(snapshot, after)
            for task in snapshot.tasks:
                # Whatever came later was built on it: it may have failed, or asked, before that.
                if after is not None or task.result is not None:
                    state = "done"
                    self._runs[task.name] = self._runs.get(task.name, 0) + 1
                    self._seconds[task.name] = self._seconds.get(task.name, 0.0) + seconds
                elif task.error is not None:
                    state = "failed"
                elif task.interrupts:
                    state = "waiting"
                else:
                    state = "next"
                self._state.setdefault(task.name, state)
            after = snapshot
        if history and not history[0].next:
            self._state[END] = "done"

    def of(self, node: str) -> tuple[str, list[str]]:
        """What is drawn of a node, and what is written in it."""
        name = node.split(":")[0]
        state = self._state.get(node, self._state.get(name, "untouched"))
        runs = self._runs.get(name, 0)
        if not runs or name == START or ":" in node:
            return state, []
        times = "" if runs == 1 else f"{runs} times, "
        return state, [f"{times}{_duration(self._seconds[name])}"]


def _seconds_between(earlier: StateSnapshot, later: StateSnapshot | None) -> float:
    from datetime import datetime

    if later is None or not earlier.created_at or not later.created_at:
        return 0.0
    ends = (datetime.fromisoformat(at) for at in (earlier.created_at, later.created_at))
    began, ended = ends
    return max((ended - began).total_seconds(), 0.0)


def _duration(seconds: float) -> str:
    if seconds < 0.001:
        return "under 1 ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
