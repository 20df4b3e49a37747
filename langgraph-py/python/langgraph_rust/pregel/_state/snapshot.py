"""Reading a thread's states: what a checkpoint and the writes stored with it amount to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph_rust._engine import StateView
from langgraph_rust._internal._config import (
    ensure_config,
    merge_configs,
    patch_checkpoint_map,
    patch_configurable,
)
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEY_THREAD_ID,
    INPUT,
    NS_END,
    NS_SEP,
    NULL_TASK_ID,
)
from langgraph_rust.pregel._state.savers import histories_of, own_history_config, require_saver
from langgraph_rust.pregel._state.subgraphs import addressed_subgraph
from langgraph_rust.pregel._state.task_status import read_task_statuses
from langgraph_rust.pregel._state.tasks import tasks_w_writes
from langgraph_rust.pregel._state.twins import Call, Steps
from langgraph_rust.types import PregelTask, StateSnapshot

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import BaseCheckpointSaver, CheckpointTuple, PendingWrite
    from langgraph_rust.pregel._state.subgraphs import AnyGraph, AnyPregel


class PlannedTask(NamedTuple):
    """A task of the step that follows a checkpoint."""

    id: str
    name: str
    path: tuple[Any, ...]
    triggers: tuple[str, ...]


def planned_tasks(view: StateView, config: RunnableConfig, step: int) -> dict[str, PlannedTask]:
    """Return the tasks of superstep `step`, by id, for the checkpoint that `config` names."""
    namespace = config[CONF].get(CONFIG_KEY_CHECKPOINT_NS, "")
    return {task[0]: PlannedTask(*task) for task in view.tasks(namespace, step)}


def input_writes(pending: list[PendingWrite] | None) -> list[tuple[str, Any]]:
    """Return the pending writes that belong to no task."""
    return [
        (channel, value) for task_id, channel, value in pending or () if task_id == NULL_TASK_ID
    ]


def finished_output(pending: list[PendingWrite] | None) -> dict[str, tuple[tuple[str, Any], ...]]:
    """Return what each finished task wrote, by task id."""
    statuses = read_task_statuses(pending or ())
    return {task_id: status.output for task_id, status in statuses.items() if status.finished}


def get_state(graph: AnyPregel, config: RunnableConfig, subgraphs: bool) -> Steps[StateSnapshot]:
    """Do what `Pregel.get_state` does."""
    saver = require_saver(graph, config)
    if addressed := addressed_subgraph(graph, config, saver):
        subgraph, config = addressed
        return (yield Call(subgraph, "get_state", (config,), {"subgraphs": subgraphs}))
    config = merge_configs(graph.config, config) if graph.config else config
    config = own_history_config(graph, config)
    thread_id = config[CONF][CONFIG_KEY_THREAD_ID]
    if not isinstance(thread_id, str):
        config = patch_configurable(config, {CONFIG_KEY_THREAD_ID: str(thread_id)})
    saved = yield Call(saver, "get_tuple", (config,))
    if not saved:
        return StateSnapshot({}, (), config, None, None, None, (), ())
    live = CONFIG_KEY_CHECKPOINT_ID not in config[CONF]
    return (yield from snapshot(graph, saved, saver, recurse=subgraphs, live=live))


class History(NamedTuple):
    """What the history of a thread is read from."""

    graph: AnyGraph
    """The graph itself, or the subgraph that the config names."""
    config: RunnableConfig
    """The config to read with."""
    saver: BaseCheckpointSaver
    """Where the checkpoints are."""


def locate_history(graph: AnyPregel, config: RunnableConfig) -> History:
    """Find out whose history a config asks for."""
    config = ensure_config(config)
    saver = require_saver(graph, config)
    if addressed := addressed_subgraph(graph, config, saver):
        return History(*addressed, saver)
    conf = config[CONF]
    place = {
        CONFIG_KEY_CHECKPOINT_NS: conf.get(CONFIG_KEY_CHECKPOINT_NS, ""),
        CONFIG_KEY_THREAD_ID: str(conf[CONFIG_KEY_THREAD_ID]),
    }
    config = merge_configs(graph.config, config, {CONF: place})
    return History(graph, own_history_config(graph, config), saver)


def snapshot(
    graph: AnyPregel,
    saved: CheckpointTuple,
    saver: BaseCheckpointSaver,
    *,
    recurse: bool = False,
    live: bool = False,
) -> Steps[StateSnapshot]:
    """Describe a stored checkpoint.

    Args:
        graph: The graph it is of.
        saved: The checkpoint.
        saver: Lent to subgraphs.
        recurse: Whether to look up the states of subgraphs, too.
        live: Whether to show the step as it stands, with the output of finished tasks, and only
            tasks and questions that are still open. Otherwise the step is shown as it began.
    """
    graph._migrate_checkpoint(saved.checkpoint)
    pending = saved.pending_writes
    histories = yield from histories_of(graph, saver, saved)
    view = StateView(graph._native_plan, saved.checkpoint, histories)
    tasks = planned_tasks(view, saved.config, saved.metadata.get("step", -1) + 1)
    states: dict[str, RunnableConfig | StateSnapshot] = {}
    subgraphs = dict(graph.get_subgraphs())
    for task in tasks.values():
        if task.name in subgraphs:
            config = _subgraph_config(task, saved.config)
            if recurse:
                config[CONF][CONFIG_KEY_CHECKPOINTER] = saver
                arguments = (config,), {"subgraphs": True}
                states[task.id] = yield Call(subgraphs[task.name], "get_state", *arguments)
            else:
                states[task.id] = config
    if null_writes := input_writes(pending):
        view.apply([(INPUT, (), False, null_writes)], None)
    finished = finished_output(pending) if live else {}
    done = [task for task in tasks.values() if task.id in finished]
    if done:
        view.apply([(t.name, t.path, True, list(finished[t.id])) for t in done], None)
    channels = graph.stream_channels_asis
    shown = tasks_w_writes(
        [PregelTask(task.id, task.name, task.path) for task in tasks.values()],
        pending,
        states,
        channels,
        live=live,
    )
    return StateSnapshot(
        view.values(channels),
        tuple(task.name for task in tasks.values() if task.id not in finished),
        patch_checkpoint_map(saved.config, saved.metadata),
        saved.metadata,
        saved.checkpoint["ts"],
        patch_checkpoint_map(saved.parent_config, saved.metadata),
        shown,
        tuple(interrupt for task in shown for interrupt in task.interrupts),
    )


def _subgraph_config(task: PlannedTask, parent: RunnableConfig) -> RunnableConfig:
    """Return the config under which the checkpoints of a task's subgraph are stored."""
    outer = parent[CONF].get(CONFIG_KEY_CHECKPOINT_NS, "")
    namespace = f"{task.name}{NS_END}{task.id}"
    return {
        CONF: {
            CONFIG_KEY_THREAD_ID: parent[CONF][CONFIG_KEY_THREAD_ID],
            CONFIG_KEY_CHECKPOINT_NS: f"{outer}{NS_SEP}{namespace}" if outer else namespace,
        }
    }
