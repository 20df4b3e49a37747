# Written by `make places`.
from langgraph_rust.pregel.types import All as All
from langgraph_rust.pregel.types import CachePolicy as CachePolicy
from langgraph_rust.pregel.types import PregelExecutableTask as PregelExecutableTask
from langgraph_rust.pregel.types import PregelTask as PregelTask
from langgraph_rust.pregel.types import RetryPolicy as RetryPolicy
from langgraph_rust.pregel.types import StateSnapshot as StateSnapshot
from langgraph_rust.pregel.types import StateUpdate as StateUpdate
from langgraph_rust.pregel.types import StreamMode as StreamMode
from langgraph_rust.pregel.types import StreamWriter as StreamWriter
from langgraph_rust.pregel.types import default_retry_on as default_retry_on

__all__ = [
    "All",
    "CachePolicy",
    "PregelExecutableTask",
    "PregelTask",
    "RetryPolicy",
    "StateSnapshot",
    "StateUpdate",
    "StreamMode",
    "StreamWriter",
    "default_retry_on",
]
