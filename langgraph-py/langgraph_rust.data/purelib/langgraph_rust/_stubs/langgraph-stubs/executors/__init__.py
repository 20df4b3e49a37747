# Written by `make places`.
from langgraph_rust.executors import Call as Call
from langgraph_rust.executors import Executor as Executor
from langgraph_rust.executors import Message as Message
from langgraph_rust.executors import NotPortableError as NotPortableError
from langgraph_rust.executors import ProcessExecutor as ProcessExecutor
from langgraph_rust.executors import RayExecutor as RayExecutor
from langgraph_rust.executors import RemoteTraceback as RemoteTraceback
from langgraph_rust.executors import Running as Running
from langgraph_rust.executors import WorkerDiedError as WorkerDiedError
from langgraph_rust.executors import perform as perform
from langgraph_rust.executors import register as register

__all__ = [
    "Call",
    "Executor",
    "Message",
    "NotPortableError",
    "ProcessExecutor",
    "RayExecutor",
    "RemoteTraceback",
    "Running",
    "WorkerDiedError",
    "perform",
    "register",
]
