"""The viewer beside a program: its threads and its runs in a browser while they go on.

`langgraph-rust view` is the same for a database of its own accord; `view=True` on a run opens a
viewer for the graph.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

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

    What is stored meanwhile is seen within a second. Of a graph, the page also shows what its runs
    do in this process as they do it, tokens, custom chunks and attempts that failed included, and
    it can run it. It serves on a thread of its own, to this machine and whoever has the address,
    and does not keep the process.

    Args:
        target: A graph; an `InMemorySaver`; or the path of a file of SQLite or the URL of a
            Postgres database, which are only read.
        database: Where a graph's threads are, likewise; found out if left out. What cannot be found
            out or opened, such as SQLite's databases in memory, is not shown: only runs are then.
        port: Where it listens; 0 for any port that is free.
        tokens: Whether chat models of the program's runs that would not stream are made to, as
            `stream_mode="messages"` does, so that their tokens are seen as they come.
        redact_keys: Names of channels, keys and fields whose values are not shown, in whatever
            case; `*` stands for any letters.
        redact_patterns: Regular expressions; what matches is not shown, in whatever text.

    Raises:
        ImportError: starlette or uvicorn is not there, which the extra `view` installs.
        ValueError: a pattern is no regular expression, the target cannot be shown, or the graph
            has a viewer.
        OSError: the port is not to be had.
    """

    address: str
    """What to open; it has a token in it, without which nobody is answered."""

    def __init__(
        self,
        target: Pregel[Any, Any, Any, Any] | InMemorySaver | str,
        *,
        database: str | None = None,
        port: int = 0,
        tokens: bool = False,
        redact_keys: Sequence[str] = (),
        redact_patterns: Sequence[str] = (),
    ) -> None:
        redaction = Redaction(redact_keys, redact_patterns)
        self._source, self._acting = _parts(target, database)
        self._parts = assemble(
            self._source, self._acting, redaction, port=port, app="the program's"
        )
        self.address = self._parts.serving.address
        if self._parts.hub is not None:
            self._acting.graph._watch = self._parts.hub.watcher("the program", tokens=tokens)
        _open.add(self)
        self._parts.serving.start()

    def close(self) -> None:
        """Show nothing any more; runs that the page has begun are cancelled."""
        self._hear_no_more()
        self._parts.serving.stop()
        self._source.close()

    def _hear_no_more(self) -> None:
        if self._acting is not None:
            self._acting.graph._watch = None
        if self._parts.hub is not None:
            self._parts.hub.close()

    def _forget(self) -> None:
        """Know nothing of it: in a forked child, which has no thread that serves."""
        self._hear_no_more()
        self._parts.serving.forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def keep_open(graph: Any, how: object) -> None:
    """Open a viewer for a graph for as long as the process lasts, unless it has one.

    The address goes to stderr.

    Args:
        graph: The graph.
        how: `True`, or `"tokens"` to have models stream; see `Viewer`.

    Raises:
        ImportError: see `Viewer`.
        ValueError: `how` is something else.
    """
    if how is not True and how != "tokens":
        raise ValueError(f"view is True or 'tokens', not {how!r}")
    with _opening:
        if graph._watch is not None:
            return
        # Programs that make their graph anew, or a copy of it with another config, for each run.
        kept = graph.checkpointer
        if kept is None or isinstance(kept, bool):
            kept = next(iter(graph.nodes.values()))
        if (watch := _kept_open.get(kept)) is not None:
            graph._watch = watch
            return
        viewer = Viewer(graph, tokens=how == "tokens")
        _kept_open[kept] = graph._watch
        print(f"{graph.get_name()} is shown at {viewer.address}", file=sys.stderr, flush=True)


_open: WeakSet[Viewer] = WeakSet()
_opening = threading.Lock()
_kept_open: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""What watches, by the saver of the graphs that it watches, or else by a node of theirs."""


def _forget_all() -> None:
    global _opening
    _opening = threading.Lock()
    _kept_open.clear()
    for viewer in list(_open):
        viewer._forget()
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


def _parts(target: Any, database: str | None) -> tuple[Source, Any]:
    from langgraph_rust._storage.database import Unusable
    from langgraph_rust._view._source.memory import Memory
    from langgraph_rust._view._source.opening import open_source
    from langgraph_rust.checkpoint.memory import InMemorySaver
    from langgraph_rust.pregel import Pregel

    if isinstance(target, Pregel):
        if target._watch is not None:
            raise ValueError(f"{target.get_name()} has a viewer already")
        return _of_graph(target, database)
    if database is not None:
        raise ValueError("a database is named beside a graph, or in its place")
    try:
        if isinstance(target, str):
            return open_source(target), None
        if isinstance(target, InMemorySaver):
            return Memory(target), None
    except Unusable as error:
        raise ValueError(str(error)) from error
    raise ValueError(f"neither a graph, nor a saver in memory, nor a database: {target!r}")


def _of_graph(graph: Any, database: str | None) -> tuple[Source, Any]:
    from langgraph_rust._storage.database import Unusable
    from langgraph_rust._view._acting.graph import Acting
    from langgraph_rust._view._source.memory import Memory
    from langgraph_rust._view._source.of_saver import database_of
    from langgraph_rust._view._source.opening import open_source
    from langgraph_rust.checkpoint.memory import InMemorySaver

    saver = graph.checkpointer
    if database is None and isinstance(saver, InMemorySaver):
        acting = Acting(graph, None, is_allowed=True)
        return acting.source(), acting
    try:
        where = database or database_of(saver)
        return open_source(where), Acting(graph, where, is_allowed=True)
    except Unusable as error:
        if database is not None:
            raise ValueError(str(error)) from error
        why = "it has no saver" if saver is None or isinstance(saver, bool) else str(error)
        source = Memory(InMemorySaver(), f"runs alone: {why}")
        return source, Acting(graph, None, is_allowed=False)
