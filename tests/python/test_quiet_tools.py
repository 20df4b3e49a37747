"""Quick calls of tools are ordinary ones, as far as anybody can tell."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from inspect import signature
from typing import Annotated, Any

import pytest
from langchain_core.callbacks import (
    AsyncCallbackManagerForToolRun,
    BaseCallbackHandler,
    CallbackManager,
    CallbackManagerForToolRun,
    Callbacks,
)
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tools import (
    BaseTool,
    InjectedToolArg,
    InjectedToolCallId,
    StructuredTool,
    Tool,
    ToolException,
    tool,
)
from pydantic import BaseModel, ConfigDict, Field, computed_field, field_validator
from pydantic.v1 import BaseModel as OldModel

from langgraph_rust._internal import _quiet
from langgraph_rust._internal._lazy.callbacks import SilentCallbackManager
from langgraph_rust.types import Command
from tests.python._calls import in_loop, is_quick, note, outcome

Make = Callable[..., BaseTool]
MAKERS: dict[str, Make] = {}


def maker(make: Make) -> Make:
    MAKERS[make.__name__] = make
    return make


def both(function: Any, **options: Any) -> BaseTool:
    """A tool of a function, and of the same as a coroutine."""

    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    coroutine.__annotations__ = function.__annotations__
    setattr(coroutine, "__signature__", signature(function))  # noqa: B010
    return StructuredTool.from_function(function, coroutine, name="t", description="d", **options)


class Falsy(Exception):
    def __bool__(self) -> bool:
        return False


def returning(value: Any, **options: Any) -> Make:
    def make() -> BaseTool:
        def function(a: int) -> Any:
            note(a)
            return value() if callable(value) else value

        return both(function, **options)

    return make


def raising(error: Callable[[], BaseException], **options: Any) -> Make:
    def make() -> BaseTool:
        def function(a: int) -> Any:
            note(a)
            raise error()

        return both(function, **options)

    return make


def noted(message: str) -> BaseException:
    error = ValueError(message)
    setattr(error, "__notes__", ["a note"])  # noqa: B010
    return error


RETURNED: dict[str, Any] = {
    "text": "text",
    "none": None,
    "number": 1.5,
    "dict": {"b": [1]},
    "texts": ["a", "b"],
    "blocks": [{"type": "text", "text": "x"}],
    "empty": [],
    "not json": {1, 2},
    "message": lambda: ToolMessage("m", tool_call_id="other", name="n", status="error"),
    "messages": lambda: [ToolMessage("m", tool_call_id="other")],
    "human": HumanMessage("h"),
    "command": Command(update={"a": 1}),
    "commands": [Command(update={"a": 1}), Command(goto="x")],
}
for name, value in RETURNED.items():
    MAKERS[f"returns {name}"] = returning(value)
    MAKERS[f"returns {name} directly"] = returning(value, return_direct=True)
    MAKERS[f"returns {name}, wants two"] = returning(value, response_format="content_and_artifact")
MAKERS["returns two"] = returning(("c", [1]), response_format="content_and_artifact")
MAKERS["returns three"] = returning((1, 2, 3), response_format="content_and_artifact")

RAISED: dict[str, Callable[[], BaseException]] = {
    "an error": lambda: noted("no"),
    "a tool's error": lambda: ToolException("no", 1),
    "an empty one": ToolException,
    "a falsy one": Falsy,
    "an exit": lambda: SystemExit(3),
    "a stop": StopIteration,
    "an interrupt": KeyboardInterrupt,
}


def fails(error: BaseException) -> str:
    raise KeyError("handler")


HANDLERS: dict[str, Any] = {
    "no": False,
    "yes": True,
    "text": "handled",
    "function": lambda error: f"handled {type(error).__name__}",
    "blocks": lambda error: [{"type": "text", "text": "x"}],
    "error": lambda error: error,
    "fails": fails,
    "odd": 1,
}
for (error, make), (handler, flag) in itertools.product(RAISED.items(), HANDLERS.items()):
    if handler == "odd":
        continue
    MAKERS[f"raises {error}, handler {handler}"] = raising(make, handle_tool_error=flag)
for handler, flag in HANDLERS.items():
    if handler != "odd":
        MAKERS[f"validates, handler {handler}"] = returning("x", handle_validation_error=flag)
MAKERS["tags and metadata"] = returning("x", tags=["of tool"], metadata={"of": "tool"})


@maker
def no_arguments() -> BaseTool:
    def function() -> str:
        note()
        return "x"

    return both(function)


@maker
def defaults() -> BaseTool:
    def function(a: int, b: str = "b", c: list[int] | None = None, d: Any = 3) -> str:
        note(a, b, c, d)
        return f"{a}{b}{c}{d}"

    return both(function)


@maker
def wrong_default() -> BaseTool:
    def function(a: int, b: str = 1) -> str:  # type: ignore[assignment]
        note(a, b)
        return f"{a}{b}"

    return both(function)


@maker
def variadic() -> BaseTool:
    def function(a: int, *args: int, **kwargs: str) -> str:
        note(a, args, kwargs)
        return "x"

    return both(function)


@maker
def injected() -> BaseTool:
    def function(
        a: int,
        call_id: Annotated[str, InjectedToolCallId],
        state: Annotated[dict[str, Any], InjectedToolArg] = {"s": 1},  # noqa: B006
    ) -> str:
        note(a, call_id, state)
        return call_id

    return both(function)


@maker
def wants_config() -> BaseTool:
    def function(a: int, settings: RunnableConfig) -> str:
        note(a, settings)
        settings["tags"].append("changed")
        settings["metadata"]["changed"] = True
        note()
        return "x"

    return both(function)


@maker
def wants_callbacks() -> BaseTool:
    def function(a: int, callbacks: Callbacks = None) -> str:
        note(a, callbacks)
        return "x"

    return both(function)


@maker
def argument_called_config() -> BaseTool:
    def function(a: int, config: str = "c") -> str:
        note(a, config)
        return "x"

    return both(function)


class Old(OldModel):
    a: int
    b: int = 2


class Schema(BaseModel):
    model_config = ConfigDict(extra="allow", populate_by_name=True)

    a: int = Field(alias="first")
    b: int = Field(default_factory=lambda: 2)
    c: int = Field(default=3, exclude=True)

    @field_validator("a")
    @classmethod
    def look(cls, a: int) -> int:
        note("validating", a)
        return a

    @computed_field
    @property
    def d(self) -> int:
        return self.b + 1


class Empty(BaseModel):
    pass


SCHEMAS: dict[str, Any] = {
    "old": Old,
    "rich": Schema,
    "empty": Empty,
    "json": {"title": "t", "type": "object", "properties": {"a": {"type": "integer"}}},
}


def with_schema(schema: Any) -> Make:
    def make() -> BaseTool:
        def function(**kwargs: Any) -> str:
            note(kwargs)
            return str(kwargs)

        return both(function, args_schema=schema)

    return make


for name, schema in SCHEMAS.items():
    MAKERS[f"schema {name}"] = with_schema(schema)


@maker
def single() -> BaseTool:
    def function(text: str) -> str:
        note(text)
        return text

    async def coroutine(text: str) -> str:
        return function(text)

    return Tool("t", function, "d", coroutine=coroutine)


@maker
def sync_only() -> BaseTool:
    @tool
    def function(a: int) -> str:
        """Add."""
        note(a)
        return str(a)

    return function


@maker
def async_only() -> BaseTool:
    @tool
    async def function(a: int, config: RunnableConfig) -> str:
        """Add."""
        note(a, config)
        return str(a)

    return function


class Own(BaseTool):
    name: str = "own"
    description: str = "d"

    def _run(self, a: int, run_manager: CallbackManagerForToolRun | None = None) -> str:
        note(a, run_manager)
        return f"{a}"


class OwnConfig(Own):
    def _run(self, a: int, settings: RunnableConfig) -> str:  # type: ignore[override]
        note(a, settings)
        return f"{a}"


class OwnAsync(Own):
    async def _arun(self, a: int, run_manager: AsyncCallbackManagerForToolRun | None = None) -> str:
        assert run_manager is not None
        note(a, run_manager, run_manager.get_child(), run_manager.get_sync())
        return f"async {a}"


class OwnRun(Own):
    def run(self, *args: Any, **kwargs: Any) -> Any:
        return "own run", super().run(*args, **kwargs)

    async def arun(self, *args: Any, **kwargs: Any) -> Any:
        return "own run", await super().arun(*args, **kwargs)


class OwnInvoke(Own):
    def invoke(self, *args: Any, **kwargs: Any) -> Any:
        return "own invoke", super().invoke(*args, **kwargs)

    async def ainvoke(self, *args: Any, **kwargs: Any) -> Any:
        return "own invoke", await super().ainvoke(*args, **kwargs)


class OwnParse(Own):
    def _parse_input(self, tool_input: Any, tool_call_id: str | None) -> Any:
        note("parsing", tool_input, tool_call_id)
        return super()._parse_input(tool_input, tool_call_id)


class OwnSchema(Own):
    args_schema: Any = Schema

    def _run(self, **kwargs: Any) -> str:  # type: ignore[override]
        note(kwargs)
        return str(kwargs)


for cls in (Own, OwnConfig, OwnAsync, OwnRun, OwnInvoke, OwnParse, OwnSchema):
    MAKERS[cls.__name__] = cls


def call_of(args: Any) -> Any:
    return {"type": "tool_call", "name": "t", "id": "1", "args": args}


VALUES: dict[str, Callable[[], Any]] = {
    "call": lambda: call_of({"a": 1}),
    "call with text": lambda: call_of({"a": "1", "b": "2", "text": "t"}),
    "call without": lambda: call_of({}),
    "call with more": lambda: call_of({"a": 1, "call_id": "mine", "first": 4, "z": [1]}),
    "one argument": lambda: call_of({"text": "t"}),
    "call with odd id": lambda: {**call_of({"a": 1}), "id": 7},
    "call without id": lambda: {**call_of({"a": 1}), "id": None},
    "call that lacks its id": lambda: {"type": "tool_call", "args": {"a": 1}},
    "invalid": lambda: call_of({"a": "x"}),
    "config": lambda: call_of({"a": 1, "config": "mine", "run_manager": 1, "callbacks": 2}),
    "self": lambda: call_of({"a": 1, "self": 3}),
    "dict": lambda: {"a": 1},
    "string": lambda: "1",
    "number": lambda: 1,
}

MANAGER = CallbackManager([], parent_run_id=uuid.UUID(int=5), inheritable_tags=["inherited"])
CONFIGS: dict[str, Any] = {
    "none": None,
    "empty": {},
    "full": {
        "tags": ["t"],
        "metadata": {"m": 1},
        "configurable": {"thread_id": "1", "model": "big", "checkpoint_ns": "ns"},
        "run_name": "named",
        "run_id": uuid.UUID(int=7),
        "max_concurrency": 3,
        "recursion_limit": 9,
    },
    "foreign keys": {"metadata": {"m": 1}, "mine": 5},
    "no handlers": {"callbacks": [], "tags": None},
    "silent": {"callbacks": SilentCallbackManager()},
    "a manager": {"callbacks": MANAGER, "tags": ["b"], "metadata": {"k": "v"}},
    "odd": {"tags": ("a",)},
    "odder": {"metadata": 3},
    "not one": [1],
}

AMBIENT: dict[str, Any] = {
    "around": {
        "tags": ["around"],
        "metadata": {"around": 1},
        "callbacks": MANAGER,
        "configurable": {"thread_id": "0", "x": 1},
        "run_name": "outer",
        "run_id": uuid.UUID(int=9),
        "more": 1,
    },
    "plainly": {"tags": ["around"], "metadata": {"around": 1}, "recursion_limit": 3},
}

WAYS = {
    "sync": (lambda tool, *a: tool.invoke(*a), _quiet.call_tool),
    "async": (in_loop(lambda tool, *a: tool.ainvoke(*a)), in_loop(_quiet.acall_tool)),
}


def compare(make: Make, value: str, config: str, way: str, around: Any = None) -> bool:
    """Compare the two ways to call, and return whether the one was quick."""
    ordinary, quick = WAYS[way]

    def run(call: Any) -> Any:
        made, given = make(), VALUES[value]()

        def called() -> Any:
            if around is not None:
                var_child_runnable_config.set(around)
            return call(made, given, CONFIGS[config])

        return outcome(called), outcome(lambda: given)

    expected = run(ordinary)
    found, was_quick = is_quick(lambda: run(quick))
    assert found == expected
    return was_quick


NEVER_QUICK = ("OwnRun", "OwnInvoke")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", MAKERS)
def test_every_tool_with_every_value(name: str, way: str) -> None:
    for value in VALUES:
        was_quick = compare(MAKERS[name], value, "none", way)
        assert was_quick == (name not in NEVER_QUICK and (name, way) != ("async_only", "sync"))


SOME = ("returns text", "wants_config", "wants_callbacks", "Own", "OwnAsync", "OwnConfig",
        "sync_only", "async_only", "single", "tags and metadata")  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("config", CONFIGS)
def test_configs(name: str, config: str, way: str) -> None:
    for around in (None, *AMBIENT.values()):
        for value in ("call", "one argument"):
            compare(MAKERS[name], value, config, way, around)


class Silent(BaseCallbackHandler):
    pass


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "options",
    [
        {"callbacks": [Silent()]},
        {"callbacks": CallbackManager([Silent()])},
        {"verbose": True},
    ],
)
def test_a_tool_with_listeners_is_called_the_ordinary_way(
    way: str, options: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not compare(returning("x", **options), "call", "none", way)


@pytest.mark.parametrize("way", WAYS)
def test_further_arguments_make_a_call_ordinary(way: str) -> None:
    made = MAKERS["returns text"]()
    calls = {
        "sync": lambda: _quiet.call_tool(made, {"a": 1}, None, color="red"),
        "async": lambda: in_loop(_quiet.acall_tool)(made, {"a": 1}, None, color="red"),
    }
    assert is_quick(calls[way]) == ("text", False)
    assert _quiet.reasons()["there are further arguments"]


def test_anything_else_is_just_invoked() -> None:
    class Other:
        def invoke(self, *args: Any) -> Any:
            return args

    assert is_quick(lambda: _quiet.call_tool(Other(), 1, {})) == ((1, {}), False)
