"""What servers import to run tasks themselves does what the engine does."""

from __future__ import annotations

import operator
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Annotated, Any

import pytest
from langchain_core.runnables import RunnableConfig
from typing_extensions import TypedDict

from langgraph_rust._internal._constants import CONF
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.graph import END, START, StateGraph
from langgraph_rust.managed import RemainingSteps
from langgraph_rust.pregel import Pregel
from langgraph_rust.pregel._executor.algo import LazyAtomicCounter, apply_writes
from langgraph_rust.pregel._executor.checkpoint import (
    channels_from_checkpoint,
    copy_checkpoint,
    create_checkpoint,
)
from langgraph_rust.pregel._executor.prepare import prepare_next_tasks
from langgraph_rust.pregel._executor.retry import run_with_retry
from langgraph_rust.runtime import Runtime
from langgraph_rust.types import Command, PregelExecutableTask, RetryPolicy, Send, StateSnapshot

CONFIG: Any = {"configurable": {"thread_id": "1", "checkpoint_ns": ""}}


class State(TypedDict, total=False):
    n: int
    log: Annotated[list, operator.add]
    left: RemainingSteps


def note(name: str) -> Callable[[State], Any]:
    return lambda state: {"log": [name], "n": state.get("n", 0) + 1}


def chain() -> StateGraph:
    builder = StateGraph(State)
    return builder.add_sequence([("a", note("a")), ("b", note("b"))]).add_edge(START, "a")


def loop() -> StateGraph:
    builder = StateGraph(State).add_node("a", note("a")).add_edge(START, "a")
    return builder.add_conditional_edges("a", lambda state: "a" if state["n"] < 4 else END)


def diamond() -> StateGraph:
    builder = StateGraph(State)
    for name in ("left_", "right", "join"):
        builder.add_node(name, lambda state, name=name: {"log": [name]})
    builder.add_edge(START, "left_").add_edge(START, "right")
    return builder.add_edge(["left_", "right"], "join")


def packets() -> StateGraph:
    builder = StateGraph(State).add_node("work", lambda given: {"log": [given]})
    builder.add_node("send", lambda state: Command(goto=[Send("work", i) for i in range(3)]))
    return builder.add_edge(START, "send")


def managed() -> StateGraph:
    builder = StateGraph(State).add_node("a", lambda state: {"log": [state["left"]]})
    return builder.add_edge(START, "a")


GRAPHS = [chain, loop, diamond, packets, managed]


def ran(make: Callable[[], StateGraph]) -> tuple[Pregel, list[Any], list[StateSnapshot]]:
    """Run a graph; return it with its checkpoints and states, from the first."""
    saver = InMemorySaver()
    graph = make().compile(checkpointer=saver)
    graph.invoke({"n": 0}, CONFIG)
    states = list(graph.get_state_history(CONFIG))
    return graph, list(saver.list(CONFIG))[::-1], states[::-1]


def prepared(graph: Pregel, saved: Any, *, for_execution: bool = True) -> Any:
    channels, values = channels_from_checkpoint(graph.channels, saved.checkpoint)
    step = saved.metadata["step"] + 1
    tasks = prepare_next_tasks(
        saved.checkpoint,
        [],
        graph.nodes,
        channels,
        values,
        CONFIG,
        step,
        10007,
        for_execution=for_execution,
    )
    return channels, tasks


@pytest.mark.parametrize("make", GRAPHS)
def test_the_next_tasks_are_those_of_the_engine(make: Callable[[], StateGraph]) -> None:
    graph, checkpoints, states = ran(make)
    for saved, state in zip(checkpoints, states, strict=True):
        expected = [(task.id, task.name, task.path) for task in state.tasks]
        for for_execution in (False, True):
            _, tasks = prepared(graph, saved, for_execution=for_execution)
            assert [(t.id, t.name, t.path) for t in tasks.values()] == expected
            assert [*tasks] == [task.id for task in state.tasks]


@pytest.mark.parametrize("make", GRAPHS)
def test_running_and_applying_them_gives_the_next_checkpoint(
    make: Callable[[], StateGraph],
) -> None:
    graph, checkpoints, _ = ran(make)
    for saved, following in pairwise(checkpoints):
        channels, tasks = prepared(graph, saved)
        for task in tasks.values():
            run_with_retry(task, None)
        checkpoint = copy_checkpoint(saved.checkpoint)
        versions = iter_versions(following.checkpoint)
        changed = apply_writes(
            checkpoint, channels, tasks.values(), versions, graph.trigger_to_nodes
        )
        made = create_checkpoint(checkpoint, channels, 0, updated_channels=changed)
        for part in ("channel_values", "channel_versions", "versions_seen", "updated_channels"):
            assert made[part] == following.checkpoint[part], part


def iter_versions(checkpoint: Any) -> Callable[[Any, None], Any]:
    """Return a function that makes the version which a run made."""
    return lambda current, channel: max(checkpoint["channel_versions"].values())


def test_a_task_is_given_what_a_run_would_give_it() -> None:
    seen: list[Any] = []

    def node(state: State, config: RunnableConfig, runtime: Runtime) -> State:
        seen.append((state, {**config["metadata"]}, runtime.execution_info.task_id))
        return {}

    def make() -> StateGraph:
        return StateGraph(State).add_node("a", node).add_edge(START, "a")

    graph, checkpoints, _ = ran(make)
    _, tasks = prepared(graph, checkpoints[1])
    (task,) = tasks.values()
    assert isinstance(task, PregelExecutableTask)
    run_with_retry(task, None)
    (state, metadata, task_id), again = seen
    assert again[0] == state
    assert again[2] == task_id
    ours = {key: value for key, value in metadata.items() if key.startswith("langgraph_")}
    assert ours.items() <= again[1].items()


def test_attempts_wait_as_those_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    monkeypatch.setattr(random, "uniform", lambda low, high: 0.25)
    policies = [
        RetryPolicy(max_attempts=4, jitter=False, retry_on=ValueError),
        RetryPolicy(initial_interval=3, backoff_factor=5, max_interval=20, max_attempts=4),
    ]

    def failing(state: State) -> State:
        raise ValueError if state["n"] else ConnectionError

    builder = StateGraph(State).add_node("a", failing, retry_policy=policies)
    graph = builder.add_edge(START, "a").compile(checkpointer=InMemorySaver())
    for n in (0, 1):
        config: Any = {CONF: {"thread_id": str(n), "checkpoint_ns": ""}}
        with pytest.raises((ValueError, ConnectionError)):
            graph.invoke({"n": n}, config)
        by_run, waited[:] = [*waited], []
        assert graph.checkpointer
        _, tasks = prepared(graph, graph.checkpointer.get_tuple(config))
        with pytest.raises((ValueError, ConnectionError)):
            run_with_retry(next(iter(tasks.values())), None)
        assert len(by_run) == 3
        assert waited == by_run
        waited.clear()


def test_counters_count_from_any_thread() -> None:
    counter = LazyAtomicCounter()
    with ThreadPoolExecutor(4) as pool:
        numbers: Iterator[int] = pool.map(lambda _: counter(), range(100))
        assert sorted(numbers) == list(range(100))


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("pregel._algo", "PregelTaskWrites _proc_input _scratchpad local_read apply_writes"),
        ("pregel._algo", "LazyAtomicCounter prepare_next_tasks task_path_str"),
        ("pregel._checkpoint", "channels_from_checkpoint copy_checkpoint empty_checkpoint"),
        ("pregel._retry", "arun_with_retry run_with_retry"),
        ("pregel._call", "identifier"),
        ("pregel._read", "PregelNode"),
        ("pregel._tools", "_tool_call_writer"),
        ("graph.state", "Pregel PregelNode RunnableConfig"),
        ("_internal._constants", "CONFIG_KEY_READ_STATE CONFIG_KEY_RUNNER_SUBMIT"),
    ],
)
def test_names_that_published_packages_import(module: str, names: str) -> None:
    for name in names.split():
        exec(f"from langgraph_rust.{module} import {name}")
