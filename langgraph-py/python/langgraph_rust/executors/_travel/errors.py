"""Getting errors from one process to another."""

from __future__ import annotations

import traceback

from langgraph_rust.errors import _mark_invalid_resume, is_invalid_resume
from langgraph_rust.executors._travel.pickling import dumps, loads
from langgraph_rust.executors._travel.unsendable import dumps_one, loads_one
from langgraph_rust.executors.base import RemoteTraceback

__all__ = ("dumps_error", "reraise")

_CAUSES = 8
"""So many errors of a chain travel."""


def dumps_error(error: BaseException) -> bytes:
    """Pickle an error with its causes, and its traceback as text.

    For one that cannot be pickled goes what comes next to it (`_travel/unsendable.py`).
    """
    try:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception:
        text = f"{type(error).__qualname__}, which cannot be written"
    notes, is_invalid = getattr(error, "__notes__", None), is_invalid_resume(error)
    chain: list[bytes] = []
    one: BaseException | None = error
    while one is not None and len(chain) < _CAUSES:
        chain.append(dumps_one(one))
        one = one.__cause__
    return dumps((chain, notes, is_invalid, text))


def reraise(body: bytes) -> None:
    """Raise the error that `dumps_error` was given; its first cause is the text."""
    chain, notes, is_invalid, text = loads(body)
    cause: BaseException = RemoteTraceback(text)
    for pickled in reversed(chain):
        error = loads_one(pickled)
        error.__cause__, cause = cause, error
    if notes is not None and not hasattr(cause, "__notes__"):
        cause.__notes__ = notes  # type: ignore[attr-defined]
    if is_invalid:
        _mark_invalid_resume(cause)
    raise cause
