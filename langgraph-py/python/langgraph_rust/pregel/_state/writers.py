"""What the writers of a node make of a value, outside of a run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._config import patch_config
from langgraph_rust._internal._constants import (
    CONFIG_KEY_READ,
    CONFIG_KEY_SEND,
    CONFIG_KEY_TASK_ID,
)
from langgraph_rust._internal._runnable import RunnableSeq
from langgraph_rust._internal._scratchpad import PregelScratchpad
from langgraph_rust.errors import InvalidUpdateError
from langgraph_rust.pregel._state.twins import Call, Steps

if TYPE_CHECKING:
    from langgraph_rust.pregel._state.update import Base


def run_writers(base: Base, node: str, values: Any, task_id: str) -> Steps[list[tuple[str, Any]]]:
    """Return what a node's writers write if the node returns `values`."""
    graph = base.graph
    writers = graph.nodes[node].flat_writers
    if not writers:
        raise InvalidUpdateError(f"Node {node} has no writers")
    writes: list[tuple[str, Any]] = []
    config = patch_config(
        base.config,
        run_name=f"{graph.name}UpdateState",
        configurable={
            CONFIG_KEY_SEND: writes.extend,
            CONFIG_KEY_TASK_ID: task_id,
            CONFIG_KEY_READ: partial(_read, base, writes),
        },
    )
    runnable = RunnableSeq(*writers) if len(writers) > 1 else writers[0]
    yield Call(runnable, "invoke", (values, config))
    return writes


def _read(
    base: Base, writes: list[tuple[str, Any]], select: str | list[str], fresh: bool = False
) -> Any:
    """Read the state for a writer; with `fresh`, after its own writes."""
    if isinstance(select, str):
        return base.view.read(select, fresh, writes)
    # Managed values have no place among the stored channels.
    specs = base.graph.channels
    managed = [name for name in select if isinstance(specs.get(name), type)]
    values = base.view.read([name for name in select if name not in managed], fresh, writes)
    scratchpad = _scratchpad(base.step) if managed else None
    values.update({name: specs[name].get(scratchpad) for name in managed})  # type: ignore[union-attr]
    return values


def _scratchpad(step: int) -> PregelScratchpad:
    def zero() -> int:
        return 0

    return PregelScratchpad(
        step=step,
        stop=step + 2,
        call_counter=zero,
        interrupt_counter=zero,
        get_null_resume=lambda consume=False: None,
        resume=[],
        subgraph_counter=zero,
    )
