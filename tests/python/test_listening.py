"""Who listens to a run: handlers, and whoever replaced what the run would have called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager
from langchain_core.callbacks import manager as managers
from typing_extensions import TypedDict

from langgraph_rust._internal._lazy.listening import needs_callbacks, runs_as_defined
from langgraph_rust._internal._runnable import RunnableSeq
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.pregel import Pregel


class State(TypedDict, total=False):
    x: int


class Names(BaseCallbackHandler):
    """Notes which chains start."""

    run_inline = True

    def __init__(self) -> None:
        self.seen: list[str | None] = []

    def on_chain_start(self, *args: Any, name: str | None = None, **kwargs: Any) -> None:
        self.seen.append(name)


def graph_of(node: Any, cls: Any = None) -> Pregel:
    graph = StateGraph(State).add_node("n", node).add_edge(START, "n").compile()
    if cls is not None:
        graph.__class__ = cls
    return graph


def one(state: State) -> State:
    return {"x": 1}


WAYS: list[Callable[[Pregel], Any]] = [
    lambda graph: graph.invoke({}),
    lambda graph: asyncio.run(graph.ainvoke({})),
    lambda graph: list(graph.stream({})),
]


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> Names:
    """A handler that every callback manager is given, as tracing packages do it."""
    names = Names()
    original = BaseCallbackManager.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if names not in self.inheritable_handlers:
            self.add_handler(names, inherit=True)

    monkeypatch.setattr(BaseCallbackManager, "__init__", init)
    return names


@pytest.mark.parametrize("run", WAYS)
def test_a_handler_that_a_patched_manager_adds_hears_of_graphs_and_nodes(
    added: Names, run: Callable[[Pregel], Any]
) -> None:
    run(graph_of(graph_of(one)))
    assert added.seen == ["LangGraph", "n", "LangGraph", "n"]


def test_undoing_the_patch_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not needs_callbacks({})
    original = managers.CallbackManager.on_chain_start
    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(managers.CallbackManager, "on_chain_start", lambda *a, **k: None)
            assert needs_callbacks({})
        assert managers.CallbackManager.on_chain_start is original
        assert not needs_callbacks({})


def plain(function: Any) -> Any:
    return lambda *args, **kwargs: function(*args, **kwargs)


def wrapped(function: Any) -> Any:
    return wraps(function)(plain(function))


class EqualToWhatItWraps:
    """What some packages put in place of a function."""

    def __init__(self, function: Any) -> None:
        self.__wrapped__ = function

    def __eq__(self, other: object) -> bool:
        return bool(self.__wrapped__ == other)

    def __hash__(self) -> int:
        return hash(self.__wrapped__)


@pytest.mark.parametrize("replace", [plain, wrapped, EqualToWhatItWraps])
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (managers, "_configure"),
        (managers, "handle_event"),
        (managers, "ahandle_event"),
        (BaseCallbackManager, "__init__"),
        (BaseCallbackManager, "set_handlers"),
        (managers.CallbackManager, "__init__"),
        (managers.CallbackManager, "configure"),
        (managers.AsyncCallbackManager, "__init__"),
        (managers.AsyncCallbackManager, "configure"),
        (managers.AsyncCallbackManager, "on_chain_start"),
        (managers.BaseRunManager, "__init__"),
        (managers.ParentRunManager, "get_child"),
        (managers.AsyncParentRunManager, "get_child"),
        (managers.CallbackManagerForChainRun, "on_chain_end"),
        (managers.AsyncCallbackManagerForChainRun, "on_chain_error"),
    ],
)
def test_what_a_silent_run_would_call_is_watched(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, replace: Callable[[Any], Any]
) -> None:
    assert not needs_callbacks({})
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, replace(getattr(owner, name)))
        assert needs_callbacks({})
    assert not needs_callbacks({})


def test_a_class_put_in_the_place_of_a_manager_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mine(managers.CallbackManager):
        pass

    monkeypatch.setattr(managers, "CallbackManager", Mine)
    assert needs_callbacks({})


def test_a_function_whose_code_was_replaced_before_the_first_run_is_noticed(
    run_program: Callable[..., Any],
) -> None:
    run_program(
        """
        from langchain_core.callbacks import CallbackManager
        from langgraph_rust._internal._lazy.listening import needs_callbacks

        def start(self, *args, **kwargs):
            pass

        CallbackManager.on_chain_start.__code__ = start.__code__
        assert needs_callbacks({})
        """
    )


@pytest.mark.parametrize("module", ["langchain_core.callbacks.base", "langgraph_rust.graph"])
def test_patches_from_before_this_package_count(
    run_program: Callable[..., Any], module: str
) -> None:
    done = run_program(
        f"""
        import sys, {module}
        from langchain_core.callbacks.base import BaseCallbackManager
        original = BaseCallbackManager.__init__
        BaseCallbackManager.__init__ = lambda self, *a, **k: original(self, *a, **k)

        from langgraph_rust._internal._lazy.listening import needs_callbacks
        print(needs_callbacks({{}}), "langchain_core.callbacks.manager" in sys.modules)
        BaseCallbackManager.__init__ = original
        print(needs_callbacks({{}}))
        """
    )
    assert done.stdout.split("\n")[0].startswith("True")
    assert done.stdout.split("\n")[1] == "False"


def test_nothing_is_loaded_to_find_out(run_program: Callable[..., Any]) -> None:
    run_program(
        """
        import sys
        from langgraph_rust._internal._lazy.listening import needs_callbacks
        assert not needs_callbacks({})
        assert not [name for name in sys.modules if name.startswith("langchain_core")]
        """
    )


def test_a_patched_node_runs_as_the_runnable_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    original = RunnableSeq.invoke

    def invoke(self: RunnableSeq, *args: Any, **kwargs: Any) -> Any:
        seen.append(self.get_name())
        return original(self, *args, **kwargs)

    graph = graph_of(one)
    graph.invoke({})
    assert seen == []
    monkeypatch.setattr(RunnableSeq, "invoke", invoke)
    graph.invoke({})
    assert seen == ["RunnableSeq"]


# --- The methods of graphs ---


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Which of the patched methods of graphs were called."""
    seen: list[str] = []

    def patched(name: str, original: Any) -> Any:
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            seen.append(name)
            return original(self, *args, **kwargs)

        return method

    for name in ("stream", "astream", "invoke", "ainvoke"):
        monkeypatch.setattr(Pregel, name, patched(name, getattr(Pregel, name)))
    yield seen


def test_patched_methods_run_graphs_and_subgraphs(calls: list[str]) -> None:
    outer = graph_of(graph_of(one))
    outer.invoke({})
    assert calls == ["invoke", "stream"] * 2
    calls.clear()
    asyncio.run(outer.ainvoke({}))
    assert calls == ["ainvoke", "astream"] * 2


def test_patches_of_a_graph_that_ran_before_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    outer = graph_of(graph_of(one))
    outer.invoke({})
    seen: list[Any] = []
    original = Pregel.invoke

    def invoke(self: Any, input: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(input)
        return original(self, input, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Pregel, "invoke", invoke)
        outer.invoke({"x": 5})
        assert seen == [{"x": 5}, {"x": 5}]
    outer.invoke({})
    assert len(seen) == 2


def test_methods_set_on_a_graph_are_called() -> None:
    inner = graph_of(one)
    outer = graph_of(inner)
    assert outer.invoke({}) == {"x": 1}
    inner.stream = lambda *args, **kwargs: iter([("values", {"x": 7})])  # type: ignore[method-assign]
    assert not runs_as_defined(inner)
    assert inner.invoke({}) == {"x": 7}
    assert outer.invoke({}) == {"x": 7}
    inner.invoke = lambda *args, **kwargs: {"x": 8}  # type: ignore[method-assign]
    assert outer.invoke({}) == {"x": 8}
    del inner.stream, inner.invoke
    assert outer.invoke({}) == {"x": 1}


def test_methods_of_a_derived_class_are_called() -> None:
    class Doubling(type(graph_of(one))):  # type: ignore[misc]
        async def astream(self, *args: Any, **kwargs: Any) -> Any:
            async for mode, chunk in super().astream(*args, **kwargs):
                yield mode, {"x": chunk["x"] * 2} if mode == "values" and chunk else chunk

    inner = graph_of(one, Doubling)
    assert asyncio.run(inner.ainvoke({"x": 0})) == {"x": 2}
    assert asyncio.run(graph_of(inner).ainvoke({"x": 0})) == {"x": 2}
    assert graph_of(inner).invoke({"x": 0}) == {"x": 1}
