"""Getting errors from one process to another."""

from __future__ import annotations

import traceback
from typing import Any

from langgraph_rust.errors import _mark_invalid_resume, is_invalid_resume
from langgraph_rust.executors._travel.pickling import dumps, loads
from langgraph_rust.executors.base import RemoteTraceback

__all__ = ("dumps_error", "reraise")

_CAUSES = 8
"""So many errors of a chain travel."""


def dumps_error(error: BaseException) -> bytes:
    """Pickle an error with its causes, and its traceback as text.

    One that cannot be pickled becomes a `RuntimeError` that says what it was.
    """
    try:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception:
        text = f"{type(error).__qualname__}, which cannot be written"
    notes, is_invalid = getattr(error, "__notes__", None), is_invalid_resume(error)
    chain: list[bytes] = []
    one: BaseException | None = error
    while one is not None and len(chain) < _CAUSES:
        chain.append(_dumps_one(one))
        one = one.__cause__
    return dumps((chain, notes, is_invalid, text))


def reraise(body: bytes) -> None:
    """Raise the error that `dumps_error` was given; its first cause is the text."""
    chain, notes, is_invalid, text = loads(body)
    cause: BaseException = RemoteTraceback(text)
    for pickled in reversed(chain):
        error = _whole(loads(pickled))
        error.__cause__, cause = cause, error
    if notes is not None:
        cause.__notes__ = notes  # type: ignore[attr-defined]
    if is_invalid:
        _mark_invalid_resume(cause)
    raise cause


def _dumps_one(error: BaseException) -> bytes:
    for made in (error, _Parts(error)):
        try:
            body = dumps(made)
            # Some can be pickled, but not be made again.
            if type(_whole(loads(body))) is type(error):
                return body
        except Exception:
            continue
    try:
        said = str(error)
    except Exception:
        said = "which cannot be written"
    return dumps(RuntimeError(f"{type(error).__qualname__}: {said}"))


class _Parts:
    """An error whose class takes other arguments than it keeps."""

    def __init__(self, error: BaseException) -> None:
        self.kind = type(error)
        self.args = error.args
        self.state = dict(vars(error))


def _whole(error: Any) -> BaseException:
    if not isinstance(error, _Parts):
        return error
    made: BaseException = error.kind.__new__(error.kind, *error.args)
    made.args = error.args
    vars(made).update(error.state)
    return made
