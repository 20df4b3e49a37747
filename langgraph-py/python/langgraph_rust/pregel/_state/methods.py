"""The methods of `Pregel` that read and write a thread's state."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from langgraph_rust.pregel._state.twins import run_async, run_sync
from langgraph_rust.types import StateSnapshot, StateUpdate

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.pregel._state.subgraphs import AnyPregel

# What does the work is imported when it is first needed: many programs never look at states.


class StateMethods:
    """Reading and writing of states; a part of `Pregel`."""

    def get_state(self, config: RunnableConfig, *, subgraphs: bool = False) -> StateSnapshot:
        """Return a thread's state.

        Args:
            config: Names the thread. With a `checkpoint_id`, the state is that of the checkpoint,
                as it was before the step that follows; otherwise the latest, as it is now. With a
                `checkpoint_ns`, it is that of a subgraph.
            subgraphs: Whether to include the states of subgraphs that are at work.

        Raises:
            ValueError: The graph has no checkpointer.
        """
        from langgraph_rust.pregel._state import snapshot

        return run_sync(snapshot.get_state(_whole(self), config, subgraphs))

    async def aget_state(self, config: RunnableConfig, *, subgraphs: bool = False) -> StateSnapshot:
        """Async twin of `get_state`."""
        from langgraph_rust.pregel._state import snapshot

        return await run_async(snapshot.get_state(_whole(self), config, subgraphs))

    def get_state_history(
        self,
        config: RunnableConfig,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[StateSnapshot]:
        """Yield a thread's states, newest first.

        Args:
            config: Names the thread, and a subgraph if it has a `checkpoint_ns`.
            filter: Metadata entries that the checkpoints must have.
            before: Names a checkpoint; only older ones are returned.
            limit: How many to return at most.

        Raises:
            ValueError: The graph has no checkpointer.
        """
        from langgraph_rust.pregel._state import snapshot

        graph, config, saver = snapshot.locate_history(_whole(self), config)
        if graph is not self:
            yield from graph.get_state_history(config, filter=filter, before=before, limit=limit)
            return
        # All at once: an open cursor would block the database for as long as the caller takes.
        for saved in list(saver.list(config, before=before, limit=limit, filter=filter)):
            yield run_sync(snapshot.snapshot(_whole(self), saved, saver))

    async def aget_state_history(
        self,
        config: RunnableConfig,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[StateSnapshot]:
        """Async twin of `get_state_history`."""
        from langgraph_rust.pregel._state import snapshot

        graph, config, saver = snapshot.locate_history(_whole(self), config)
        if graph is not self:
            async for stored in graph.aget_state_history(
                config, filter=filter, before=before, limit=limit
            ):
                yield stored
            return
        found = saver.alist(config, before=before, limit=limit, filter=filter)
        for saved in [saved async for saved in found]:
            yield await run_async(snapshot.snapshot(_whole(self), saved, saver))

    def bulk_update_state(
        self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Write to a thread's state, superstep by superstep.

        Args:
            config: Names the thread, and the checkpoint to start from unless that is the latest.
            supersteps: For each, updates `(values, as_node, task_id)`, which are applied together
                as if nodes had returned the values. Alone in its superstep, an update may also be
                for `"__input__"` (a new input), for END with `None` (drop what is left to run) or
                for `"__copy__"` (fork the checkpoint, then apply the `(values, as_node)` pairs that
                are its values).

        Returns:
            The config of the last checkpoint made.

        Raises:
            ValueError: There is no checkpointer, no superstep, a superstep without updates, or no
                such subgraph.
            InvalidUpdateError: An update makes no sense.
        """
        from langgraph_rust.pregel._state import update

        return run_sync(update.bulk_update(_whole(self), config, supersteps))

    async def abulk_update_state(
        self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Async twin of `bulk_update_state`."""
        from langgraph_rust.pregel._state import update

        return await run_async(update.bulk_update(_whole(self), config, supersteps))

    def update_state(
        self,
        config: RunnableConfig,
        values: dict[str, Any] | Any | None,
        as_node: str | None = None,
        task_id: str | None = None,
    ) -> RunnableConfig:
        """Write to a thread's state as if a node had returned `values`.

        Args:
            config: Names the thread, and the checkpoint to start from unless that is the latest.
            values: What the node returns.
            as_node: The node; the one that ran last if there is just one.
            task_id: The task of that node, if it has several to run.

        Returns:
            The config of the new checkpoint.

        Raises:
            ValueError: There is no checkpointer, or no such subgraph.
            InvalidUpdateError: There is no such node, or it is not clear which ran last.
        """
        return self.bulk_update_state(config, [[StateUpdate(values, as_node, task_id)]])

    async def aupdate_state(
        self,
        config: RunnableConfig,
        values: dict[str, Any] | Any | None,
        as_node: str | None = None,
        task_id: str | None = None,
    ) -> RunnableConfig:
        """Async twin of `update_state`."""
        return await self.abulk_update_state(config, [[StateUpdate(values, as_node, task_id)]])


def _whole(part: StateMethods) -> AnyPregel:
    """The graph whose methods these are: only `Pregel` derives from them."""
    return part  # pyright: ignore[reportReturnType]
