"""The handlers that take tokens at once."""

from __future__ import annotations

from typing import TypeVar

__all__ = ("takers", "takes_tokens")

T = TypeVar("T", bound=type)

takers: set[type] = set()
"""Classes of handlers, not those derived from them."""


def takes_tokens(cls: T) -> T:
    """Have handlers of just this class be told of tokens directly, where calls are accelerated.

    They must not ignore models, and take tokens in a plain function, in the thread of the model.
    """
    takers.add(cls)
    return cls
