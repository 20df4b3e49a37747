"""Checkpoints as Python code sees them: making one, and the channels that one holds.

The engine reads and writes checkpoints natively. This is for code that handles checkpoints itself,
such as servers and tools.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._config import DELTA_MAX_SUPERSTEPS_SINCE_SNAPSHOT
from langgraph_rust._internal._constants import NULL_TASK_ID
from langgraph_rust._internal._typing import MISSING
from langgraph_rust.channels.base import BaseChannel
from langgraph_rust.channels.binop import BinaryOperatorAggregate
from langgraph_rust.channels.delta import DeltaChannel
from langgraph_rust.checkpoint.base.id import uuid6
from langgraph_rust.managed.base import ManagedValueMapping, ManagedValueSpec

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import (
        BaseCheckpointSaver,
        ChannelVersions,
        Checkpoint,
        DeltaChannelHistory,
    )

LATEST_VERSION = 4
"""Version of the checkpoint format that the engine writes."""


def empty_checkpoint() -> Checkpoint:
    """Return the checkpoint of a thread on which nothing has happened."""
    return {
        "v": LATEST_VERSION,
        "id": str(uuid6(clock_seq=-2)),
        "ts": _now(),
        "channel_values": {},
        "channel_versions": {},
        "versions_seen": {},
    }  # type: ignore[typeddict-item]


def copy_checkpoint(checkpoint: Checkpoint) -> Checkpoint:
    """Return a copy whose dictionaries can be changed freely; channel values are shared."""
    return {
        "v": checkpoint["v"],
        "ts": checkpoint["ts"],
        "id": checkpoint["id"],
        "channel_values": dict(checkpoint["channel_values"]),
        "channel_versions": dict(checkpoint["channel_versions"]),
        "versions_seen": {node: dict(seen) for node, seen in checkpoint["versions_seen"].items()},
        "updated_channels": checkpoint.get("updated_channels"),
    }


def create_checkpoint(
    checkpoint: Checkpoint,
    channels: Mapping[str, BaseChannel] | None,
    step: int,
    *,
    id: str | None = None,
    updated_channels: set[str] | None = None,
) -> Checkpoint:
    """Return a checkpoint that follows `checkpoint`.

    Args:
        checkpoint: Gives the versions.
        channels: Give the values; if `None`, those of `checkpoint` are kept.
        step: Number of the step, which becomes part of the id.
        id: Id to use in place of a new one.
        updated_channels: Names of the channels that the step changed.
    """
    versions = checkpoint["channel_versions"]
    if channels is None:
        values = checkpoint["channel_values"]
    else:
        stored = ((name, ch.checkpoint()) for name, ch in channels.items() if name in versions)
        values = {name: value for name, value in stored if value is not MISSING}
        versions = dict(versions)
    return {
        "v": LATEST_VERSION,
        "ts": _now(),
        "id": id or str(uuid6(clock_seq=step)),
        "channel_values": values,
        "channel_versions": versions,
        "versions_seen": checkpoint["versions_seen"],
        "updated_channels": None if updated_channels is None else sorted(updated_channels),
    }


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()


def channels_from_checkpoint(
    specs: Mapping[str, BaseChannel | ManagedValueSpec],
    checkpoint: Checkpoint,
    *,
    saver: BaseCheckpointSaver | None = None,
    config: RunnableConfig | None = None,
) -> tuple[Mapping[str, BaseChannel], ManagedValueMapping]:
    """Return the channels as they are in a checkpoint, and the managed values among `specs`.

    Args:
        specs: Channels by name, as the graph declares them, and classes of managed values.
        checkpoint: Gives the channels' values.
        saver: Where the writes are found of channels whose value is not in the checkpoint.
        config: Addresses the checkpoint in `saver`.

    Raises:
        ValueError: The value of a channel is not in the checkpoint, and there is no `saver`.
    """
    channels, managed = _split(specs)
    replayed = _to_replay(channels, checkpoint)
    histories: Mapping[str, DeltaChannelHistory] = {}
    if replayed:
        saver, config = _required(replayed, saver, config)
        histories = saver.get_delta_channel_history(config=config, channels=replayed)
    return _restore(channels, checkpoint, histories), managed


async def achannels_from_checkpoint(
    specs: Mapping[str, BaseChannel | ManagedValueSpec],
    checkpoint: Checkpoint,
    *,
    saver: BaseCheckpointSaver | None = None,
    config: RunnableConfig | None = None,
) -> tuple[Mapping[str, BaseChannel], ManagedValueMapping]:
    """Async twin of `channels_from_checkpoint`."""
    channels, managed = _split(specs)
    replayed = _to_replay(channels, checkpoint)
    histories: Mapping[str, DeltaChannelHistory] = {}
    if replayed:
        saver, config = _required(replayed, saver, config)
        histories = await saver.aget_delta_channel_history(config=config, channels=replayed)
    return _restore(channels, checkpoint, histories), managed


def _split(
    specs: Mapping[str, BaseChannel | ManagedValueSpec],
) -> tuple[dict[str, BaseChannel], ManagedValueMapping]:
    channels = {name: spec for name, spec in specs.items() if isinstance(spec, BaseChannel)}
    managed: Any = {name: spec for name, spec in specs.items() if name not in channels}
    return channels, managed


def _to_replay(channels: Mapping[str, BaseChannel], checkpoint: Checkpoint) -> list[str]:
    """Return the names of reduced channels that were written, but have no value stored.

    They are delta channels, or were when the checkpoint was made.
    """
    values = checkpoint["channel_values"]
    return [
        name
        for name, channel in channels.items()
        if isinstance(channel, BinaryOperatorAggregate | DeltaChannel)
        and name in checkpoint["channel_versions"]
        and values.get(name, MISSING) is MISSING
    ]


def _required(
    replayed: list[str], saver: BaseCheckpointSaver | None, config: RunnableConfig | None
) -> tuple[BaseCheckpointSaver, RunnableConfig]:
    if saver is None or config is None:
        raise ValueError(
            f"DeltaChannel {replayed} has history to replay but no "
            "checkpointer or config was passed to read it"
        )
    return saver, config


def _restore(
    specs: Mapping[str, BaseChannel],
    checkpoint: Checkpoint,
    histories: Mapping[str, DeltaChannelHistory],
) -> dict[str, BaseChannel]:
    values = checkpoint["channel_values"]
    channels = {
        name: spec.from_checkpoint(values.get(name, MISSING))
        for name, spec in specs.items()
        if name not in histories
    }
    for name, history in histories.items():
        channel = channels[name] = specs[name].from_checkpoint(history.get("seed", MISSING))
        if isinstance(channel, DeltaChannel):
            channel.replay_writes(history["writes"])
            continue
        # One by one: they are of many steps, and one update takes only one `Overwrite`.
        for _, _, value in history["writes"]:
            channel.update([value])
    return {name: channels[name] for name in specs}


def delta_channels_to_snapshot(
    channels: Mapping[str, BaseChannel],
    counters_since_delta_snapshot: Mapping[str, tuple[int, int]],
    channel_versions: ChannelVersions,
) -> set[str]:
    """Return the names of the delta channels whose whole value is to be stored now.

    Args:
        channels: Channels by name.
        counters_since_delta_snapshot: For each, the updates and the steps since that was last done.
        channel_versions: Has those that were ever written.
    """
    due: set[str] = set()
    for name, channel in channels.items():
        if (
            isinstance(channel, DeltaChannel)
            and channel.is_available()
            and name in channel_versions
        ):
            updates, steps = counters_since_delta_snapshot.get(name, (0, 0))
            often = updates >= channel.snapshot_frequency
            if often or steps >= DELTA_MAX_SUPERSTEPS_SINCE_SNAPSHOT:
                due.add(name)
    return due


def exit_delta_task_id(step: int, task_id: str) -> str:
    """Return the task id under which a run that stores at its end stores writes of `step`.

    A UUID that begins with the step, so that sorting by id sorts by step; never the null task's.
    """
    rest = str(uuid.UUID(task_id))[8:]
    made = f"{step:08d}{rest}"
    return f"{made[:-1]}1" if made == NULL_TASK_ID else made
