"""The per-task scratchpad: counters and resume values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from langgraph_rust._internal._typing import DC_KWARGS


@dataclasses.dataclass(**DC_KWARGS)
class PregelScratchpad:
    """What one running task keeps between the calls it makes to the engine.

    The engine passes a native object of the same shape; this class is for code that builds one.
    """

    step: int
    """The current super-step."""
    stop: int
    """The super-step at which the run is out of steps."""
    call_counter: Callable[[], int]
    """Numbers the functional-API calls of the task, from 0."""
    interrupt_counter: Callable[[], int]
    """Numbers the `interrupt()` calls of the task, from 0."""
    get_null_resume: Callable[[bool], Any]
    """Return the answer that names no interrupt, or `None`; `True` consumes it."""
    resume: list[Any]
    """Answers that the task already used, in the order of its interrupts."""
    subgraph_counter: Callable[[], int]
    """Numbers the subgraph calls of the task, from 0."""
