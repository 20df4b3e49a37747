"""Checks of a `StateGraph` before it is compiled: every edge must lead somewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._constants import NS_END, NS_SEP
from langgraph_rust.constants import END, START

if TYPE_CHECKING:
    from langgraph_rust.graph.state import StateGraph


def check_node_name(name: str, taken: Iterable[str]) -> None:
    """Raise `ValueError` for a name that is taken, reserved, or has a reserved character."""
    if name in taken:
        raise ValueError(f"Node `{name}` already present.")
    if name in (END, START):
        raise ValueError(f"Node `{name}` is reserved.")
    for character in (NS_SEP, NS_END):
        if character in name:
            raise ValueError(
                f"'{character}' is a reserved character and is not allowed in the node names."
            )


def check_graph(
    builder: StateGraph[Any, Any, Any, Any], interrupt: Sequence[str] | None = None
) -> None:
    """Raise `ValueError` for an edge or breakpoint of an unknown node, or a missing entry point."""
    nodes = builder.nodes
    sources = set(_sources(builder))
    for source in sources:
        if source not in nodes and source != START:
            raise ValueError(f"Found edge starting at unknown node '{source}'")
    if START not in sources:
        raise ValueError(
            "Graph must have an entrypoint: add at least one edge from START to another node"
        )
    _check_branches(builder)
    for target in _targets(builder):
        if target not in nodes and target != END:
            raise ValueError(f"Found edge ending at unknown node `{target}`")
    for name in interrupt or ():
        if name not in nodes:
            raise ValueError(f"Interrupt node `{name}` not found")


def _sources(builder: StateGraph[Any, Any, Any, Any]) -> Iterator[str]:
    yield from (start for start, _ in builder._all_edges)
    yield from builder.branches
    yield from (name for name, spec in builder.nodes.items() if spec.ends)


def _targets(builder: StateGraph[Any, Any, Any, Any]) -> Iterator[str]:
    yield from (end for _, end in builder._all_edges)
    for spec in builder.nodes.values():
        yield from spec.ends or ()


def _check_branches(builder: StateGraph[Any, Any, Any, Any]) -> None:
    for start, branches in builder.branches.items():
        for name, branch in branches.items():
            for end in (branch.ends or {}).values():
                if end not in builder.nodes and end != END:
                    raise ValueError(
                        f"At '{start}' node, '{name}' branch found unknown target '{end}'"
                    )
