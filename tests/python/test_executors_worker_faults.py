"""Workers that go wrong, and what a node leaves behind in one that is kept."""

from __future__ import annotations

import asyncio
import builtins
import ctypes
import io
import operator
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from langgraph_rust._internal._asking import parts_of, with_part
from langgraph_rust._internal._runnable.contexts import ambient
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.config import get_config, get_store, get_stream_writer
from langgraph_rust.executors import NotPortableError, ProcessExecutor, register
from langgraph_rust.func import task
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.store.memory import InMemoryStore
from langgraph_rust.types import Command, RetryPolicy, TimeoutPolicy, interrupt

CONFIG: Any = {"configurable": {"thread_id": "1"}}
AGAIN: Any = {"kind": "process", "max_retries": 1}


class State(TypedDict, total=False):
    """What the graphs have."""

    log: Annotated[list[Any], operator.add]
    value: Any


@pytest.fixture(autouse=True)
def pool() -> Iterator[ProcessExecutor]:
    """One worker, gone after the test."""
    executor = ProcessExecutor(workers=1)
    register("process", executor)
    yield executor
    executor.close()


def alone(node: Any, executor: Any = "process", **options: Any) -> Any:
    """A graph of one node."""
    made_with = {name: options.pop(name, None) for name in ("checkpointer", "store")}
    graph = StateGraph(State).add_node("node", node, executor=executor, **options)
    return graph.add_edge(START, "node").compile(**made_with)


def die_once(mark: str) -> None:
    """End the process, but for the second time."""
    if not Path(mark).exists():
        Path(mark).touch()
        os._exit(3)


# --- Attempts after a dead worker ----------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"executor": AGAIN},
        {"executor": "process", "retry_policy": RetryPolicy(initial_interval=0.01)},
    ],
)
@pytest.mark.parametrize("by_id", [False, True])
def test_an_attempt_after_a_dead_worker_has_the_answers(
    tmp_path: Path, options: Any, by_id: bool
) -> None:
    called = []

    @task
    def calls(n: int) -> int:
        called.append(n)
        return n

    def node(state: State) -> Any:
        log = [calls(1).result(), interrupt("a"), interrupt("b"), calls(2).result()]
        die_once(state["value"])
        return {"log": log}

    app = alone(node, checkpointer=InMemorySaver(), **options)
    result = app.invoke({"value": str(tmp_path / "mark")}, CONFIG)
    for answer in ("A", "B"):
        [question] = result["__interrupt__"]
        resume: Any = {question.id: answer} if by_id else answer
        result = app.invoke(Command(resume=resume), CONFIG)
    assert result["log"] == [1, "A", "B", 2]
    # What is called again is what a retry at home calls again.
    assert called == [1, 2, 1, 2]


def test_an_answer_that_a_worker_took_with_it_is_given_again(tmp_path: Path) -> None:
    mark = str(tmp_path / "mark")

    def asks(state: State) -> Any:
        answer = interrupt("?")
        die_once(mark)
        return {"log": [answer]}

    inner = StateGraph(State).add_node("asks", asks).add_edge(START, "asks").compile()

    def node(state: State) -> Any:
        return {"log": inner.invoke({})["log"]}

    app = alone(node, AGAIN, checkpointer=InMemorySaver())
    app.invoke({}, CONFIG)
    assert app.invoke(Command(resume="A"), CONFIG) == {"log": ["A"]}


def test_an_answer_that_was_used_is_not_given_again(tmp_path: Path) -> None:
    mark = str(tmp_path / "mark")
    inner = StateGraph(State).add_node("one", lambda state: {"log": [interrupt("one?")]})

    def two(state: State) -> Any:
        die_once(mark)
        return {"log": [interrupt("two?")]}

    inner.add_node("two", two).add_edge(START, "one").add_edge("one", "two")
    graph = inner.compile()

    def node(state: State) -> Any:
        return {"log": graph.invoke({})["log"]}

    app = alone(node, AGAIN, checkpointer=InMemorySaver())
    app.invoke({}, CONFIG)
    [question] = app.invoke(Command(resume="A"), CONFIG)["__interrupt__"]
    assert question.value == "two?"
    assert app.invoke(Command(resume="B"), CONFIG) == {"log": ["A", "B"]}


def test_parts_of_an_attempt_after_a_dead_worker_are_the_same(tmp_path: Path) -> None:
    mark = str(tmp_path / "mark")

    def node(state: State) -> Any:
        config = get_config()
        parts = parts_of(config["configurable"], ["a", "a"])
        assert parts is not None
        log = []
        for part in parts:
            with ambient(with_part(config, part)):  # type: ignore[arg-type]
                log.append(interrupt("?"))
        die_once(mark)
        return {"log": log}

    app = alone(node, AGAIN, checkpointer=InMemorySaver())
    result = app.invoke({}, CONFIG)
    for answer in ("A", "B"):
        [question] = result["__interrupt__"]
        result = app.invoke(Command(resume={question.id: answer}), CONFIG)
    assert result == {"log": ["A", "B"]}


# --- How many there are --------------------------------------------------------------------------


def test_there_are_no_more_workers_after_tasks_that_nodes_called(pool: ProcessExecutor) -> None:
    @task
    def waits(n: int) -> int:
        time.sleep(0.5)
        return n

    def asks(state: State) -> Any:
        return {"log": [waits(1).result() and os.getpid()]}

    def works(state: State) -> Any:
        began = time.time()
        time.sleep(0.1)
        return {"log": [(began, time.time())]}

    assert len(set(side_by_side(asks))) > 1
    spans = sorted(side_by_side(works))
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert len([worker for worker in pool._all if worker.is_alive()]) == 1


def test_an_idle_worker_makes_room_for_one_that_comes_back(pool: ProcessExecutor) -> None:
    inner = alone(works_a_little)

    @task
    def calls(n: int) -> Any:
        return inner.invoke({})["log"]

    def node(state: State) -> Any:
        return {"log": calls(1).result()}

    for _ in range(2):
        assert alone(node).invoke({}) == {"log": ["worked"]}
        assert len([worker for worker in pool._all if worker.is_alive()]) == 1


def works_a_little(state: State) -> Any:
    """Nothing else."""
    return {"log": ["worked"]}


def side_by_side(node: Any) -> list[Any]:
    """What four nodes of a superstep give."""
    graph = StateGraph(State)
    for name in "abcd":
        graph.add_node(name, node, executor="process").add_edge(START, name)
    return graph.compile().invoke({})["log"]


# --- What a node leaves behind -------------------------------------------------------------------


def changes_all_around(state: State) -> Any:
    """Changes what the next node must not see."""
    os.environ["LEFT_BEHIND"] = "1"
    del os.environ["HOME"]
    os.chdir("/")
    sys.path.insert(0, "/left-behind")
    return {"log": [os.getpid()]}


def all_around(state: State) -> Any:
    """What is around it."""
    left = os.environ.get("LEFT_BEHIND"), os.environ.get("HOME")
    return {"log": [os.getpid(), left, os.getcwd(), "/left-behind" in sys.path]}


def test_what_a_node_changes_around_it_is_not_seen_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home")
    [process] = alone(changes_all_around).invoke({})["log"]
    log = alone(all_around).invoke({})["log"]
    assert log == [process, (None, "/home"), os.getcwd(), False]


def test_programs_that_a_node_starts_are_stopped_by_ctrl_c() -> None:
    def starts(state: State) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        with subprocess.Popen(["sleep", "20"]) as program:
            program.send_signal(signal.SIGINT)
            return {"log": [program.wait(10)]}

    assert alone(starts).invoke({}) == {"log": [-signal.SIGINT]}


# --- The loop of async nodes ---------------------------------------------------------------------

KEPT: dict[str, Any] = {}
"""What nodes keep in their worker."""


async def talks_to(state: State) -> Any:
    """Asks over a connection that is kept."""
    if "connection" not in KEPT:
        KEPT["connection"] = await asyncio.open_connection("127.0.0.1", state["value"])
    reader, writer = KEPT["connection"]
    writer.write(b"ping\n")
    return {"log": [(await reader.readline()).decode(), os.getpid()]}


def test_a_connection_that_a_worker_keeps_is_of_use_to_the_next_call() -> None:
    async def serve(reader: Any, writer: Any) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    async def main() -> list[Any]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        logs = [(await alone(talks_to).ainvoke({"value": port}))["log"] for _ in range(3)]
        server.close()
        return logs

    first, *others = asyncio.run(main())
    assert others == [first, first]
    assert first[0] == "ping\n"


async def leaves_all_sorts(state: State) -> Any:
    """Leaves a task, a generator and a thread behind."""

    async def for_ever() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            KEPT["task"] = "ended"

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            KEPT["generator"] = "ended"

    def slowly() -> None:
        time.sleep(0.2)
        KEPT["thread"] = "ended"

    generator = numbers()
    KEPT["held"] = asyncio.create_task(for_ever()), generator
    asyncio.get_running_loop().run_in_executor(None, slowly)
    return {"log": [await anext(generator), await asyncio.to_thread(lambda: 2)]}


async def finds(state: State) -> Any:
    """What became of it."""
    KEPT.pop("held", None)
    return {"log": [dict(KEPT), await asyncio.to_thread(lambda: 2)]}


def test_what_an_async_node_leaves_behind_is_ended() -> None:
    assert asyncio.run(alone(leaves_all_sorts).ainvoke({})) == {"log": [1, 2]}
    ended = dict.fromkeys(("task", "generator", "thread"), "ended")
    assert asyncio.run(alone(finds).ainvoke({})) == {"log": [ended, 2]}


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, ValueError])
def test_the_loop_outlives_a_node_that_fails(kind: type[BaseException]) -> None:
    async def fails(state: State) -> Any:
        raise kind("failed")

    with pytest.raises(kind):
        asyncio.run(alone(fails).ainvoke({}))
    assert asyncio.run(alone(finds).ainvoke({})) == {"log": [{}, 2]}


# --- Errors that cannot be pickled ---------------------------------------------------------------


class Holds(ConnectionError):
    """Holds what cannot be sent."""

    def __init__(self, said: str, code: int) -> None:
        super().__init__(code, said)
        self.code = code
        self.held = threading.Lock()


def raised_by(node: Any) -> Any:
    """What a node raises in a worker."""
    with pytest.raises(BaseException) as caught:
        alone(node).invoke({})
    return caught.value


def refused(state: State) -> Any:
    """Fails with what can be sent in part."""
    raise Holds("refused", 111)


def test_an_error_keeps_its_class_without_what_cannot_be_sent() -> None:
    error = raised_by(refused)
    assert type(error) is Holds
    assert (str(error), error.errno, error.code) == ("[Errno 111] refused", 111, 111)
    assert not hasattr(error, "held")
    assert "Without 'held', which cannot be sent to another process" in error.__notes__
    assert 'raise Holds("refused", 111)' in str(error.__cause__)


def oddly_refused(state: State) -> Any:
    """Fails with what cannot be sent."""

    class Odd(Holds):
        lock = threading.Lock()

    raise Odd("refused", 111)


def test_an_error_whose_class_cannot_be_sent_is_of_its_base_class() -> None:
    error = raised_by(oddly_refused)
    assert type(error) is Holds
    assert (str(error), error.code) == ("[Errno 111] refused", 111)
    assert any("Odd, which cannot be sent to another process" in note for note in error.__notes__)


def test_arguments_that_cannot_be_sent_are_what_they_said() -> None:
    def node(state: State) -> Any:
        raise TimeoutError("late", threading.Lock())

    error = raised_by(node)
    assert isinstance(error, TimeoutError)
    assert "late" in str(error)


def test_an_error_that_cannot_be_pickled_is_retried_for_its_class(tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    def node(state: State) -> Any:
        if not mark.exists():
            mark.touch()
            raise Holds("refused", 111)
        return {"log": ["done"]}

    policy = RetryPolicy(initial_interval=0.01, retry_on=Holds)
    assert alone(node, retry_policy=policy).invoke({}) == {"log": ["done"]}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="There are no groups")
def test_members_of_a_group_travel_one_by_one() -> None:
    group: Any = getattr(builtins, "ExceptionGroup", None)

    def node(state: State) -> Any:
        raise group("outer", [ValueError("wrong"), group("inner", [Holds("refused", 111)])])

    error = raised_by(node)
    assert type(error) is group
    assert error.message == "outer"
    wrong, inner = error.exceptions
    assert repr(wrong) == "ValueError('wrong')"
    assert type(inner) is group
    assert [type(member) for member in inner.exceptions] == [Holds]


def test_a_question_that_cannot_be_sent_is_an_error() -> None:
    def node(state: State) -> Any:
        interrupt(threading.Lock())

    with pytest.raises(NotPortableError, match="GraphInterrupt cannot be sent"):
        alone(node, checkpointer=InMemorySaver()).invoke({}, CONFIG)


# --- What a default can change, as its page says -------------------------------------------------


def sets_all_around(state: State) -> Any:
    """Sets a variable of the environment, and goes elsewhere."""
    os.environ["EXECUTOR_TEST"] = "set"
    os.chdir("/")
    return {"log": [os.getpid()]}


def opens(state: State) -> Any:
    """Returns a file."""
    return {"value": open(__file__)}


def locks(state: State) -> Any:
    """Returns what cannot be sent."""
    return {"value": threading.Lock()}


def keeps(state: State) -> Any:
    """Returns what it was given."""
    return {"log": [state["value"]]}


def test_what_a_default_can_change() -> None:
    default: Any = {"configurable": {"executor": "process"}}
    folder = os.getcwd()
    assert alone(sets_all_around, None).invoke({}, default)["log"] != [os.getpid()]
    assert ("EXECUTOR_TEST" in os.environ, os.getcwd()) == (False, folder)
    file = alone(opens, None).invoke({}, default)["value"]
    assert file.read() == Path(__file__).read_text()
    assert isinstance(file, io.StringIO)
    with pytest.raises(NotPortableError, match="'value', lock"):
        alone(locks, None).invoke({}, default)
    given: list[int] = [1]
    [result] = alone(keeps, None).invoke({"value": given}, default)["log"]
    assert result == given
    assert result is not given


# --- What is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, -1.0, True, "60", float("nan"), float("inf")])
def test_a_silence_that_nobody_can_mean_is_refused(seconds: Any) -> None:
    message = "The node 'node': 'heartbeat_timeout' must be a number of seconds that is greater"
    with pytest.raises(ValueError, match=message):
        alone(all_around, {"kind": "process", "heartbeat_timeout": seconds})


@pytest.mark.parametrize("retries", [-1, True, 1.5])
def test_retries_that_nobody_can_mean_are_refused(retries: Any) -> None:
    with pytest.raises(ValueError, match="'node': 'max_retries' must be a whole number from 0"):
        alone(all_around, {"kind": "process", "max_retries": retries})


@pytest.mark.parametrize("options", [{"workers": 0}, {"workers": 1.5}, {"idle": -1.0}])
def test_a_pool_that_nobody_can_mean_is_refused(options: Any) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be a"):
        ProcessExecutor(**options)


def test_a_chunk_that_cannot_be_sent_is_named() -> None:
    def streams(state: State) -> Any:
        get_stream_writer()({"chunk": threading.Lock()})

    with pytest.raises(NotPortableError) as caught:
        list(alone(streams).stream({}, stream_mode="custom"))
    said = str(caught.value)
    assert "A chunk that the node 'node' streams cannot be sent home" in said
    assert "{'chunk': <unlocked _thread.lock" in said


def test_a_result_of_a_task_that_cannot_be_sent_is_named() -> None:
    @task
    def returns(n: int) -> Any:
        return threading.Lock()

    def node(state: State) -> Any:
        return {"log": returns(1).result()}

    with pytest.raises(NotPortableError, match="The result of a task cannot be sent to the pro"):
        alone(node).invoke({})


# --- Limits --------------------------------------------------------------------------------------


class Slow(InMemoryStore):
    """Takes longer than workers may be silent."""

    def batch(self, ops: Any) -> Any:
        """Wait first."""
        time.sleep(1.0)
        return super().batch(ops)


def puts(state: State) -> Any:
    """Waits for the store."""
    get_store().put(("a",), "k", {"n": 1})
    return {"log": ["stored"]}


@pytest.mark.parametrize(
    "options",
    [
        {"executor": {"kind": "process", "heartbeat_timeout": 0.6}},
        {"timeout": TimeoutPolicy(idle_timeout=0.6)},
        {"timeout": TimeoutPolicy(idle_timeout=0.6, refresh_on="heartbeat")},
    ],
)
def test_what_home_takes_long_for_is_not_the_workers_fault(options: Any) -> None:
    assert alone(puts, store=Slow(), **options).invoke({}) == {"log": ["stored"]}


def test_a_home_that_stands_still_finds_its_workers_alive() -> None:
    def waits(state: State) -> Any:
        time.sleep(2.5)
        return {"log": ["done"]}

    program = threading.Thread(target=hold_the_lock, daemon=True)
    program.start()
    executor = {"kind": "process", "heartbeat_timeout": 0.6}
    assert alone(waits, executor).invoke({}) == {"log": ["done"]}
    program.join()


def hold_the_lock() -> None:
    """Keep the interpreter from everybody else for more than a second, a little later."""
    time.sleep(1.0)
    ctypes.PyDLL(None).usleep(1_200_000)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system does not end it")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_node_that_holds_the_interpreter_ends_with_the_program(
    tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "program.py").write_text(
        "import os, re, sys\n"
        "from typing import TypedDict\n"
        "from langgraph_rust.graph import START, StateGraph\n"
        "class State(TypedDict, total=False):\n"
        "    value: str\n"
        "def node(state):\n"
        "    print(os.getpid(), flush=True)\n"
        "    re.match(r'(a+)+$', 'a' * 60 + 'b')\n"
        "graph = StateGraph(State).add_node('node', node, executor='process')\n"
        "graph.add_edge(START, 'node').compile().invoke({})\n"
    )
    program = subprocess.Popen(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    with program:
        assert program.stdout is not None
        worker = int(program.stdout.readline())
        program.send_signal(number)
    for _ in range(200):
        state = Path(f"/proc/{worker}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.02)
    os.kill(worker, signal.SIGKILL)
    pytest.fail("the worker goes on")
