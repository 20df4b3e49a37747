# Written by `make places`.
from langgraph_rust.errors import EmptyChannelError as EmptyChannelError
from langgraph_rust.errors import EmptyInputError as EmptyInputError
from langgraph_rust.errors import ErrorCode as ErrorCode
from langgraph_rust.errors import GraphBubbleUp as GraphBubbleUp
from langgraph_rust.errors import GraphDrained as GraphDrained
from langgraph_rust.errors import GraphInterrupt as GraphInterrupt
from langgraph_rust.errors import GraphRecursionError as GraphRecursionError
from langgraph_rust.errors import InvalidUpdateError as InvalidUpdateError
from langgraph_rust.errors import NodeCancelledError as NodeCancelledError
from langgraph_rust.errors import NodeError as NodeError
from langgraph_rust.errors import NodeInterrupt as NodeInterrupt
from langgraph_rust.errors import NodeTimeoutError as NodeTimeoutError
from langgraph_rust.errors import ParentCommand as ParentCommand
from langgraph_rust.errors import TaskNotFound as TaskNotFound
from langgraph_rust.errors import UnknownInterruptError as UnknownInterruptError
from langgraph_rust.errors import create_error_message as create_error_message
from langgraph_rust.errors import is_invalid_resume as is_invalid_resume

__all__ = [
    "EmptyChannelError",
    "EmptyInputError",
    "ErrorCode",
    "GraphBubbleUp",
    "GraphDrained",
    "GraphInterrupt",
    "GraphRecursionError",
    "InvalidUpdateError",
    "NodeCancelledError",
    "NodeError",
    "NodeInterrupt",
    "NodeTimeoutError",
    "ParentCommand",
    "TaskNotFound",
    "UnknownInterruptError",
    "is_invalid_resume",
]
