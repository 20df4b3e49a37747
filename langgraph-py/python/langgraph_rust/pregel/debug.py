"""The payloads of the `tasks`, `checkpoints` and `debug` stream modes, and of state snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

from langgraph_rust._internal._config import filter_to_user_tags, patch_checkpoint_map
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CHECKPOINT_NS,
    ERROR,
    INTERRUPT,
    NS_END,
    NS_SEP,
    RETURN,
)
from langgraph_rust.constants import TAG_HIDDEN
from langgraph_rust.pregel._build.io import read_channels
from langgraph_rust.pregel._state.tasks import (
    is_multiple_channel_write as is_multiple_channel_write,
)
from langgraph_rust.pregel._state.tasks import (
    map_task_result_writes,
    tasks_w_writes,
)
from langgraph_rust.types import (
    CheckpointPayload,
    PregelExecutableTask,
    PregelTask,
    StateSnapshot,
    TaskPayload,
    TaskResultPayload,
)

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.channels.base import BaseChannel
    from langgraph_rust.checkpoint.base import CheckpointMetadata, PendingWrite
    from langgraph_rust.types import CheckpointTask

TASK_NAMESPACE = UUID("6ba7b831-9dad-11d1-80b4-00c04fd430c8")
"""A namespace for UUIDs that name tasks."""


def map_debug_tasks(tasks: Iterable[PregelExecutableTask]) -> Iterator[TaskPayload]:
    """Yield what the `tasks` stream says when each task starts; hidden tasks are left out."""
    for task in tasks:
        config = task.config
        if config is not None and TAG_HIDDEN in config.get("tags", ()):
            continue
        payload: TaskPayload = {
            "id": task.id,
            "name": task.name,
            "input": task.input,
            "triggers": task.triggers,  # pyright: ignore[reportAssignmentType] - as it is, no copy
        }
        if config is not None and (metadata := _user_metadata(config)):
            payload["metadata"] = metadata
        yield payload


def _user_metadata(config: RunnableConfig) -> dict[str, Any]:
    """The metadata and tags a user put on the config, without what the engine put there."""
    from langgraph_rust.checkpoint.base import EXCLUDED_METADATA_KEYS

    given = config.get("metadata") or {}
    metadata = {k: v for k, v in given.items() if k not in EXCLUDED_METADATA_KEYS}
    tags = filter_to_user_tags(config.get("tags"))
    if tags is not None:
        metadata["tags"] = tags
    return metadata


def map_debug_task_results(
    task_tup: tuple[PregelExecutableTask, Sequence[tuple[str, Any]]],
    stream_keys: str | Sequence[str],
) -> Iterator[TaskResultPayload]:
    """Yield what the `tasks` stream says when a task ends: its writes, error and interrupts."""
    task, writes = task_tup
    shown = {RETURN, *([stream_keys] if isinstance(stream_keys, str) else stream_keys)}
    yield {
        "id": task.id,
        "name": task.name,
        "error": next((value for channel, value in writes if channel == ERROR), None),
        "result": map_task_result_writes([w for w in writes if w[0] in shown]),
        "interrupts": [
            asdict(interrupt)
            for channel, value in writes
            if channel == INTERRUPT
            for interrupt in (value if isinstance(value, Sequence) else (value,))
        ],
    }


def rm_pregel_keys(config: RunnableConfig | None) -> RunnableConfig | None:
    """Return a config with only `configurable`, without the engine's own entries in it."""
    if config is None:
        return None
    configurable = config.get("configurable", {})
    return {"configurable": {k: v for k, v in configurable.items() if not k.startswith(_OWN)}}


_OWN = "__pregel_", "__langgraph_rust_"


def map_debug_checkpoint(
    config: RunnableConfig,
    channels: Mapping[str, BaseChannel],
    stream_channels: str | Sequence[str],
    metadata: CheckpointMetadata,
    tasks: Iterable[PregelExecutableTask],
    pending_writes: list[PendingWrite],
    parent_config: RunnableConfig | None,
    output_keys: str | Sequence[str],
) -> Iterator[CheckpointPayload]:
    """Yield what the `checkpoints` stream says about one stored checkpoint."""
    values = read_channels(channels, stream_channels)
    yield from map_debug_checkpoint_values(
        config, values, metadata, tasks, pending_writes, parent_config, output_keys
    )


def map_debug_checkpoint_values(
    config: RunnableConfig,
    values: Any,
    metadata: CheckpointMetadata,
    tasks: Iterable[PregelExecutableTask],
    pending_writes: list[PendingWrite],
    parent_config: RunnableConfig | None,
    output_keys: str | Sequence[str],
) -> Iterator[CheckpointPayload]:
    """Do what `map_debug_checkpoint` does, with the channels' values already read."""
    tasks = list(tasks)
    states = _subgraph_configs(config, tasks)
    yield {
        "config": rm_pregel_keys(patch_checkpoint_map(config, metadata)),
        "parent_config": rm_pregel_keys(patch_checkpoint_map(parent_config, metadata)),
        "values": values,
        "metadata": metadata,
        "next": [task.name for task in tasks],
        "tasks": [
            _checkpoint_task(task)
            for task in tasks_w_writes(tasks, pending_writes, states, output_keys)
        ],
    }


def _subgraph_configs(
    config: RunnableConfig, tasks: Iterable[PregelExecutableTask]
) -> dict[str, RunnableConfig | StateSnapshot]:
    """For each task that runs a subgraph, the config under which its checkpoints are stored."""
    parent_ns = config[CONF].get(CONFIG_KEY_CHECKPOINT_NS, "")
    prefix = f"{parent_ns}{NS_SEP}" if parent_ns else ""
    return {
        task.id: {
            CONF: {
                "thread_id": config[CONF]["thread_id"],
                CONFIG_KEY_CHECKPOINT_NS: f"{prefix}{task.name}{NS_END}{task.id}",
            }
        }
        for task in tasks
        if task.subgraphs
    }


def _checkpoint_task(task: PregelTask) -> CheckpointTask:
    shown: dict[str, Any] = {"id": task.id, "name": task.name}
    if task.error:
        shown["error"] = task.error
    else:
        if task.result:
            shown["result"] = task.result
        shown["interrupts"] = tuple(asdict(i) for i in task.interrupts)
    shown["state"] = task.state
    # keys in the order of upstream's, which has a tuple of interrupts, too
    return shown  # pyright: ignore[reportReturnType]


COLOR_MAPPING = {
    "black": "0;30",
    "red": "0;31",
    "green": "0;32",
    "yellow": "0;33",
    "blue": "0;34",
    "magenta": "0;35",
    "cyan": "0;36",
    "white": "0;37",
    "gray": "1;30",
}
"""Terminal codes of colours, by the colours' names."""


def get_colored_text(text: str, color: str) -> str:
    """Return `text` with the terminal codes of one of the `COLOR_MAPPING` colours around it."""
    return f"\033[1;3{COLOR_MAPPING[color]}m{text}\033[0m"


def get_bolded_text(text: str) -> str:
    """Return `text` with the terminal codes for bold around it."""
    return f"\033[1m{text}\033[0m"
