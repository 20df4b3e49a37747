# Written by `make places`.
from langgraph_rust.pregel._state.task_status import CONTROL_WRITES as CONTROL_WRITES
from langgraph_rust.pregel._state.task_status import TaskStatus as TaskStatus
from langgraph_rust.pregel._state.task_status import read_task_statuses as read_task_statuses

__all__ = [
    "CONTROL_WRITES",
    "TaskStatus",
    "read_task_statuses",
]
