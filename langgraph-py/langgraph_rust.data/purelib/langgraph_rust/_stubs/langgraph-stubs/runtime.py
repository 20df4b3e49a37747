# Written by `make places`.
from langgraph_rust.runtime import BaseUser as BaseUser
from langgraph_rust.runtime import DEFAULT_RUNTIME as DEFAULT_RUNTIME
from langgraph_rust.runtime import ExecutionInfo as ExecutionInfo
from langgraph_rust.runtime import RunControl as RunControl
from langgraph_rust.runtime import Runtime as Runtime
from langgraph_rust.runtime import ServerInfo as ServerInfo
from langgraph_rust.runtime import get_runtime as get_runtime

__all__ = [
    "BaseUser",
    "ExecutionInfo",
    "RunControl",
    "Runtime",
    "ServerInfo",
    "get_runtime",
]
