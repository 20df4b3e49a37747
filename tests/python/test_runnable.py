"""The engine's runnables, and how they become langchain-core's."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any, Generic, Optional, TypeVar

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import (
    Runnable,
    RunnableConfig,
    RunnableLambda,
    RunnableParallel,
    RunnableSequence,
)
from langchain_core.tracers.base import BaseTracer

from langgraph_rust._internal._constants import CONF, CONFIG_KEY_NODE_ERROR, CONFIG_KEY_RUNTIME
from langgraph_rust._internal._lazy.runnable import LazyRunnable, is_runnable
from langgraph_rust._internal._runnable import (
    RunnableCallable,
    RunnableSeq,
    coerce_to_runnable,
    create_task_in_config_context,
    is_async_callable,
    is_async_generator,
    run_in_executor,
    set_config_context,
)
from langgraph_rust.config import get_config
from langgraph_rust.errors import NodeError
from langgraph_rust.runtime import Runtime
from langgraph_rust.store.base import BaseStore
from langgraph_rust.types import StreamWriter, TracePolicy


def increment(x: int) -> int:
    return x + 1


async def aincrement(x: int) -> int:
    return x + 1


def in_fresh_interpreter(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


# --- Becoming a Runnable -------------------------------------------------------------------------


def test_nothing_heavy_is_loaded_to_call_functions() -> None:
    in_fresh_interpreter("""
import sys
import langgraph_rust.graph.message, langgraph_rust.runtime, langgraph_rust.graph.ui
from langgraph_rust._internal._runnable import RunnableCallable, RunnableSeq
step = RunnableCallable(lambda x: x + 1)
assert RunnableSeq(step, step).invoke(1) == 3
heavy = {"langchain_core", "pydantic", "asyncio", "concurrent.futures", "httpx", "langsmith"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
""")


@pytest.mark.parametrize(
    "trigger",
    [
        "from langchain_core.runnables import Runnable",
        "import langchain_core.language_models",
        "before.batch",
        "before | before",
        "(lambda x: x) | before",
        "class Mine(RunnableCallable): pass",
    ],
)
def test_existing_instances_become_runnables(trigger: str) -> None:
    in_fresh_interpreter(f"""
import pickle, sys
from typing import Generic, TypeVar
from langgraph_rust._internal._lazy.runnable import LazyRunnable
from langgraph_rust._internal._runnable import RunnableCallable

def parse(text):
    return int(text)

before = RunnableCallable(parse)
assert "langchain_core" not in sys.modules
{trigger}
from langchain_core.runnables import Runnable
assert isinstance(before, Runnable) and issubclass(LazyRunnable, Runnable)
assert before.batch(["1", "2"]) == [1, 2]
assert (before | before).invoke("3") == 3
assert ((lambda x: x) | before).invoke("4") == 4
assert before.with_config(tags=["t"]).invoke("5") == 5
assert pickle.loads(pickle.dumps(before)).invoke("6") == 6
""")


def test_langchain_loaded_first() -> None:
    in_fresh_interpreter("""
from langchain_core.runnables import Runnable
from langchain_core.runnables.config import var_child_runnable_config
from langgraph_rust._internal._config import config_var
from langgraph_rust._internal._runnable import RunnableCallable
assert issubclass(RunnableCallable, Runnable)
assert config_var() is var_child_runnable_config
""")


def test_langchain_loaded_later_shares_the_ambient_config() -> None:
    in_fresh_interpreter("""
from langgraph_rust._internal._config import config_var
config_var().set({"tags": ["t"]})
from langchain_core.runnables.config import ensure_config, var_child_runnable_config
assert config_var() is var_child_runnable_config
assert ensure_config()["tags"] == ["t"]
""")


def test_probing_for_protocol_names_loads_nothing() -> None:
    in_fresh_interpreter("""
import copy, inspect, sys
from langgraph_rust._internal._runnable import RunnableCallable
step = RunnableCallable(lambda x: x)
assert not hasattr(step, "__wrapped__") and not hasattr(step, "_repr_html_")
inspect.unwrap(step); copy.copy(step); repr(step)
assert "langchain_core" not in sys.modules
""")


T = TypeVar("T")


def test_subclasses_of_any_shape() -> None:
    class Base(LazyRunnable, Generic[T]):
        def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
            return input

    class Child(Base[int]):
        pass

    class Mixed(Child, dict):  # type: ignore[type-arg]
        pass

    assert Base.__parameters__ == (T,) and LazyRunnable.__parameters__ == ()
    for made in (Child(), Mixed()):
        assert isinstance(made, Runnable)
        assert (made | increment).invoke(1) == 2
    assert Child.__mro__.index(LazyRunnable) < Child.__mro__.index(Runnable)


def test_names() -> None:
    class Thing(LazyRunnable):
        name = None

    assert Thing().get_name() == "Thing"
    assert Thing().get_name("input") == "ThingInput"
    assert RunnableCallable(increment).get_name("input") == "increment_input"
    assert RunnableCallable(increment).get_name(name="other") == "other"


# --- RunnableCallable ----------------------------------------------------------------------------


def test_names_of_functions() -> None:
    assert RunnableCallable(increment).name == "increment"
    assert RunnableCallable(lambda x: x).name is None
    assert RunnableCallable(None, aincrement).name == "aincrement"
    assert RunnableCallable(increment, name="n").name == "n"
    with pytest.raises(ValueError, match="At least one of func or afunc"):
        RunnableCallable(None)


async def test_sync_and_async() -> None:
    sync_only = RunnableCallable(increment)
    assert sync_only.invoke(1) == await sync_only.ainvoke(1) == 2
    async_only = RunnableCallable(None, aincrement)
    assert await async_only.ainvoke(1) == 2
    with pytest.raises(TypeError, match='No synchronous function provided to "aincrement"'):
        async_only.invoke(1)


def test_exploded_and_fixed_arguments() -> None:
    def total(a: int, b: int, c: int = 0) -> int:
        return a + b + c

    exploded = RunnableCallable(total, explode_args=True, c=3)
    assert exploded.invoke(((1,), {"b": 2})) == 6


async def test_a_returned_runnable_is_invoked() -> None:
    def route(x: int) -> Any:
        return RunnableCallable(increment)

    async def aroute(x: int) -> Any:
        return RunnableCallable(increment)

    assert RunnableCallable(route).invoke(1) == 2
    assert await RunnableCallable(None, aroute).ainvoke(1) == 2
    assert is_runnable(RunnableCallable(route, recurse=False).invoke(1))


class TestInjection:
    runtime: Any = Runtime(store="store", stream_writer=print, previous="previous")  # type: ignore[arg-type]
    config: Any = {CONF: {CONFIG_KEY_RUNTIME: runtime}}

    def test_by_name_and_annotation(self) -> None:
        def node(
            x: Any,
            config: RunnableConfig,
            writer: StreamWriter,
            *,
            store: BaseStore,
            previous: int,
            runtime: Runtime[Any],
        ) -> Any:
            return config, writer, store, previous, runtime

        assert RunnableCallable(node, trace=False).invoke(1, self.config) == (
            self.config,
            print,
            "store",
            "previous",
            self.runtime,
        )

    def test_without_annotations(self) -> None:
        def node(x, config, writer, store):  # type: ignore[no-untyped-def]
            return config, writer, store

        node.__annotations__.clear()
        found = RunnableCallable(node, trace=False).invoke(1, self.config)
        assert found == (self.config, print, "store")

    def test_optional_forms(self) -> None:
        def node(
            x: Any,
            config: Optional[RunnableConfig],  # noqa: UP045
            store: Optional[BaseStore],  # noqa: UP045
        ) -> Any:
            return config, store

        assert set(RunnableCallable(node).func_accepts) == {"config", "store"}
        config: Any = {CONF: {}}
        assert RunnableCallable(node, trace=False).invoke(1, config) == (config, None)

    def test_evaluated_annotations(self) -> None:
        def node(x, config, store, writer):  # type: ignore[no-untyped-def]
            pass

        node.__annotations__ |= {
            "config": RunnableConfig | None,
            "store": Optional[BaseStore],  # noqa: UP045
            "writer": StreamWriter,
        }
        assert RunnableCallable(node).func_accepts["store"] == ("store", None)
        assert set(RunnableCallable(node).func_accepts) == {"config", "store", "writer"}

    def test_other_annotations_are_the_callers_business(self) -> None:
        def node(x: Any, store: str = "mine", writer: int = 1, error: str = "e") -> Any:
            return store, writer, error

        assert RunnableCallable(node).invoke(1, self.config) == ("mine", 1, "e")

    def test_a_wrong_config_annotation_warns(self) -> None:
        def node(x: Any, config: dict) -> Any:  # type: ignore[type-arg]
            pass

        with pytest.warns(UserWarning, match="The 'config' parameter should be typed as"):
            assert RunnableCallable(node).func_accepts == {}

    def test_passed_values_win(self) -> None:
        def node(x: Any, store: BaseStore) -> Any:
            return store

        assert RunnableCallable(node).invoke(1, self.config, store="other") == "other"

    def test_a_required_value_must_exist(self) -> None:
        def node(x: Any, store: BaseStore) -> Any:
            pass

        with pytest.raises(ValueError, match="Missing required config key 'store' for 'node'"):
            RunnableCallable(node).invoke(1)

    def test_error_handlers(self) -> None:
        def handler(x: Any, error: NodeError) -> Any:
            return error

        error = NodeError("n", ValueError())
        assert RunnableCallable(handler).invoke(1) is None
        assert RunnableCallable(handler).invoke(1, {CONF: {CONFIG_KEY_NODE_ERROR: error}}) is error

    def test_a_foreign_runtime_is_tolerated(self) -> None:
        def node(x: Any, writer: StreamWriter) -> Any:
            return writer(1)

        assert RunnableCallable(node).invoke(1, {CONF: {CONFIG_KEY_RUNTIME: object()}}) is None


class TestContext:
    async def test_the_config_is_ambient_while_the_function_runs(self) -> None:
        def node(x: Any) -> Any:
            return get_config()["tags"]

        async def anode(x: Any) -> Any:
            return get_config()["tags"]

        config: RunnableConfig = {"tags": ["t"], "run_name": "r"}
        assert RunnableCallable(node).invoke(1, config) == ["t"]
        if sys.version_info >= (3, 11):
            assert await RunnableCallable(node, anode).ainvoke(1, config) == ["t"]
        with pytest.raises(RuntimeError, match="outside of a runnable context"):
            get_config()

    def test_the_runs_name_is_not_inherited(self) -> None:
        def node(x: Any) -> Any:
            return get_config()

        config: Any = {"run_name": "r", "run_id": "i"}
        assert not {"run_name", "run_id"} & set(RunnableCallable(node).invoke(1, config))

    def test_given_explicitly(self) -> None:
        with set_config_context({"tags": ["t"]}) as context:
            assert context.run(get_config) == {"tags": ["t"]}

    async def test_given_to_a_task(self) -> None:
        async def work() -> Any:
            return get_config()

        assert await create_task_in_config_context(work, {"tags": ["t"]}) == {"tags": ["t"]}

    async def test_carried_into_threads(self) -> None:
        with set_config_context({"tags": ["t"]}) as context:
            task = context.run(asyncio.ensure_future, run_in_executor(None, get_config))
        assert await task == {"tags": ["t"]}

    async def test_stop_iteration_leaves_a_thread(self) -> None:
        with pytest.raises(RuntimeError):
            await run_in_executor(None, next, iter(()))


# --- Runs and traces -----------------------------------------------------------------------------


class Recorder(BaseCallbackHandler):
    """Records names, payloads and tags of runs."""

    run_inline = True

    def __init__(self) -> None:
        self.events: list[Any] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        self.events.append(("start", kwargs["name"], inputs, kwargs["tags"]))

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        self.events.append(("end", outputs))

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        self.events.append(("error", type(error)))


class Tracer(BaseTracer):
    """Keeps finished root runs."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[Any] = []

    def _persist_run(self, run: Any) -> None:
        self.done.append(run)


async def test_a_call_is_a_run() -> None:
    for call in ("invoke", "ainvoke"):
        recorder = Recorder()
        step = RunnableCallable(increment, aincrement, tags=["t"])
        result = getattr(step, call)(1, {"callbacks": [recorder]})
        assert (await result if call == "ainvoke" else result) == 2
        assert recorder.events == [("start", "increment", 1, ["t"]), ("end", 2)]


async def test_a_failure_is_reported() -> None:
    def fail(x: Any) -> Any:
        raise KeyError(x)

    async def afail(x: Any) -> Any:
        raise KeyError(x)

    for call in ("invoke", "ainvoke"):
        recorder = Recorder()
        with pytest.raises(KeyError):
            result = getattr(RunnableCallable(fail, afail), call)(1, {"callbacks": [recorder]})
            await result
        assert recorder.events[1:] == [("error", KeyError)]


def test_no_run_without_trace() -> None:
    recorder = Recorder()
    RunnableCallable(increment, trace=False).invoke(1, {"callbacks": [recorder]})
    assert recorder.events == []


class TestSequence:
    def test_needs_two_steps(self) -> None:
        with pytest.raises(ValueError, match="at least 2 steps, got 1"):
            RunnableSeq(increment)

    def test_flattens_sequences(self) -> None:
        lambdas = RunnableLambda(increment) | RunnableLambda(increment)
        assert len(RunnableSeq(RunnableSeq(increment, increment), lambdas).steps) == 4

    async def test_runs_steps_in_order(self) -> None:
        sequence = RunnableSeq(increment, lambda x: x * 10, lambda x: str(x))
        assert sequence.invoke(1) == await sequence.ainvoke(1) == "20"

    async def test_steps_are_tagged_child_runs(self) -> None:
        sequence = RunnableSeq(increment, increment, name="both")
        for call in ("invoke", "ainvoke"):
            recorder = Recorder()
            result = getattr(sequence, call)(1, {"callbacks": [recorder]})
            if call == "ainvoke":
                await result
            assert [event for event in recorder.events if event[0] == "start"] == [
                ("start", "both", 1, []),
                ("start", "increment", 1, ["seq:step:1"]),
                ("start", "increment", 2, ["seq:step:2"]),
            ]

    async def test_streams_to_the_end(self) -> None:
        seen: list[Any] = []

        def collect(x: Any) -> None:
            seen.append(x)

        sequence = RunnableSeq(increment, collect)
        assert list(sequence.stream(1)) == [None]
        assert [chunk async for chunk in sequence.astream(1)] == [None]
        assert seen == [2, 2]

    def test_operators(self) -> None:
        ours = RunnableSeq(increment, increment, name="ours")
        theirs = RunnableLambda(increment) | RunnableLambda(increment)
        longer = ours | theirs
        assert isinstance(longer, RunnableSeq) and len(longer.steps) == 4
        assert (ours | increment).name == "ours"
        assert len((ours | ours).steps) == 4  # type: ignore[attr-defined]
        before = theirs | ours
        assert isinstance(before, RunnableSequence) and before.invoke(0) == 4
        assert (increment | ours).invoke(0) == 3  # type: ignore[operator]

    async def test_policy_changes_only_what_tracers_record(self) -> None:
        policy = TracePolicy(process_inputs=lambda x: "in", process_outputs=lambda x: "out")
        sequence = RunnableSeq(increment, increment, name="n", trace_policy=policy)
        for call in ("invoke", "ainvoke"):
            recorder, tracer = Recorder(), Tracer()
            result = getattr(sequence, call)(1, {"callbacks": [recorder, tracer]})
            assert (await result if call == "ainvoke" else result) == 3
            assert recorder.events[0][:3] == ("start", "n", 1)
            assert recorder.events[-1] == ("end", 3)
            (run,) = tracer.done
            assert (run.inputs, run.outputs) == ({"input": "in"}, {"output": "out"})

    def test_a_failing_policy_is_ignored(self) -> None:
        def fail(_: Any) -> Any:
            raise ValueError

        tracer = Tracer()
        policy = TracePolicy(process_inputs=fail, process_outputs=fail)
        sequence = RunnableSeq(increment, increment, trace_policy=policy)
        assert sequence.invoke(1, {"callbacks": [tracer]}) == 3
        assert tracer.done[0].inputs == {"input": 1}

    def test_inputs_can_be_shown_differently(self) -> None:
        recorder = Recorder()
        sequence = RunnableSeq(increment, increment, trace_inputs=lambda x: "shown")
        sequence.invoke(1, {"callbacks": [recorder]})
        assert recorder.events[0][2] == "shown"


# --- Coercion ------------------------------------------------------------------------------------


async def test_coercion() -> None:
    coerced = coerce_to_runnable(increment, name=None, trace=False)
    assert isinstance(coerced, RunnableCallable)
    assert coerced.invoke(1) == await coerced.ainvoke(1) == 2
    assert coerced.afunc is not None and coerced.afunc.func is run_in_executor  # type: ignore[attr-defined]
    only_async = coerce_to_runnable(aincrement, name="n", trace=True)
    assert isinstance(only_async, RunnableCallable) and only_async.func is None

    def generate(x: Any) -> Iterator[Any]:
        yield x

    assert isinstance(coerce_to_runnable(generate, name="g", trace=True), RunnableLambda)
    assert isinstance(coerce_to_runnable({"a": increment}, name=None, trace=True), RunnableParallel)
    assert coerce_to_runnable(coerced, name=None, trace=True) is coerced
    with pytest.raises(TypeError, match="Expected a Runnable, callable or dict"):
        coerce_to_runnable(1, name=None, trace=True)  # type: ignore[arg-type]


def test_kinds_of_functions() -> None:
    class AsyncCall:
        async def __call__(self) -> None: ...

    async def generate() -> Any:
        yield

    assert is_async_callable(aincrement) and is_async_callable(AsyncCall())
    assert not is_async_callable(increment)
    assert is_async_generator(generate) and not is_async_generator(aincrement)


def test_pickling() -> None:
    step = pickle.loads(pickle.dumps(RunnableCallable(increment)))
    assert step.invoke(1) == 2


def test_unresolvable_annotations_are_no_problem() -> None:
    def node(x: Missing, config: RunnableConfig) -> AlsoMissing:  # type: ignore[name-defined]  # noqa: F821
        return config

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert set(RunnableCallable(node).func_accepts) == {"config"}
