"""The tasks of a run's next step: which there are is the engine's answer, dressed up to be run."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from xxhash import xxh3_128_hexdigest

from langgraph_rust._engine import Plan, StateView
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
    PUSH,
    TASKS,
)
from langgraph_rust._internal._typing import MISSING
from langgraph_rust.pregel._executor.algo import (
    PregelTaskWrites,
    _proc_input,
    _scratchpad,
    local_read,
)
from langgraph_rust.pregel._executor.checkpoint import create_checkpoint
from langgraph_rust.pregel._run.call import identifier
from langgraph_rust.pregel._state.snapshot import PlannedTask
from langgraph_rust.pregel.main import Pregel
from langgraph_rust.runtime import DEFAULT_RUNTIME, ExecutionInfo
from langgraph_rust.types import (
    CacheKey,
    CachePolicy,
    PregelExecutableTask,
    PregelTask,
    RetryPolicy,
)

if TYPE_CHECKING:
    from langchain_core.callbacks.manager import AsyncParentRunManager, ParentRunManager
    from langchain_core.runnables import RunnableConfig

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
        trigger_to_nodes: Not needed: the engine finds what is triggered by itself.
        updated_channels: Likewise.
        retry_policy: Policies for nodes that have none.
        cache_policy: Policy for nodes that have none.
    """
    graph = Pregel(
        nodes=dict(processes),
        channels={**channels, **managed},
        input_channels=(),
        output_channels=(),
        auto_validate=False,
    )
    values = create_checkpoint(checkpoint, channels, step)["channel_values"]
    view = StateView(Plan(graph), {**checkpoint, "channel_values": values})
    namespace = config.get(CONF, {}).get(CONFIG_KEY_CHECKPOINT_NS, "")
    planned = [PlannedTask(*task) for task in view.tasks(namespace, step)]
    if not for_execution:
        return {task.id: PregelTask(task.id, task.name, task.path) for task in planned}
    step_ = _Step(
        checkpoint=checkpoint,
        pending_writes=pending_writes,
        processes=processes,
        channels=channels,
        managed=managed,
        config=config,
        namespace=namespace,
        number=step,
        stop=stop,
        store=store,
        checkpointer=checkpointer,
        manager=manager,
        retry_policy=retry_policy,
        cache_policy=cache_policy,
    )
    executable = ((task.id, step_.executable(task)) for task in planned)
    return {id_: task for id_, task in executable if task is not None}


@dataclass
class _Step:
    """What is the same for all tasks of a step; see `prepare_next_tasks`."""

    checkpoint: Checkpoint
    pending_writes: list[PendingWrite]
    processes: Mapping[str, PregelNode]
    channels: Mapping[str, BaseChannel]
    managed: ManagedValueMapping
    config: RunnableConfig
    namespace: str
    number: int
    stop: int
    store: BaseStore | None
    checkpointer: BaseCheckpointSaver | None
    manager: Any
    retry_policy: Sequence[RetryPolicy]
    cache_policy: CachePolicy | None
    _inputs: dict[Any, Any] = field(default_factory=dict)

    def executable(self, task: PlannedTask) -> PregelExecutableTask | None:
        """Return a planned task with all that is needed to run it; `None` if there is no code."""
        node = self.processes[task.name]
        own = f"{task.name}{NS_END}{task.id}"
        namespace = f"{self.namespace}{NS_SEP}{own}" if self.namespace else own
        conf = self.config.get(CONF, {})
        scratchpad = _scratchpad(
            conf.get(CONFIG_KEY_SCRATCHPAD),
            self.pending_writes,
            task.id,
            namespace,
            conf.get(CONFIG_KEY_RESUME_MAP),
            self.number,
            self.stop,
        )
        value, timeout = self._input(task, node, scratchpad), node.timeout
        if node.node is None or value is MISSING:
            return None
        if task.path[0] == PUSH:
            packet = self.channels[TASKS].get()[task.path[1]]
            timeout = timeout if packet.timeout is None else packet.timeout
        writes: deque[tuple[str, Any]] = deque()
        writer = PregelTaskWrites(task.path, task.name, writes, task.triggers)
        configurable = {
            **self._configurable(task, namespace),
            CONFIG_KEY_SEND: writes.extend,
            CONFIG_KEY_READ: partial(local_read, scratchpad, self.channels, self.managed, writer),
            CONFIG_KEY_SCRATCHPAD: scratchpad,
        }
        return PregelExecutableTask(
            task.name,
            value,
            node.node,
            writes,
            self._config(task, node, namespace, configurable),
            task.triggers,
            node.retry_policy or self.retry_policy,
            self._cache_key(task, node, value),
            task.id,
            task.path,
            writers=node.flat_writers,
            subgraphs=node.subgraphs,
            timeout=timeout,
        )

    def _input(self, task: PlannedTask, node: PregelNode, scratchpad: Any) -> Any:
        if task.path[0] == PUSH:
            return self.channels[TASKS].get()[task.path[1]].arg
        try:
            return _proc_input(
                node,
                self.managed,
                self.channels,
                for_execution=True,
                scratchpad=scratchpad,
                input_cache=self._inputs,
            )
        except Exception as exc:
            if sys.version_info >= (3, 11):
                exc.add_note(f"Before task with name '{task.name}' and path '{task.path}'")
            raise

    def _config(
        self, task: PlannedTask, node: PregelNode, namespace: str, configurable: dict[str, Any]
    ) -> RunnableConfig:
        metadata = {
            "langgraph_step": self.number,
            "langgraph_node": task.name,
            "langgraph_triggers": task.triggers,
            "langgraph_path": task.path,
            "langgraph_checkpoint_ns": namespace,
            **(node.metadata or {}),
        }
        config = merge_configs(self.config, {"metadata": metadata, "tags": node.tags})  # type: ignore[typeddict-item]
        callbacks = self.manager.get_child(f"graph:step:{self.number}") if self.manager else None
        return patch_config(
            config, run_name=task.name, callbacks=callbacks, configurable=configurable
        )

    def _configurable(self, task: PlannedTask, namespace: str) -> dict[str, Any]:
        conf = self.config.get(CONF, {})
        run_id = self.config.get("run_id")
        info = ExecutionInfo(
            checkpoint_id=self.checkpoint["id"],
            checkpoint_ns=namespace,
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
            CONFIG_KEY_CHECKPOINT_NS: namespace,
            CONFIG_KEY_RUNTIME: runtime,
        }

    def _cache_key(self, task: PlannedTask, node: PregelNode, value: Any) -> CacheKey | None:
        policy = node.cache_policy or self.cache_policy
        if policy is None:
            return None
        key = policy.key_func(value)
        namespace = (CACHE_NS_WRITES, identifier(node) or "__dynamic__", task.name)
        digest = xxh3_128_hexdigest(key.encode() if isinstance(key, str) else key)
        return CacheKey(namespace, digest, policy.ttl)
