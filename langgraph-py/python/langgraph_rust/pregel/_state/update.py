"""Writing to a thread's state from outside of a run.

Each superstep of updates loads a checkpoint, applies writes to it as nodes, as an input or as
neither, and stores the result as the next checkpoint.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from langgraph_rust._engine import StateView, checkpoint_id, timestamp
from langgraph_rust._internal._config import (
    ensure_config,
    patch_checkpoint_map,
    patch_configurable,
)
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_THREAD_ID,
    INPUT,
    INTERRUPT,
    PUSH,
)
from langgraph_rust._internal._mistakes import explained, visible
from langgraph_rust.constants import END
from langgraph_rust.errors import InvalidUpdateError
from langgraph_rust.pregel._build.asked import check_update
from langgraph_rust.pregel._build.io import map_input
from langgraph_rust.pregel._state.savers import (
    histories_of,
    is_superseded,
    own_history_config,
    require_saver,
)
from langgraph_rust.pregel._state.seen import versions_read
from langgraph_rust.pregel._state.single_writer import Turn, begin_turn
from langgraph_rust.pregel._state.snapshot import finished_output, input_writes, planned_tasks
from langgraph_rust.pregel._state.subgraphs import addressed_subgraph
from langgraph_rust.pregel._state.twins import Call, Steps
from langgraph_rust.pregel._state.update_base import Base, Writes
from langgraph_rust.pregel._state.writers import run_writers
from langgraph_rust.types import StateUpdate

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import BaseCheckpointSaver
    from langgraph_rust.pregel._state.subgraphs import AnyPregel

COPY = "__copy__"
"""As a node name: copy the checkpoint."""


def bulk_update(
    graph: AnyPregel, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]
) -> Steps[RunnableConfig]:
    """Do what `Pregel.bulk_update_state` does."""
    saver = require_saver(graph, config)
    if len(supersteps) == 0:
        raise ValueError("No supersteps provided")
    if any(len(updates) == 0 for updates in supersteps):
        raise ValueError("No updates provided")
    if addressed := addressed_subgraph(graph, config, saver, for_update=True):
        subgraph, config = addressed
        return (yield Call(subgraph, "bulk_update_state", (config, supersteps)))
    thread_id = str(config[CONF][CONFIG_KEY_THREAD_ID])
    config = patch_configurable(config, {CONFIG_KEY_THREAD_ID: thread_id})
    turn = yield from begin_turn(saver, ensure_config(graph.config, config))
    try:
        for number, updates in enumerate(supersteps):
            first = number == 0
            config = yield from _superstep(graph, saver, config, updates, turn, is_first=first)
    finally:
        if turn is not None:
            yield from turn.end()
    return config


def _superstep(
    graph: AnyPregel,
    saver: BaseCheckpointSaver,
    config: RunnableConfig,
    updates: Sequence[StateUpdate],
    turn: Turn | None,
    *,
    is_first: bool = False,
) -> Steps[RunnableConfig]:
    config = own_history_config(graph, ensure_config(graph.config, config))
    saved = yield Call(saver, "get_tuple", (config,))
    namespace = config[CONF].get(CONFIG_KEY_CHECKPOINT_NS, "")
    place = patch_configurable(config, {CONFIG_KEY_CHECKPOINT_NS: namespace})
    if saved is not None:
        graph._migrate_checkpoint(saved.checkpoint)
        place = patch_configurable(config, saved.config[CONF])
    superseded = False
    if is_first and saved is not None:
        superseded = yield from is_superseded(saver, config, saved)
    if turn is not None:
        place = turn.signed(place, saved, forks=superseded)
    histories = None if saved is None else (yield from histories_of(graph, saver, saved))
    view = StateView(graph._native_plan, saved.checkpoint if saved else None, histories)
    step = saved.metadata.get("step", -1) if saved else -1
    # Pending writes belong to the checkpoint that was made of them, which this one stands beside.
    pending = [write[1:] for write in (saved.pending_writes or ())] if saved and is_first else ()
    sealed = set(view.delta_targets(pending))
    base = Base(graph, saver, config, saved, view, step, place, superseded, turn, sealed)

    values, as_node = updates[0][:2]
    if values is None and as_node == END:
        _reject_several(updates, "Cannot apply multiple updates when clearing state")
        stored = yield from _clear_tasks(base)
    elif as_node == INPUT:
        _reject_several(updates, "Cannot apply multiple updates when updating as input")
        stored = yield from _write_input(base, values)
    elif as_node == COPY:
        _reject_several(updates, "Cannot copy checkpoint with multiple updates")
        return (yield from _copy(base, values))
    else:
        stored = yield from _write_as_nodes(base, updates)
    return patch_checkpoint_map(stored, base.metadata)


def _reject_several(updates: Sequence[StateUpdate], message: str) -> None:
    if len(updates) > 1:
        raise InvalidUpdateError(message)


def _clear_tasks(base: Base) -> Steps[RunnableConfig]:
    """End the step: the output of finished tasks counts, the others have nothing to say."""
    view, saved = base.view, base.saved
    updated: set[str] = set()
    if saved is not None:
        tasks = base.planned()
        if null_writes := input_writes(saved.pending_writes):
            view.apply([(INPUT, (), False, null_writes)], base.versioning)
            updated.update(view.updated or ())
        finished = finished_output(saved.pending_writes)
        if tasks:
            view.apply(
                [(t.name, t.path, True, list(finished.get(t.id, ()))) for t in tasks.values()],
                base.versioning,
            )
            updated.update(view.updated or ())
    return (yield from base.put(base.step, "update", base.step + 1, updated))


def _write_input(base: Base, values: Any) -> Steps[RunnableConfig]:
    """Apply an input, as a run would."""
    channels = base.graph.input_channels
    writes = list(map_input(channels, values))
    if not writes:
        raise InvalidUpdateError(f"Received no input writes for {channels}")
    writes = base.view.admit(writes)
    task_id = str(uuid5(UUID(base.view.checkpoint_id), INPUT))
    made = [Writes(task_id, writes, None)]
    yield from _store_writes(base, made)
    base.view.apply([(INPUT, (), False, writes)], base.versioning)
    base.sealed.update(base.view.delta_targets(writes, overwritten=True))
    began = base.saved is not None and base.metadata.get("step") is not None
    step = base.step + 1 if began else -1
    return (yield from base.put(step, "input", step, base.view.updated, made))


def _copy(base: Base, values: Any) -> Steps[RunnableConfig]:
    """Store the checkpoint once more, beside itself, and apply `values`, a list of updates."""
    saved = base.saved
    if saved is None:
        raise InvalidUpdateError("Cannot copy a non-existent checkpoint")
    place = saved.parent_config or patch_configurable(
        saved.config, {CONFIG_KEY_CHECKPOINT_ID: None}
    )
    original = saved.checkpoint
    copy: Any = {
        "v": _FORMAT,
        "ts": timestamp(),
        "id": checkpoint_id(base.step),
        "channel_values": original["channel_values"],
        "channel_versions": original["channel_versions"],
        "versions_seen": original["versions_seen"],
        "updated_channels": None,
    }
    if base.turn is not None:
        place = base.turn.signed(place, None, forks=True)
    parents = saved.metadata.get("parents", {})
    metadata = {"source": "fork", "step": base.step + 1, "parents": parents}
    if counters := saved.metadata.get(_COUNTERS):
        # The copy has the same values and the same parent.
        metadata[_COUNTERS] = counters
    stored = yield Call(base.saver, "put", (place, copy, metadata, {}))
    named = patch_checkpoint_map(stored, saved.metadata)
    if not isinstance(values, list) or not values:
        return named
    histories = yield from histories_of(base.graph, base.saver, saved)
    view = StateView(base.graph._native_plan, copy, histories)
    updates = _assign_tasks(values, planned_tasks(view, stored, base.step + 2))
    return (yield from _superstep(base.graph, base.saver, named, updates, base.turn))


_COUNTERS = "counters_since_delta_snapshot"
"""What metadata says of delta channels."""

_FORMAT = 4
"""The version of the checkpoint format."""


def _assign_tasks(values: list[Any], tasks: Any) -> list[StateUpdate]:
    """Make updates of `(values, node)` items, node by node, each for a task if one is left."""
    free: defaultdict[str, list[str]] = defaultdict(list)
    for task in tasks.values():
        free[task.name].append(task.id)
    updates: defaultdict[str, list[StateUpdate]] = defaultdict(list)
    for item in values:
        if not isinstance(item, Sequence):
            raise InvalidUpdateError(f"Invalid update item: {item} when copying checkpoint")
        update, as_node = item[:2]
        task_id = free[as_node].pop(0) if free[as_node] else None
        updates[as_node].append(StateUpdate(update, as_node, task_id))
    return [update for group in updates.values() for update in group]


def _write_as_nodes(base: Base, updates: Sequence[StateUpdate]) -> Steps[RunnableConfig]:
    """Apply what the writers of nodes make of values."""
    free: defaultdict[str, list[str]] = defaultdict(list)
    if base.saved is not None and base.saved.pending_writes is not None:
        # With the ids of the tasks that were to run, the history shows the updates as results.
        for task in base.planned().values():
            free[task.name].append(task.id)
    made: list[Writes] = []
    items: list[Any] = []
    for position, (values, as_node, given_id) in enumerate(_checked(base, updates)):
        task_id = given_id or (
            free[as_node].pop(0) if free[as_node] else _new_task_id(base.view, position)
        )
        writes = base.view.admit((yield from run_writers(base, as_node, values, task_id)))
        check_update(base.graph, as_node, values)
        made.append(Writes(task_id, writes, position))
        items.append((as_node, (), True, writes))
    for written in made:
        base.sealed.update(base.view.delta_targets(written.writes, overwritten=True))
    yield from _store_writes(base, made)
    base.view.apply(items, base.versioning)
    step = base.step + 1
    updated = {channel for written in made for channel, _ in written.writes if channel != PUSH}
    stored = yield from base.put(step, "update", step, updated, made)
    for written in () if base.joins else made:
        if pushed := written.stored_with(pushed=True):
            yield Call(base.saver, "put_writes", (stored, pushed, written.task_id))
    return stored


def _checked(base: Base, updates: Sequence[StateUpdate]) -> list[tuple[Any, str, str | None]]:
    """Return the updates with their nodes, a single one's inferred if need be."""
    checked = []
    for values, as_node, task_id in updates:
        if as_node is None and len(updates) > 1:
            raise InvalidUpdateError("as_node is required when applying multiple updates")
        if as_node is None:
            as_node = _infer_node(base)
        if as_node is None:
            raise InvalidUpdateError("Ambiguous update, specify as_node")
        if as_node not in base.graph.nodes:
            error = InvalidUpdateError(f"Node {as_node} does not exist")
            raise explained(error, as_node, visible(base.graph.nodes), "The nodes")
        checked.append((values, as_node, task_id))
    return checked


def _infer_node(base: Base) -> str | None:
    """Return the node that ran last, if it is one alone."""
    nodes, channels = base.graph.nodes, base.graph.input_channels
    if len(nodes) == 1:
        return next(iter(nodes))
    seen = versions_read(base.saved.checkpoint["versions_seen"]) if base.saved else {}
    if not any(version for versions in seen.values() for version in versions.values()):
        return channels if isinstance(channels, str) and channels in nodes else None
    latest = sorted((v, node) for node in seen if node in nodes for v in seen[node].values())
    if not latest or (len(latest) > 1 and latest[-1][0] == latest[-2][0]):
        return None
    return latest[-1][1]


def _new_task_id(view: StateView, position: int) -> str:
    # One id each: savers keep a single write per task and index.
    name = f"{INTERRUPT}:{position}" if position else INTERRUPT
    return str(uuid5(UUID(view.checkpoint_id), name))


def _store_writes(base: Base, made: list[Writes]) -> Steps[None]:
    """Store writes with the checkpoint they are applied to, where the history looks for results.

    Not if the thread has moved past it: it would look as if its other children had come from them.
    """
    saver, saved = base.saver, base.saved
    if saved is None:
        return
    if base.superseded:
        for written in made:
            base.sealed.update(base.view.delta_targets(written.writes))
        return
    for written in () if base.joins else made:
        if writes := written.stored_with(pushed=False):
            arguments = (base.place, writes, written.task_id)
            path = {} if written.position is None else {"task_path": written.path}
            yield Call(saver, "put_writes", arguments, optional=path)
