# Written by `make places`.
from langgraph_rust.executors.base import Call as Call
from langgraph_rust.executors.base import Executor as Executor
from langgraph_rust.executors.base import Message as Message
from langgraph_rust.executors.base import NotPortableError as NotPortableError
from langgraph_rust.executors.base import RemoteTraceback as RemoteTraceback
from langgraph_rust.executors.base import Running as Running
from langgraph_rust.executors.base import WorkerDiedError as WorkerDiedError

__all__ = [
    "Call",
    "Executor",
    "Message",
    "NotPortableError",
    "RemoteTraceback",
    "Running",
    "WorkerDiedError",
]
