"""Graphs of an application, by what the command line says of them."""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from langgraph_rust.pregel import Pregel

__all__ = ("load", "named")


def load(references: Iterable[str]) -> dict[str, Pregel]:
    """Import graphs.

    Args:
        references: `module:attribute`, or `name=module:attribute` for a name other than the
            attribute's.

    Returns:
        The graphs by name.

    Raises:
        ValueError: one is not of that form, names no graph, or has the name of another.
        ImportError: a module cannot be imported.
    """
    found: dict[str, Pregel] = {}
    for reference in references:
        name, _, place = reference.rpartition("=")
        module, colon, attribute = place.partition(":")
        if not colon or not module or not attribute:
            raise ValueError(f"not of the form module:attribute, or name=module:attribute: {place}")
        name = name or attribute
        if name in found:
            raise ValueError(f"two graphs are called {name}: say another={place}")
        try:
            graph = getattr(importlib.import_module(module), attribute)
        except AttributeError:
            raise ValueError(f"{module} has no {attribute}") from None
        except ImportError as error:
            raise ImportError(f"{place} cannot be imported: {error}") from error
        found |= named({name: graph}, place)
    return found


def named(graphs: dict[str, object], place: str = "") -> dict[str, Pregel]:
    """Return graphs by name if all of them are.

    Raises:
        ValueError: one is something else.
    """
    for name, graph in graphs.items():
        if not isinstance(graph, Pregel):
            kind = f"{type(graph).__module__}.{type(graph).__qualname__}"
            advice = {
                "langgraph": "set LANGGRAPH_RUST=1, so that `langgraph` is this package",
                "langgraph_rust": "compile it",
            }.get(kind.partition(".")[0], "it must be a compiled graph")
            raise ValueError(f"{place or name} is a {kind}: {advice}")
    return graphs  # pyright: ignore[reportReturnType]  # each was looked at
