"""The nodes of an agent that ask its model."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, SystemMessage

from langgraph_rust.prebuilt._agent.history import _validate_chat_history
from langgraph_rust.prebuilt._agent.states import _get_state_value
from langgraph_rust.prebuilt._calls import acall_model, call_model

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.prebuilt._agent.models import ModelSource
    from langgraph_rust.runtime import Runtime


@dataclass(frozen=True)
class AgentNode:
    """The node that asks the model for its next message.

    Its state is one that has `messages`, and may have `remaining_steps` and, if a hook made them,
    `llm_input_messages`.
    """

    source: ModelSource
    """The model."""
    name: str | None
    """The name of the agent, which its messages bear."""
    returned_directly: Set[str]
    """The tools after which the agent asks no more."""
    has_pre_model_hook: bool
    """Whether a hook may say what the model sees."""
    has_model_state: bool
    """Whether the state is a pydantic model."""

    def call_model(self, state: Any, runtime: Runtime, config: RunnableConfig) -> Any:
        """Ask the model, and return its message as an update."""
        self.source.require_sync()
        state = self._seen_by_model(state)
        response = self.source.get(state, runtime).ask(state, config)
        return self._update(state, response)

    async def acall_model(self, state: Any, runtime: Runtime, config: RunnableConfig) -> Any:
        """Do what `call_model` does, on an event loop."""
        state = self._seen_by_model(state)
        prompted = await self.source.aget(state, runtime)
        return self._update(state, await prompted.aask(state, config))

    def _seen_by_model(self, state: Any) -> Any:
        """Return the state with the messages that the model is to see, which were checked.

        Raises:
            ValueError: There are none, or calls in them were not answered.
        """
        messages, expected = None, "'messages' key"
        if self.has_pre_model_hook:
            messages = _get_state_value(state, "llm_input_messages")
            expected = "'llm_input_messages' or 'messages' key"
        messages = messages or _get_state_value(state, "messages")
        if messages is None:
            raise ValueError(f"Expected input to call_model to have {expected}, but got {state}")
        _validate_chat_history(messages)
        # Under this name the prompt looks for them.
        if self.has_model_state:
            state.messages = messages
        else:
            state["messages"] = messages
        return state

    def _update(self, state: Any, response: Any) -> dict[str, Any]:
        response.name = self.name
        if self._ends_too_early(state, response):
            text = "Sorry, need more steps to process this request."
            response = AIMessage(id=response.id, content=text)
        return {"messages": [response]}

    def _ends_too_early(self, state: Any, response: Any) -> bool:
        """Whether there are too few steps left for what the message asks for."""
        remaining = _get_state_value(state, "remaining_steps", None)
        if remaining is None or remaining >= 2 or not isinstance(response, AIMessage):
            return False
        calls = response.tool_calls
        if remaining < 1 and all(call["name"] in self.returned_directly for call in calls):
            return True
        return bool(calls)


@dataclass(frozen=True)
class ResponseNode:
    """The node that asks the model once more, for an answer in a schema."""

    source: ModelSource
    """The model."""
    schema: Any
    """The schema."""
    prompt: str | None
    """What comes before the messages then."""

    def generate_structured_response(
        self, state: Any, runtime: Runtime, config: RunnableConfig
    ) -> Any:
        """Ask the model, and return its answer as an update."""
        self.source.require_sync()
        model = self.source.with_schema(self.source.get(state, runtime), self.schema)
        return {"structured_response": call_model(model, self._messages(state), config)}

    async def agenerate_structured_response(
        self, state: Any, runtime: Runtime, config: RunnableConfig
    ) -> Any:
        """Do what `generate_structured_response` does, on an event loop."""
        prompted = await self.source.aget(state, runtime)
        model = self.source.with_schema(prompted, self.schema)
        return {"structured_response": await acall_model(model, self._messages(state), config)}

    def _messages(self, state: Any) -> Any:
        messages = _get_state_value(state, "messages")
        return messages if self.prompt is None else [SystemMessage(content=self.prompt), *messages]
