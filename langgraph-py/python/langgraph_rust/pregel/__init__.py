"""The runtime below the graph builders: `Pregel`, and `NodeBuilder` for nodes written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langgraph_rust.pregel.main import NodeBuilder, Pregel

__all__ = ("NodeBuilder", "Pregel")

# Upstream's private modules, which published packages import, are found in a drawer of their own.
__path__.append(f"{__path__[0]}/_upstream")


def __getattr__(name: str) -> Any:
    # Lazy, because `.main` itself imports siblings from this package.
    if name in __all__:
        from langgraph_rust.pregel import main

        value = globals()[name] = getattr(main, name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
