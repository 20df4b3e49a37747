"""Reserved channel names, and the shapes the serializer recognises without importing the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from typing_extensions import Self

ERROR = "__error__"
"""Channel under which a task's exception is stored."""
SCHEDULED = "__scheduled__"
"""Channel marking a task as handed to a distributed scheduler."""
INTERRUPT = "__interrupt__"
"""Channel under which a task's interrupts are stored."""
RESUME = "__resume__"
"""Channel under which the answers to interrupts are stored."""
TASKS = "__pregel_tasks"
"""Channel that carries `Send` packets to the next step."""

Value = TypeVar("Value", covariant=True)
Update = TypeVar("Update", contravariant=True)
C = TypeVar("C")


class _DeltaSnapshot(NamedTuple):
    """The whole accumulated value of a delta channel, stored now and then in place of a delta.

    Whoever rebuilds the channel may stop looking for older writes when it meets one of these.
    It has its own msgpack extension code, so it survives a round trip as itself.
    """

    value: Any


class ChannelProtocol(Protocol[Value, Update, C]):
    """What a checkpoint helper needs to know of a channel."""

    @property
    def ValueType(self) -> Any:
        """Type of the value that `get` returns."""
        ...

    @property
    def UpdateType(self) -> Any:
        """Type of one entry of the sequence that `update` takes."""
        ...

    def checkpoint(self) -> C | None:
        """Return the state to store; raises `EmptyChannelError` if there is none."""
        ...

    def from_checkpoint(self, checkpoint: C | None) -> Self:
        """Return a channel of the same kind that holds the stored state."""
        ...

    def update(self, values: Sequence[Update]) -> bool:
        """Apply one step's writes; return whether the value changed."""
        ...

    def get(self) -> Value:
        """Return the current value; raises `EmptyChannelError` if there is none."""
        ...

    def consume(self) -> bool:
        """Note that subscribed tasks ran; return whether the value changed."""
        ...


@runtime_checkable
class SendProtocol(Protocol):
    """Anything shaped like `Send`: a target node and the argument for it, hashable."""

    node: str
    """The node that it goes to."""
    arg: Any
    """What that is given."""

    def __hash__(self) -> int:
        """Hash over the node and the argument."""
        ...

    def __repr__(self) -> str:
        """Readable form."""
        ...

    def __eq__(self, value: object) -> bool:
        """Equal when target and argument are equal."""
        ...
