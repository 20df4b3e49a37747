"""A viewer of its parts: where threads are, what can be done with them, the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph_rust._view._looking.look import Look
from langgraph_rust._view._source.source import Source
from langgraph_rust._view._value.redaction import Redaction

if TYPE_CHECKING:
    from langgraph_rust._view._acting.graph import Acting
    from langgraph_rust._view._watching.hub import Hub
    from langgraph_rust._view._watching.runs import Runs
    from langgraph_rust._view._web.serving import Serving

NEEDED = "the viewer takes starlette and uvicorn: pip install 'langgraph-rust[view]'"
"""What is said where they are not there."""


class Parts(NamedTuple):
    """A viewer that listens, but does not serve yet."""

    serving: Serving
    hub: Hub | None
    """The runs of this process, if the graph is known."""


def assemble(
    source: Source,
    acting: Acting | None,
    redaction: Redaction,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    app: str = "",
) -> Parts:
    """Put a viewer together.

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
    from langgraph_rust._view._watching.runs import AllRuns

    hub, more = None, []
    about: dict[str, Any] = {}
    kinds: list[Runs] = []
    if acting is not None:
        from langgraph_rust._view._acting.acts import Acts
        from langgraph_rust._view._acting.routes import routes
        from langgraph_rust._view._watching.hub import Hub

        hub = Hub(redaction)
        kinds.append(hub)
        more = routes(Acts(acting, hub))
        about = {"app": app, "write": acting.is_allowed, "nodes": [*acting.graph.nodes]}
    # Of all databases only Postgres has workers.
    if ask := getattr(source, "ask", None):
        from langgraph_rust._view._watching.workers import WorkerRuns

        kinds.append(WorkerRuns(ask, redaction))
    about["runs"] = bool(kinds)
    look = Look(source, redaction)

    def make(hosts: Any, is_over: Any) -> Any:
        return application(
            look,
            hosts,
            redaction=redaction,
            runs=AllRuns(kinds),
            more=more,
            about=about,
            is_over=is_over,
        )

    return Parts(Serving(host, port, make), hub)
