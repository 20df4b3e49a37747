# Written by `make places`.
from langgraph_rust.types import All as All
from langgraph_rust.types import CacheKey as CacheKey
from langgraph_rust.types import CachePolicy as CachePolicy
from langgraph_rust.types import CheckpointPayload as CheckpointPayload
from langgraph_rust.types import CheckpointStreamPart as CheckpointStreamPart
from langgraph_rust.types import CheckpointTask as CheckpointTask
from langgraph_rust.types import Checkpointer as Checkpointer
from langgraph_rust.types import Command as Command
from langgraph_rust.types import CustomStreamPart as CustomStreamPart
from langgraph_rust.types import DebugPayload as DebugPayload
from langgraph_rust.types import DebugStreamPart as DebugStreamPart
from langgraph_rust.types import Durability as Durability
from langgraph_rust.types import GraphOutput as GraphOutput
from langgraph_rust.types import Interrupt as Interrupt
from langgraph_rust.types import KeyFuncT as KeyFuncT
from langgraph_rust.types import MessagesStreamPart as MessagesStreamPart
from langgraph_rust.types import N as N
from langgraph_rust.types import OutputT as OutputT
from langgraph_rust.types import Overwrite as Overwrite
from langgraph_rust.types import PregelExecutableTask as PregelExecutableTask
from langgraph_rust.types import PregelTask as PregelTask
from langgraph_rust.types import ResponseT as ResponseT
from langgraph_rust.types import RetryPolicy as RetryPolicy
from langgraph_rust.types import RunnableConfig as RunnableConfig
from langgraph_rust.types import Send as Send
from langgraph_rust.types import StateSnapshot as StateSnapshot
from langgraph_rust.types import StateT as StateT
from langgraph_rust.types import StateUpdate as StateUpdate
from langgraph_rust.types import StreamMode as StreamMode
from langgraph_rust.types import StreamPart as StreamPart
from langgraph_rust.types import StreamWriter as StreamWriter
from langgraph_rust.types import TaskPayload as TaskPayload
from langgraph_rust.types import TaskResultPayload as TaskResultPayload
from langgraph_rust.types import TasksStreamPart as TasksStreamPart
from langgraph_rust.types import TimeoutPolicy as TimeoutPolicy
from langgraph_rust.types import ToolOutputMixin as ToolOutputMixin
from langgraph_rust.types import TracePolicy as TracePolicy
from langgraph_rust.types import UpdatesStreamPart as UpdatesStreamPart
from langgraph_rust.types import ValuesStreamPart as ValuesStreamPart
from langgraph_rust.types import ensure_valid_checkpointer as ensure_valid_checkpointer
from langgraph_rust.types import interrupt as interrupt
from langgraph_rust.types import omit_payload as omit_payload

__all__ = [
    "All",
    "CachePolicy",
    "CheckpointPayload",
    "CheckpointStreamPart",
    "CheckpointTask",
    "Checkpointer",
    "Command",
    "CustomStreamPart",
    "DebugPayload",
    "DebugStreamPart",
    "Durability",
    "GraphOutput",
    "Interrupt",
    "MessagesStreamPart",
    "Overwrite",
    "PregelExecutableTask",
    "PregelTask",
    "RetryPolicy",
    "Send",
    "StateSnapshot",
    "StateUpdate",
    "StreamMode",
    "StreamPart",
    "StreamWriter",
    "TaskPayload",
    "TaskResultPayload",
    "TasksStreamPart",
    "TimeoutPolicy",
    "TracePolicy",
    "UpdatesStreamPart",
    "ValuesStreamPart",
    "ensure_valid_checkpointer",
    "interrupt",
    "omit_payload",
]
