"""The functional API's decorators: what graph an entrypoint is, what a task carries."""

from __future__ import annotations

import concurrent.futures
import contextvars
import copy
import threading
import time
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig

from langgraph_rust.constants import END, START
from langgraph_rust.func import entrypoint, task
from langgraph_rust.pregel._run.call import (
    SyncAsyncFuture,
    get_runnable_for_entrypoint,
    get_runnable_for_task,
    identifier,
)
from langgraph_rust.runtime import Runtime
from langgraph_rust.types import RetryPolicy
from langgraph_rust.warnings import LangGraphDeprecatedSinceV05, LangGraphDeprecatedSinceV10


def plain(x: int) -> str:
    return str(x)


async def plain_async(x: int) -> str:
    return str(x)


def test_entrypoint_is_a_graph_of_one_node() -> None:
    graph = entrypoint()(plain)
    assert list(graph.nodes) == ["plain"]
    assert graph.nodes["plain"].triggers == [START]
    assert (graph.input_channels, graph.output_channels) == (START, END)
    assert graph.stream_mode == "updates"


def test_entrypoint_types() -> None:
    def kept(x: int) -> Any: ...

    kept.__annotations__ = {"x": int, "return": entrypoint.final[int, str]}
    graph = entrypoint()(kept)
    assert graph.channels[START].typ is int
    assert graph.channels[END].typ is int
    assert graph.channels["__previous__"].typ is str


def test_final_separates_what_is_returned_from_what_is_kept() -> None:
    (writer,) = entrypoint()(plain).nodes["plain"].writers
    returned, kept = (entry.mapper for entry in writer.writes)
    both = entrypoint.final(value=1, save=2)
    assert (returned(both), kept(both)) == (1, 2)
    assert (returned("x"), kept("x")) == ("x", "x")


def test_refused_entrypoints() -> None:
    def generator(x: int) -> Any:
        yield x

    with pytest.raises(NotImplementedError, match="Generators are not supported"):
        entrypoint()(generator)
    with pytest.raises(ValueError, match="at least one parameter"):
        entrypoint()(lambda: None)


def test_deprecated_names_still_work() -> None:
    policy = RetryPolicy()
    with pytest.warns(LangGraphDeprecatedSinceV05, match="`retry` is deprecated"):
        assert entrypoint(retry=policy).retry_policy is policy
    with pytest.warns(LangGraphDeprecatedSinceV10, match="`config_schema` is deprecated"):
        assert entrypoint(config_schema=dict).context_schema is dict
    with pytest.warns(LangGraphDeprecatedSinceV05, match="`retry` is deprecated"):
        assert task(retry=policy)(plain).retry_policy == (policy,)


def test_task_looks_like_its_function() -> None:
    decorated = task(plain)
    assert (decorated.__name__, decorated.func) == ("plain", plain)

    def other(x: int) -> int:
        return x

    assert task(name="renamed")(other).__name__ == "renamed"


def test_renaming_a_bound_method_leaves_its_class_alone() -> None:
    class Worker:
        def work(self) -> str:
            return "done"

    renamed = task(name="renamed")(Worker().work)
    assert (renamed.__name__, Worker.work.__name__, renamed.func()) == ("renamed", "work", "done")


def test_timeouts_need_async_functions() -> None:
    with pytest.raises(ValueError, match="Task 'plain' is sync"):
        task(timeout=1)(plain)
    assert task(timeout=1)(plain_async).timeout.run_timeout == 1


def test_task_outside_of_a_run() -> None:
    with pytest.raises(RuntimeError):
        task(plain)(1)


def test_runnables_of_functions_are_kept() -> None:
    assert get_runnable_for_task(plain) is get_runnable_for_task(plain)
    assert get_runnable_for_entrypoint(plain) is get_runnable_for_entrypoint(plain)
    assert get_runnable_for_task(plain) is not get_runnable_for_entrypoint(plain)

    def local(x: int) -> int:
        return x

    assert get_runnable_for_task(local) is not get_runnable_for_task(local)


def test_identifier_sees_through_wrappers() -> None:
    name = f"{__name__}.plain"
    graph = entrypoint()(plain)
    assert identifier(plain) == name
    assert identifier(get_runnable_for_task(plain)) == name
    assert identifier(graph.nodes["plain"]) == name
    assert identifier(object()) is None


def test_future_gives_way_to_its_driver() -> None:
    waiting = SyncAsyncFuture().__await__()
    assert next(waiting) is ...
    with pytest.raises(StopIteration):
        waiting.send(None)


class TestWhereTasksRun:
    """In sync runs whoever waits for a task runs it, unless somebody has begun it."""

    def test_where_the_result_is_waited_for(self) -> None:
        where = task(lambda: threading.current_thread())

        @entrypoint()
        def flow(_: Any) -> Any:
            assert where().exception() is None
            return where().result() is threading.current_thread()

        assert flow.invoke(1)

    def test_side_by_side_if_they_wait(self) -> None:
        nap = task(lambda: time.sleep(0.1), name="nap")

        @entrypoint()
        def flow(_: Any) -> None:
            for future in [nap() for _ in range(8)]:
                future.result()

        began = time.monotonic()
        flow.invoke(1)
        assert time.monotonic() - began < 0.6

    def test_elsewhere_if_nobody_waits(self) -> None:
        begun = threading.Event()
        begin = task(begun.set, name="begin")

        @entrypoint()
        def flow(_: Any) -> bool:
            begin()
            return begun.wait(5)

        assert flow.invoke(1)

    def test_elsewhere_if_there_is_a_time_limit(self) -> None:
        nap = task(lambda: time.sleep(0.5), name="nap")

        @entrypoint()
        def flow(_: Any) -> str:
            try:
                nap().result(timeout=0.02)
            except concurrent.futures.TimeoutError:
                return "late"
            return "in time"

        assert flow.invoke(1) == "late"

    def test_deeply_within_each_other(self) -> None:
        @task
        def count(n: int) -> int:
            return count(n - 1).result() + 1 if n else 0

        @entrypoint()
        def flow(n: int) -> int:
            return count(n).result()

        assert flow.invoke(120) == 120

    def test_in_a_context_of_their_own(self) -> None:
        var = contextvars.ContextVar("var", default=0)

        @task
        def change() -> int:
            before = var.get()
            var.set(before + 1)
            return before

        @entrypoint()
        def flow(_: Any) -> Any:
            var.set(5)
            return change().result(), change().result(), var.get()

        assert flow.invoke(1) == (5, 5, 5)

    def test_with_what_they_ask_for(self) -> None:
        @task
        def asks(x: int, *, config: RunnableConfig, runtime: Runtime, y: int = 0) -> Any:
            return x, y, config["configurable"]["own"], type(runtime)

        @entrypoint()
        def flow(_: Any) -> Any:
            return asks(1, y=2).result()

        given = {"configurable": {"own": 3}}
        assert flow.invoke(1, given) == (1, 2, 3, Runtime)

    def test_errors_keep_where_they_come_from(self) -> None:
        @task
        def fails() -> None:
            raise ValueError("it")

        @entrypoint()
        def flow(_: Any) -> None:
            fails().result()

        with pytest.raises(ValueError, match="it") as caught:
            flow.invoke(1)
        assert caught.traceback[-1].name == "fails"


def test_a_task_is_copied_after_it_has_been_called() -> None:
    @task
    def one() -> int:
        return 1

    @entrypoint()
    def flow(_: Any) -> Any:
        return one().result(), copy.deepcopy(one)().result()

    assert flow.invoke(1) == (1, 1)
    assert "_callee" not in one.__getstate__()
