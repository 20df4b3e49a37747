"""The steps of a run, one by one, in Python: what runs next, and what its writes do.

The engine does all this natively. These functions are for code that goes through the steps itself,
such as servers that prepare tasks in one process and run them in another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha1
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from xxhash import xxh3_128_hexdigest

from langgraph_rust._internal._config import merge_configs, patch_config
from langgraph_rust._internal._constants import (
    CACHE_NS_WRITES,
    CONF,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_MAP,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEY_READ,
    CONFIG_KEY_RESUME_MAP,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_SEND,
    CONFIG_KEY_TASK_ID,
    CONFIG_KEY_THREAD_ID,
    ERROR,
    ERROR_SOURCE_NODE,
    INTERRUPT,
    NO_WRITES,
    NS_END,
    NS_SEP,
    NULL_TASK_ID,
    PREVIOUS,
    PULL,
    PUSH,
    RESERVED,
    RESUME,
    RETURN,
    TASKS,
)
from langgraph_rust._internal._scratchpad import PregelScratchpad
from langgraph_rust._internal._typing import EMPTY_SEQ, MISSING
from langgraph_rust.checkpoint.base import writes_sort_key
from langgraph_rust.pregel._call import identifier
from langgraph_rust.pregel._io import read_channels
from langgraph_rust.pregel._log import logger
from langgraph_rust.runtime import DEFAULT_RUNTIME, ExecutionInfo
from langgraph_rust.types import (
    CacheKey,
    CachePolicy,
    PregelExecutableTask,
    PregelTask,
    RetryPolicy,
    Send,
    _interrupt_id,
)

if TYPE_CHECKING:
    from langchain_core.callbacks.manager import AsyncParentRunManager, ParentRunManager
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.channels.base import BaseChannel
    from langgraph_rust.checkpoint.base import BaseCheckpointSaver, Checkpoint, PendingWrite
    from langgraph_rust.managed.base import ManagedValueMapping
    from langgraph_rust.pregel._read import PregelNode
    from langgraph_rust.store.base import BaseStore

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
                logger.warning(
                    "Task %s with path %s wrote to unknown channel %s, ignoring it.",
                    task.name,
                    task.path,
                    name,
                )
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
    """Read the state as a task sees it; tasks find this, with the first four bound, in their config.

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
        call_counter=count().__next__,
        interrupt_counter=count().__next__,
        resume=resume,
        get_null_resume=get_null_resume,
        subgraph_counter=count().__next__,
    )


def _first_resume(pending_writes: Iterable[PendingWrite], task_id: str) -> PendingWrite | None:
    return next((w for w in pending_writes if w[0] == task_id and w[1] == RESUME), None)


# --- What runs next ------------------------------------------------------------------------------


def prepare_next_tasks(
    checkpoint: Checkpoint,
    pending_writes: list[PendingWrite],
    processes: Mapping[str, PregelNode],
    channels: Mapping[str, BaseChannel],
    managed: ManagedValueMapping,
    config: RunnableConfig,
    step: int,
    stop: int,
    *,
    for_execution: bool,
    store: BaseStore | None = None,
    checkpointer: BaseCheckpointSaver | None = None,
    manager: None | ParentRunManager | AsyncParentRunManager = None,
    trigger_to_nodes: Mapping[str, Sequence[str]] | None = None,
    updated_channels: set[str] | None = None,
    retry_policy: Sequence[RetryPolicy] = (),
    cache_policy: CachePolicy | None = None,
) -> dict[str, PregelTask] | dict[str, PregelExecutableTask]:
    """Return the tasks of the next step by id: those of `Send` packets, then those of nodes.

    Args:
        checkpoint: The versions of channels, and those that nodes have seen.
        pending_writes: Writes stored with the checkpoint.
        processes: Nodes by name.
        channels: Channels by name.
        managed: Managed values by name.
        config: The run's config.
        step: Number of the step.
        stop: Number of the step that is not run any more.
        for_execution: Whether the tasks are to be run, or only to be looked at.
        store: The store for the tasks.
        checkpointer: The saver for graphs in the tasks.
        manager: The run's callback manager.
        trigger_to_nodes: For each channel the nodes that it triggers.
        updated_channels: The channels that changed; with `trigger_to_nodes`, only the nodes they
            trigger are looked at.
        retry_policy: Policies for nodes that have none.
        cache_policy: Policy for nodes that have none.
    """
    preparation = _Preparation(
        checkpoint=checkpoint,
        pending_writes=pending_writes,
        processes=processes,
        channels=channels,
        managed=managed,
        config=config,
        step=step,
        stop=stop,
        for_execution=for_execution,
        store=store,
        checkpointer=checkpointer,
        manager=manager,
        retry_policy=retry_policy,
        cache_policy=cache_policy,
    )
    tasks: list[Any] = []
    packets = channels.get(TASKS)
    if packets is not None and packets.is_available():
        tasks.extend(preparation.push(i, packet) for i, packet in enumerate(packets.get()))
    if checkpoint["channel_versions"]:
        names: Iterable[str] = processes
        if updated_channels and trigger_to_nodes:
            triggered = (trigger_to_nodes.get(name, ()) for name in updated_channels)
            names = sorted({node for nodes in triggered for node in nodes})
        tasks.extend(preparation.pull(name) for name in names)
    return {task.id: task for task in tasks if task is not None}


@dataclass
class _Preparation:
    """What is the same for all tasks of a step; see `prepare_next_tasks`."""

    checkpoint: Checkpoint
    pending_writes: list[PendingWrite]
    processes: Mapping[str, PregelNode]
    channels: Mapping[str, BaseChannel]
    managed: ManagedValueMapping
    config: RunnableConfig
    step: int
    stop: int
    for_execution: bool
    store: BaseStore | None
    checkpointer: BaseCheckpointSaver | None
    manager: Any
    retry_policy: Sequence[RetryPolicy]
    cache_policy: CachePolicy | None
    _inputs: dict[Any, Any] = field(default_factory=dict)

    def pull(self, name: str) -> PregelTask | PregelExecutableTask | None:
        """Return the task of a node that a channel triggers, `None` if it is not to run."""
        node = self.processes.get(name)
        if node is None or not self._is_triggered(name, node):
            return None
        path = (PULL, name)
        triggers = tuple(sorted(node.triggers))
        task = _Identity.of(self, name, PULL, *triggers)
        scratchpad = self._scratchpad(task)
        try:
            value = _proc_input(
                node,
                self.managed,
                self.channels,
                for_execution=self.for_execution,
                scratchpad=scratchpad,
                input_cache=self._inputs,
            )
        except Exception as exc:
            if hasattr(exc, "add_note"):
                exc.add_note(f"Before task with name '{name}' and path '{path}'")
            raise
        if value is MISSING:
            return None
        if not self.for_execution:
            return PregelTask(task.id, name, path)
        if node.node is None:
            return None
        return self._executable(task, path, node, value, triggers, scratchpad, node.timeout)

    def push(self, index: int, packet: Any) -> PregelTask | PregelExecutableTask | None:
        """Return the task of a `Send` packet, `None` if it has no node to go to."""
        if not isinstance(packet, Send):
            logger.warning("Ignoring invalid packet type %s in pending sends", type(packet))
            return None
        node = self.processes.get(packet.node)
        if node is None:
            logger.warning("Ignoring unknown node name %s in pending sends", packet.node)
            return None
        if node.node is None:
            return None
        path = (PUSH, index)
        task = _Identity.of(self, packet.node, PUSH, str(index))
        if not self.for_execution:
            return PregelTask(task.id, packet.node, path)
        timeout = node.timeout if packet.timeout is None else packet.timeout
        scratchpad = self._scratchpad(task)
        path = (*path, False)
        return self._executable(task, path, node, packet.arg, (PUSH,), scratchpad, timeout)

    @property
    def namespace(self) -> str:
        """The graph's checkpoint namespace."""
        return self.config.get(CONF, {}).get(CONFIG_KEY_CHECKPOINT_NS, "")

    def _is_triggered(self, name: str, node: PregelNode) -> bool:
        versions = self.checkpoint["channel_versions"]
        seen = self.checkpoint["versions_seen"].get(name)
        oldest = type(next(iter(versions.values())))()
        for channel in node.triggers:
            if self.channels[channel].is_available():
                if seen is None or versions.get(channel, oldest) > seen.get(channel, oldest):
                    return True
        return False

    def _scratchpad(self, task: _Identity) -> PregelScratchpad:
        conf = self.config.get(CONF, {})
        return _scratchpad(
            conf.get(CONFIG_KEY_SCRATCHPAD),
            self.pending_writes,
            task.id,
            task.namespace,
            conf.get(CONFIG_KEY_RESUME_MAP),
            self.step,
            self.stop,
        )

    def _executable(
        self,
        task: _Identity,
        path: tuple[Any, ...],
        node: PregelNode,
        value: Any,
        triggers: tuple[str, ...],
        scratchpad: PregelScratchpad,
        timeout: Any,
    ) -> PregelExecutableTask:
        writes: deque[tuple[str, Any]] = deque()
        metadata = {
            "langgraph_step": self.step,
            "langgraph_node": task.name,
            "langgraph_triggers": triggers,
            "langgraph_path": path,
            "langgraph_checkpoint_ns": task.namespace,
            **(node.metadata or {}),
        }
        config = merge_configs(self.config, {"metadata": metadata, "tags": node.tags})  # type: ignore[typeddict-item]
        callbacks = self.manager.get_child(f"graph:step:{self.step}") if self.manager else None
        own = PregelTaskWrites(path, task.name, writes, triggers)
        read = partial(local_read, scratchpad, self.channels, self.managed, own)
        return PregelExecutableTask(
            task.name,
            value,
            node.node,  # type: ignore[arg-type]
            writes,
            patch_config(
                config,
                run_name=task.name,
                callbacks=callbacks,
                configurable={
                    **self._configurable(task),
                    CONFIG_KEY_SEND: writes.extend,
                    CONFIG_KEY_READ: read,
                    CONFIG_KEY_SCRATCHPAD: scratchpad,
                },
            ),
            triggers,
            node.retry_policy or self.retry_policy,
            self._cache_key(task, node, value),
            task.id,
            path,
            writers=node.flat_writers,  # type: ignore[arg-type]
            subgraphs=node.subgraphs,
            timeout=timeout,
        )

    def _configurable(self, task: _Identity) -> dict[str, Any]:
        conf = self.config.get(CONF, {})
        run_id = self.config.get("run_id")
        info = ExecutionInfo(
            checkpoint_id=self.checkpoint["id"],
            checkpoint_ns=task.namespace,
            task_id=task.id,
            thread_id=conf.get(CONFIG_KEY_THREAD_ID),
            run_id=str(run_id) if run_id else None,
        )
        runtime = conf.get(CONFIG_KEY_RUNTIME, DEFAULT_RUNTIME).override(
            previous=self.checkpoint["channel_values"].get(PREVIOUS),
            store=self.store,
            execution_info=info,
        )
        outer = conf.get(CONFIG_KEY_CHECKPOINT_MAP, {})
        return {
            CONFIG_KEY_TASK_ID: task.id,
            CONFIG_KEY_CHECKPOINTER: self.checkpointer or conf.get(CONFIG_KEY_CHECKPOINTER),
            CONFIG_KEY_CHECKPOINT_MAP: {**outer, self.namespace: self.checkpoint["id"]},
            CONFIG_KEY_CHECKPOINT_ID: None,
            CONFIG_KEY_CHECKPOINT_NS: task.namespace,
            CONFIG_KEY_RUNTIME: runtime,
        }

    def _cache_key(self, task: _Identity, node: PregelNode, value: Any) -> CacheKey | None:
        policy = node.cache_policy or self.cache_policy
        if policy is None:
            return None
        key = policy.key_func(value)
        namespace = (CACHE_NS_WRITES, identifier(node) or "__dynamic__", task.name)
        digest = xxh3_128_hexdigest(key.encode() if isinstance(key, str) else key)
        return CacheKey(namespace, digest, policy.ttl)


class _Identity(NamedTuple):
    """Who a task is."""

    name: str
    id: str
    namespace: str

    @classmethod
    def of(cls, preparation: _Preparation, name: str, *parts: str) -> _Identity:
        """Return what identifies the task of a node; `parts` tell it from the node's others."""
        outer = preparation.namespace
        namespace = f"{outer}{NS_SEP}{name}" if outer else name
        checkpoint = preparation.checkpoint
        hashed = bytes.fromhex(checkpoint["id"].replace("-", ""))
        hashed += "".join((namespace, str(preparation.step), name, *parts)).encode()
        # The first version of the format used another hash.
        old = checkpoint["v"] <= 1
        digest = sha1(hashed, usedforsecurity=False).hexdigest() if old else xxh3_128_hexdigest(hashed)
        at = (0, 8, 12, 16, 20, 32)
        id_ = "-".join(digest[start:end] for start, end in zip(at, at[1:], strict=False))
        return cls(name, id_, f"{namespace}{NS_END}{id_}")
