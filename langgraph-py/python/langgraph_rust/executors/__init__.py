"""Where nodes run: in the process of their graph, in a pool of processes, or on a Ray cluster.

A node says so in its metadata, `add_node("train", train, metadata={"executor": {"kind": "ray",
"num_gpus": 1}})`; a run gives a default for all nodes that can travel, `{"configurable":
{"executor": "process"}}`. Only the node's own code moves: the superstep, its writes and its
checkpoints stay where the graph runs.

In come compiled graphs, when they are checked and when they run; out go runnables that stand in
for nodes. It never stores, schedules or retries what a node's own failure is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_rust.executors.base import (
    Call,
    Executor,
    Message,
    NotPortableError,
    RemoteTraceback,
    Running,
    WorkerDiedError,
)

if TYPE_CHECKING:
    from langgraph_rust.executors._process.pool import ProcessExecutor
    from langgraph_rust.executors._ray.executor import RayExecutor
    from langgraph_rust.executors._spec import register
    from langgraph_rust.executors._worker.perform import perform

__all__ = (
    "Call",
    "Executor",
    "Message",
    "NotPortableError",
    "ProcessExecutor",
    "RayExecutor",
    "RemoteTraceback",
    "Running",
    "WorkerDiedError",
    "perform",
    "register",
)

_LAZY = {
    "ProcessExecutor": "langgraph_rust.executors._process.pool",
    "RayExecutor": "langgraph_rust.executors._ray.executor",
    "perform": "langgraph_rust.executors._worker.perform",
    "register": "langgraph_rust.executors._spec",
}


def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    found = globals()[name] = getattr(importlib.import_module(module), name)
    return found
