# Written by `make places`.
from langgraph_rust.runs import Asked as Asked
from langgraph_rust.runs import AsyncRuns as AsyncRuns
from langgraph_rust.runs import Event as Event
from langgraph_rust.runs import MultitaskStrategy as MultitaskStrategy
from langgraph_rust.runs import Run as Run
from langgraph_rust.runs import RunFailure as RunFailure
from langgraph_rust.runs import RunStatus as RunStatus
from langgraph_rust.runs import Runs as Runs
from langgraph_rust.runs import ThreadBusyError as ThreadBusyError
from langgraph_rust.runs import UnknownRunError as UnknownRunError
from langgraph_rust.runs import Worker as Worker

__all__ = [
    "Asked",
    "AsyncRuns",
    "Event",
    "MultitaskStrategy",
    "Run",
    "RunFailure",
    "RunStatus",
    "Runs",
    "ThreadBusyError",
    "UnknownRunError",
    "Worker",
]
