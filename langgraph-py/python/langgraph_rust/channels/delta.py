"""`DeltaChannel`: named so that programs import, not supported by this release."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langgraph_rust._engine import BaseChannel

__all__ = ("DeltaChannel",)


class DeltaChannel(BaseChannel):
    """A channel that stores writes instead of values. Not supported by this release.

    The class can be imported, used in annotations of functions and in `isinstance` checks;
    constructing one raises `NotImplementedError`. A reducer (`Annotated[list, my_reducer]`, where
    `my_reducer(current, update)` takes one update at a time) gives the same values and stores the
    whole value in each checkpoint.
    """

    def __new__(
        cls,
        reducer: Callable[[Any, Sequence[Any]], Any] | None = None,
        typ: Any = None,
        *,
        snapshot_frequency: int = 100,
    ) -> DeltaChannel:
        """Always raise `NotImplementedError`."""
        raise NotImplementedError(
            "DeltaChannel is not supported by this release of langgraph-rust. Annotate the state "
            "key with a reducer instead: Annotated[list, reducer], where reducer(current, update) "
            "merges one update at a time."
        )
