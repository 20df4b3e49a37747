"""The reserved words of the engine: write keys, config keys, separators.

All are interned, because they are compared and hashed all the time. They are part of the checkpoint
format and of what servers put into a config, so their values never change.
"""

from __future__ import annotations

from sys import intern
from typing import Final, Literal, cast

from langgraph_rust.checkpoint._writing.writer import FORK_KEY, LEASE_KEY, WRITER_KEY

# Keys under which tasks write something that is not a channel.
INPUT: Final = intern("__input__")
"""The input of the graph."""
INTERRUPT: Final = intern("__interrupt__")
"""A question asked by `interrupt()`."""
RESUME: Final = intern("__resume__")
"""Answers to interrupts."""
ERROR: Final = intern("__error__")
"""The exception that a task raised."""
ERROR_SOURCE_NODE: Final = intern("__error_source_node__")
"""The name of the failed node that an error handler is run for."""
NO_WRITES: Final = intern("__no_writes__")
"""The task finished and had nothing to write."""
TASKS: Final = intern("__pregel_tasks")
"""The channel of `Send` packets for the next step."""
RETURN: Final = intern("__return__")
"""What a functional-API task returned."""
PREVIOUS: Final = intern("__previous__")
"""The channel with the value that an entrypoint saved in its previous run."""
SNAPSHOT_BUMPS: Final = intern("__snapshot_bumps__")
"""Entry of `versions_seen` for versions that moved only because of a delta snapshot."""

REMOVE_ALL_MESSAGES: Final = "__remove_all__"
"""Id of a `RemoveMessage` that removes all messages before it."""

CACHE_NS_WRITES: Final = intern("__pregel_ns_writes")
"""First part of the cache namespace of node results."""

# Keys in `config["configurable"]`.
CONFIG_KEY_SEND: Final = intern("__pregel_send")
"""Function that accepts the running task's writes."""
CONFIG_KEY_READ: Final = intern("__pregel_read")
"""Function that reads the current state."""
CONFIG_KEY_READ_STATE: Final = intern("__pregel_read_state")
"""Function that returns the state as an edge would give it to the node; `None` but for packets."""
CONFIG_KEY_CALL: Final = intern("__pregel_call")
"""Function that schedules a functional-API task and returns its future."""
CONFIG_KEY_CHECKPOINTER: Final = intern("__pregel_checkpointer")
"""The saver that subgraphs inherit."""
CONFIG_KEY_STREAM: Final = intern("__pregel_stream")
"""The stream sink that subgraphs inherit."""
CONFIG_KEY_CACHE: Final = intern("__pregel_cache")
"""The cache that subgraphs inherit."""
CONFIG_KEY_RESUMING: Final = intern("__pregel_resuming")
"""Whether subgraphs have to resume from their own checkpoints."""
CONFIG_KEY_REPLAY_STATE: Final = intern("__pregel_replay_state")
"""The `ReplayState` of a parent that runs again from a past checkpoint."""
CONFIG_KEY_TASK_ID: Final = intern("__pregel_task_id")
"""The id of the running task."""
CONFIG_KEY_THREAD_ID: Final = intern("thread_id")
"""The thread that checkpoints belong to."""
CONFIG_KEY_CHECKPOINT_MAP: Final = intern("checkpoint_map")
"""Checkpoint ids of the enclosing graphs, by namespace."""
CONFIG_KEY_CHECKPOINT_ID: Final = intern("checkpoint_id")
"""The addressed checkpoint; the latest when absent."""
CONFIG_KEY_CHECKPOINT_NS: Final = intern("checkpoint_ns")
"""The graph's checkpoint namespace; empty for the root."""
CONFIG_KEY_NODE_FINISHED: Final = intern("__pregel_node_finished")
"""Function called with the name of every finished node."""
CONFIG_KEY_TIMED_ATTEMPT_OBSERVER: Final = intern("__pregel_timed_attempt_observer")
"""Function told about the attempts of nodes that have a timeout."""
CONFIG_KEY_SCRATCHPAD: Final = intern("__pregel_scratchpad")
"""The running task's counters and resume values."""
CONFIG_KEY_PART: Final = intern("__pregel_part")
"""The part of the running task that asks for itself, if code runs in one."""
CONFIG_KEY_RUNNER_SUBMIT: Final = intern("__pregel_runner_submit")
"""Function that runs tasks in place of the built-in runner."""
CONFIG_KEY_DURABILITY: Final = intern("__pregel_durability")
"""The durability mode that subgraphs inherit."""
CONFIG_KEY_RUNTIME: Final = intern("__pregel_runtime")
"""The running task's `Runtime`."""
CONFIG_KEY_RESUME_MAP: Final = intern("__pregel_resume_map")
"""Answers by interrupt id."""
CONFIG_KEY_STRICT_RESUME: Final = intern("__pregel_strict_resume")
"""Whether a resume that matches no pending interrupt is refused."""
CONFIG_KEY_STREAM_MESSAGES_V2: Final = intern("__pregel_stream_messages_v2")
"""Whether chat models emit content-block events."""
CONFIG_KEY_NODE_ERROR: Final = intern("__pregel_node_error")
"""The `NodeError` for an error handler's `error` parameter."""

# Of this package alone, and words of savers.
CONFIG_KEY_WRITER: Final = intern(WRITER_KEY)
"""What a run tells the saver of itself."""
CONFIG_KEY_LEASE: Final = intern(LEASE_KEY)
"""The token of the lease that a run works under."""
CONFIG_KEY_FORK: Final = intern(FORK_KEY)
"""Whether storing beside what came later is meant."""
CONFIG_KEY_RESUMES_OWN: Final = intern("__langgraph_rust_resumes_own")
"""Whether nested runs resume only what the same run, by its id in the metadata, has stored."""

PUSH: Final = intern("__pregel_push")
"""Kind of a task that a `Send` or a call created."""
PULL: Final = intern("__pregel_pull")
"""Kind of a task that a channel triggered."""
NS_SEP: Final = intern("|")
"""Between the levels of a checkpoint namespace."""
NS_END: Final = intern(":")
"""Between a node's name and its task id in a checkpoint namespace."""
CONF: Final = cast(Literal["configurable"], intern("configurable"))
"""The key of the engine's part of a config."""
NULL_TASK_ID: Final = intern("00000000-0000-0000-0000-000000000000")
"""Owner of pending writes that belong to no task."""
OVERWRITE: Final = intern("__overwrite__")
"""Key of the dict form of `Overwrite`, and value of its `type` field."""

_CHECKPOINT_COORDINATE_KEYS: Final = (
    CONFIG_KEY_THREAD_ID,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_MAP,
)
"""A config that names any of these addresses checkpoints of its own."""

# `langgraph_rust.constants` has it under its public name, and imports this module.
_TAG_HIDDEN: Final = intern("langsmith:hidden")

RESERVED: Final = {
    _TAG_HIDDEN,
    INPUT,
    INTERRUPT,
    RESUME,
    ERROR,
    ERROR_SOURCE_NODE,
    NO_WRITES,
    SNAPSHOT_BUMPS,
    CONFIG_KEY_SEND,
    CONFIG_KEY_READ,
    CONFIG_KEY_READ_STATE,
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEY_STREAM,
    CONFIG_KEY_RESUMING,
    CONFIG_KEY_REPLAY_STATE,
    CONFIG_KEY_TASK_ID,
    CONFIG_KEY_CHECKPOINT_MAP,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_TIMED_ATTEMPT_OBSERVER,
    CONFIG_KEY_RESUME_MAP,
    CONFIG_KEY_STRICT_RESUME,
    CONFIG_KEY_STREAM_MESSAGES_V2,
    PUSH,
    PULL,
    NS_SEP,
    NS_END,
    CONF,
}
"""Names that neither a node nor a channel may have."""
