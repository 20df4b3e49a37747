"""Where an attempt begins: with the run's input, or with what an earlier attempt has stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from langgraph_rust._internal._config import patch_configurable
from langgraph_rust._internal._constants import CONFIG_KEY_RESUMES_OWN, INTERRUPT
from langgraph_rust.checkpoint.single_writer import ThreadConflictError
from langgraph_rust.constants import START
from langgraph_rust.runs._request import Request
from langgraph_rust.runs._worker._answers import Found, describe, left_of
from langgraph_rust.runs._worker._plans import Claim
from langgraph_rust.runs._worker._saver import LEASE_KEY, RunSaver
from langgraph_rust.types import Command

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import CheckpointTuple
    from langgraph_rust.checkpoint.postgres._plans import Rows
    from langgraph_rust.pregel import Pregel
    from langgraph_rust.types import All

__all__ = ("Beginning", "begin", "config_of", "goes_on")


@dataclass(frozen=True)
class Beginning:
    """Where an attempt begins."""

    input: Any
    config: RunnableConfig
    base: Mapping[str, Any] | None = None
    """What is stored of it, for a later attempt."""
    is_further: bool = False
    """Whether the attempts before have got anywhere since one of them began."""
    is_stopped: bool = False
    """Whether the run has come to a static interrupt already."""


def goes_on(input: Any) -> bool:
    """Whether a run goes on with what waits, rather than beginning with an input."""
    return input is None or isinstance(input, Command)


def config_of(run: Claim, request: Request, token: int) -> RunnableConfig:
    """Return the config that the graph runs with."""
    given = request["config"]
    own = {"thread_id": run.thread_id, LEASE_KEY: token}
    configurable = {**given.get("configurable", {}), **own}
    # What was applied by this run is told by the metadata of checkpoints.
    metadata = {**given.get("metadata", {}), "run_id": run.id, "run_attempt": run.attempt}
    made = {**given, "configurable": configurable, "metadata": metadata, "run_id": run.id}
    return cast("RunnableConfig", made)


async def begin(
    run: Claim, request: Request, graph: Pregel, saver: RunSaver, token: int
) -> Beginning:
    """Find out what was done of a run.

    An input is there with the first checkpoint that the run has stored. A command is applied to the
    checkpoint before, and may be there with none of the run's own; so may what tasks have written
    of a run that goes on with what waits.

    Args:
        run: The run.
        request: What it is to do.
        graph: Its graph.
        saver: Where its thread is.
        token: That of the lease on the thread: nobody else stores anything meanwhile.

    Raises:
        ThreadConflictError: it was begun, and somebody else has gone on with the thread since.
    """
    config, input = config_of(run, request, token), request["input"]
    if run.attempt == 1 and not goes_on(input):
        return Beginning(input, config)
    thread = {"thread_id": run.thread_id, "checkpoint_ns": ""}
    place: RunnableConfig = {"configurable": thread}
    stored = newest = await saver.aget_tuple(place)
    if named := config["configurable"].get("checkpoint_id"):
        # What is written on it tells what has become of an answer that was sent there.
        stored = await saver.aget_tuple({"configurable": {**thread, "checkpoint_id": named}})
    around = await saver.alook_around(run)
    found = describe(stored, saver.serde, *around)
    before = Found(**run.base) if run.base else None
    is_further = before is not None and before.rows != found.rows
    if before is not None and before.checkpoint == found.checkpoint:
        # What the first attempt found is what answers are compared with.
        found = found.since(before)
    base = found.as_data()
    if newest is not None and newest.metadata.get("run_id") == run.id:
        config = patch_configurable(_without_checkpoint(config), {CONFIG_KEY_RESUMES_OWN: True})
        is_stopped = await _is_stopped(request, graph, newest)
        return Beginning(None, config, base, is_further, is_stopped)
    if run.attempt > 1 and await _has_begun(run, before, found, saver, around):
        # To go on would undo what the other did, and to begin again would do it twice.
        head = newest and newest.checkpoint["id"]
        other = newest and newest.metadata.get("run_id")
        raise ThreadConflictError(
            f"Run {run.id} was cut off and cannot go on with thread '{run.thread_id}': "
            f"{f'run {other}' if other else 'another program'} has stored {head} there "
            "since. What this run had done until then is stored, its input or answer included; a "
            "run with the input None goes on from what is stored now",
            thread_id=run.thread_id,
            run_id=run.id,
            other_run_id=other,
            checkpoint_id=before and before.checkpoint,
            newest_checkpoint_id=head,
        )
    if run.attempt > 1 and request["durability"] == "exit" and _is_as_before(before, found):
        # Graphs within it may have stored theirs when they ended, on which it would run again.
        await saver.aroll_back(run)
        return Beginning(input, config, run.base)
    if isinstance(input, Command) and stored is not None:
        input = await left_of(input, found, stored, saver, token)
    return Beginning(input, config, base, is_further)


async def _has_begun(
    run: Claim,
    before: Found | None,
    found: Found,
    saver: RunSaver,
    around: tuple[Rows, int],
) -> bool:
    """Tell whether anything of the run is stored on its thread, behind what is newest there."""
    thread = {"thread_id": run.thread_id, "checkpoint_ns": ""}
    async for _ in saver.alist({"configurable": thread}, filter={"run_id": run.id}, limit=1):
        return True
    if before is None or before.checkpoint in (None, found.checkpoint):
        return False
    # A command may have been stored on the checkpoint that waited for it, and nothing since.
    place: RunnableConfig = {"configurable": {**thread, "checkpoint_id": before.checkpoint}}
    then = describe(await saver.aget_tuple(place), saver.serde, *around).since(before)
    return then.writes != before.writes or bool(then.changed)


def _is_as_before(before: Found | None, found: Found) -> bool:
    """Tell whether nothing of the run stands where it began."""
    return before is None or (before.checkpoint, before.writes) == (found.checkpoint, found.writes)


def _without_checkpoint(config: RunnableConfig) -> RunnableConfig:
    """The run has gone on from the checkpoint that it was to begin with."""
    named = ("checkpoint_id", "checkpoint_map", "checkpoint_ns")
    configurable = {k: v for k, v in config["configurable"].items() if k not in named}
    return {**config, "configurable": configurable}


async def _is_stopped(request: Request, graph: Pregel, stored: CheckpointTuple) -> bool:
    """Tell whether the run has come to where it is to stop; going on would pass that.

    It passes where it began, whose values it has seen.

    Args:
        request: Says where, unless the graph does.
        graph: The graph.
        stored: What the run stored last.
    """
    before = request["interrupt_before"] or graph.interrupt_before_nodes
    after = request["interrupt_after"] or graph.interrupt_after_nodes
    # Any versions can be compared, of whatever kind they are.
    checkpoint: Any = stored.checkpoint
    seen, versions = checkpoint["versions_seen"].get(INTERRUPT, {}), checkpoint["channel_versions"]
    if not any(name not in seen or version > seen[name] for name, version in versions.items()):
        return False
    if before and await _tasks_match(before, graph, stored.config):
        return True
    if not after or stored.metadata.get("source") != "loop" or stored.parent_config is None:
        return False
    return await _tasks_match(after, graph, stored.parent_config)


async def _tasks_match(nodes: All | Sequence[str], graph: Pregel, place: RunnableConfig) -> bool:
    """Tell whether a checkpoint's tasks are of some of these nodes."""
    tasks = {task.name for task in (await graph.aget_state(place)).tasks}
    return bool(tasks - {START} if nodes == "*" else tasks & {*nodes})
