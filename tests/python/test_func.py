"""The functional API's decorators: what graph an entrypoint is, what a task carries."""

from __future__ import annotations

from typing import Any

import pytest

from langgraph_rust.constants import END, START
from langgraph_rust.func import entrypoint, task
from langgraph_rust.pregel._run.call import (
    SyncAsyncFuture,
    get_runnable_for_entrypoint,
    get_runnable_for_task,
    identifier,
)
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
