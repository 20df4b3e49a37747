"""The viewer beside a program: its threads in a browser while they are run.

`langgraph-rust view` is the same for a database of its own accord.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from langgraph_rust._view._source.source import Source
from langgraph_rust._view._value.redaction import Redaction
from langgraph_rust._view.assembling import assemble

if TYPE_CHECKING:
    from langgraph_rust.checkpoint.memory import InMemorySaver
    from langgraph_rust.pregel import Pregel

__all__ = ("Viewer",)


class Viewer:
    """Shows threads in a browser for as long as a `with` block lasts, or until it is closed.

    What is stored meanwhile is seen within a second. It serves on a thread of its own, to this
    machine and whoever has the address, and does not keep the process.

    Args:
        target: A graph with an `InMemorySaver`, which the page can then run as well; such a saver;
            or the path of a file of SQLite or the URL of a Postgres database, which are only read.
        port: Where it listens; 0 for any port that is free.
        redact_keys: Names of channels, keys and fields whose values are not shown, in whatever
            case; `*` stands for any letters.
        redact_patterns: Regular expressions; what matches is not shown, in whatever text.

    Raises:
        ImportError: starlette or uvicorn is not there, which the extra `view` installs.
        ValueError: a pattern is no regular expression, or the target cannot be shown.
        OSError: the port is not to be had.
    """

    address: str
    """What to open; it has a token in it, without which nobody is answered."""

    def __init__(
        self,
        target: Pregel[Any, Any, Any, Any] | InMemorySaver | str,
        *,
        port: int = 0,
        redact_keys: Sequence[str] = (),
        redact_patterns: Sequence[str] = (),
    ) -> None:
        redaction = Redaction(redact_keys, redact_patterns)
        self._source, acting = _parts(target)
        self._serving = assemble(self._source, acting, redaction, port=port, app="the program's")
        self.address = self._serving.address
        self._serving.start()

    def close(self) -> None:
        """Show nothing any more; runs that the page has begun are cancelled."""
        self._serving.stop()
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _parts(target: Any) -> tuple[Source, Any]:
    from langgraph_rust._storage.database import Unusable
    from langgraph_rust._view._acting.graph import Acting
    from langgraph_rust._view._source.memory import Memory
    from langgraph_rust._view._source.opening import open_source
    from langgraph_rust.checkpoint.memory import InMemorySaver
    from langgraph_rust.pregel import Pregel

    try:
        if isinstance(target, str):
            return open_source(target), None
        if isinstance(target, InMemorySaver):
            return Memory(target), None
        if isinstance(target, Pregel):
            acting = Acting(target, None, is_allowed=True)
            return acting.source(), acting
    except Unusable as error:
        raise ValueError(str(error)) from error
    raise ValueError(f"neither a graph, nor a saver in memory, nor a database: {target!r}")
