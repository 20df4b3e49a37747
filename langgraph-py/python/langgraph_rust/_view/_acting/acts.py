"""What the page may have done: runs, answers, updates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from langgraph_rust._view._acting.events import MODES, Events
from langgraph_rust._view._acting.graph import Acting
from langgraph_rust._view._source.source import Place
from langgraph_rust._view._value.redaction import Redaction
from langgraph_rust._view._value.show import Shown
from langgraph_rust.types import Command

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig


class Refused(Exception):
    """What cannot be done now; the text says why."""


class Acts:
    """Runs a graph, and writes to its threads.

    Args:
        acting: The graph.
        redaction: What is not shown.
    """

    def __init__(self, acting: Acting, redaction: Redaction) -> None:
        self._acting = acting
        self._events = Events(redaction)
        self._running: set[str] = set()

    def allow(self) -> None:
        """Look whether anything may be done.

        Raises:
            Refused: it may not.
        """
        if not self._acting.is_allowed:
            raise Refused("the viewer only reads: start it with --write")

    async def run(self, place: Place, asked: dict[str, Any]) -> AsyncIterator[Shown]:
        """Run a thread and yield events; the last is `done` or `failed`.

        One run of a thread at a time: another fails at once.

        Args:
            place: The thread, and the checkpoint to go on from; an empty id means the newest.
            asked: `input`, a new one; or `resume`, an answer, and `interrupt`, the id of the
                question; with neither, the run goes on from where it stopped.
        """
        if place.thread in self._running:
            yield {"kind": "failed", "text": "a run of this thread is going on"}
            return
        self._running.add(place.thread)
        try:
            async with self._acting.opened() as graph:
                chunks: AsyncIterator[Any] = graph.astream(
                    _input(asked), _config(place), stream_mode=[*MODES], subgraphs=True
                )
                async for namespace, mode, chunk in chunks:
                    yield self._events.of_chunk(namespace, mode, chunk)
            yield {"kind": "done"}
        except Exception as error:
            yield self._events.of_failure(error)
        finally:
            self._running.discard(place.thread)

    async def update(self, place: Place, values: Any, as_node: str | None) -> str:
        """Write to the state as of a checkpoint, and return the id of the one that comes of it.

        Raises:
            Refused: nothing may be written, or the graph does not take it.
        """
        self.allow()
        async with self._acting.opened() as graph:
            try:
                made = await graph.aupdate_state(_config(place), values, as_node)
            except Exception as error:
                raise Refused(f"{type(error).__name__}: {error}") from error
        return made["configurable"]["checkpoint_id"]

    async def picture(self, place: Place | None) -> tuple[str, str]:
        """Return a picture of the graph and its media type: SVG, or what can be drawn of it.

        Args:
            place: Where a thread stands; `None` for the graph alone.
        """
        drawn: Any = self._acting.graph.get_graph(xray=True)
        if not hasattr(drawn, "draw_svg"):
            return drawn.draw_mermaid(), "text/plain"
        if place is None or not self._acting.is_allowed:
            return drawn.draw_svg(), "image/svg+xml"
        async with self._acting.opened() as graph:
            run = [one async for one in graph.aget_state_history(_config(place), limit=1000)]
        return drawn.draw_svg(run=run), "image/svg+xml"


def _input(asked: dict[str, Any]) -> Any:
    if "resume" in asked:
        answer, interrupt = asked["resume"], asked.get("interrupt")
        return Command(resume={interrupt: answer} if interrupt else answer)
    return asked.get("input")


def _config(place: Place) -> RunnableConfig:
    named = {"thread_id": place.thread, "checkpoint_ns": place.namespace}
    if place.checkpoint:
        named["checkpoint_id"] = place.checkpoint
    return {"configurable": named}
