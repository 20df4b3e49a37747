"""Tokens that a model streams, handed to the one handler that takes them, and to nothing else.

langchain-core asks each handler whether it ignores tokens, is a coroutine or runs in a thread, for
each token again. Where the only handler is one of this package's, that is known.
"""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import manager as managers

from langgraph_rust._internal._quiet._reasons import count_quick
from langgraph_rust._internal._quiet._silence import Skipped
from langgraph_rust._internal._quiet._takers import takers

__all__ = ("hand_over", "taker")

_SKIPPED = Skipped(
    [
        (managers, "handle_event"),
        (managers, "ahandle_event"),
        (managers.CallbackManagerForLLMRun, "on_llm_new_token"),
        (managers.AsyncCallbackManagerForLLMRun, "on_llm_new_token"),
    ],
    [],
)


def taker(manager: Any) -> Any | None:
    """Return the only handler of a model's run, if it takes tokens at once; else `None`."""
    handlers = manager.handlers
    if len(handlers) == 1 and type(handlers[0]) in takers and not _SKIPPED.why_not():
        return handlers[0]
    return None


def hand_over(manager: Any, handler: Any, token: Any, chunk: Any, kwargs: dict[str, Any]) -> None:
    """Tell the handler of a token, and treat its errors as langchain-core does."""
    count_quick("token")
    try:
        handler.on_llm_new_token(
            token,
            chunk=chunk,
            run_id=manager.run_id,
            parent_run_id=manager.parent_run_id,
            tags=manager.tags,
            **kwargs,
        )
    except Exception as error:
        name = type(handler).__name__
        managers.logger.warning("Error in %s.on_llm_new_token callback: %r", name, error)
        if handler.raise_error:
            raise
