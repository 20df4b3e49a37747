"""The engine's own runnables: a function with injected arguments, and a sequence.

What comes in is a function or a runnable, with the config of a run; what is told to callback
handlers is decided here. Nothing here knows graphs, tasks or channels.
"""

from langgraph_rust._internal._runnable.contexts import (
    ASYNCIO_ACCEPTS_CONTEXT,
    bring,
    brought,
    create_task_in_config_context,
    run_in_executor,
    set_config_context,
)
from langgraph_rust._internal._runnable.function import (
    RunnableCallable,
    RunnableLike,
    coerce_to_runnable,
    is_async_callable,
    is_async_generator,
)
from langgraph_rust._internal._runnable.injection import KWARGS_CONFIG_KEYS, VALID_KINDS
from langgraph_rust._internal._runnable.sequence import RunnableSeq

__all__ = (
    "ASYNCIO_ACCEPTS_CONTEXT",
    "KWARGS_CONFIG_KEYS",
    "VALID_KINDS",
    "RunnableCallable",
    "RunnableLike",
    "RunnableSeq",
    "bring",
    "brought",
    "coerce_to_runnable",
    "create_task_in_config_context",
    "is_async_callable",
    "is_async_generator",
    "run_in_executor",
    "set_config_context",
)

# Drawn graphs show where their classes are from.
RunnableCallable.__module__ = RunnableSeq.__module__ = __name__
