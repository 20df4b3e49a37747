"""Time limits of async nodes, and attempts of tasks that are run by hand."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import Any

import pytest
from typing_extensions import TypedDict

from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CALL,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_RESUMING,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SEND,
    CONFIG_KEY_STREAM,
    CONFIG_KEY_TIMED_ATTEMPT_OBSERVER,
)
from langgraph_rust._internal._retry import matching_policy
from langgraph_rust._internal._runnable import RunnableCallable
from langgraph_rust.constants import START
from langgraph_rust.errors import (
    GraphInterrupt,
    NodeCancelledError,
    NodeTimeoutError,
    ParentCommand,
)
from langgraph_rust.graph import StateGraph
from langgraph_rust.pregel._executor.retry import arun_with_retry, run_with_retry
from langgraph_rust.pregel._run.call import new_future, resolve_future
from langgraph_rust.pregel._run.timed import TimedAttemptScope, ainvoke_timed
from langgraph_rust.pregel.protocol import StreamProtocol
from langgraph_rust.runtime import ExecutionInfo, Runtime
from langgraph_rust.types import Command, PregelExecutableTask, RetryPolicy, TimeoutPolicy

NEVER = 60.0
SOON = 0.02


def make_config(**conf: Any) -> Any:
    info = ExecutionInfo(checkpoint_id="c", checkpoint_ns="node:1", task_id="1")
    runtime = Runtime(execution_info=info)
    return {CONF: {CONFIG_KEY_RUNTIME: runtime, CONFIG_KEY_CHECKPOINT_NS: "node:1", **conf}}


async def run(func: Any, timeout: TimeoutPolicy, **conf: Any) -> Any:
    runnable = RunnableCallable(None, func, name="node", trace=False)
    config = make_config(**conf)
    return await ainvoke_timed(runnable, 1, config, TimeoutPolicy.coerce(timeout), "node")


def idle(seconds: float, refresh_on: Any = "auto") -> TimeoutPolicy:
    return TimeoutPolicy(idle_timeout=seconds, refresh_on=refresh_on)


async def test_result_in_time() -> None:
    async def node(x: int) -> int:
        await asyncio.sleep(0)
        return x + 1

    assert await run(node, TimeoutPolicy(run_timeout=NEVER, idle_timeout=NEVER)) == 2


@pytest.mark.parametrize("kind", ["run", "idle"])
async def test_time_is_up(kind: Any) -> None:
    async def node(x: int) -> None:
        await asyncio.sleep(NEVER)

    limits = {"run_timeout": NEVER, "idle_timeout": NEVER, f"{kind}_timeout": SOON}
    with pytest.raises(NodeTimeoutError) as raised:
        await run(node, TimeoutPolicy(**limits))
    assert raised.value.node == "node"
    assert raised.value.kind == kind
    assert raised.value.timeout == SOON
    assert raised.value.elapsed >= SOON


async def test_a_node_cannot_swallow_the_timeout_nor_write_after_it() -> None:
    written: list[Any] = []
    late = asyncio.Event()

    async def node(x: int, config: Any) -> None:
        send = config[CONF][CONFIG_KEY_SEND]
        send([("early", 1)])
        try:
            await asyncio.sleep(NEVER)
        except asyncio.CancelledError:
            send([("late", 1)])
            config[CONF][CONFIG_KEY_STREAM](((), "custom", 1))
            config[CONF][CONFIG_KEY_RUNTIME].stream_writer(1)
            with pytest.raises(asyncio.CancelledError):
                config[CONF][CONFIG_KEY_CALL]()
            late.set()

    node.__annotations__["config"] = "RunnableConfig"
    with pytest.raises(NodeTimeoutError):
        await run(
            node,
            TimeoutPolicy(run_timeout=SOON),
            **{
                CONFIG_KEY_SEND: written.extend,
                CONFIG_KEY_STREAM: StreamProtocol(written.append, {"custom"}),
                CONFIG_KEY_CALL: lambda: written.append("called"),
            },
        )
    await asyncio.wait_for(late.wait(), NEVER)
    assert written == [("early", 1)]


async def test_errors_of_the_node_are_its_own() -> None:
    async def node(x: int) -> None:
        raise asyncio.TimeoutError("mine")

    with pytest.raises(asyncio.TimeoutError, match="mine"):
        await run(node, TimeoutPolicy(run_timeout=NEVER))


def test_what_counts_as_progress() -> None:
    def progress(refresh_on: Any, use: Any) -> bool:
        scope = TimedAttemptScope(refresh_on=refresh_on)
        scope._last_progress = 0.0
        config = scope.wrap_config(
            make_config(
                **{
                    CONFIG_KEY_SEND: lambda writes: None,
                    CONFIG_KEY_STREAM: StreamProtocol(lambda chunk: None, {"values"}),
                    CONFIG_KEY_CALL: lambda: None,
                }
            )
        )
        use(config[CONF], config.get("callbacks"))
        return scope._last_progress > 0

    uses = [
        lambda conf, callbacks: conf[CONFIG_KEY_SEND]([("a", 1)]),
        lambda conf, callbacks: conf[CONFIG_KEY_STREAM](((), "values", 1)),
        lambda conf, callbacks: conf[CONFIG_KEY_CALL](),
        lambda conf, callbacks: conf[CONFIG_KEY_RUNTIME].stream_writer(1),
        lambda conf, callbacks: callbacks and callbacks[0].on_llm_new_token("a"),
    ]
    assert [progress("auto", use) for use in uses] == [True] * 5
    assert [progress("heartbeat", use) for use in uses] == [False] * 5
    for refresh_on in ("auto", "heartbeat"):
        assert progress(refresh_on, lambda conf, callbacks: conf[CONFIG_KEY_RUNTIME].heartbeat())


async def test_progress_moves_the_idle_limit() -> None:
    scope = TimedAttemptScope(refresh_on="heartbeat")
    waiting = asyncio.create_task(scope.wait_until_idle(SOON))
    scope._last_progress += 1
    await asyncio.sleep(2 * SOON)
    assert not waiting.done()
    scope._last_progress = 0.0
    waiting.cancel()
    await asyncio.wait_for(scope.wait_until_idle(SOON), NEVER)


@pytest.mark.parametrize(
    ("error", "status"),
    [(None, "success"), (GraphInterrupt(()), "success"), (KeyError(1), "error")],
)
async def test_the_observer_hears_of_starts_and_ends(error: Any, status: str) -> None:
    events: list[Any] = []

    async def node(x: int) -> int:
        if error is not None:
            raise error
        return x

    observed = {CONFIG_KEY_TIMED_ATTEMPT_OBSERVER: events.append}
    with suppress(GraphInterrupt, KeyError):
        await run(node, TimeoutPolicy(run_timeout=NEVER), **observed)
    start, finish = events
    assert (start.event, finish.event, finish.status) == ("start", "finish", status)
    assert start.context is finish.context
    assert (start.context.task_name, start.context.run_timeout_secs) == ("node", NEVER)
    assert finish.error_type == (None if status == "success" else "KeyError")


async def test_a_failing_observer_harms_nobody() -> None:
    async def node(x: int) -> int:
        return x

    def observe(event: Any) -> None:
        raise ValueError

    observed = {CONFIG_KEY_TIMED_ATTEMPT_OBSERVER: observe}
    assert await run(node, idle(NEVER), **observed) == 1


async def test_graph_with_a_time_limit() -> None:
    class State(TypedDict):
        x: int

    async def slow(state: State) -> State:
        await asyncio.sleep(NEVER)
        return {"x": 1}

    policy = TimeoutPolicy(run_timeout=SOON)
    graph = StateGraph(State).add_node("slow", slow, timeout=policy).add_edge(START, "slow")
    with pytest.raises(NodeTimeoutError):
        await graph.compile().ainvoke({"x": 0})


# --- Attempts ------------------------------------------------------------------------------------


def make_task(func: Any, afunc: Any = None, **details: Any) -> PregelExecutableTask:
    writes: deque[Any] = deque()
    config = make_config(**{CONFIG_KEY_SEND: writes.extend})
    proc = RunnableCallable(func, afunc, name="node", trace=False)
    fields = {"retry_policy": (), "writers": (), **details}
    retry = fields.pop("retry_policy")
    return PregelExecutableTask(
        "node", 1, proc, writes, config, (), retry, None, "1", ("__pregel_pull", "node"), **fields
    )


RETRY = RetryPolicy(initial_interval=1.0, max_attempts=3, jitter=False, retry_on=KeyError)


def test_attempts_wait_ever_longer(monkeypatch: Any) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    seen: list[Any] = []

    def node(x: int, config: Any) -> int:
        runtime = config[CONF][CONFIG_KEY_RUNTIME]
        resuming = config[CONF].get(CONFIG_KEY_RESUMING)
        seen.append((runtime.execution_info.node_attempt, resuming))
        config[CONF][CONFIG_KEY_SEND]([("a", len(seen))])
        if len(seen) < 3:
            raise KeyError
        return x

    node.__annotations__["config"] = "RunnableConfig"
    task = make_task(node)
    assert run_with_retry(task, [RETRY]) == 1
    assert waits == [1.0, 2.0]
    assert seen == [(1, None), (2, True), (3, True)]
    assert list(task.writes) == [("a", 3)]


async def test_attempts_end(monkeypatch: Any) -> None:
    async def no_wait(seconds: float) -> None:
        pass

    monkeypatch.setattr(asyncio, "sleep", no_wait)
    calls: list[int] = []

    async def node(x: int) -> None:
        calls.append(x)
        raise KeyError

    with pytest.raises(KeyError) as raised:
        await arun_with_retry(make_task(None, node, retry_policy=(RETRY,)), None)
    assert len(calls) == 3
    notes = getattr(raised.value, "__notes__", [])
    assert notes == [] or notes[0] == "During task with name 'node' and id '1'"


def test_the_first_policy_that_wants_decides() -> None:
    other = RetryPolicy(retry_on=ValueError)
    never = RetryPolicy(retry_on=lambda exc: False)
    assert matching_policy([never, other, RETRY], KeyError()) is RETRY
    assert matching_policy(RETRY, KeyError()) is RETRY
    assert matching_policy([RetryPolicy(retry_on=(KeyError,))], ValueError()) is None
    assert matching_policy(None, ValueError()) is None
    with pytest.raises(TypeError, match="retry_on must be an Exception class"):
        matching_policy(RetryPolicy(retry_on=1), ValueError())  # type: ignore[arg-type]


@pytest.mark.parametrize("graph", ["node:1", "node"])
def test_commands_for_the_task_go_to_its_writers(graph: str) -> None:
    command = Command(graph=graph, goto="x")

    def node(x: int) -> None:
        raise ParentCommand(command)

    taken: list[Any] = []
    writer = RunnableCallable(taken.append, trace=False)
    run_with_retry(make_task(node, writers=(writer,)), None)
    assert taken == [command]


def test_commands_for_the_graph_around_are_addressed() -> None:
    def node(x: int) -> None:
        raise ParentCommand(Command(graph=Command.PARENT))

    task = make_task(node)
    task.config[CONF][CONFIG_KEY_CHECKPOINT_NS] = "outer:1|2|node:3|4"
    with pytest.raises(ParentCommand) as raised:
        run_with_retry(task, None)
    assert raised.value.args[0].graph == "outer:1"


async def test_a_cancellation_of_ones_own_is_a_failure() -> None:
    def node(x: int) -> None:
        raise asyncio.CancelledError

    async def anode(x: int) -> None:
        raise asyncio.CancelledError

    with pytest.raises(NodeCancelledError):
        run_with_retry(make_task(node), None)
    if hasattr(asyncio.Task, "cancelling"):
        with pytest.raises(NodeCancelledError):
            await arun_with_retry(make_task(None, anode), None)


def test_sync_tasks_cannot_have_limits() -> None:
    task = make_task(lambda x: x, timeout=TimeoutPolicy(run_timeout=1))
    with pytest.raises(ValueError, match="only supported for async nodes"):
        run_with_retry(task, None)


async def test_futures_of_calls() -> None:
    looped, threaded = new_future(True), new_future(False)
    assert asyncio.isfuture(looped)
    assert not asyncio.isfuture(threaded)
    # From a thread of an async run there is no loop to be awaited on.
    assert not asyncio.isfuture(await asyncio.to_thread(new_future, True))

    await asyncio.to_thread(resolve_future, looped, 1, None)
    assert await asyncio.wait_for(looped, NEVER) == 1
    resolve_future(looped, 2, None)
    assert looped.result() == 1

    resolve_future(threaded, None, "stored")
    with pytest.raises(Exception, match="stored"):
        threaded.result()
    cancelled = new_future(True)
    cancelled.cancel()
    resolve_future(cancelled, 1, None)
    assert cancelled.cancelled()
