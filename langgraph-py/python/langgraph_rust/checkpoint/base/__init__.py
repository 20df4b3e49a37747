"""What a checkpoint is, and the interface of whatever stores checkpoints.

Importing this module must stay cheap, since every graph needs it: the default serializer and
langchain-core are only loaded when something asks for them.
"""

from __future__ import annotations

import copy
import random
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypedDict, TypeVar

from langgraph_rust._engine import _merge_metadata
from langgraph_rust.checkpoint.base._delta import DeltaHistoryWalk
from langgraph_rust.checkpoint.serde._default import DefaultSerde
from langgraph_rust.checkpoint.serde.base import SerializerProtocol, maybe_add_typed_methods
from langgraph_rust.checkpoint.serde.types import (
    ERROR,
    INTERRUPT,
    RESUME,
    SCHEDULED,
    ChannelProtocol,
)

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

V = TypeVar("V", int, float, str)
"""Type of a channel version."""

PendingWrite = tuple[str, str, Any]
"""A write of a task that no checkpoint contains yet: `(task id, channel, value)`."""

SuperstepWrites = tuple[str, str, str, "Sequence[tuple[str, Any]]"]
"""What a task wrote: the id of the checkpoint that it wrote on, its own id, its path, and
`(channel, value)` pairs."""

ChannelVersions = dict[str, str | int | float]
"""Version of each channel, by name. Within a channel, versions only increase."""

WRITES_IDX_MAP: dict[str, int] = {ERROR: -1, SCHEDULED: -2, INTERRUPT: -3, RESUME: -4}
"""Index under which savers store writes to reserved channels.

Ordinary writes are stored under their position in the task's list. Negative indices keep these
apart from them, and let a later one replace an earlier one.
"""

EXCLUDED_METADATA_KEYS: set[str] = {
    "thread_id",
    "checkpoint_id",
    "checkpoint_ns",
    "checkpoint_map",
    "langgraph_step",
    "langgraph_node",
    "langgraph_triggers",
    "langgraph_path",
    "langgraph_checkpoint_ns",
}
"""Config keys that are not copied into checkpoint metadata."""

LATEST_VERSION = 2
"""Format version written by the deprecated helpers at the end of this module."""


class EmptyChannelError(Exception):
    """A channel was read that has never been written to."""


class CheckpointMetadata(TypedDict, total=False):
    """Facts about a checkpoint that can be searched for without decoding it."""

    source: Literal["input", "loop", "update", "fork"]
    """What caused it: the input of a run, a step, a manual state update, or a copy."""
    step: int
    """Number of the step: -1 for the first input, 0 for the first checkpoint after it, ..."""
    parents: dict[str, str]
    """Ids of the checkpoints of the enclosing graphs, by namespace."""
    run_id: str
    """Id of the run that made it."""
    counters_since_delta_snapshot: dict[str, tuple[int, int]]
    """For each delta channel, how long ago its last snapshot was (beta).

    The first number counts the steps that wrote to the channel, the second all steps. Either
    reaching its limit causes a snapshot. Backends that store JSON return a list for the pair.
    """


class Checkpoint(TypedDict):
    """The state of a graph between two steps."""

    v: int
    """Version of this format."""
    id: str
    """Unique id. Sorting ids as strings sorts checkpoints by age."""
    ts: str
    """When it was made, in ISO 8601 with time zone."""
    channel_values: dict[str, Any]
    """Stored value of each channel that has one."""
    channel_versions: ChannelVersions
    """Current version of each channel."""
    versions_seen: dict[str, ChannelVersions]
    """For each node, the channel versions at the time it last ran; decides what runs next."""
    updated_channels: list[str] | None
    """Channels that the step before this checkpoint changed, if known."""


class CheckpointTuple(NamedTuple):
    """A checkpoint together with everything a saver knows about it."""

    config: RunnableConfig
    """Config that identifies it: `thread_id`, `checkpoint_ns` and `checkpoint_id`."""
    checkpoint: Checkpoint
    """The checkpoint, its channel values decoded."""
    metadata: CheckpointMetadata
    """Its metadata."""
    parent_config: RunnableConfig | None = None
    """Config of the checkpoint it continues, if there is one."""
    pending_writes: list[PendingWrite] | None = None
    """Writes of tasks that ran on top of it, ordered by `writes_sort_key`."""


class _DeltaWrites(TypedDict):
    writes: list[PendingWrite]


class DeltaChannelHistory(_DeltaWrites, total=False):
    """What storage holds of one delta channel, up to but excluding a given checkpoint (beta).

    `writes` are those of the checkpoint's ancestors, oldest first, within one checkpoint in the
    order of `writes_sort_key`. `seed` is the value to apply them to; without it, they apply to the
    empty value. A seed is a `_DeltaSnapshot`, or the plain value of a channel that was not a delta
    channel at the time.
    """

    seed: Any


def writes_sort_key(task_path: str, task_id: str = "", idx: int = 0) -> tuple[str, str, int]:
    """Return a key that sorts the stored writes of one step into the order in which they applied.

    Args:
        task_path: Path of the task, as given to `put_writes`. Writes stored without one come first.
        task_id: Id of the task.
        idx: Position among the task's writes.
    """
    return task_path, task_id, idx


class BaseCheckpointSaver(Generic[V]):
    """Interface of what stores checkpoints.

    A saver is given to `compile(checkpointer=...)`. Each run then names its conversation with
    `{"configurable": {"thread_id": ...}}`: runs with the same id share state, can be interrupted
    and resumed, and can go back in time.

    Subclasses implement `get_tuple`, `list`, `put`, `put_writes` and, for asynchronous use, the
    methods of the same names with a leading `a`. The rest is optional. Whatever is not implemented
    raises `NotImplementedError`.

    Args:
        serde: Encodes values; the class's own `serde`, a `JsonPlusSerializer`, if left out.
    """

    serde: SerializerProtocol = DefaultSerde()  # type: ignore[assignment]

    linear_storage: bool | Collection[str] | None = False
    """Whether growing lists are stored as changes, a whole list only now and then.

    `True` does so for the fields of a graph's state with the reducers `operator.add` (of lists) and
    `add_messages`; a collection of names for the fields of these names, whose reducers must give
    the same for stored writes, folded one after another, as they did at first. What is stored so
    is read by any graph with the same reducers, here and by LangGraph from 1.2.24 on. It needs what
    came before it, which `prune` leaves and `delete_for_runs` refuses to take away.

    The savers that ship have `None`: what the environment variable `LANGGRAPH_RUST_LINEAR_STORAGE`
    says. Where it is not set, those that keep threads in a database store so, but not in drop-in
    mode, and `InMemorySaver` does not. Anything else is a `TypeError` of the run.
    """

    _is_linear = False
    """Whether it stores so if nobody has said anything."""

    def __init__(self, *, serde: SerializerProtocol | None = None) -> None:
        self.serde = maybe_add_typed_methods(serde or self.serde)

    @property
    def config_specs(self) -> list:
        """Config fields that this saver understands; none by default."""
        return []

    def get(self, config: RunnableConfig) -> Checkpoint | None:
        """Return the checkpoint that `config` names, or `None`; see `get_tuple`."""
        found = self.get_tuple(config)
        return found.checkpoint if found else None

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` names with all that belongs to it, or `None`.

        Without a `checkpoint_id`, that is the newest of the thread and namespace. Pending writes
        must be in the order of `writes_sort_key`.
        """
        raise NotImplementedError

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Yield checkpoints, newest first.

        Args:
            config: Limits them to its thread and, if it has them, namespace and id; `None` for all.
            filter: Metadata entries they must have.
            before: Names a checkpoint; only older ones are returned.
            limit: How many to return at most.
        """
        raise NotImplementedError

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint and return the config that names it.

        Args:
            config: Thread and namespace, and the parent's id as `checkpoint_id`.
            checkpoint: What to store.
            metadata: Facts about it.
            new_versions: The channels whose version changed since the parent.
        """
        raise NotImplementedError

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store what a task wrote on top of the checkpoint that `config` names.

        Args:
            config: Thread, namespace and id of the checkpoint.
            writes: `(channel, value)` pairs. See `WRITES_IDX_MAP` for how they are numbered.
            task_id: Id of the task.
            task_path: Path of the task, which decides the order among tasks.
        """
        raise NotImplementedError

    def delete_thread(self, thread_id: str) -> None:
        """Delete everything stored for a thread."""
        raise NotImplementedError

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints, with their writes, that the given runs made.

        What is stored as changes, such as delta channels, needs what came before it. Under this
        package's own name the savers that ship refuse to take that away (`ValueError`).
        """
        raise NotImplementedError

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy everything stored for one thread to another.

        Threads with delta channels need the whole chain of ancestors, not just the newest
        checkpoint.
        """
        raise NotImplementedError

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete old checkpoints of the given threads.

        A delta channel is rebuilt from the writes of the ancestors, up to the nearest with a stored
        value. An implementation must keep those, or store the rebuilt value in what it keeps:
        otherwise the channel silently comes back empty.

        Args:
            thread_ids: Threads to prune.
            strategy: `"keep_latest"` keeps the newest checkpoint of each namespace, `"delete"`
                keeps nothing.
        """
        raise NotImplementedError

    async def aget(self, config: RunnableConfig) -> Checkpoint | None:
        """Return the checkpoint that `config` names, or `None`; see `get_tuple`."""
        found = await self.aget_tuple(config)
        return found.checkpoint if found else None

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Asynchronous `get_tuple`."""
        raise NotImplementedError

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Asynchronous `list`."""
        raise NotImplementedError
        yield  # makes this an asynchronous generator

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Asynchronous `put`."""
        raise NotImplementedError

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Asynchronous `put_writes`."""
        raise NotImplementedError

    async def adelete_thread(self, thread_id: str) -> None:
        """Asynchronous `delete_thread`."""
        raise NotImplementedError

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Asynchronous `delete_for_runs`."""
        raise NotImplementedError

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Asynchronous `copy_thread`."""
        raise NotImplementedError

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Asynchronous `prune`."""
        raise NotImplementedError

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return what rebuilds delta channels as of the checkpoint that `config` names (beta).

        Follows `parent_config` upwards, so other branches of a forked thread do not contribute, and
        stops for each channel at the nearest ancestor with a stored value. Writes pending at the
        checkpoint itself belong to the next step and are left out. Each ancestor is fetched once
        with `get_tuple`; savers with direct access to their storage may do better.

        Args:
            config: Names the checkpoint.
            channels: Channels to look for; each gets an entry in the result.
        """
        walk = DeltaHistoryWalk(channels)
        found = self.get_tuple(config) if channels else None
        while found and found.parent_config and walk.open_channels:
            found = self.get_tuple(found.parent_config)
            if found:
                walk.visit(reversed(found.pending_writes or ()), found.checkpoint["channel_values"])
        return walk.result()

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Asynchronous `get_delta_channel_history` (beta)."""
        walk = DeltaHistoryWalk(channels)
        found = await self.aget_tuple(config) if channels else None
        while found and found.parent_config and walk.open_channels:
            found = await self.aget_tuple(found.parent_config)
            if found:
                walk.visit(reversed(found.pending_writes or ()), found.checkpoint["channel_values"])
        return walk.result()

    def get_next_version(self, current: V | None, channel: None) -> V:
        """Return the version that follows `current`, which is `None` for a new channel.

        Versions are integers here. A subclass may use strings or floats instead, as long as they
        only increase.

        Args:
            current: The channel's version so far.
            channel: No longer used.

        Raises:
            NotImplementedError: `current` is a string.
        """
        if isinstance(current, str):
            raise NotImplementedError
        return 1 if current is None else current + 1

    def with_allowlist(
        self, extra_allowlist: Collection[tuple[str, ...]]
    ) -> BaseCheckpointSaver[V]:
        """Return a saver on the same storage that may also rebuild the given types.

        Returns this very object if that changes nothing.

        Args:
            extra_allowlist: `(module, name)` pairs.
        """
        serde = _with_msgpack_allowlist(self.serde, extra_allowlist)
        if serde is self.serde:
            return self
        clone = copy.copy(self)
        clone.serde = maybe_add_typed_methods(serde)
        return clone


def _with_msgpack_allowlist(
    serde: SerializerProtocol, extra_allowlist: Collection[tuple[str, ...]]
) -> SerializerProtocol:
    # By shape, so that upstream's serializers and their like work, and nothing needs importing.
    widen = getattr(serde, "with_msgpack_allowlist", None)
    if widen is not None:
        return widen(extra_allowlist)
    inner = getattr(serde, "serde", None)
    widen = getattr(inner, "with_msgpack_allowlist", None)
    if widen is not None and hasattr(serde, "cipher"):
        widened = widen(extra_allowlist)
        if widened is inner:
            return serde
        clone: Any = copy.copy(serde)
        clone.serde = widened
        return clone
    import logging

    logging.getLogger("langgraph.checkpoint.base").warning(
        "Serializer %s does not support msgpack allowlist. "
        "Strict msgpack deserialization will not be enforced.",
        type(serde).__name__,
    )
    return serde


def next_text_version(current: str | float | None) -> str:
    """Return the version that follows `current`: its number plus one, and a random fraction.

    The number is padded with zeros, so that versions sort as strings. The fraction tells apart
    versions that two branches of a thread reached independently.

    Args:
        current: A channel's version so far; `None` for a new channel.
    """
    if current is None:
        number = 0
    elif isinstance(current, int):
        number = current
    else:
        number = int(str(current).split(".")[0])
    return f"{number + 1:032}.{random.random():016}"


def get_checkpoint_id(config: RunnableConfig) -> str | None:
    """Return the id of the checkpoint that `config` names, or `None` for the newest."""
    return config["configurable"].get("checkpoint_id")


def get_checkpoint_metadata(
    config: RunnableConfig, metadata: CheckpointMetadata
) -> CheckpointMetadata:
    """Return `metadata` with the simple values of the config's metadata and configurable added.

    Strings lose their NUL characters, which some databases refuse. Keys already there, keys in
    `EXCLUDED_METADATA_KEYS`, keys with two leading underscores, and values that are not strings,
    numbers or booleans are left out.
    """
    found = config.get("metadata"), config.get("configurable")
    sections = [section if type(section) is dict else dict(section) for section in found if section]
    own = metadata if type(metadata) is dict else dict(metadata)
    return _merge_metadata(own, sections, EXCLUDED_METADATA_KEYS)  # type: ignore[return-value]


def get_serializable_checkpoint_metadata(
    config: RunnableConfig, metadata: CheckpointMetadata
) -> CheckpointMetadata:
    """Return the same as `get_checkpoint_metadata`, without the `writes` of old versions."""
    merged = get_checkpoint_metadata(config, metadata)
    merged.pop("writes", None)
    return merged


def copy_checkpoint(checkpoint: Checkpoint) -> Checkpoint:
    """Return a copy whose dictionaries can be changed freely; channel values are shared."""
    return {
        "v": checkpoint["v"],
        "ts": checkpoint["ts"],
        "id": checkpoint["id"],
        "channel_values": checkpoint["channel_values"].copy(),
        "channel_versions": checkpoint["channel_versions"].copy(),
        "versions_seen": {node: seen.copy() for node, seen in checkpoint["versions_seen"].items()},
        "pending_sends": checkpoint.get("pending_sends", []).copy(),  # type: ignore[typeddict-unknown-key]
        "updated_channels": checkpoint.get("updated_channels"),
    }


# --- deprecated: the engine makes its own checkpoints, in a newer format ---


def empty_checkpoint() -> Checkpoint:
    """Return a checkpoint without any channels. Deprecated."""
    return {
        "v": LATEST_VERSION,
        "id": _new_id(-2),
        "ts": _now(),
        "channel_values": {},
        "channel_versions": {},
        "versions_seen": {},
        "pending_sends": [],  # type: ignore[typeddict-unknown-key]
        "updated_channels": None,
    }


def create_checkpoint(
    checkpoint: Checkpoint,
    channels: Mapping[str, ChannelProtocol] | None,
    step: int,
    *,
    id: str | None = None,
) -> Checkpoint:
    """Return a checkpoint that follows `checkpoint`. Deprecated.

    Args:
        checkpoint: Gives the versions.
        channels: Give the values; if `None`, those of `checkpoint` are kept.
        step: Number of the step, which becomes part of the id.
        id: Id to use in place of a new one.
    """
    values = checkpoint["channel_values"]
    if channels is not None:
        values = _stored_values(channels, checkpoint["channel_versions"])
    return {
        "v": LATEST_VERSION,
        "ts": _now(),
        "id": id or _new_id(step),
        "channel_values": values,
        "channel_versions": checkpoint["channel_versions"],
        "versions_seen": checkpoint["versions_seen"],
        "pending_sends": checkpoint.get("pending_sends", []),  # type: ignore[typeddict-unknown-key]
        "updated_channels": None,
    }


def _stored_values(
    channels: Mapping[str, ChannelProtocol], versions: ChannelVersions
) -> dict[str, Any]:
    values = {}
    for name, channel in channels.items():
        if name in versions:
            try:
                values[name] = channel.checkpoint()
            except EmptyChannelError:
                continue
    return values


def _new_id(step: int) -> str:
    from langgraph_rust.checkpoint.base.id import uuid6

    return str(uuid6(clock_seq=step))


def _now() -> str:
    from datetime import datetime, timezone

    return datetime.now(timezone.utc).isoformat()


_LAZY = {
    "EncryptedSerializer": "langgraph_rust.checkpoint.serde.encrypted",
    "JsonPlusSerializer": "langgraph_rust.checkpoint.serde.jsonplus",
    "RunnableConfig": "langchain_core.runnables",
    "uuid6": "langgraph_rust.checkpoint.base.id",
}


def __getattr__(name: str) -> Any:
    # Names that upstream's module also has, but that would make importing this one slow.
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(module), name)
