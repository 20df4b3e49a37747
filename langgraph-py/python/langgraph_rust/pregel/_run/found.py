"""What is stored for a thread when its run begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph_rust._internal._config import patch_configurable
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_MAP,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_REPLAY_STATE,
    CONFIG_KEY_RESUMING,
    CONFIG_KEY_THREAD_ID,
)
from langgraph_rust.pregel._state.savers import histories_of, is_superseded
from langgraph_rust.pregel._state.twins import Call, Steps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import (
        BaseCheckpointSaver,
        CheckpointTuple,
        DeltaChannelHistory,
    )
    from langgraph_rust.pregel._state.single_writer import Turn
    from langgraph_rust.pregel.main import Pregel


class Found(NamedTuple):
    """What is stored for a thread, when its run begins."""

    saved: CheckpointTuple | None = None
    """The checkpoint to start from."""
    histories: Mapping[str, DeltaChannelHistory] | None = None
    """Those of channels whose values the checkpoint does not hold."""
    superseded: bool = False
    """Whether the run asked for that checkpoint, and the thread has moved past it."""


NOTHING_FOUND = Found()


def load(
    graph: Pregel[Any, Any, Any, Any],
    config: RunnableConfig,
    saver: BaseCheckpointSaver,
    turn: Turn | None = None,
) -> Steps[Found]:
    """Load the checkpoint to start from.

    Args:
        graph: The graph.
        config: The complete config.
        saver: Where the thread is.
        turn: Of a run that goes on with what waits there: nobody else does from then on.
    """
    conf, where = config[CONF], checkpoint_config(config)
    superseded, is_addressed = False, bool(where[CONF].get(CONFIG_KEY_CHECKPOINT_ID))
    if turn is not None and not is_addressed:
        yield from turn.claim(saver)
    if is_addressed:
        saved = yield Call(saver, "get_tuple", (where,))
        if saved is not None:
            superseded = yield from is_superseded(saver, where, saved)
            if turn is not None and not superseded and (yield from turn.claim(saver)):
                # Another may have answered before that.
                saved = yield Call(saver, "get_tuple", (where,))
    elif replay := conf.get(CONFIG_KEY_REPLAY_STATE):
        namespace = conf.get(CONFIG_KEY_CHECKPOINT_NS, "")
        saved = yield Call(replay, "get_checkpoint", (namespace, saver, where))
        # The input is to be applied again, so that routing happens as it did then.
        conf.pop(CONFIG_KEY_RESUMING, None)
    else:
        saved = yield Call(saver, "get_tuple", (where,))
    if saved is None:
        return Found(saved, None, superseded)
    graph._migrate_checkpoint(saved.checkpoint)
    histories = yield from histories_of(graph, saver, saved)
    return Found(saved, histories, superseded)


def checkpoint_config(config: RunnableConfig) -> RunnableConfig:
    """Return the config that says which checkpoint to load, and where to store new ones."""
    conf = config[CONF]
    if not conf:
        return config
    checkpoint_map = conf.get(CONFIG_KEY_CHECKPOINT_MAP)
    namespace = conf.get(CONFIG_KEY_CHECKPOINT_NS)
    patch = {}
    if checkpoint_map is not None and namespace in checkpoint_map:
        patch[CONFIG_KEY_CHECKPOINT_ID] = checkpoint_map[namespace]
    thread_id = conf.get(CONFIG_KEY_THREAD_ID)
    if thread_id and not isinstance(thread_id, str):
        patch[CONFIG_KEY_THREAD_ID] = str(thread_id)
    return patch_configurable(config, patch) if patch else config
