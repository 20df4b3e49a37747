"""A run's parts, taken one by one: what a task is given, and what its writes do.

They work on channel objects that the caller has, which know by themselves what a write does to
them; the engine works on a state of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from langgraph_rust._internal._constants import (
    ERROR,
    ERROR_SOURCE_NODE,
    INTERRUPT,
    NO_WRITES,
    NULL_TASK_ID,
    PUSH,
    RESERVED,
    RESUME,
    RETURN,
)
from langgraph_rust._internal._log import unknown_channel
from langgraph_rust._internal._scratchpad import PregelScratchpad
from langgraph_rust._internal._typing import EMPTY_SEQ, MISSING
from langgraph_rust.checkpoint.base import writes_sort_key
from langgraph_rust.pregel._build.io import read_channels
from langgraph_rust.types import _interrupt_id

if TYPE_CHECKING:
    from langgraph_rust.channels.base import BaseChannel
    from langgraph_rust.checkpoint.base import Checkpoint, PendingWrite
    from langgraph_rust.managed.base import ManagedValueMapping
    from langgraph_rust.pregel._build.read import PregelNode
    from langgraph_rust.pregel._executor.prepare import prepare_next_tasks as prepare_next_tasks


class LazyAtomicCounter:
    """Counts its calls, from any thread, from 0."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next = count().__next__

    def __call__(self) -> int:
        return self._next()


GetNextVersion = Callable[[Any, None], Any]
"""Makes the version after a given one, the first after `None`."""

_NOT_FOR_CHANNELS = frozenset(
    (NO_WRITES, PUSH, RESUME, INTERRUPT, RETURN, ERROR, ERROR_SOURCE_NODE)
)


# --- Writes --------------------------------------------------------------------------------------


class WritesProtocol(Protocol):
    """What has writes to be applied: a `PregelExecutableTask` or a `PregelTaskWrites`."""

    @property
    def path(self) -> tuple[str | int | tuple, ...]:
        """Its place in the order in which writes are applied."""
        ...

    @property
    def name(self) -> str:
        """The node's name."""
        ...

    @property
    def writes(self) -> Sequence[tuple[str, Any]]:
        """Pairs of channel and value."""
        ...

    @property
    def triggers(self) -> Sequence[str]:
        """The channels that made it run."""
        ...


class PregelTaskWrites(NamedTuple):
    """Writes that no task made: of the input, or of `update_state`."""

    path: tuple[str | int | tuple, ...]
    name: str
    writes: Sequence[tuple[str, Any]]
    triggers: Sequence[str]


def task_path_str(tup: str | int | tuple) -> str:
    """Return a task's path as a string; strings sort as the paths do."""
    if isinstance(tup, (tuple, list)):
        return "~" + ", ".join(map(task_path_str, tup))
    return f"{tup:010d}" if isinstance(tup, int) else str(tup)


def increment(current: int | None, channel: None) -> int:
    """Return the version after `current`; the first is 1."""
    return 1 if current is None else current + 1


def apply_writes(
    checkpoint: Checkpoint,
    channels: Mapping[str, BaseChannel],
    tasks: Iterable[WritesProtocol],
    get_next_version: GetNextVersion | None,
    trigger_to_nodes: Mapping[str, Sequence[str]],
) -> set[str]:
    """Apply the writes of a step's tasks, and return the names of the channels that changed.

    Args:
        checkpoint: Its versions are brought up to date in place.
        channels: Are updated in place.
        tasks: What wrote; the order does not matter.
        get_next_version: Makes versions; without it versions stay and no channel counts as changed.
        trigger_to_nodes: For each channel the nodes it makes run. If no changed one has any, the
            run may be over, and channels that wait for that are told.
    """
    ordered = sorted(tasks, key=lambda task: writes_sort_key(task_path_str(task.path)))
    versions, seen = checkpoint["channel_versions"], checkpoint["versions_seen"]
    for task in ordered:
        read = {name: versions[name] for name in task.triggers if name in versions}
        seen.setdefault(task.name, {}).update(read)
    update = _Update(versions, channels, get_next_version)
    update.consume({name for task in ordered for name in task.triggers})
    for name, values in _by_channel(ordered, channels).items():
        update.step(name, channels[name].update(values))
    # Writes by no task, such as the input's, are no step of their own.
    if any(task.triggers for task in ordered):
        for name, channel in channels.items():
            if channel.is_available() and name not in update.changed:
                update.step(name, channel.update(EMPTY_SEQ))
        if update.changed.isdisjoint(trigger_to_nodes):
            for name, channel in channels.items():
                update.step(name, channel.finish())
    return update.changed


class _Update:
    """Gives channels that change their new version, and notes them."""

    def __init__(
        self,
        versions: dict[str, Any],
        channels: Mapping[str, BaseChannel],
        get_next_version: GetNextVersion | None,
    ) -> None:
        self.changed: set[str] = set()
        self._versions = versions
        self._channels = channels
        self._next: Any = None
        if get_next_version is not None:
            self._next = get_next_version(max(versions.values(), default=None), None)

    def consume(self, triggers: Iterable[str]) -> None:
        """Tell channels that tasks ran because of them."""
        for name in triggers:
            if name in self._channels and name not in RESERVED:
                if self._channels[name].consume() and self._next is not None:
                    self._versions[name] = self._next

    def step(self, name: str, updated: bool) -> None:
        """Note whether a channel was updated."""
        if updated and self._next is not None:
            self._versions[name] = self._next
            # An empty channel makes nothing run.
            if self._channels[name].is_available():
                self.changed.add(name)


def _by_channel(
    tasks: Iterable[WritesProtocol], channels: Mapping[str, BaseChannel]
) -> dict[str, list[Any]]:
    values: dict[str, list[Any]] = {}
    for task in tasks:
        for name, value in task.writes:
            if name in _NOT_FOR_CHANNELS:
                continue
            if name in channels:
                values.setdefault(name, []).append(value)
            else:
                unknown_channel(task.name, task.path, name)
    return values


# --- Reading -------------------------------------------------------------------------------------


def local_read(
    scratchpad: PregelScratchpad,
    channels: Mapping[str, BaseChannel],
    managed: ManagedValueMapping,
    task: WritesProtocol,
    select: list[str] | str,
    fresh: bool = False,
) -> dict[str, Any] | Any:
    """Read the state as a task sees it; tasks find this in their config, the first four bound.

    Args:
        scratchpad: The task's, for managed values.
        channels: The channels.
        managed: The managed values.
        task: The task and its writes.
        select: A channel, to get its value; several channels and managed values, to get a dict.
        fresh: Whether to read what the state becomes with the task's own writes.
    """
    if isinstance(select, str):
        names, computed = [select], []
    else:
        names = [name for name in select if name not in managed]
        computed = [name for name in select if name in managed]
    if fresh:
        channels = {
            name: _with_writes(channels[name], [v for c, v in task.writes if c == name])
            for name in names
            if name in channels
        }
    values = read_channels(channels, select if isinstance(select, str) else names)
    for name in computed:
        values[name] = managed[name].get(scratchpad)
    return values


def _with_writes(channel: BaseChannel, values: list[Any]) -> BaseChannel:
    channel = channel.copy()
    channel.update(values)
    return channel


def _proc_input(
    proc: PregelNode,
    managed: ManagedValueMapping,
    channels: Mapping[str, BaseChannel],
    *,
    for_execution: bool,
    scratchpad: PregelScratchpad,
    input_cache: dict[Any, Any] | None,
) -> Any:
    """Return the input of a node, `MISSING` if the one channel it reads is empty.

    Only `for_execution` is it brought into the form that the node wants. `input_cache` keeps the
    inputs of a step, as nodes often have the same.
    """
    if input_cache is not None and proc.input_cache_key in input_cache:
        return copy(input_cache[proc.input_cache_key])
    value: Any
    if isinstance(proc.channels, str):
        channel = channels.get(proc.channels)
        if channel is None or not channel.is_available():
            return MISSING
        value = channel.get()
    elif isinstance(proc.channels, list):
        value = {}
        for name in proc.channels:
            if name not in channels:
                value[name] = managed[name].get(scratchpad)
            elif channels[name].is_available():
                value[name] = channels[name].get()
    else:
        raise RuntimeError(f"Invalid channels type, expected list or dict, got {proc.channels}")
    if for_execution and proc.mapper is not None:
        value = proc.mapper(value)
    if input_cache is not None:
        input_cache[proc.input_cache_key] = value
    return value


def _scratchpad(
    parent_scratchpad: PregelScratchpad | None,
    pending_writes: list[PendingWrite],
    task_id: str,
    task_checkpoint_ns: str,
    resume_map: dict[str, Any] | None,
    step: int,
    stop: int,
) -> PregelScratchpad:
    """Return the scratchpad of a task, with the answers that its questions have so far.

    Args:
        parent_scratchpad: That of the task whose graph this is.
        pending_writes: Has the answers given earlier, and the one given without an id.
        task_id: The task's id.
        task_checkpoint_ns: The task's namespace.
        resume_map: Answers by id.
        step: The current step.
        stop: The step that is not run any more.
    """
    answers = _first_resume(pending_writes, task_id)
    unaddressed = _first_resume(pending_writes, NULL_TASK_ID)
    resume: list[Any] = []
    if answers is not None:
        resume = answers[2] if isinstance(answers[2], list) else [answers[2]]
    if resume_map and pending_writes:
        # All questions of a task used to have the id of the first.
        for number in (len(resume), 0):
            id_ = _interrupt_id(task_checkpoint_ns, number)
            if id_ in resume_map:
                resume.append(resume_map[id_])
                break

    def get_null_resume(consume: bool = False) -> Any:
        if unaddressed is None:
            return parent_scratchpad.get_null_resume(consume) if parent_scratchpad else None
        if consume:
            try:
                pending_writes.remove(unaddressed)
            except ValueError:
                # Another task's question was faster.
                return None
        return unaddressed[2]

    return PregelScratchpad(
        step=step,
        stop=stop,
        call_counter=LazyAtomicCounter(),
        interrupt_counter=LazyAtomicCounter(),
        resume=resume,
        get_null_resume=get_null_resume,
        subgraph_counter=LazyAtomicCounter(),
    )


def _first_resume(pending_writes: Iterable[PendingWrite], task_id: str) -> PendingWrite | None:
    return next((w for w in pending_writes if w[0] == task_id and w[1] == RESUME), None)


def __getattr__(name: str) -> Any:
    # Upstream has it here; it uses this module.
    if name != "prepare_next_tasks":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from langgraph_rust.pregel._executor.prepare import prepare_next_tasks

    return prepare_next_tasks
