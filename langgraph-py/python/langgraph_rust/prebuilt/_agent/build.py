"""The graph of an agent: its nodes and what leads from one to the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AnyMessage
from pydantic import BaseModel, create_model

from langgraph_rust._internal._runnable import RunnableCallable
from langgraph_rust.constants import END
from langgraph_rust.graph import StateGraph
from langgraph_rust.prebuilt._agent.nodes import AgentNode, ResponseNode
from langgraph_rust.prebuilt._agent.routes import Routes

if TYPE_CHECKING:
    from langgraph_rust.prebuilt._agent.models import ModelSource

_RESPONSE = "generate_structured_response"


@dataclass(frozen=True)
class AgentParts:
    """What an agent is made of."""

    source: ModelSource
    """The model."""
    tools: Any
    """The node that runs tools; `None` if there are none."""
    returned_directly: frozenset[str]
    """The tools after which the agent ends."""
    response_format: Any
    """The schema of its last answer, maybe with a prompt before it; `None` without."""
    pre_model_hook: Any
    """A node before the model."""
    post_model_hook: Any
    """A node after it."""
    state_schema: Any
    """The state."""
    context_schema: Any
    """The context of a run."""
    sends_calls: bool
    """Whether each tool call is a task of its own."""
    name: str | None
    """The name of the agent."""


def agent_graph(parts: AgentParts) -> StateGraph[Any, Any, Any, Any]:
    """Return the graph of an agent, not compiled yet."""
    graph: Any = StateGraph(state_schema=parts.state_schema, context_schema=parts.context_schema)
    graph.add_node("agent", _agent_node(parts), input_schema=_input_schema(parts))
    if parts.tools is not None:
        graph.add_node("tools", parts.tools)
    entrypoint = "agent"
    if parts.pre_model_hook is not None:
        entrypoint = "pre_model_hook"
        graph.add_node(entrypoint, parts.pre_model_hook)
        graph.add_edge(entrypoint, "agent")
    graph.set_entry_point(entrypoint)
    if parts.post_model_hook is not None:
        graph.add_node("post_model_hook", parts.post_model_hook)
        graph.add_edge("agent", "post_model_hook")
    if parts.response_format is not None:
        graph.add_node(_RESPONSE, _response_node(parts))
    if parts.tools is None:
        if parts.response_format is not None:
            hook = "agent" if parts.post_model_hook is None else "post_model_hook"
            graph.add_edge(hook, _RESPONSE)
    else:
        _add_routes(graph, parts, entrypoint)
    return graph


def _add_routes(graph: Any, parts: AgentParts, entrypoint: str) -> None:
    """Connect the nodes of an agent that has tools."""
    last = END if parts.response_format is None else _RESPONSE
    has_hook = parts.post_model_hook is not None
    routes = Routes(entrypoint, last, has_hook, parts.sends_calls, parts.returned_directly)
    if has_hook:
        targets = [entrypoint, "tools", last]
        graph.add_conditional_edges("post_model_hook", routes.post_model_hook_router, targets)
    # With a hook an answer in a schema follows the hook, not the model.
    targets = ["post_model_hook"] if has_hook else ["tools", last]
    graph.add_conditional_edges("agent", routes.should_continue, targets)
    if parts.returned_directly:
        targets = [entrypoint, END]
        graph.add_conditional_edges("tools", routes.route_tool_responses, targets)
    else:
        graph.add_edge("tools", entrypoint)


def _agent_node(parts: AgentParts) -> RunnableCallable:
    node = AgentNode(
        source=parts.source,
        name=parts.name,
        returned_directly=parts.returned_directly,
        has_pre_model_hook=parts.pre_model_hook is not None,
        has_model_state=_is_model(parts.state_schema),
    )
    return RunnableCallable(node.call_model, node.acall_model)


def _response_node(parts: AgentParts) -> RunnableCallable:
    prompt, schema = None, parts.response_format
    if isinstance(schema, tuple):
        prompt, schema = schema
    node = ResponseNode(parts.source, schema, prompt)
    return RunnableCallable(node.generate_structured_response, node.agenerate_structured_response)


def _input_schema(parts: AgentParts) -> Any:
    """What the agent node gets: the state, and what a hook made of it for the model."""
    base = parts.state_schema
    if parts.pre_model_hook is None:
        return base
    if _is_model(base):
        return create_model(
            "CallModelInputSchema",
            __base__=base,
            __module__="langgraph_rust.prebuilt.chat_agent_executor",
            llm_input_messages=(list[AnyMessage], ...),
        )

    class CallModelInputSchema(base):
        llm_input_messages: list[AnyMessage]

    return CallModelInputSchema


def _is_model(schema: Any) -> bool:
    return isinstance(schema, type) and issubclass(schema, BaseModel)
