"""A viewer of its parts: where threads are, what can be done with them, the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_rust._view._looking.look import Look
from langgraph_rust._view._source.source import Source
from langgraph_rust._view._value.redaction import Redaction

if TYPE_CHECKING:
    from langgraph_rust._view._acting.graph import Acting
    from langgraph_rust._view._web.serving import Serving

NEEDED = "the viewer takes starlette and uvicorn: pip install 'langgraph-rust[view]'"
"""What is said where they are not there."""


def assemble(
    source: Source,
    acting: Acting | None,
    redaction: Redaction,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    app: str = "",
) -> Serving:
    """Return a viewer that listens, but does not serve yet.

    Args:
        source: Where the threads are.
        acting: Their graph, if it is known.
        redaction: What is not shown.
        host: Where it listens.
        port: On which port; 0 for any that is free.
        app: What the graph is called.

    Raises:
        ImportError: starlette or uvicorn is not there.
        OSError: the address is not to be had.
    """
    try:
        from langgraph_rust._view._web.server import application
        from langgraph_rust._view._web.serving import Serving
    except ImportError as error:
        raise ImportError(f"{NEEDED} ({error})") from error
    more: list[Any] = []
    about: dict[str, Any] = {}
    if acting is not None:
        from langgraph_rust._view._acting.acts import Acts
        from langgraph_rust._view._acting.routes import routes

        more = routes(Acts(acting, redaction))
        about = {"app": app, "write": acting.is_allowed, "nodes": [*acting.graph.nodes]}
    look = Look(source, redaction)
    return Serving(
        host,
        port,
        lambda hosts, is_over: application(
            look, hosts, redaction=redaction, more=more, about=about, is_over=is_over
        ),
    )
