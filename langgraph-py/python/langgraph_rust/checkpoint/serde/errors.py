"""What is raised when a stored value cannot be read back as what it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langgraph_rust.checkpoint.serde.event_hooks import SerdeEvent


_PLACE_HEAD, _PLACE_TAIL = 80, 40


def shortened(place: str) -> str:
    """Return a place for the text of an error; the way into a cycle leads on to any depth."""
    if len(place) <= _PLACE_HEAD + _PLACE_TAIL:
        return place
    return f"{place[:_PLACE_HEAD]} … {place[-_PLACE_TAIL:]}"


class StoredValueError(ValueError):
    """A stored value cannot be rebuilt: its class is gone or has changed, or its bytes are broken.

    Nothing is lost by it: the value stays stored, and can be read once the reason is gone.

    Attributes:
        reason: What is wrong, and what to do about it.
        module: Where the class is from, as stored; `None` if no class is the matter.
        name: The class's name, likewise.
        path: The steps into the stored value, as text; all of them, though the text of the error
            leaves out the middle of many.
        checkpoint: Thread, namespace and id of the checkpoint that has it, if a saver has read it.
    """

    checkpoint: tuple[str, str, str] | None = None

    def __init__(
        self,
        reason: str,
        module: str | None = None,
        name: str | None = None,
        path: Sequence[str] = (),
    ) -> None:
        super().__init__(reason, module, name, path)
        self.reason = reason
        self.module = module
        self.name = name
        self.path = tuple(path)

    @property
    def place(self) -> str:
        """Where in the stored value it is, such as `messages[3].content`; empty if it is the whole
        value, or cannot be told."""
        return "".join(self.path)

    def __str__(self) -> str:
        text = f"{shortened(self.place)}: {self.reason}" if self.path else self.reason
        if self.checkpoint is None:
            return text
        thread_id, checkpoint_ns, checkpoint_id = self.checkpoint
        namespace = f", namespace '{checkpoint_ns}'" if checkpoint_ns else ""
        return f"Checkpoint {checkpoint_id} of thread '{thread_id}'{namespace}: {text}"


class EncryptedValueError(StoredValueError, NotImplementedError):
    """A stored value is encrypted, and the serializer that is to read it has no cipher."""


class TypeNotAllowedError(StoredValueError):
    """A stored value names a type that nobody has allowed: it was neither built nor imported.

    Attributes:
        event: What listeners are told (`event_hooks`), if anything.
    """

    event: SerdeEvent | None = None
