# Written by `make places`.
from langgraph_rust.pregel._executor.retry import _AttemptContext as _AttemptContext
from langgraph_rust.pregel._executor.retry import _AttemptEvent as _AttemptEvent
from langgraph_rust.pregel._executor.retry import _TimedAttemptScope as _TimedAttemptScope
from langgraph_rust.pregel._executor.retry import _checkpoint_ns_for_parent_command as _checkpoint_ns_for_parent_command
from langgraph_rust.pregel._executor.retry import _ensure_execution_info as _ensure_execution_info
from langgraph_rust.pregel._executor.retry import _should_retry_on as _should_retry_on
from langgraph_rust.pregel._executor.retry import arun_with_retry as arun_with_retry
from langgraph_rust.pregel._executor.retry import run_with_retry as run_with_retry

__all__ = [
    "_AttemptContext",
    "_AttemptEvent",
    "_TimedAttemptScope",
    "_checkpoint_ns_for_parent_command",
    "_ensure_execution_info",
    "_should_retry_on",
    "arun_with_retry",
    "run_with_retry",
]
