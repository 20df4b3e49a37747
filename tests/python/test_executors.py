"""Nodes in processes of their own: what holds beyond what they compute (`tests/executors`)."""

from __future__ import annotations

import asyncio
import operator
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import _executor_nodes as nodes
import pytest
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.errors import NodeTimeoutError
from langgraph_rust.executors import (
    Call,
    Executor,
    Message,
    NotPortableError,
    ProcessExecutor,
    RemoteTraceback,
    Running,
    WorkerDiedError,
    perform,
    register,
)
from langgraph_rust.func import task
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.runtime import Runtime
from langgraph_rust.store.memory import InMemoryStore
from langgraph_rust.types import Command, RetryPolicy, Send, StreamWriter, TimeoutPolicy, interrupt


class State(TypedDict, total=False):
    """What the graphs have."""

    log: Annotated[list[Any], operator.add]
    value: Any


@pytest.fixture(autouse=True)
def pool() -> Iterator[ProcessExecutor]:
    """Two workers, gone after the test."""
    executor = ProcessExecutor(workers=2)
    register("process", executor)
    yield executor
    executor.close()


def alone(node: Any, executor: Any = "process", **options: Any) -> Any:
    """A graph of one node."""
    saver = options.pop("saver", None)
    graph = StateGraph(State).add_node("node", node, executor=executor, **options)
    return graph.add_edge(START, "node").compile(saver)


def is_gone(process: int) -> bool:
    """Whether a process has ended, or soon does."""
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_a_node_runs_in_another_process_which_is_kept() -> None:
    graph = alone(nodes.pid)
    first, second = graph.invoke({}), graph.invoke({})
    assert first == second
    assert first["log"] != [os.getpid()]


def test_metadata_and_the_keyword_are_the_same() -> None:
    graph = StateGraph(State).add_node("node", nodes.pid, metadata={"executor": "process"})
    assert graph.add_edge(START, "node").compile().invoke({})["log"] != [os.getpid()]
    assert alone(nodes.pid, {"kind": "inline"}).invoke({})["log"] == [os.getpid()]


def test_metadata_of_somebody_else_mean_nothing() -> None:
    graph = StateGraph(State).add_node("node", nodes.pid, metadata={"executor": {"name": "Ada"}})
    assert graph.add_edge(START, "node").compile().invoke({})["log"] == [os.getpid()]


@pytest.mark.parametrize(
    ("executor", "message"),
    [
        ("slurm", "The node 'node': there is no executor 'slurm'; there are 'inline', 'process'"),
        ({"kind": "process", "num_gpus": 1}, "the executor 'process' has no option 'num_gpus'"),
        ({"kind": "process", "max_retries": -1}, "'max_retries' must be a whole number from 0"),
        ({"kind": "process", "graph": "app"}, "'graph' must be given as 'module:name', not 'app'"),
        ({"kind": "ray", "gpus": 1}, "the executor 'ray' has no option 'gpus'; it has 'actors'"),
        ({"kind": "ray", "actors": 0}, "'actors' must be a number of processes, not 0"),
    ],
)
def test_what_is_no_executor_is_an_error_of_compiling(executor: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        alone(nodes.pid, executor)


def test_what_cannot_be_sent_is_an_error_of_compiling_that_names_it() -> None:
    connection = socket.socket()

    def sends(state: State) -> Any:
        connection.send(b"")

    with connection, pytest.raises(NotPortableError) as caught:
        alone(sends)
    assert "'node'" in str(caught.value)
    assert "'connection' of the function around it, socket" in str(caught.value)


def test_a_graph_stays_at_home() -> None:
    inner = alone(nodes.pid)
    with pytest.raises(NotPortableError, match="'node' is a graph, whose supersteps run at home"):
        alone(inner)


def test_what_can_be_imported_is_not_sent() -> None:
    assert alone(nodes.holds).invoke({}) == {"log": [True]}


def test_a_worker_finds_the_node_in_its_graph() -> None:
    assert nodes.APP.invoke({}) == {"log": [True]}


def test_fields_that_cannot_be_sent_are_named() -> None:
    with pytest.raises(NotPortableError, match="'value' of the state cannot be sent to the proc"):
        alone(nodes.pid).invoke({"value": threading.Lock()})

    def returns(state: State) -> Any:
        return {"value": threading.Lock()}

    with pytest.raises(NotPortableError, match=r"returned cannot be sent home .* 'value', lock"):
        alone(returns).invoke({})


def test_an_error_comes_with_the_traceback_of_its_process() -> None:
    with pytest.raises(ValueError, match="failed") as caught:
        alone(nodes.fails).invoke({})
    assert isinstance(caught.value.__cause__, RemoteTraceback)
    assert 'raise ValueError("failed")' in str(caught.value.__cause__)


def test_a_process_that_dies_is_an_error_which_is_retried(tmp_path: Path) -> None:
    with pytest.raises(WorkerDiedError, match="'node' ran in ended with exit code 3 before"):
        alone(nodes.dies).invoke({})
    mark = str(tmp_path / "once")
    with pytest.raises(WorkerDiedError, match="ended by signal 9"):
        alone(nodes.dies_once).invoke({"value": mark})
    again = {"kind": "process", "max_retries": 1}
    value = str(tmp_path / "twice")
    assert alone(nodes.dies_once, again).invoke({"value": value})["log"] == ["alive"]
    policy = RetryPolicy(initial_interval=0.01)
    value = str(tmp_path / "policy")
    graph = alone(nodes.dies_once, retry_policy=policy)
    assert graph.invoke({"value": value})["log"] == ["alive"]


def test_a_process_that_hangs_is_noticed() -> None:
    executor = {"kind": "process", "heartbeat_timeout": 1.5}
    with pytest.raises(WorkerDiedError, match="has not been heard of for"):
        alone(nodes.freezes, executor).invoke({})

    def patient(state: State) -> Any:
        time.sleep(2.5)
        return {"log": ["done"]}

    assert alone(patient, executor).invoke({}) == {"log": ["done"]}


def test_sync_code_has_a_time_limit(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    began = time.monotonic()
    with pytest.raises(NodeTimeoutError, match=r"'node' exceeded its run timeout of 3\.0"):
        alone(nodes.for_ever, timeout=3.0).invoke({"value": str(mark)})
    assert time.monotonic() - began < 15
    assert is_gone(int(mark.read_text()))


def test_an_idle_limit_is_moved_by_chunks_and_heartbeats() -> None:
    def speaks(state: State, writer: StreamWriter) -> Any:
        for n in range(6):
            time.sleep(0.15)
            writer(n)
        time.sleep(60)

    graph = alone(speaks, timeout=TimeoutPolicy(idle_timeout=0.6))
    seen = []
    with pytest.raises(NodeTimeoutError, match="idle timeout"):
        for chunk in graph.stream({}, stream_mode="custom"):
            seen.append(chunk)
    assert seen == [0, 1, 2, 3, 4, 5]


def test_no_limit_runs_while_a_node_waits_for_a_worker() -> None:
    def each(n: int) -> Any:
        time.sleep(0.8)
        return {"log": [n]}

    graph = StateGraph(State).add_node("each", each, executor="process", timeout=2.0)
    graph.add_conditional_edges(START, lambda _: [Send("each", n) for n in range(6)])
    assert graph.compile().invoke({}) == {"log": list(range(6))}


def test_a_failure_stops_the_others(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    graph = StateGraph(State)
    for node in (nodes.for_ever, nodes.fails):
        graph.add_node(node, executor="process").add_edge(START, node.__name__)
    app = graph.compile()
    alone(nodes.pid).invoke({})
    began = time.monotonic()
    with pytest.raises(ValueError, match="failed"):
        app.invoke({"value": str(mark)})
    assert time.monotonic() - began < 5
    assert not mark.exists() or is_gone(int(mark.read_text()))


def test_a_cancelled_run_stops_its_nodes(tmp_path: Path) -> None:
    mark = tmp_path / "pid"

    async def main() -> None:
        run = asyncio.create_task(alone(nodes.for_ever).ainvoke({"value": str(mark)}))
        while not (mark.exists() and mark.read_text()):
            await asyncio.sleep(0.02)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    asyncio.run(main())
    assert is_gone(int(mark.read_text()))


def test_workers_end_with_their_program(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    program = (
        "import _executor_nodes as nodes\n"
        "from langgraph_rust.graph import START, StateGraph\n"
        "graph = StateGraph(dict).add_node('node', nodes.for_ever, executor='process')\n"
        f"graph.add_edge(START, 'node').compile().invoke({{'value': {str(mark)!r}}})\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parent)
    while not (mark.exists() and mark.read_text()):
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert is_gone(int(mark.read_text()))


def test_a_script_need_not_guard_itself(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import os\n"
        "from dataclasses import dataclass\n"
        "from langgraph_rust.graph import START, StateGraph\n"
        "@dataclass\n"
        "class Point:\n"
        "    x: int\n"
        "def node(state):\n"
        "    return {'point': Point(state['point'].x + 1), 'pid': os.getpid()}\n"
        "graph = StateGraph(dict).add_node(node, executor='process').add_edge(START, 'node')\n"
        "result = graph.compile().invoke({'point': Point(1)})\n"
        "assert result['point'] == Point(2), result\n"
        "assert type(result['point']) is Point\n"
        "assert result['pid'] != os.getpid()\n"
    )
    subprocess.run([sys.executable, script], check=True, timeout=60)


def test_a_forked_process_has_workers_of_its_own() -> None:
    graph = alone(nodes.pid)
    [worker] = graph.invoke({})["log"]
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            [own] = graph.invoke({})["log"]
            os.write(writer, str(own).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert int(os.read(reader, 100)) != worker
    assert graph.invoke({})["log"] == [worker]
    os.close(reader)
    os.close(writer)


def test_closing_ends_idle_workers_and_idle_ones_retire(pool: ProcessExecutor) -> None:
    graph = alone(nodes.pid)
    [first] = graph.invoke({})["log"]
    pool.close()
    assert is_gone(first)
    [second] = graph.invoke({})["log"]
    assert second != first
    pool.idle = 0.0
    assert graph.invoke({})["log"] != [second]


def test_a_node_that_always_talks_is_stopped(tmp_path: Path) -> None:
    mark = tmp_path / "pid"

    async def main() -> None:
        with pytest.raises(NodeTimeoutError):
            await alone(nodes.talks, timeout=3.0).ainvoke({"value": str(mark)})

    asyncio.run(main())
    assert is_gone(int(mark.read_text()))


def test_a_limit_of_an_async_run_begins_with_the_node() -> None:
    def each(n: int) -> Any:
        time.sleep(0.8)
        return {"log": [n]}

    graph = StateGraph(State).add_node("each", each, executor="process", timeout=2.0)
    graph.add_conditional_edges(START, lambda _: [Send("each", n) for n in range(6)])
    assert asyncio.run(graph.compile().ainvoke({})) == {"log": list(range(6))}


def test_the_failure_of_a_node_at_home_stops_one_that_was_first(tmp_path: Path) -> None:
    graph = StateGraph(State)
    graph.add_node("a", nodes.for_ever, executor="process").add_node("b", nodes.fails)
    graph.add_edge(START, "a").add_edge(START, "b")
    began = time.monotonic()
    with pytest.raises(ValueError, match="failed"):
        graph.compile().invoke({"value": str(tmp_path / "pid")})
    assert time.monotonic() - began < 10


def test_a_worker_that_dies_is_noticed_although_a_child_of_it_lives() -> None:
    began = time.monotonic()
    with pytest.raises(WorkerDiedError, match="by signal 9"):
        alone(nodes.leaves_a_child).invoke({})
    assert time.monotonic() - began < 10


def test_a_fork_of_a_node_does_not_speak_for_it(pool: ProcessExecutor) -> None:
    pool.workers = 1
    assert alone(nodes.forks).invoke({}) == {"log": [False]}
    assert alone(nodes.five).invoke({}) == {"log": [5]}
    assert alone(nodes.pid).invoke({})["log"] != [5]


def test_a_task_that_a_node_calls_may_need_a_worker(pool: ProcessExecutor) -> None:
    pool.workers = 1
    inner = alone(nodes.five)

    @task
    def calls(n: int) -> Any:
        return inner.invoke({})["log"]

    def node(state: State) -> Any:
        return {"log": calls(1).result()}

    assert alone(node).invoke({}) == {"log": [5]}


def test_a_graph_in_a_node_is_stored_and_goes_on() -> None:
    inner = StateGraph(State).add_node("asks", lambda state: {"log": [interrupt("?")]})
    graph = inner.add_edge(START, "asks").compile()

    def calls(state: State) -> Any:
        return {"log": graph.invoke({})["log"]}

    app = alone(calls, saver=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    app.invoke({}, config)
    assert app.invoke(Command(resume=3), config) == {"log": [3]}


def test_folder_and_environment_are_those_of_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = alone(nodes.around)
    graph.invoke({})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXECUTOR_TEST", "now")
    assert graph.invoke({})["log"] == [str(tmp_path), "now"]


def test_an_error_is_made_again_with_its_cause() -> None:
    class Odd(Exception):
        def __init__(self, code: int, *, detail: str) -> None:
            super().__init__(f"{code}: {detail}")
            self.code = code

    def fails(state: State) -> Any:
        raise Odd(3, detail="d") from ZeroDivisionError("cause")

    with pytest.raises(Odd, match="3: d") as caught:
        alone(fails).invoke({})
    assert caught.value.code == 3
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert isinstance(caught.value.__cause__.__cause__, RemoteTraceback)


def test_classes_of_a_script_stay_as_they_are(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import contextvars\n"
        "from langgraph_rust.graph import START, StateGraph\n"
        "V = contextvars.ContextVar('V', default=7)\n"
        "class Point:\n"
        "    total = 0\n"
        "def node(state):\n"
        "    return {'points': [*state['points'], Point()], 'v': V.get()}\n"
        "graph = StateGraph(dict).add_node(node, executor='process').add_edge(START, 'node')\n"
        "app = graph.compile()\n"
        "first = app.invoke({'points': [Point()]})\n"
        "Point.total = 10\n"
        "second = app.invoke(first)\n"
        "assert Point.total == 10, Point.total\n"
        "assert [type(point) for point in second['points']] == [Point] * 3\n"
        "assert second['v'] == 7\n"
    )
    subprocess.run([sys.executable, script], check=True, timeout=60)


# --- Defaults ------------------------------------------------------------------------------------

DEFAULT: Any = {"configurable": {"executor": "process"}}
NOTES: list[int] = []


class Counter:
    """Counts, for all."""

    total = 0


def notes(state: State) -> Any:
    """Shares a list with the module."""
    NOTES.append(1)
    return {"log": [os.getpid()]}


def test_a_default_is_for_nodes_that_share_nothing() -> None:
    count = 0

    def counts(state: State) -> Any:
        nonlocal count
        count += 1
        return {"log": [os.getpid()]}

    async def waits(state: State) -> Any:
        return {"log": [os.getpid()]}

    def apart(graph: Any) -> bool:
        return graph.invoke({}, DEFAULT)["log"] != [os.getpid()]

    held: list[int] = []
    push = held.append

    def within(state: State) -> Any:
        def inner() -> int:
            NOTES.append(1)
            return os.getpid()

        return {"log": [inner()]}

    def bound(state: State) -> Any:
        push(1)
        return {"log": [os.getpid()]}

    def on_class(state: State) -> Any:
        Counter.total += 1
        return {"log": [os.getpid()]}

    for shares in (within, bound, on_class):
        assert not apart(alone(shares, None)), shares
    assert apart(alone(nodes.pid, None)) is apart(alone(lambda s: {"log": [os.getpid()]}, None))
    assert apart(alone(nodes.pid, None))
    assert not apart(alone(counts, None))
    assert not apart(alone(notes, None))
    assert not apart(alone(nodes.pid, "inline"))
    assert asyncio.run(alone(waits, None).ainvoke({}, DEFAULT))["log"] == [os.getpid()]
    assert count == 1


def test_what_a_default_cannot_send_stays() -> None:
    graph = alone(nodes.pid, None)
    assert graph.invoke({"value": threading.Lock()}, DEFAULT)["log"] == [os.getpid()]


def test_what_is_set_on_a_graph_holds_for_its_default() -> None:
    graph = alone(nodes.five, None)
    graph.invoke({}, DEFAULT)
    graph.checkpointer = InMemorySaver()
    config: Any = {"configurable": {"thread_id": "1", "executor": "process"}}
    graph.invoke({}, config)
    assert graph.get_state(config).values == {"log": [5]}


def test_a_default_leaves_the_graph_as_it_is() -> None:
    graph = alone(nodes.pid, None)
    assert graph.invoke({}, DEFAULT)["log"] != [os.getpid()]
    assert graph.invoke({})["log"] == [os.getpid()]
    with pytest.raises(ValueError, match="The config's 'executor': there is no executor 'x'"):
        graph.invoke({}, {"configurable": {"executor": "x"}})


def test_the_environment_gives_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGGRAPH_RUST_EXECUTOR", "process")
    assert alone(nodes.pid, None).invoke({})["log"] != [os.getpid()]
    with pytest.raises(ValueError, match="only supported for async nodes"):
        alone(nodes.pid, None, timeout=1.0)


# --- Executors of one's own ----------------------------------------------------------------------


class Threads(Executor):
    """Runs each call on a thread of its own: the smallest executor."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def check(self, options: Any) -> None:
        if set(options) - {"colour"}:
            raise ValueError(f"no such option: {options}")

    def start(self, call: Call) -> Running:
        self.calls.append(call)
        return OnThread(call)

    def close(self) -> None:
        pass


class OnThread(Running):
    """A call on a thread."""

    def __init__(self, call: Call) -> None:
        import queue
        from concurrent.futures import Future

        self.messages: Any = queue.SimpleQueue()
        self.questions: dict[int, Any] = {}
        running = self

        class Link:
            def tell(self, body: bytes) -> None:
                running.messages.put(Message("tell", 0, body))

            def ask(self, body: bytes) -> Any:
                number = len(running.questions)
                future = running.questions[number] = Future()
                running.messages.put(Message("ask", number, body))
                return future

        def run() -> None:
            done = perform(call.function, call.request, call.values, Link())
            self.messages.put(Message("done", 0, done))

        threading.Thread(target=run, daemon=True).start()

    def next(self, timeout: float) -> Message | None:
        import queue

        try:
            return self.messages.get(timeout=timeout)
        except queue.Empty:
            return None

    def answer(self, number: int, body: bytes) -> None:
        self.questions[number].set_result(body)

    def cancel(self) -> None:
        pass


def test_an_executor_of_ones_own() -> None:
    executor = Threads()
    register("threads", executor)

    def node(state: State, runtime: Runtime[Any]) -> Any:
        assert runtime.store is not None
        runtime.store.put(("a",), "k", {"n": 1})
        runtime.stream_writer("chunk")
        return {"log": [threading.current_thread() is not threading.main_thread()]}

    kind = {"kind": "threads", "colour": "red"}
    store = InMemoryStore()
    graph = StateGraph(State).add_node("node", node, executor=kind).add_edge(START, "node")
    app = graph.compile(InMemorySaver(), store=store)
    config: Any = {"configurable": {"thread_id": "1"}}
    chunks = list(app.stream({}, config, stream_mode=["custom", "updates"]))
    assert chunks == [("custom", "chunk"), ("updates", {"node": {"log": [True]}})]
    assert store.get(("a",), "k").value == {"n": 1}
    assert executor.calls[0].options == {"colour": "red"}
    with pytest.raises(ValueError, match="The node 'node': no such option"):
        alone(nodes.pid, {"kind": "threads", "shape": 1})
    with pytest.raises(ValueError, match="run where their graph runs"):
        register("inline", executor)
