"""The states of agents, where users bring none of their own.

Annotations here are no strings: they are read where a graph is made of them. What the docstrings of
the classes say is part of the JSON schemas of agents.
"""

import warnings
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar, get_type_hints

from langchain_core.messages import BaseMessage
from pydantic import BaseModel
from typing_extensions import NotRequired, TypedDict, deprecated

from langgraph_rust.graph.message import add_messages
from langgraph_rust.managed import RemainingSteps
from langgraph_rust.warnings import LangGraphDeprecatedSinceV10

StructuredResponse = dict | BaseModel
"""What an agent with a `response_format` answers."""

StructuredResponseSchema = dict | type[BaseModel]
"""The schema of it."""


@deprecated(
    "AgentState has been moved to `langchain.agents`. "
    "Please update your import to `from langchain.agents import AgentState`.",
    category=LangGraphDeprecatedSinceV10,
)
class AgentState(TypedDict):
    """The state of the agent."""

    messages: Annotated[Sequence[BaseMessage], add_messages]
    """The conversation."""

    remaining_steps: NotRequired[RemainingSteps]
    """How many supersteps are left; the agent ends in time."""


@deprecated(
    "AgentStatePydantic has been deprecated in favor of AgentState in `langchain.agents`.",
    category=LangGraphDeprecatedSinceV10,
)
class AgentStatePydantic(BaseModel):
    """The state of the agent."""

    messages: Annotated[Sequence[BaseMessage], add_messages]
    """The conversation."""

    remaining_steps: RemainingSteps = 25
    """How many supersteps are left; the agent ends in time."""


# That they derive from the ones above is no news to whoever uses them.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", LangGraphDeprecatedSinceV10)

    @deprecated(
        "AgentStateWithStructuredResponse has been deprecated in favor of AgentState in "
        "`langchain.agents`.",
        category=LangGraphDeprecatedSinceV10,
    )
    class AgentStateWithStructuredResponse(AgentState):
        """The state of the agent with a structured response."""

        structured_response: StructuredResponse
        """The last answer, as the `response_format` has it."""

    @deprecated(
        "AgentStateWithStructuredResponsePydantic has been deprecated in favor of AgentState in "
        "`langchain.agents`.",
        category=LangGraphDeprecatedSinceV10,
    )
    class AgentStateWithStructuredResponsePydantic(AgentStatePydantic):
        """The state of the agent with a structured response."""

        structured_response: StructuredResponse
        """The last answer, as the `response_format` has it."""

    StateSchema = TypeVar("StateSchema", bound=AgentState | AgentStatePydantic)
    StateSchemaType = type[StateSchema]


for _public in (
    AgentState,
    AgentStatePydantic,
    AgentStateWithStructuredResponse,
    AgentStateWithStructuredResponsePydantic,
):
    _public.__module__ = "langgraph_rust.prebuilt.chat_agent_executor"


def agent_state(schema: Any, has_response: bool) -> Any:
    """Return the state of an agent: the given one, or one of the above.

    Args:
        schema: The one that the user gave, if any.
        has_response: Whether there is an answer in a schema.

    Raises:
        ValueError: It lacks a field.
    """
    if schema is None:
        return AgentStateWithStructuredResponse if has_response else AgentState
    required = {"messages", "remaining_steps"} | (
        {"structured_response"} if has_response else set()
    )
    if missing := required - get_type_hints(schema).keys():
        raise ValueError(f"Missing required key(s) {missing} in state_schema")
    return schema


def _get_state_value(state: Any, key: str, default: Any = None) -> Any:
    """Return a field of a state, which may be a dict or an object."""
    if isinstance(state, dict):
        return state.get(key, default)
    return getattr(state, key, default)
