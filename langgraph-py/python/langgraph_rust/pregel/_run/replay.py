"""Which checkpoint a subgraph starts from when its parent runs again from a past checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph_rust._internal._constants import CONF, CONFIG_KEY_CHECKPOINT_ID, NS_END

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import BaseCheckpointSaver, CheckpointTuple


class ReplayState:
    """Makes each subgraph's first visit load what it had before the replayed checkpoint.

    Later visits (a subgraph in a loop) load the latest checkpoint, which this very run wrote.
    One instance is shared by all configs derived within the parent's run.

    Args:
        checkpoint_id: The parent checkpoint that is replayed.
    """

    # Servers carry this state to other processes by these names.
    __slots__ = ("_visited_ns", "checkpoint_id")

    def __init__(self, checkpoint_id: str) -> None:
        self.checkpoint_id = checkpoint_id
        self._visited_ns: set[str] = set()

    def get_checkpoint(
        self,
        checkpoint_ns: str,
        checkpointer: BaseCheckpointSaver,
        checkpoint_config: RunnableConfig,
    ) -> CheckpointTuple | None:
        """Return the checkpoint that the subgraph at `checkpoint_ns` starts from, if any."""
        if not self._is_first_visit(checkpoint_ns):
            return checkpointer.get_tuple(checkpoint_config)
        found = checkpointer.list(checkpoint_config, before=self._bound(), limit=1)
        return next(iter(found), None)

    async def aget_checkpoint(
        self,
        checkpoint_ns: str,
        checkpointer: BaseCheckpointSaver,
        checkpoint_config: RunnableConfig,
    ) -> CheckpointTuple | None:
        """Do what `get_checkpoint` does with the saver's async methods."""
        if not self._is_first_visit(checkpoint_ns):
            return await checkpointer.aget_tuple(checkpoint_config)
        async for saved in checkpointer.alist(checkpoint_config, before=self._bound(), limit=1):
            return saved
        return None

    def _is_first_visit(self, checkpoint_ns: str) -> bool:
        # Without its last task id, a namespace is the same in every round of a loop.
        stable_ns = checkpoint_ns.rpartition(NS_END)[0] or checkpoint_ns
        if stable_ns in self._visited_ns:
            return False
        self._visited_ns.add(stable_ns)
        return True

    def _bound(self) -> RunnableConfig:
        return {CONF: {CONFIG_KEY_CHECKPOINT_ID: self.checkpoint_id}}
