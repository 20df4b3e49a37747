"""When calls are quick, and how async ones go on: what is patched, cancelled, offloaded."""

from __future__ import annotations

import asyncio
import gc
import inspect
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial, wraps
from types import FunctionType
from typing import Any
from unittest import mock

import langsmith.utils
import pytest
from langchain_core.callbacks import BaseCallbackManager
from langchain_core.callbacks import manager as managers
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.tools import BaseTool, StructuredTool, tool
from langchain_core.tools import Tool as SimpleTool
from langsmith import run_helpers

from langgraph_rust._internal import _quiet
from langgraph_rust._internal._quiet._contexts import in_context
from langgraph_rust._internal._quiet._known import fingerprint, original
from langgraph_rust._internal._quiet._known.fingerprints import FINGERPRINTS
from langgraph_rust._internal._quiet._known.memo import Memo
from langgraph_rust._internal._quiet._models import _plans as _model_plans
from langgraph_rust._internal._quiet._silence import is_traced
from langgraph_rust._internal._quiet._tools import _plans as _tool_plans
from tests.python._calls import is_quick


@tool
def add(a: int) -> str:
    """Add."""
    return str(a)


class Model(FakeListChatModel):
    responses: list[str] = ["x"]


def call_tool() -> Any:
    return _quiet.call_tool(add, {"a": 1})


def call_model() -> Any:
    return _quiet.call_model(Model(), "x").content


OF_TRACEABLE = ("_setup_run", "_handle_container_end", "_container_end", "_get_parent_run")


# --- What is known -------------------------------------------------------------------------------


def functions() -> dict[str, FunctionType]:
    """Everything of langchain-core that quiet calls skip or do in another way."""
    places: list[tuple[Any, str]] = [
        *_tool_plans.SKIPPED.places,
        *_model_plans.SKIPPED.places,
        *((BaseTool, name) for name in _tool_plans.METHODS - {"_run"}),
        *((cls, name) for cls in (StructuredTool, SimpleTool) for name in ("_run", "_arun")),
        *((cls, "ainvoke") for cls in (StructuredTool, SimpleTool)),
        *((BaseChatModel, name) for name in _model_plans.METHODS - {"_generate"}),
        *((RunnableBindingBase, name) for name in _model_plans.BINDING_METHODS),
        (langsmith.utils, "tracing_is_enabled"),
        (run_helpers.aitertools, "_default_aio_to_thread"),
        *((run_helpers, name) for name in OF_TRACEABLE),
    ]
    found = [original(getattr(holder, name)) for holder, name in places]
    return {
        f"{each.__module__.removeprefix('langchain_core.')}:{each.__qualname__}": each
        for each in found
        if not isinstance(each, type)
    }


@pytest.mark.parametrize("name", sorted(functions()))
def test_langchain_core_is_what_quiet_calls_were_written_for(name: str) -> None:
    assert fingerprint(functions()[name]) in FINGERPRINTS.get(name, ())


def test_a_function_that_is_not_the_text_it_was_has_no_known_fingerprint() -> None:
    was = BaseTool.run
    changed = FunctionType(was.__code__.replace(co_filename=__file__), was.__globals__)
    changed.__module__, changed.__qualname__ = was.__module__, was.__qualname__
    assert fingerprint(changed) is None
    other = FunctionType(BaseTool.arun.__code__, was.__globals__)
    other.__module__ = was.__module__
    assert fingerprint(other) not in FINGERPRINTS["tools.base:BaseTool.run"]


def plain(function: Any) -> Any:
    return lambda *args, **kwargs: function(*args, **kwargs)


def wrapped(function: Any) -> Any:
    return wraps(function)(plain(function))


TOOL_PATCHES = [
    (managers, "_configure"),
    (managers.CallbackManager, "__init__"),
    (managers.CallbackManager, "on_tool_start"),
    (managers.CallbackManagerForToolRun, "on_tool_end"),
    (BaseTool, "invoke"),
    (BaseTool, "run"),
    (BaseTool, "_filter_injected_args"),
    (StructuredTool, "invoke"),
    (StructuredTool, "run"),
]
MODEL_PATCHES = [
    (managers.CallbackManager, "on_chat_model_start"),
    (managers.CallbackManagerForLLMRun, "on_llm_end"),
    (BaseChatModel, "invoke"),
    (BaseChatModel, "generate"),
    (BaseChatModel, "_generate_with_cache"),
    (Model, "generate_prompt"),
    (Model, "_should_stream"),
    (langsmith.utils, "tracing_is_enabled"),
]


def mocked(function: Any) -> Any:
    return mock.create_autospec(function, side_effect=function)


@pytest.mark.parametrize("replace", [plain, wrapped, mocked])
@pytest.mark.parametrize(
    ("call", "owner", "name"),
    [
        *((call_tool, *patch) for patch in TOOL_PATCHES),
        *((call_model, *patch) for patch in MODEL_PATCHES[:-1]),
    ],
)
def test_who_replaces_what_is_skipped_is_called(
    call: Callable[[], Any], owner: Any, name: str, replace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_quick(call)[1]
    expected = call()
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, replace(getattr(owner, name)))
        assert is_quick(call) == (expected, False)
    assert is_quick(call)[1]


class Descriptor:
    """What some tracing packages put in place of a method: bound anew whenever it is looked up."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return partial(self.function, instance) if instance is not None else plain(self.function)


def test_a_lasting_replacement_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    was = BaseCallbackManager.__init__
    monkeypatch.setattr(BaseCallbackManager, "__init__", Descriptor(was))
    for call, skipped in (
        (call_tool, _tool_plans.SKIPPED),
        (call_model, _model_plans.SKIPPED),
    ):
        assert not is_quick(call)[1]
        seen = skipped._is_as_seen
        assert not is_quick(call)[1]
        assert skipped._is_as_seen is seen
    monkeypatch.undo()
    assert is_quick(call_tool)[1] and is_quick(call_model)[1]


@pytest.mark.parametrize(
    ("call", "owner", "name"),
    [
        (call_tool, StructuredTool, "_run"),
        (call_tool, BaseTool, "_parse_input"),
        (call_tool, BaseTool, "_to_args_and_kwargs"),
        (call_model, FakeListChatModel, "_call"),
        (call_model, Model, "_generate"),
        (call_model, BaseChatModel, "_convert_input"),
        (call_model, langsmith.utils, "tracing_is_enabled"),
    ],
)
def test_what_is_not_skipped_may_be_replaced(
    call: Callable[[], Any], owner: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call()
    called = []
    was = getattr(owner, name)

    @wraps(was)
    def replaced(*args: Any, **kwargs: Any) -> Any:
        called.append(name)
        return was(*args, **kwargs)

    monkeypatch.setattr(owner, name, replaced)
    call()
    assert called


def test_environment_variables_that_switch_tracing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGCHAIN_TRACING", "true")
    with pytest.raises(RuntimeError, match="no longer supported"):
        call_tool()


def test_langsmith_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_traced()
    with langsmith.run_helpers.tracing_context(enabled=True):
        assert is_traced()
    with langsmith.run_helpers.tracing_context(enabled=False, tags=["t"]):
        assert is_quick(call_tool)[1]
    monkeypatch.setattr(langsmith.utils, "get_env_var", lambda *args, **kwargs: "true")
    assert is_traced()


def test_reasons_are_counted() -> None:
    class Own(Model):
        def generate(self, *args: Any, **kwargs: Any) -> Any:
            return super().generate(*args, **kwargs)

    reason = "Own.generate is not langchain-core's"
    before = _quiet.reasons().get(reason, 0)
    _quiet.call_model(Own(), "x")
    assert _quiet.reasons()[reason] == before + 1


def a_model() -> Any:
    class Own(Model):
        def _generate(self, *args: Any, **kwargs: Any) -> Any:
            return super()._generate(*args, **kwargs)

    assert is_quick(lambda: _quiet.call_model(Own(), "x").content) == ("x", True)
    return weakref.ref(Own)


def a_tool() -> Any:
    class Own(BaseTool):
        name: str = "own"
        description: str = "d"

        def _run(self, a: int) -> Any:
            return __class__.__name__

    assert is_quick(lambda: _quiet.call_tool(Own(), {"a": 1})) == ("Own", True)
    return weakref.ref(Own)


@pytest.mark.parametrize("make", [a_model, a_tool])
def test_classes_are_not_kept_alive(make: Callable[[], Any]) -> None:
    gone = make()
    gc.collect()
    assert gone() is None


def test_a_memo_tells_objects_apart_by_identity() -> None:
    class Equal:
        def __eq__(self, other: object) -> bool:
            return True

    first, second = Equal(), Equal()
    memo = Memo(id)
    assert [memo(first), memo(second), memo(first)] == [id(first), id(second), id(first)]
    asked = []
    memo_of_ints: Memo[int, None] = Memo(asked.append)
    for _ in range(2):
        memo_of_ints(1000)
    assert asked == [1000, 1000]


def test_nothing_is_imported_before_the_first_call() -> None:
    code = """
import sys
from langgraph_rust._internal import _quiet
from langgraph_rust import install
install(accelerate=True)
assert "langchain_core" not in sys.modules and "asyncio" not in sys.modules
assert _quiet.is_accelerated() and _quiet.reasons() == {}
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# --- Async ---------------------------------------------------------------------------------------


def test_a_cancelled_call_is_cancelled_within() -> None:
    seen: list[str] = []

    @tool
    async def waits() -> str:
        """Wait."""
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        return ""

    async def main() -> None:
        task = asyncio.create_task(_quiet.acall_tool(waits, {}))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(_quiet.acall_tool(waits, {}), 0.01)

    asyncio.run(main())
    assert seen == ["cancelled"] * 2


def test_an_awaitable_that_is_no_coroutine() -> None:
    async def main() -> Any:
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, "x")

        def function(a: int) -> Any:
            return future

        made = StructuredTool.from_function(coroutine=function, name="t", description="d")
        return await _quiet.acall_tool(made, {"a": 1})

    assert asyncio.run(main()) == "x"


def test_what_is_thrown_in_and_what_comes_out() -> None:
    from contextvars import copy_context

    async def work(log: list[str]) -> str:
        try:
            await asyncio.sleep(60)
        except ValueError as error:
            log.append(f"got {error}")
            return "mended"
        finally:
            log.append("closed")
        return ""

    for end in (lambda coro: coro.close(), lambda coro: coro.throw(ValueError("v"))):
        log: list[str] = []
        loop = asyncio.new_event_loop()

        async def main(log: list[str] = log, end: Any = end) -> Any:
            async def outer() -> Any:
                return await in_context(copy_context(), work, (log,), {})

            coro = outer()
            coro.send(None)
            try:
                return end(coro)
            except StopIteration as done:
                return done.value

        assert loop.run_until_complete(main()) in (None, "mended")
        loop.close()
        assert log[-1] == "closed"


def test_a_sync_tool_does_not_block_the_loop() -> None:
    @tool
    def waits() -> str:
        """Wait."""
        time.sleep(0.05)
        return threading.current_thread().name

    async def main() -> tuple[str, int]:
        turns = 0
        task = asyncio.create_task(_quiet.acall_tool(waits, {}))
        while not task.done():
            await asyncio.sleep(0.001)
            turns += 1
        return task.result(), turns

    name, turns = asyncio.run(main())
    assert name != threading.current_thread().name and turns > 3


# --- Every caller --------------------------------------------------------------------------------

ACCELERATED = """
import asyncio, inspect, sys
from functools import partial, wraps

{before}
from langgraph_rust import install
install({arguments})

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.tools import BaseTool, tool
from langgraph_rust._internal import _quiet
from langgraph_rust._internal._lazy.listening import needs_callbacks

class Model(FakeListChatModel):
    responses: list = ["x"]

class Own(Model):
    def invoke(self, *args, **kwargs):
        return super().invoke(*args, **kwargs)

@tool
def add(a: int) -> str:
    "Add."
    return str(a)

def quick(call):
    before = sum(_quiet.quick().values())
    call()
    return sum(_quiet.quick().values()) - before

calls = [
    lambda: add.invoke({{"a": 1}}),
    lambda: asyncio.run(add.ainvoke({{"a": 1}})),
    lambda: Model().invoke("x"),
    lambda: asyncio.run(Model().ainvoke("x")),
    lambda: Model().bind(stop=["y"]).invoke("x"),
    lambda: Own().invoke("x"),
    lambda: _quiet.call_model(Model(), "x"),
    lambda: _quiet.call_tool(add, {{"a": 1}}),
    lambda: (Model() | (lambda message: message.content)).invoke("x"),
]
print(*map(quick, calls))
assert not needs_callbacks({{}})
for cls in BaseTool, BaseChatModel, RunnableBindingBase:
    for name in "invoke", "ainvoke":
        method = getattr(cls, name)
        assert method.__qualname__ == f"{{cls.__name__}}.{{name}}", method
        assert inspect.signature(method).parameters["config"].default is None
        assert inspect.iscoroutinefunction(method) == (name == "ainvoke")
        assert method.__module__.startswith("langchain_core")
was = Model.generate
Model.generate = wraps(was)(lambda *args, **kwargs: was(*args, **kwargs))
print(quick(calls[2]), quick(calls[6]))
"""


@pytest.mark.parametrize(
    "before", ["", "import langchain_core.tools, langchain_core.runnables.base"]
)
@pytest.mark.parametrize(
    ("arguments", "variable", "expected"),
    [
        ("accelerate=True", "", "1 1 1 1 1 1 1 1 1\n0 0\n"),
        ("", "1", "1 1 1 1 1 1 1 1 1\n0 0\n"),
        ("accelerate=False", "1", "0 0 0 0 0 0 1 1 0\n0 0\n"),
        ("", "", "0 0 0 0 0 0 1 1 0\n0 0\n"),
    ],
)
def test_installed_for_every_caller(
    before: str, arguments: str, variable: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGGRAPH_RUST_ACCELERATE", variable)
    code = ACCELERATED.format(before=before, arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == (expected, 0), done.stderr


def test_a_signature_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert call_tool() == "1" and call_model() == "x"

    def fails(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(inspect, "signature", fails)
    assert call_tool() == "1" and call_model() == "x"


def test_messages_of_known_kinds_are_not_copied() -> None:
    seen: list[Any] = []

    class Keeps(Model):
        def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
            seen.append(messages)
            return super()._generate(messages, *args, **kwargs)

    given = [AIMessage("a")]
    _quiet.call_model(Keeps(), given)
    assert seen[0] is not given and seen[0][0] is given[0]


def test_schemas_of_tools_are_let_go() -> None:
    gone: list[Any] = []
    for _ in range(3):

        @tool
        def short_lived(x: int) -> int:
            """Live shortly."""
            return x

        assert _quiet.call_tool(short_lived, {"x": 1}) == 1
        gone.append(weakref.ref(short_lived.args_schema))
        del short_lived
    gc.collect()
    assert [schema() for schema in gone] == [None] * 3


def test_a_model_that_counts_what_it_used_does() -> None:
    counted: list[Any] = []

    class Counting(FakeListChatModel):
        def _combine_llm_outputs(self, llm_outputs: list[Any]) -> dict[str, Any]:
            counted.append(llm_outputs)
            return {}

    model = Counting(responses=["x"])
    model.invoke("hi")
    assert is_quick(lambda: _quiet.call_model(model, "hi"))[1]
    assert counted == [[None], [None]]
