"""What the page may have done: runs, answers, updates."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from langgraph_rust._view._acting.aside import Aside, planned
from langgraph_rust._view._acting.graph import Acting, AnyPregel
from langgraph_rust._view._acting.refused import Refused
from langgraph_rust._view._source.source import Place
from langgraph_rust._view._watching.hub import Hub
from langgraph_rust._view._watching.run import WatchedRun
from langgraph_rust._view._watching.tap import RunTap
from langgraph_rust.types import Command

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

BY = "this page"
"""Who runs what the page asked for."""


class Acts:
    """Runs a graph, and writes to its threads.

    Args:
        acting: The graph.
        hub: Where its runs are told of.
    """

    def __init__(self, acting: Acting, hub: Hub) -> None:
        self._acting = acting
        self._hub = hub
        self._going: dict[str, tuple[WatchedRun, asyncio.Task[None]]] = {}

    def allow(self) -> None:
        """Look whether anything may be done.

        Raises:
            Refused: it may not.
        """
        if not self._acting.is_allowed:
            raise Refused("the viewer only reads: start it with --write")

    def run(self, place: Place, asked: dict[str, Any]) -> str:
        """Begin a run of a thread, and return its id among the hub's runs.

        Args:
            place: The thread, and the checkpoint to go on from; an empty id means the newest.
            asked: `input`, a new one, as JSON; or `resume`, an answer, as JSON or any other text,
                and `interrupt`, the id of the question; with neither, the run goes on from where
                it stopped.

        Raises:
            Refused: nothing may be run, or a run of this thread is going on already.
        """
        self.allow()
        # One that is told to be over is: of its own it only has its saver left to close.
        if any(one.thread == place.thread and not one.is_over for one, _ in self._going.values()):
            raise Refused("a run of this thread is going on")

        # Read here and not in the page: a browser has no numbers beyond 2^53.
        input = _input(asked)
        question = asked.get("interrupt") if "resume" in asked else None
        if question and place.namespace:
            # Its thread as a whole goes on with an answer.
            place = Place(place.thread, "", "")

        async def perform(graph: AnyPregel, run: WatchedRun) -> None:
            if question and not place.checkpoint:
                state = await graph.aget_state(_config(place))
                if all(one.id != question for one in state.interrupts):
                    raise Refused("nobody waits for an answer to that any more")
            graph._watch = lambda _: RunTap(run, self._hub.events, tokens=True)
            await graph.ainvoke(input, _config(place))

        return self._begin(place.thread, BY, perform)

    def rerun(self, place: Place, task: str, name: str = "") -> str:
        """Run one task of a checkpoint again, on what is stored, and return the run's id.

        The thread stays as it is: what comes of it is only shown. What the node does outside of
        the graph, it does again.

        Args:
            place: The checkpoint.
            task: The task's id.
            name: Its node, by which it is found if ids were made in another way then.

        Raises:
            Refused: nothing may be run.
        """
        self.allow()
        if place.namespace:
            raise Refused("tasks of subgraphs run with the task that they are in")

        async def perform(graph: AnyPregel, run: WatchedRun) -> None:
            found = planned(await graph.aget_state(_config(place)), task, name)
            saver: Any = graph.checkpointer
            alone = graph.copy(
                {
                    "checkpointer": Aside(saver, place, found),
                    "interrupt_before_nodes": (),
                    "interrupt_after_nodes": "*",
                    # The node is to run, and what comes of it is nobody else's.
                    "cache": None,
                }
            )
            alone._watch = lambda _: RunTap(run, self._hub.events, task=found.task)
            await alone.ainvoke(None, _config(place._replace(checkpoint="")))

        return self._begin(place.thread, f"{BY}, aside", perform)

    def stop(self, run: str) -> None:
        """Have a run that was begun here cancelled, if it goes on.

        Raises:
            Refused: nothing may be done.
        """
        self.allow()
        if (found := self._going.get(run)) and not found[0].is_over:
            found[1].cancel()

    def _begin(
        self, thread: str, by: str, perform: Callable[[AnyPregel, WatchedRun], Awaitable[None]]
    ) -> str:
        run = self._hub.begin(thread, by)
        tap = RunTap(run, self._hub.events)

        async def begin() -> None:
            try:
                async with self._acting.opened() as graph:
                    await perform(graph.copy(), run)
                tap.ended(None)
            except Refused as error:
                run.end("error", self._hub.events.of_text(str(error)))
            except BaseException as error:
                # Most are told of already; not those of before the graph began. What a node raises
                # to end its process would end the viewer, which others look at.
                tap.ended(error)
            finally:
                del self._going[run.id]

        self._going[run.id] = run, asyncio.create_task(begin())
        return run.id

    async def update(self, place: Place, values: str, as_node: str | None) -> str:
        """Write to the state as of a checkpoint, and return the id of the one that comes of it.

        Args:
            place: The checkpoint.
            values: What is written, as JSON.
            as_node: In the place of which node.

        Raises:
            Refused: nothing may be written, or the graph does not take it.
        """
        self.allow()
        async with self._acting.opened() as graph:
            try:
                made = await graph.aupdate_state(_config(place), json.loads(values), as_node)
            except Exception as error:
                told = self._hub.events.of_text(f"{type(error).__name__}: {error}")
                raise Refused(told["text"]) from error
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
        answer, interrupt = _loosely(asked["resume"]), asked.get("interrupt")
        return Command(resume={interrupt: answer} if interrupt else answer)
    return None if asked.get("input") is None else json.loads(asked["input"])


def _loosely(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _config(place: Place) -> RunnableConfig:
    named = {"thread_id": place.thread, "checkpoint_ns": place.namespace}
    if place.checkpoint:
        named["checkpoint_id"] = place.checkpoint
    return {"configurable": named}
