# Written by `make places`.
from langgraph_rust.prebuilt.chat_agent_executor import AgentState as AgentState
from langgraph_rust.prebuilt.chat_agent_executor import AgentStatePydantic as AgentStatePydantic
from langgraph_rust.prebuilt.chat_agent_executor import AgentStateWithStructuredResponse as AgentStateWithStructuredResponse
from langgraph_rust.prebuilt.chat_agent_executor import AgentStateWithStructuredResponsePydantic as AgentStateWithStructuredResponsePydantic
from langgraph_rust.prebuilt.chat_agent_executor import Model as Model
from langgraph_rust.prebuilt.chat_agent_executor import create_react_agent as create_react_agent
from langgraph_rust.prebuilt.chat_agent_executor import create_tool_calling_executor as create_tool_calling_executor

__all__ = [
    "AgentState",
    "AgentStatePydantic",
    "AgentStateWithStructuredResponse",
    "AgentStateWithStructuredResponsePydantic",
    "create_react_agent",
    "create_tool_calling_executor",
]
