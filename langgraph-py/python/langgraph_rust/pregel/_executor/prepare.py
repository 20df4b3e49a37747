"""The tasks of a run's next step, prepared in Python; see `_algo`."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha1
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

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
    NS_END,
    NS_SEP,
    PREVIOUS,
    PULL,
    PUSH,
    TASKS,
)
from langgraph_rust._internal._log import logger
from langgraph_rust._internal._typing import MISSING
from langgraph_rust.pregel._executor.algo import (
    PregelTaskWrites,
    _proc_input,
    _scratchpad,
    local_read,
)
from langgraph_rust.pregel._run.call import identifier
from langgraph_rust.runtime import DEFAULT_RUNTIME, ExecutionInfo
from langgraph_rust.types import (
    CacheKey,
    CachePolicy,
    PregelExecutableTask,
    PregelTask,
    RetryPolicy,
    Send,
)

if TYPE_CHECKING:
    from langchain_core.callbacks.manager import AsyncParentRunManager, ParentRunManager
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust._internal._scratchpad import PregelScratchpad
    from langgraph_rust.channels.base import BaseChannel
    from langgraph_rust.checkpoint.base import BaseCheckpointSaver, Checkpoint, PendingWrite
    from langgraph_rust.managed.base import ManagedValueMapping
    from langgraph_rust.pregel._build.read import PregelNode
    from langgraph_rust.store.base import BaseStore


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
    manager: ParentRunManager | AsyncParentRunManager | None = None,
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
            if sys.version_info >= (3, 11):
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
        # False: made by a packet, not by a call.
        path = (PUSH, index, False)
        task = _Identity.of(self, packet.node, PUSH, str(index))
        if not self.for_execution:
            return PregelTask(task.id, packet.node, path)
        timeout = node.timeout if packet.timeout is None else packet.timeout
        scratchpad = self._scratchpad(task)
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
                # a thread's versions are all of one type
                if seen is None or versions.get(channel, oldest) > seen.get(channel, oldest):  # pyright: ignore[reportOperatorIssue]
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
            writers=node.flat_writers,
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
        if checkpoint["v"] > 1:
            digest = xxh3_128_hexdigest(hashed)
        else:
            digest = sha1(hashed, usedforsecurity=False).hexdigest()
        id_ = "-".join(digest[start:end] for start, end in pairwise((0, 8, 12, 16, 20, 32)))
        return cls(name, id_, f"{namespace}{NS_END}{id_}")
