"""Checks of a `StateGraph` before it is compiled: every edge must lead somewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._constants import NS_END, NS_SEP
from langgraph_rust._internal._mistakes import add_note, explained, report, visible
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


def check_unnamed(node: object, action: object) -> None:
    """Check what is added as a node and is no name.

    Raises:
        TypeError: It is nothing to run, but was to be the name.
    """
    if action is None:
        return
    if not callable(node) and not isinstance(node, dict) and not hasattr(node, "invoke"):
        # What LangGraph says of it, which takes it for what is to be run.
        error = TypeError(
            f"Expected a Runnable, callable or dict.Instead got an unsupported type: {type(node)}"
        )
        add_note(error, f"A node's name is a text: add_node({str(node)!r}, ...), not {node!r}")
        raise error
    report(
        f"add_node({node!r}, {action!r}) was given two things to run: the first is the node, the "
        "second is left out. Give a name and one of them"
    )


def check_graph(
    builder: StateGraph[Any, Any, Any, Any], interrupt: Sequence[str] | None = None
) -> None:
    """Raise `ValueError` for an edge or breakpoint of an unknown node, or a missing entry point."""
    nodes = builder.nodes
    sources = set(_sources(builder))
    for source in sources:
        if source not in nodes and source != START:
            raise _unknown(f"Found edge starting at unknown node '{source}'", source, nodes)
    if START not in sources:
        raise ValueError(
            "Graph must have an entrypoint: add at least one edge from START to another node"
        )
    _check_branches(builder)
    for target in _targets(builder):
        if target not in nodes and target != END:
            raise _unknown(f"Found edge ending at unknown node `{target}`", target, nodes)
    for name in interrupt or ():
        if name not in nodes:
            raise _unknown(f"Interrupt node `{name}` not found", name, nodes)


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
                    message = f"At '{start}' node, '{name}' branch found unknown target '{end}'"
                    raise _unknown(message, end, builder.nodes)


def _unknown(message: str, name: object, nodes: Iterable[str]) -> ValueError:
    return explained(ValueError(message), name, visible(nodes), "The nodes")
