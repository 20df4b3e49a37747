"""What is stored of an exception that ended a run."""

from __future__ import annotations

import traceback

from langgraph_rust.runs._records import RunFailure

__all__ = ("failure_of", "storable")


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
