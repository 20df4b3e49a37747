"""``python -m tests.executors.cluster``: two Ray nodes on this machine, one of which is killed.

Also: how long three nodes take that compute, what a remote step costs beside Ray's own round trip,
how soon a node is stopped, how often a large value is sent, what becomes of warm actors, and how
long chunks take.
"""

from __future__ import annotations

import operator
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import ray
from ray.cluster_utils import Cluster
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.errors import NodeTimeoutError
from langgraph_rust.executors import RayExecutor, WorkerDiedError, register
from langgraph_rust.graph import START, StateGraph
from tests.executors import nodes

ROUNDS = 300
ALLOWED = 1.3
"""A remote step takes at most so many of Ray's own round trips."""


class State(TypedDict, total=False):
    """What the graphs have."""

    log: Annotated[list[Any], operator.add]
    folder: str
    big: bytes


def graph(
    *functions: Callable[..., Any], saver: Any = None, timeout: float | None = None, **executor: Any
) -> Any:
    """A graph whose nodes run side by side on the cluster."""
    builder = StateGraph(State)
    for number, function in enumerate(functions):
        name = f"{function.__name__}-{number}"
        builder.add_node(name, function, executor={"kind": "ray", **executor}, timeout=timeout)
        builder.add_edge(START, name)
    return builder.compile(saver)


def main() -> int:
    """Try everything; returns how much failed."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    workers = [cluster.add_node(num_cpus=2) for _ in range(2)]
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    faults: list[str] = []
    warm = graph(nodes.nop)
    for _ in range(4):
        warm.invoke({})

    with tempfile.TemporaryDirectory() as folder:
        faults += lost_node(cluster, workers, Path(folder))
    faults += computing()
    faults += stopping()
    faults += sent_once()
    faults += too_many_actors()
    faults += idle_actors()
    faults += no_room()
    faults += chunks()
    faults += traced()
    faults += overhead()
    ray.shutdown()
    cluster.shutdown()
    for fault in faults:
        print(f"FAULT: {fault}")
    print(f"executors: on a cluster of two nodes, {len(faults)} faults")
    return len(faults)


def lost_node(cluster: Cluster, workers: list[Any], folder: Path) -> list[str]:
    """A node is killed while a task runs on it: the task runs again elsewhere, and counts once."""
    saver = InMemorySaver()
    config: Any = {"configurable": {"thread_id": "1"}}
    app = graph(nodes.lingers, nodes.nop, saver=saver)

    def kill() -> None:
        while not (began := nodes.begun(folder)):
            time.sleep(0.05)
        [lost] = [node for node in workers if node.node_id == began[0][1]]
        cluster.remove_node(lost, allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    result = app.invoke({"folder": str(folder)}, config)
    killer.join()
    began = nodes.begun(folder)
    places = len({node for _, node in began})
    print(f"a node killed in the middle: begun on {places} nodes, and then {result['log']}")
    history = [len(state.values.get("log", ())) for state in app.get_state_history(config)]
    faults = []
    if len(began) != 2 or began[0][1] == began[1][1]:
        faults.append(f"the task was begun {began}")
    if sorted(result["log"]) != ["lingered", "nop"] or history != [2, 0, 0]:
        faults.append(f"the result is {result['log']}, and stored were {history}")
    cluster.add_node(num_cpus=2)
    return faults


def computing() -> list[str]:
    """Three nodes that compute for half a second each take what the cores allow."""
    app = graph(nodes.spins, nodes.spins, nodes.spins)
    app.invoke({})
    times = []
    for _ in range(3):
        began = time.monotonic()
        app.invoke({})
        times.append(time.monotonic() - began)
    cores = os.cpu_count() or 1
    allowed = 1.5 / min(cores, 3)
    took = statistics.median(times)
    print(f"three nodes of 0.5 s: {took:.2f} s; {cores} cores allow {allowed:.2f} s at best")
    # Of three equal ones on two cores, the last runs alone unless the system shares it out.
    return [] if took < max(allowed, 0.5) * 1.7 else [f"three nodes took {took:.2f} s"]


def stopping() -> list[str]:
    """A node that computes for ever is stopped by its limit, and when a sibling fails."""
    builder = StateGraph(State).add_node("spins", nodes.for_ever, executor="ray", timeout=0.5)
    app = builder.add_edge(START, "spins").compile()
    began = time.monotonic()
    try:
        app.invoke({})
        return ["a time limit stopped nothing"]
    except NodeTimeoutError:
        limited = time.monotonic() - began
    app = graph(nodes.for_ever, nodes.fails)
    began = time.monotonic()
    try:
        app.invoke({})
        return ["a failure stopped nothing"]
    except ValueError:
        failed = time.monotonic() - began
    print(f"stopped after {limited:.2f} s by a limit of 0.5 s, {failed:.2f} s by a failure beside")
    return [] if limited < 1.5 and failed < 5 else ["nodes were stopped late"]


def sent_once() -> list[str]:
    """A large value that several nodes get is put into the object store once."""
    executor = RayExecutor()
    register("ray", executor)
    put: list[int] = []
    plain = ray.put
    ray.put = lambda value: put.append(len(value)) or plain(value)
    try:
        app = graph(*[nodes.measures] * 5)
        result = app.invoke({"big": os.urandom(20_000_000)})
    finally:
        ray.put = plain
    print(f"a value of 20 MB for five nodes: put {len(put)} times")
    return [] if len(put) == 1 and result["log"] == [20_000_000] * 5 else [f"it was put {put}"]


def ended(app: Any, within: float = 30.0) -> Any:
    """How a run ends, if it does in time: its result, or the error."""
    found: list[Any] = ["it did not end"]

    def run() -> None:
        try:
            found[0] = app.invoke({})
        except Exception as error:
            found[0] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(within)
    return found[0]


def too_many_actors() -> list[str]:
    """Of more actors than the cluster has room for, those that are there run all calls."""
    executor = RayExecutor(idle=1.0)
    register("ray", executor)
    result = ended(graph(*[nodes.dawdles] * 8, actors=8, num_cpus=1))
    faults = [] if result == {"log": ["dawdled"] * 8} else [f"eight actors on 4 CPUs: {result}"]
    # They end after a second, and those that never came with them.
    began = time.monotonic()
    result = ended(graph(*[nodes.nop] * 2))
    took = time.monotonic() - began
    print(f"eight actors on 4 CPUs run all calls; tasks after them wait {took:.2f} s for the CPUs")
    return faults if result == {"log": ["nop"] * 2} else [*faults, f"after actors: {result}"]


def idle_actors() -> list[str]:
    """Warm actors without resources of their own leave the CPUs to others."""
    executor = RayExecutor(idle=60.0)
    register("ray", executor)
    result = ended(graph(*[nodes.nop] * 8, actors=8))
    began = time.monotonic()
    after = ended(graph(*[nodes.nop] * 4))
    took = time.monotonic() - began
    executor.close()
    print(f"tasks after eight idle actors without resources: {took:.2f} s")
    expected = {"log": ["nop"] * 8}, {"log": ["nop"] * 4}
    return [] if (result, after) == expected else [f"idle actors: {result}, {after}"]


def no_room() -> list[str]:
    """What can never be placed is stopped by its limit; what cannot be made is an error."""
    executor = RayExecutor()
    register("ray", executor)
    began = time.monotonic()
    late = ended(graph(nodes.nop, actors=1, num_gpus=1, timeout=2.0))
    took = time.monotonic() - began
    broken = ended(graph(nodes.nop, actors=1, max_retries=0, runtime_env={"conda": "none-such"}))
    executor.close()
    print(f"an actor that has no room is given up after {took:.2f} s, as its limit is 2 s")
    faults = [] if isinstance(late, NodeTimeoutError) and took < 4 else [f"no room: {late!r}"]
    is_said = isinstance(broken, WorkerDiedError) and "runtime env" in str(broken)
    return faults if is_said else [*faults, f"no environment: {broken!r}"]


def chunks() -> list[str]:
    """Many small chunks cost no call of Ray's each."""
    app = graph(nodes.chats)
    began = time.monotonic()
    heard = list(app.stream({}, stream_mode="custom"))
    took = time.monotonic() - began
    print(f"20,000 chunks: {took:.2f} s")
    return [] if heard == list(range(20_000)) and took < 5 else [f"chunks took {took:.2f} s"]


def traced() -> list[str]:
    """A span in a remote node is a child of the one around the run at home."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    trace.set_tracer_provider(TracerProvider())
    app = graph(nodes.traced)
    with trace.get_tracer("tests").start_as_current_span("run") as span:
        around = span.get_span_context()
        [found] = app.invoke({})["log"]
    print(f"a remote node is in the trace {found[0]:x}, as the run around it")
    return [] if found == (around.trace_id, around.span_id) else [f"it is in {found}, not {around}"]


def overhead() -> list[str]:
    """What a remote step takes beside Ray's own round trip, in alternation."""

    @ray.remote
    def task(given: bytes) -> bytes:
        return given

    @ray.remote
    class Actor:
        def run(self, given: bytes) -> bytes:
            return given

    actor: Any = Actor.remote()
    given = b"x" * 1000
    on_task, on_actor = graph(nodes.nop), graph(nodes.nop, actors=1)
    ways: dict[str, Callable[[], Any]] = {
        "a task of Ray's": lambda: ray.get(task.remote(given)),
        "a step as a task": lambda: on_task.invoke({}),
        "a call of an actor of Ray's": lambda: ray.get(actor.run.remote(given)),
        "a step in a warm actor": lambda: on_actor.invoke({}),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for round in range(ROUNDS + 20):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            if round >= 20:
                times[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(taken) * 1000 for name, taken in times.items()}
    for name, median in medians.items():
        print(f"{name}: {median:.2f} ms")
    plain, ours, plain_actor, our_actor = medians.values()
    share, warm = ours / plain, our_actor / plain_actor
    print(f"a remote step takes {share:.2f} of Ray's round trips; {warm:.2f} in a warm actor")
    return [] if share <= ALLOWED else [f"a remote step takes {share:.2f} round trips"]


if __name__ == "__main__":
    sys.exit(main())
