"""The native module: the engine on Python objects."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from typing_extensions import Self

_Value = TypeVar("_Value")
_Update = TypeVar("_Update")
_Checkpoint = TypeVar("_Checkpoint")

class BaseChannel(Generic[_Value, _Update, _Checkpoint]):
    """The interface every channel has.

    Derive from it, and define `ValueType`, `UpdateType`, `get`, `update` and `from_checkpoint`, to
    make a kind of channel in Python. These raise `NotImplementedError` here; the others have a
    default that is built on them.
    """

    typ: Any
    """The type of the channel's values, as declared."""
    key: str
    """The channel's name in its graph, for error messages."""

    def __init__(self, typ: Any, key: str = "") -> None: ...
    @property
    def ValueType(self) -> Any:
        """The type of what `get` returns."""

    @property
    def UpdateType(self) -> Any:
        """The type of one write."""

    def copy(self) -> Self:
        """Return an independent channel of the same kind with the same value."""

    def checkpoint(self) -> _Checkpoint | Any:
        """Return what is stored of the channel, `MISSING` if nothing is."""

    def from_checkpoint(self, checkpoint: _Checkpoint | Any) -> Self:
        """Return a channel of the same kind that holds what `checkpoint` returned.

        It holds nothing if that is `MISSING`.
        """

    def get(self) -> _Value:
        """Return the current value.

        Raises:
            EmptyChannelError: There is none.
        """

    def is_available(self) -> bool:
        """Tell whether there is a value to get."""

    def update(self, values: Sequence[_Update]) -> bool:
        """Apply the writes of one step, maybe none, and tell whether the channel changed.

        Raises:
            InvalidUpdateError: The channel does not accept these writes.
        """

    def consume(self) -> bool:
        """Hear that a task ran which the channel triggered; tell whether the channel changed."""

    def finish(self) -> bool:
        """Hear that the run is about to end; tell whether the channel changed."""

class LastValue(BaseChannel[_Value, _Value, _Value]):
    """Keeps the last write; accepts one write per step.

    Args:
        typ: Type of the values.
        key: The channel's name in its graph, for error messages.
    """

    value: _Value | Any
    """What the channel holds, `MISSING` if nothing."""

class LastValueAfterFinish(BaseChannel[_Value, _Value, tuple[_Value, bool]]):
    """Keeps the last write back until the run is about to end; gone once a task ran on it.

    Args:
        typ: Type of the values.
        key: The channel's name in its graph, for error messages.
    """

    value: _Value | Any
    """What the channel holds, readable or not, `MISSING` if nothing."""
    finished: bool
    """Whether the value can be read."""

class AnyValue(BaseChannel[_Value, _Value, _Value]):
    """Keeps the last of several writes that are taken to be equal, for one step.

    Args:
        typ: Type of the values.
        key: The channel's name in its graph, for error messages.
    """

    value: _Value | Any
    """What the channel holds, `MISSING` if nothing."""

class EphemeralValue(BaseChannel[_Value, _Value, _Value]):
    """Holds what was written in the step before, and is empty otherwise.

    Args:
        typ: Type of the values.
        guard: Whether a second write in one step is an error.
    """

    value: _Value | Any
    """What the channel holds, `MISSING` if nothing."""
    guard: bool
    """Whether a second write in one step is an error."""

    def __init__(self, typ: Any, guard: bool = True) -> None: ...

class UntrackedValue(BaseChannel[_Value, _Value, _Value]):
    """Keeps the last write for the run; never stored.

    Args:
        typ: Type of the values.
        guard: Whether a second write in one step is an error.
    """

    value: _Value | Any
    """What the channel holds, `MISSING` if nothing."""
    guard: bool
    """Whether a second write in one step is an error."""

    def __init__(self, typ: type[_Value], guard: bool = True) -> None: ...

class BinaryOperatorAggregate(BaseChannel[_Value, _Value, _Value]):
    """Folds every write into its value.

    One write of a step may be an `Overwrite`, which replaces the value.

    Args:
        typ: Type of the values; called for the first one, if it can be called.
        operator: The reducer: called with the value and a write, returns the new value.
    """

    value: _Value | Any
    """What the channel holds, `MISSING` if nothing."""
    operator: Callable[[_Value, _Value], _Value]
    """The reducer."""

    def __init__(self, typ: type[_Value], operator: Callable[[_Value, _Value], _Value]) -> None: ...

class NamedBarrierValue(BaseChannel[_Value, _Value, set[_Value]]):
    """Opens once every name was written, and closes when a task ran on it. Reads as `None`.

    Args:
        typ: Type of the names: `str`.
        names: The names to wait for.

    Raises:
        TypeError: A name is no string.
    """

    names: set[_Value]
    """The names waited for. Assign to change them: each read returns a new set."""
    seen: set[_Value]
    """The names written since the barrier last closed. Assign to change them."""

    def __init__(self, typ: type[_Value], names: Iterable[_Value]) -> None: ...

class NamedBarrierValueAfterFinish(BaseChannel[_Value, _Value, tuple[set[_Value], bool]]):
    """A `NamedBarrierValue` that opens only when, besides, the run is about to end.

    Args:
        typ: Type of the names: `str`.
        names: The names to wait for.

    Raises:
        TypeError: A name is no string.
    """

    names: set[_Value]
    """The names waited for. Assign to change them: each read returns a new set."""
    seen: set[_Value]
    """The names written since the barrier last closed. Assign to change them."""
    finished: bool
    """Whether the barrier may open."""

    def __init__(self, typ: type[_Value], names: Iterable[_Value]) -> None: ...

class Topic(BaseChannel[Sequence[_Value], _Value | list[_Value], list[_Value]]):
    """Collects writes in a list; a list written adds its items.

    Args:
        typ: Type of the items.
        accumulate: Whether items stay for later steps.
    """

    values: list[_Value]
    """The items. Assign to change them: each read returns a new list."""
    accumulate: bool
    """Whether items stay for later steps."""

    def __init__(self, typ: type[_Value], accumulate: bool = False) -> None: ...

class StateUpdates:
    """Turns a node's result into updates of the state.

    Args:
        keys: The keys that the graph's state has; others are left out. With `__root__` as the only
            one, the result as a whole is the state.
    """

    def __init__(self, keys: Sequence[str]) -> None: ...
    def __call__(self, input: Any) -> list[tuple[str, Any]] | None:
        """Return the updates as `(key, value)` pairs; `None` if the result is `None`.

        Raises:
            InvalidUpdateError: The result is nothing a node may return.
        """

class ControlWrites:
    """Turns a node's result into the writes that start the nodes it goes to."""

    def __init__(self) -> None: ...
    def __call__(self, input: Any) -> list[tuple[str, Any]]:
        """Return the writes as `(channel, value)` pairs.

        Raises:
            ParentCommand: The result holds a command for the enclosing graph.
        """
