"""Quiet calls of chat models are ordinary ones, as far as anybody can tell."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
from langchain_core.globals import set_debug, set_llm_cache
from langchain_core.language_models import BaseChatModel, SimpleChatModel
from langchain_core.language_models.fake_chat_models import (
    FakeListChatModel,
    FakeMessagesListChatModel,
    GenericFakeChatModel,
)
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.prompt_values import ChatPromptValue, StringPromptValue
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import RunnableLambda
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tools import tool
from langchain_core.utils._gateway import GATEWAY_METADATA_RESPONSE_KEY
from pydantic import BaseModel

from langgraph_rust._internal import _quiet
from tests.python._calls import in_loop, is_quick, note, outcome

Make = Callable[[], Any]
MAKERS: dict[str, Make] = {}


class Noting(BaseChatModel):
    """Notes how it is called."""

    model_name: str = "n"
    temperature: float = 0.5
    says: Any = None

    @property
    def _llm_type(self) -> str:
        return "noting"

    def _generate(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        note("sync", messages, stop, run_manager, kwargs)
        run_manager.on_llm_new_token("x")
        made = self.says() if self.says else AIMessage("x")
        return made if isinstance(made, ChatResult) else result_of(made)

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self.bind(tools=[each.name for each in tools], **kwargs)


class NotingAsync(Noting):
    async def _agenerate(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        await asyncio.sleep(0)
        note("async", messages, run_manager, run_manager.get_sync())
        await run_manager.on_llm_new_token("x")
        return self._generate(messages, stop, run_manager.get_sync(), **kwargs)


class NoManager(Noting):
    def _generate(self, messages: Any, stop: Any = None, **kwargs: Any) -> ChatResult:  # type: ignore[override]
        note(messages, stop, kwargs)
        return result_of(AIMessage("x"))

    async def _agenerate(self, messages: Any, stop: Any = None, **kwargs: Any) -> ChatResult:  # type: ignore[override]
        return self._generate(messages, stop, **kwargs)


class Streaming(Noting):
    streaming: bool = False

    def _stream(self, messages: Any, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        note("streaming")
        for text in "ab":
            yield ChatGenerationChunk(message=AIMessageChunk(content=text))


class StreamingAsync(Streaming):
    async def _astream(
        self, messages: Any, *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        note("streaming")
        yield ChatGenerationChunk(message=AIMessageChunk(content="a"))


class OwnGenerate(Noting):
    def generate(self, *args: Any, **kwargs: Any) -> Any:
        note("own")
        return super().generate(*args, **kwargs)

    async def agenerate(self, *args: Any, **kwargs: Any) -> Any:
        note("own")
        return await super().agenerate(*args, **kwargs)


class OwnInvoke(Noting):
    def invoke(self, *args: Any, **kwargs: Any) -> Any:
        note("own")
        return super().invoke(*args, **kwargs)

    async def ainvoke(self, *args: Any, **kwargs: Any) -> Any:
        note("own")
        return await super().ainvoke(*args, **kwargs)


class OwnDecision(Noting):
    def _should_stream(self, **kwargs: Any) -> bool:
        note("own")
        return False


class Simple(SimpleChatModel):
    @property
    def _llm_type(self) -> str:
        return "simple"

    def _call(self, messages: Any, *args: Any, run_manager: Any = None, **kwargs: Any) -> str:
        note(messages, run_manager, kwargs)
        return "simple"


def result_of(*messages: Any, info: Any = None, output: Any = None) -> ChatResult:
    generations = [ChatGeneration(message=each, generation_info=info) for each in messages]
    return ChatResult(generations=generations, llm_output=output)


class Duck:
    """Not quite a result."""

    def __init__(self, *generations: Any) -> None:
        self.generations = list(generations)
        self.llm_output = None


def raising(error: BaseException) -> Any:
    raise error


class Refused(Exception):
    """Like the error of a client."""

    response = "not one"
    request_id = "r"


USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
SAYS: dict[str, Any] = {
    "with id": lambda: AIMessage("x", id="mine"),
    "with usage": lambda: AIMessage("x", usage_metadata=USAGE, response_metadata={"a": 1}),
    "blocks": lambda: AIMessage([{"type": "text", "text": "x"}]),
    "calls": lambda: AIMessage("", tool_calls=[{"name": "t", "args": {}, "id": "1"}]),
    "two": lambda: result_of(AIMessage("x"), AIMessage("y")),
    "none": lambda: ChatResult(generations=[]),
    "info": lambda: result_of(
        AIMessage("x", response_metadata={"a": 1}),
        info={"a": 2, "b": 3, GATEWAY_METADATA_RESPONSE_KEY: {}},
        output={"a": 3, "token_usage": {}},
    ),
    "a chunk": lambda: result_of(AIMessageChunk(content="x")),
    "a person": lambda: result_of(HumanMessage("x")),
    "an error": lambda: raising(ValueError("no")),
    "a client's error": lambda: raising(Refused("no")),
    "a stop": lambda: raising(StopIteration()),
    "an exit": lambda: raising(SystemExit(1)),
}
for name, says in SAYS.items():
    MAKERS[f"says {name}"] = lambda says=says: Noting(says=says)
    MAKERS[f"says {name}, async"] = lambda says=says: NotingAsync(says=says)
for cls in (NoManager, Streaming, StreamingAsync, OwnGenerate, OwnInvoke, OwnDecision, Simple):
    MAKERS[cls.__name__] = cls


def text_of(message: Any) -> Any:
    return message.content


class Answer(BaseModel):
    """An answer."""

    text: str


@tool
def add(a: int) -> int:
    """Add."""
    return a


def limiter() -> InMemoryRateLimiter:
    return InMemoryRateLimiter(requests_per_second=1000, check_every_n_seconds=0.001)


MAKERS |= {
    "fake list": lambda: FakeListChatModel(responses=["a", "b"]),
    "fake messages": lambda: FakeMessagesListChatModel(responses=[AIMessage("a", id="1")]),
    "generic": lambda: GenericFakeChatModel(messages=iter(["a b", "c"])),
    "plain": Noting,
    "plain async": NotingAsync,
    "tags and metadata": lambda: Noting(tags=["of model"], metadata={"of": "model"}),
    "bound tools": lambda: Noting().bind_tools([add]),
    "bound": lambda: NotingAsync().bind(stop=["s"], temperature=1, model="m"),
    "bound twice": lambda: Noting().bind(a=1, b=2).bind(b=3),
    "with config": lambda: NotingAsync().with_config(
        tags=["bound"], metadata={"b": 1}, run_name="r", run_id=uuid.UUID(int=4)
    ),
    "all of it": lambda: (
        Noting().bind_tools([add]).with_config(tags=["x"]).bind(stop=["s"]).with_config(tags=["a"])
    ),
    "bound reserved": lambda: Noting().bind(metadata={}),
    "bound config": lambda: Noting().bind(config={}),
    "structured": lambda: Noting().bind(ls_structured_output_format={"schema": Answer}),
    "structured, no schema": lambda: Noting().bind(ls_structured_output_format={"a": 1}),
    "structured, odd": lambda: Noting().bind(ls_structured_output_format={"schema": 3}),
    "structured, json": lambda: Noting().bind(
        structured_output_format={"kwargs": {"a": 1}, "schema": Answer.model_json_schema()}
    ),
    "structured twice": lambda: Noting().bind(
        ls_structured_output_format={"schema": Answer}, structured_output_format={"schema": 3}
    ),
    "a sequence": lambda: Noting() | RunnableLambda(text_of),
    "with retry": lambda: Noting().with_retry(),
    "a cache": lambda: Noting(cache=InMemoryCache()),
    "no cache": lambda: Noting(cache=False),
    "cache wanted": lambda: Noting(cache=True),
    "limited": lambda: Noting(rate_limiter=limiter()),
    "not streaming": lambda: Streaming(disable_streaming=True),
    "streams": lambda: Streaming(streaming=True),
    "streams async": lambda: StreamingAsync(streaming=True),
    "stream bound": lambda: Streaming().bind(stream=True),
    "stream not bound": lambda: Streaming().bind(stream=False),
    "stream bound in vain": lambda: Noting().bind(stream=True),
    "not with tools": lambda: StreamingAsync(disable_streaming="tool_calling").bind_tools([add]),
    "blocks": lambda: Noting(output_version="v1"),
    "old blocks": lambda: Noting(output_version="v0"),
}

ORDINARY = {"OwnGenerate", "OwnInvoke", "OwnDecision", "bound reserved", "bound config",
            "a sequence", "with retry", "a cache", "cache wanted", "limited",
            "streams", "streams async", "stream bound", "stream not bound", "blocks"}  # fmt: skip

MESSAGES = [SystemMessage("s"), HumanMessage("h"), AIMessage("a", id="1")]
IMAGE = {"type": "image", "source_type": "base64", "data": "x", "mime_type": "image/png"}
FILE = {"type": "file", "file": {"file_data": "data:x/y;base64,QQ==", "filename": "f"}}


class OwnMessage(HumanMessage):
    pass


VALUES: dict[str, Callable[[], Any]] = {
    "messages": lambda: [*MESSAGES],
    "text": lambda: "text",
    "prompt": lambda: ChatPromptValue(messages=MESSAGES),
    "string prompt": lambda: StringPromptValue(text="t"),
    "pairs": lambda: [("system", "s"), {"role": "user", "content": "c"}, "text"],
    "tuple": lambda: tuple(MESSAGES),
    "nothing": list,
    "own messages": lambda: [OwnMessage(content="h")],
    "blocks": lambda: [HumanMessage([{"type": "text", "text": "t"}, IMAGE]), HumanMessage("x")],
    "a file": lambda: [HumanMessage([FILE])],
    "a bad block": lambda: [HumanMessage([{"type": "image", "source_type": "base64"}])],
    "odd": lambda: 3,
    "odd list": lambda: [3],
}

MANAGER = CallbackManager([], parent_run_id=uuid.UUID(int=5), inheritable_tags=["inherited"])
CONFIGS: dict[str, Any] = {
    "none": None,
    "full": {
        "tags": ["t"],
        "metadata": {"m": 1},
        "configurable": {"thread_id": "1", "model": "big"},
        "run_name": "named",
        "run_id": uuid.UUID(int=7),
    },
    "tags": {"tags": ["z", "a", "z"], "metadata": {"lc_versions": {"a": "1"}}},
    "foreign keys": {"mine": 5},
    "a manager": {"callbacks": MANAGER, "tags": ["b"]},
    "odd": {"tags": ("a",)},
}
AROUND = {"tags": ["around"], "metadata": {"a": 1}, "callbacks": MANAGER, "configurable": {"x": 1}}

WAYS = {
    "sync": (lambda model, *a, **k: model.invoke(*a, **k), _quiet.call_model),
    "async": (
        in_loop(lambda model, *a, **k: model.ainvoke(*a, **k)),
        in_loop(_quiet.acall_model),
    ),
}


def compare(
    make: Make, value: str, config: str, way: str, around: Any = None, **kwargs: Any
) -> bool:
    """Compare the two ways to call, twice each, and return whether the one was quick."""
    ordinary, quick = WAYS[way]

    def run(call: Any) -> Any:
        made, given = make(), VALUES[value]()

        def called() -> Any:
            var_child_runnable_config.set(around)
            return call(made, given, CONFIGS[config], **kwargs)

        return outcome(called), outcome(called), outcome(lambda: given)

    expected = run(ordinary)
    found, was_quick = is_quick(lambda: run(quick))
    assert found == expected
    return was_quick


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", MAKERS)
def test_every_model(name: str, way: str) -> None:
    for value in ("messages", "text"):
        assert compare(MAKERS[name], value, "none", way) == (name not in ORDINARY)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", VALUES)
def test_every_value(value: str, way: str) -> None:
    for name in ("plain", "plain async"):
        compare(MAKERS[name], value, "none", way)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize(
    "name",
    [
        "plain",
        "plain async",
        "bound",
        "bound tools",
        "bound twice",
        "with config",
        "all of it",
        "tags and metadata",
        "Simple",
    ],
)
def test_configs(name: str, config: str, way: str) -> None:
    for around in (None, AROUND, {"metadata": {"lc_versions": {"b": "2"}}, "tags": ["y"]}):
        compare(MAKERS[name], "messages", config, way, around)


@pytest.mark.parametrize("way", WAYS)
def test_further_arguments_are_the_models(way: str) -> None:
    assert compare(Noting, "text", "none", way, stop=["x"], a=1)
    assert not compare(Noting, "text", "none", way, tags=["x"])


class Silent(BaseCallbackHandler):
    pass


@pytest.mark.parametrize("way", WAYS)
def test_whoever_listens_makes_calls_ordinary(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not compare(lambda: Noting(callbacks=[Silent()]), "text", "none", way)
    assert not compare(Noting, "text", "none", way, {"callbacks": [Silent()]})
    monkeypatch.setitem(CONFIGS, "heard", {"callbacks": [Silent()]})
    assert not compare(Noting, "text", "heard", way)
    assert not compare(lambda: Noting().bind(a=1), "text", "heard", way)
    made = Noting().with_config(callbacks=[Silent()])
    assert not compare(lambda: made, "text", "none", way)
    set_debug(True)
    try:
        assert not compare(Noting, "text", "none", way)
    finally:
        set_debug(False)
    assert compare(Noting, "text", "none", way)


@pytest.mark.parametrize("way", WAYS)
def test_a_global_cache_makes_calls_ordinary(way: str) -> None:
    def with_cache(**options: Any) -> Make:
        def make() -> Any:
            set_llm_cache(InMemoryCache())
            return Noting(**options)

        return make

    try:
        assert not compare(with_cache(), "text", "none", way)
        assert compare(with_cache(cache=False), "text", "none", way)
    finally:
        set_llm_cache(None)


def test_nothing_is_made_of_the_managers_before_they_are_used() -> None:
    class Described(Noting):
        def _get_ls_params(self, *args: Any, **kwargs: Any) -> Any:
            raise AssertionError

        def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
            return result_of(AIMessage("x"))

    assert is_quick(lambda: _quiet.call_model(Described(), "x").content) == ("x", True)


def test_one_message_for_each_call() -> None:
    first, second = (_quiet.call_model(Noting(), "x") for _ in range(2))
    assert first.id.startswith("lc_run--") and first.id.endswith("-0")
    assert first.id != second.id
