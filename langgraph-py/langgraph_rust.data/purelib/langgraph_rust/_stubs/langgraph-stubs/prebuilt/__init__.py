# Written by `make places`.
from langgraph_rust.prebuilt import InjectedState as InjectedState
from langgraph_rust.prebuilt import InjectedStore as InjectedStore
from langgraph_rust.prebuilt import ToolCallTransformer as ToolCallTransformer
from langgraph_rust.prebuilt import ToolNode as ToolNode
from langgraph_rust.prebuilt import ToolRuntime as ToolRuntime
from langgraph_rust.prebuilt import ValidationNode as ValidationNode
from langgraph_rust.prebuilt import create_react_agent as create_react_agent
from langgraph_rust.prebuilt import tools_condition as tools_condition

__all__ = [
    "InjectedState",
    "InjectedStore",
    "ToolCallTransformer",
    "ToolNode",
    "ToolRuntime",
    "ValidationNode",
    "create_react_agent",
    "tools_condition",
]
