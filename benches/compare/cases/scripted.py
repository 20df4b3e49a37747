"""A chat model that says what its script says, and two tools; nothing leaves the process.

The model keeps no place in its script: what it says depends on the messages alone, so that one
agent can be run many times at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any


def scripted_model(replies: list[Any], **options: Any) -> Any:
    """A model that gives one reply after the other, from the first again after each question.

    Args:
        replies: Messages.
        options: Of `BaseChatModel`.
    """
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, HumanMessage
    from langchain_core.outputs import ChatGeneration, ChatResult

    class Scripted(BaseChatModel):
        """See `scripted_model`."""

        script: list[AIMessage]

        @property
        def _llm_type(self) -> str:
            return "scripted"

        def bind_tools(self, tools: Any, **_: Any) -> Any:
            return self

        def _generate(self, messages: list[Any], *_: Any, **__: Any) -> ChatResult:
            said = 0
            for message in reversed(messages):
                if isinstance(message, HumanMessage):
                    break
                said += isinstance(message, AIMessage)
            reply = self.script[said % len(self.script)].model_copy()
            return ChatResult(generations=[ChatGeneration(message=reply)])

        async def _agenerate(self, messages: list[Any], *_: Any, **__: Any) -> ChatResult:
            return self._generate(messages)

    return Scripted(script=replies, **options)


def streaming_model(tokens: list[str]) -> Any:
    """A model that streams these tokens, whatever it is asked."""
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, AIMessageChunk
    from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

    class Streaming(BaseChatModel):
        """See `streaming_model`."""

        tokens: list[str]

        @property
        def _llm_type(self) -> str:
            return "streaming"

        def _generate(self, messages: list[Any], *_: Any, **__: Any) -> ChatResult:
            return ChatResult(generations=[ChatGeneration(message=AIMessage("".join(self.tokens)))])

        def _stream(
            self, messages: list[Any], stop: Any = None, run_manager: Any = None, **_: Any
        ) -> Iterator[ChatGenerationChunk]:
            for token in self.tokens:
                chunk = ChatGenerationChunk(message=AIMessageChunk(token))
                if run_manager:
                    run_manager.on_llm_new_token(token, chunk=chunk)
                yield chunk

        async def _astream(
            self, messages: list[Any], stop: Any = None, run_manager: Any = None, **_: Any
        ) -> AsyncIterator[ChatGenerationChunk]:
            for token in self.tokens:
                chunk = ChatGenerationChunk(message=AIMessageChunk(token))
                if run_manager:
                    await run_manager.on_llm_new_token(token, chunk=chunk)
                yield chunk

    return Streaming(tokens=tokens)


def two_tools() -> list[Any]:
    """Tools that can be called either way."""
    from langchain_core.tools import StructuredTool

    def weather(city: str) -> str:
        """The weather of a city."""
        return f"It is sunny in {city}."

    def population(city: str) -> str:
        """How many people live in a city."""
        return f"{len(city)} million people live in {city}."

    async def aweather(city: str) -> str:
        return weather(city)

    async def apopulation(city: str) -> str:
        return population(city)

    return [
        StructuredTool.from_function(weather, aweather),
        StructuredTool.from_function(population, apopulation),
    ]


def two_calls() -> list[Any]:
    """What a model says that calls one tool after the other, and then answers."""
    from langchain_core.messages import AIMessage

    def call(name: str) -> Any:
        made: Any = {"name": name, "args": {"city": "Lisbon"}, "id": f"call-{name}"}
        return AIMessage("", tool_calls=[made])

    return [call("weather"), call("population"), AIMessage("Sunny, and crowded. " * 10)]


def question() -> list[Any]:
    """What a person asks."""
    from langchain_core.messages import HumanMessage

    return [HumanMessage("What is Lisbon like?")]
