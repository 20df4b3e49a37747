"""Running a prepared task with its retry policies, for code that has tasks but no graph run.

The engine itself decides about attempts natively; servers that distribute tasks run them with
`run_with_retry` and `arun_with_retry`.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import is_dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._config import patch_configurable, recast_checkpoint_ns
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_RESUMING,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_TASK_ID,
    CONFIG_KEY_THREAD_ID,
    NS_SEP,
    RETURN,
)
from langgraph_rust._internal._log import retrying
from langgraph_rust._internal._retry import _should_retry_on, matching_policy
from langgraph_rust._internal._timeout import sync_timeout_unsupported
from langgraph_rust.errors import GraphBubbleUp, NodeCancelledError, ParentCommand
from langgraph_rust.pregel._run.timed import (
    TimedAttempt,
    TimedAttemptScope,
    _AttemptContext,
    _AttemptEvent,
)
from langgraph_rust.runtime import ExecutionInfo, Runtime
from langgraph_rust.types import Command, PregelExecutableTask, RetryPolicy

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

__all__ = (
    "_AttemptContext",
    "_AttemptEvent",
    "_TimedAttemptScope",
    "_checkpoint_ns_for_parent_command",
    "_ensure_execution_info",
    "_should_retry_on",
    "arun_with_retry",
    "run_with_retry",
)

_TimedAttemptScope = TimedAttemptScope


def run_with_retry(
    task: PregelExecutableTask,
    retry_policy: Sequence[RetryPolicy] | None,
    configurable: dict[str, Any] | None = None,
) -> Any:
    """Run a task, again if it fails and a policy says so, and return its result.

    Args:
        task: The task. Its writes are those of the last attempt.
        retry_policy: Policies for a task that has none of its own.
        configurable: What to put into the `configurable` of its config.

    Raises:
        ValueError: The task has a timeout, which only async tasks can have.
        ParentCommand: The task has a command for a graph around its own.
        NodeCancelledError: The task raised `asyncio.CancelledError`.
    """
    if task.timeout is not None:
        raise sync_timeout_unsupported(task.name)
    policies = task.retry_policy or retry_policy
    config = _first_config(task, configurable)
    for failures in count():
        config = _numbered(config, failures + 1)
        task.writes.clear()
        try:
            return task.proc.invoke(task.input, config)
        except ParentCommand as exc:
            if not _take_command(exc, task, config):
                raise
            return None
        except GraphBubbleUp:
            raise
        except asyncio.CancelledError as exc:
            # There is nothing to cancel in a thread, so the task raised it itself.
            raise NodeCancelledError(task.name) from exc
        except Exception as exc:
            delay = _delay_after(exc, task, policies, failures + 1)
            if delay is None:
                raise
            time.sleep(delay)
            config = _config_after(exc, task, config, delay, failures + 1)


async def arun_with_retry(
    task: PregelExecutableTask,
    retry_policy: Sequence[RetryPolicy] | None,
    stream: bool = False,
    configurable: dict[str, Any] | None = None,
) -> Any:
    """Do what `run_with_retry` does, asynchronously and within the task's time limits.

    With `stream`, the task is run by `astream`; its result is then what it wrote as such.

    Raises:
        NodeTimeoutError: The last attempt exceeded a limit.
    """
    policies = task.retry_policy or retry_policy
    config = _first_config(task, configurable)
    for failures in count():
        config = _numbered(config, failures + 1)
        task.writes.clear()
        try:
            return await _attempt(task, config, stream)
        except GraphBubbleUp:
            raise
        except asyncio.CancelledError as exc:
            if _is_cancelled_from_outside():
                raise
            raise NodeCancelledError(task.name) from exc
        except Exception as exc:
            delay = _delay_after(exc, task, policies, failures + 1)
            if delay is None:
                raise
            await asyncio.sleep(delay)
            config = _config_after(exc, task, config, delay, failures + 1)


async def _attempt(task: PregelExecutableTask, config: RunnableConfig, stream: bool) -> Any:
    """Run a task once, and handle the command it may raise."""
    if task.timeout is None:
        timed = None
    else:
        timed = TimedAttempt(task.timeout, config, name=task.name, task_id=task.id)

    async def work(config: RunnableConfig, scope: TimedAttemptScope | None) -> Any:
        if not stream:
            return await task.proc.ainvoke(task.input, config)
        async for _ in task.proc.astream(task.input, config):
            if scope is not None and task.timeout.refresh_on == "auto":  # type: ignore[union-attr]
                scope.touch()
        return next((value for channel, value in task.writes if channel == RETURN), None)

    result, error = None, None
    try:
        if timed is None:
            result = await work(config, None)
        else:
            result = await timed.run(work, discard=task.writes.clear)
    except ParentCommand as exc:
        try:
            if not _take_command(exc, task, config):
                raise
        except BaseException as exc:
            error = None if isinstance(exc, GraphBubbleUp) else exc
            raise
    except GraphBubbleUp:
        raise
    except BaseException as exc:
        error = exc
        raise
    finally:
        if timed is not None:
            timed.finish(error)
    return result


def _first_config(
    task: PregelExecutableTask, configurable: dict[str, Any] | None
) -> RunnableConfig:
    """Return the task's config, with a runtime that knows when its first attempt began."""
    config = task.config
    if configurable is not None:
        config = patch_configurable(config, configurable)
    runtime = config.get(CONF, {}).get(CONFIG_KEY_RUNTIME)
    if not isinstance(runtime, Runtime):
        return config
    runtime = _ensure_execution_info(runtime, config, task)
    runtime = runtime.patch_execution_info(node_first_attempt_time=time.time())
    return patch_configurable(config, {CONFIG_KEY_RUNTIME: runtime})


def _numbered(config: RunnableConfig, attempt: int) -> RunnableConfig:
    """Return the config for an attempt; they count from 1."""
    runtime = config.get(CONF, {}).get(CONFIG_KEY_RUNTIME)
    if not isinstance(runtime, Runtime):
        return config
    numbered = runtime.patch_execution_info(node_attempt=attempt)
    return patch_configurable(config, {CONFIG_KEY_RUNTIME: numbered})


def _ensure_execution_info(
    runtime: Runtime, config: RunnableConfig, task: PregelExecutableTask
) -> Runtime:
    """Return the runtime with an `execution_info`, made from the config if it has none."""
    if runtime.execution_info is not None:
        return runtime
    conf = config.get(CONF, {})
    run_id = config.get("run_id")
    info = ExecutionInfo(
        checkpoint_id=conf.get(CONFIG_KEY_CHECKPOINT_ID) or "",
        checkpoint_ns=conf.get(CONFIG_KEY_CHECKPOINT_NS) or "",
        task_id=conf.get(CONFIG_KEY_TASK_ID) or task.id,
        thread_id=conf.get(CONFIG_KEY_THREAD_ID),
        run_id=str(run_id) if run_id else None,
    )
    return runtime.override(execution_info=info)


def _take_command(exc: ParentCommand, task: PregelExecutableTask, config: RunnableConfig) -> bool:
    """Give a command for this graph to the task's writers; tell whether it is one.

    One for the graph around this is given that graph's namespace, so that it is known there.
    """
    ns = config[CONF][CONFIG_KEY_CHECKPOINT_NS]
    command = exc.args[0]
    if command.graph in (ns, recast_checkpoint_ns(ns), task.name):
        for writer in task.writers:
            writer.invoke(command, config)
        return True
    if command.graph == Command.PARENT:
        exc.args = (replace(command, graph=_checkpoint_ns_for_parent_command(ns)),)
    return False


def _checkpoint_ns_for_parent_command(ns: str) -> str:
    """Return the namespace of the task whose graph the task at `ns` runs in.

    Segments that are mere numbers, which tell concurrent runs of a subgraph apart, are no levels.
    """
    segments = ns.split(NS_SEP)
    _drop_numbers(segments)
    if segments:
        segments.pop()
    _drop_numbers(segments)
    return NS_SEP.join(segments)


def _drop_numbers(segments: list[str]) -> None:
    while segments and segments[-1].isdigit():
        segments.pop()


def _is_cancelled_from_outside() -> bool:
    """Whether the `CancelledError` just caught is due to someone cancelling the current task."""
    task = asyncio.current_task()
    # Before 3.11 tasks do not count the requests, so one has to be assumed.
    return not hasattr(task, "cancelling") or task.cancelling() > 0  # type: ignore[union-attr]


def _delay_after(
    exc: Exception,
    task: PregelExecutableTask,
    policies: Sequence[RetryPolicy] | None,
    failures: int,
) -> float | None:
    """Return the seconds until the next attempt, `None` if there is none."""
    if sys.version_info >= (3, 11):
        exc.add_note(f"During task with name '{task.name}' and id '{task.id}'")
    policy = matching_policy(policies, exc)
    if policy is None or failures >= policy.max_attempts:
        return None
    delay = policy.initial_interval * policy.backoff_factor ** (failures - 1)
    delay = min(policy.max_interval, delay)
    return delay + random.uniform(0, 1) if policy.jitter else delay


def _config_after(
    exc: Exception,
    task: PregelExecutableTask,
    config: RunnableConfig,
    delay: float,
    failures: int,
) -> RunnableConfig:
    """Return the config for the attempt after a failed one."""
    retrying(task.name, delay, failures, exc)
    # Subgraphs go on from where they failed.
    patch: dict[str, Any] = {CONFIG_KEY_RESUMING: True}
    scratchpad = config[CONF].get(CONFIG_KEY_SCRATCHPAD)
    if is_dataclass(scratchpad) and not isinstance(scratchpad, type):
        # The task asks its questions again, so they count from the first to get their answers.
        patch[CONFIG_KEY_SCRATCHPAD] = replace(scratchpad, interrupt_counter=count().__next__)
    return patch_configurable(config, patch)
