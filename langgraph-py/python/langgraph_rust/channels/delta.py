"""`DeltaChannel`: named so that programs import, not supported by this release."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from langgraph_rust._engine import BaseChannel

__all__ = ("DeltaChannel",)


class DeltaChannel(BaseChannel):
    """A channel that stores writes instead of values. Not supported by this release.

    The class can be imported, used in annotations and in `isinstance` checks; a graph that has one
    raises `NotImplementedError` when it runs. A reducer (`Annotated[list, my_reducer]`, where
    `my_reducer(current, update)` takes one update at a time) gives the same values and stores the
    whole value in each checkpoint.

    Args:
        reducer: Merges a list of updates into the value.
        typ: Type of the value.
        snapshot_frequency: After how many updates the whole value is stored.
    """

    def __init__(
        self,
        reducer: Callable[[Any, Sequence[Any]], Any],
        typ: Any = None,
        *,
        snapshot_frequency: int = 100,
    ) -> None:
        self.typ = typ
        self.key = ""
        self.reducer = reducer
        self.snapshot_frequency = snapshot_frequency

    def __eq__(self, other: object) -> bool:
        """Whether `other` is a delta channel with the same reducer."""
        return isinstance(other, DeltaChannel) and other.reducer is self.reducer

    __hash__ = object.__hash__

    def from_checkpoint(self, checkpoint: Any) -> NoReturn:
        """Refuse: raises `NotImplementedError`."""
        raise NotImplementedError(
            f"Key '{self.key}': DeltaChannel is not supported by this release of langgraph-rust. "
            "Annotate the state key with a reducer instead: Annotated[list, reducer], where "
            "reducer(current, update) merges one update at a time."
        )

    def get(self) -> NoReturn:
        """Refuse: raises `NotImplementedError`."""
        self.from_checkpoint(None)

    def update(self, values: Sequence[Any]) -> NoReturn:
        """Refuse: raises `NotImplementedError`."""
        self.from_checkpoint(None)
