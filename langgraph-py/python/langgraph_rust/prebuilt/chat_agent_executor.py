"""`create_react_agent`: a model that calls tools in a loop, as a graph.

The parts are in `_agent`. Names that need langchain-core are loaded on first use.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from typing_extensions import deprecated

from langgraph_rust._internal._typing import MISSING
from langgraph_rust.warnings import LangGraphDeprecatedSinceV10

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from langchain_core.language_models import (
        BaseChatModel,
        LanguageModelInput,
        LanguageModelLike,
    )
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import Runnable
    from langchain_core.tools import BaseTool

    from langgraph_rust._internal._runnable import RunnableLike
    from langgraph_rust.graph.state import CompiledStateGraph
    from langgraph_rust.prebuilt._agent.models import Prompt
    from langgraph_rust.prebuilt._agent.states import (
        AgentState,
        AgentStatePydantic,
        AgentStateWithStructuredResponse,
        AgentStateWithStructuredResponsePydantic,
        StateSchema,
        StateSchemaType,
        StructuredResponseSchema,
    )
    from langgraph_rust.prebuilt.tool_node import ToolNode
    from langgraph_rust.runtime import Runtime
    from langgraph_rust.store.base import BaseStore
    from langgraph_rust.types import Checkpointer
    from langgraph_rust.typing import ContextT

    Model: TypeAlias = BaseChatModel | Runnable[LanguageModelInput, BaseMessage]

__all__ = (
    "AgentState",
    "AgentStatePydantic",
    "AgentStateWithStructuredResponse",
    "AgentStateWithStructuredResponsePydantic",
    "create_react_agent",
    "create_tool_calling_executor",
)

_HOME = {
    "PROMPT_RUNNABLE_NAME": "models",
    "Prompt": "models",
    "_get_model": "models",
    "_get_prompt_runnable": "models",
    "_should_bind_tools": "models",
    "_validate_chat_history": "history",
    "AgentState": "states",
    "AgentStatePydantic": "states",
    "AgentStateWithStructuredResponse": "states",
    "AgentStateWithStructuredResponsePydantic": "states",
    "StateSchema": "states",
    "StateSchemaType": "states",
    "StructuredResponse": "states",
    "StructuredResponseSchema": "states",
    "_get_state_value": "states",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f"langgraph_rust.prebuilt._agent.{_HOME[name]}")
    return globals().setdefault(name, getattr(home, name))


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})


@deprecated(
    "create_react_agent has been moved to `langchain.agents`. "
    "Please update your import to `from langchain.agents import create_agent`.",
    category=LangGraphDeprecatedSinceV10,
)
def create_react_agent(
    model: str
    | LanguageModelLike
    | Callable[[StateSchema, Runtime[ContextT]], Model]
    | Callable[[StateSchema, Runtime[ContextT]], Awaitable[Model]],
    tools: Sequence[BaseTool | Callable | dict[str, Any]] | ToolNode,
    *,
    prompt: Prompt | None = None,
    response_format: StructuredResponseSchema | tuple[str, StructuredResponseSchema] | None = None,
    pre_model_hook: RunnableLike | None = None,
    post_model_hook: RunnableLike | None = None,
    state_schema: StateSchemaType | None = None,
    context_schema: type[Any] | None = None,
    checkpointer: Checkpointer | None = None,
    store: BaseStore | None = None,
    interrupt_before: list[str] | None = None,
    interrupt_after: list[str] | None = None,
    debug: bool = False,
    version: Literal["v1", "v2"] = "v2",
    name: str | None = None,
    **deprecated_kwargs: Any,
) -> CompiledStateGraph:
    """Return a graph that asks a model, runs the tools it calls, and asks again until it is done.

    Its nodes are `"agent"`, `"tools"`, and what else is asked for: `"pre_model_hook"`,
    `"post_model_hook"`, `"generate_structured_response"`. Without tools it asks once.

    Args:
        model: A chat model, its name (`"openai:gpt-4"`, which needs the package langchain), or a
            function `(state, runtime)`, sync or async, that returns the model of a turn. A model
            that has no tools yet is bound to `tools`; what a function returns is not.
        tools: Tools, functions to make tools of, dicts that describe tools of the provider's, or a
            `ToolNode`.
        prompt: What the model is told: a text or a `SystemMessage` to come first, or a function or
            runnable from the state to the input of the model.
        response_format: The schema of a last answer, which the model is asked for separately, and
            which is in the state as `structured_response`: a pydantic model, a `TypedDict`, a JSON
            schema or a function schema of OpenAI's; with a prompt for it as `(prompt, schema)`.
        pre_model_hook: A node before each turn, for example to shorten the history. It returns an
            update with `messages`, or with `llm_input_messages`, which the model sees this time and
            the state does not keep.
        post_model_hook: A node after each message of the model, before any tool runs; for version
            `"v2"`.
        state_schema: The state; it has `messages` and `remaining_steps`, and
            `structured_response` with a `response_format`. When fewer than 2 steps remain and the
            model still calls tools, the agent says so instead of failing.
        context_schema: The type of the context of a run.
        checkpointer: Keeps the state of threads.
        store: Keeps what outlives threads.
        interrupt_before: Nodes to stop before.
        interrupt_after: Nodes to stop after.
        debug: Whether to print what happens.
        version: `"v2"`: each tool call is a task of its own. `"v1"`: one task runs all calls of a
            message.
        name: The name of the graph as a node of another, and of the messages of its model.
        **deprecated_kwargs: `config_schema`, the former name of `context_schema`.

    Raises:
        TypeError: Of any other argument.
        ValueError: Of another version, of a state without a field that it must have, or of a model
            that is bound to other tools.
        ImportError: Of a model's name without the package langchain.
    """
    if (old := deprecated_kwargs.pop("config_schema", MISSING)) is not MISSING:
        warnings.warn(
            "`config_schema` is deprecated and will be removed. "
            "Please use `context_schema` instead.",
            category=LangGraphDeprecatedSinceV10,
            stacklevel=1,
        )
        context_schema = old if context_schema is None else context_schema
    if deprecated_kwargs:
        raise TypeError(
            f"create_react_agent() got unexpected keyword arguments: {deprecated_kwargs}"
        )
    if version not in ("v1", "v2"):
        raise ValueError(f"Invalid version {version}. Supported versions are 'v1' and 'v2'.")
    from langgraph_rust.prebuilt._agent.build import AgentParts, agent_graph
    from langgraph_rust.prebuilt._agent.models import ModelSource, with_tools
    from langgraph_rust.prebuilt._agent.states import agent_state
    from langgraph_rust.prebuilt.tool_node import ToolNode

    state_schema = agent_state(state_schema, response_format is not None)
    provided: list[Any] = []
    if not isinstance(tools, ToolNode):
        provided = [tool for tool in tools if isinstance(tool, dict)]
        tools = ToolNode([tool for tool in tools if not isinstance(tool, dict)])
    own = list(tools.tools_by_name.values())
    parts = AgentParts(
        source=ModelSource(with_tools(model, own, provided), prompt),
        tools=tools if own else None,
        returned_directly=frozenset(tool.name for tool in own if tool.return_direct),
        response_format=response_format,
        pre_model_hook=pre_model_hook,
        post_model_hook=post_model_hook,
        state_schema=state_schema,
        context_schema=context_schema,
        sends_calls=version == "v2",
        name=name,
    )
    return agent_graph(parts).compile(
        checkpointer=checkpointer,
        store=store,
        interrupt_before=interrupt_before,
        interrupt_after=interrupt_after,
        debug=debug,
        name=name,
    )


create_tool_calling_executor = create_react_agent
"""The former name."""
