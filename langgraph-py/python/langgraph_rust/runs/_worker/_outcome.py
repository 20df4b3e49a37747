"""What is stored of how a run ended: its result, or an exception."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._constants import INTERRUPT
from langgraph_rust.runs._records import RunFailure

if TYPE_CHECKING:
    from langgraph_rust.pregel import Pregel
    from langgraph_rust.types import Interrupt

__all__ = ("failure_of", "result_of", "storable")


def result_of(graph: Pregel, values: Any, interrupts: list[Interrupt]) -> Any:
    """Return what `invoke` would.

    Args:
        graph: The graph.
        values: Its state, as it is streamed.
        interrupts: What it waits for; each of several is streamed with the values anew.
    """
    names = graph.output_channels
    if not isinstance(names, str) and isinstance(values, Mapping):
        values = {name: values[name] for name in names if name in values}
    if not interrupts:
        return values
    kept = values if isinstance(values, dict) else {}
    return {**kept, INTERRUPT: interrupts}


def failure_of(error: BaseException) -> RunFailure:
    """Describe an exception, whatever its text is like."""
    kind = type(error)
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    text = "".join(traceback.format_exception(kind, error, error.__traceback__))
    try:
        message = str(error)
    except Exception as unspoken:
        message = f"<its text cannot be told: {type(unspoken).__name__}>"
    return RunFailure(name, storable(message), storable(text))


def storable(text: str) -> str:
    """Return a text without what Postgres cannot store: NUL, and halves of characters."""
    return text.replace("\0", "").encode(errors="replace").decode()
