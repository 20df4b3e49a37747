"""What the viewer asks of a database, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from langgraph_rust._storage.database import Database


class Place(NamedTuple):
    """Where a checkpoint is."""

    thread: str
    namespace: str
    checkpoint: str


class ThreadRow(NamedTuple):
    """A thread in a list."""

    thread: str
    newest: str
    """Id of its newest checkpoint, in whichever namespace: the order of the list."""
    checkpoints: int


class NamespaceRow(NamedTuple):
    """A namespace of a thread."""

    namespace: str
    newest: str
    checkpoints: int


class CheckpointRow(NamedTuple):
    """A checkpoint in a list."""

    id: str
    parent: str | None
    size: int
    """Bytes of its row; in Postgres, without the values that are stored beside it."""
    metadata: dict[str, Any] | None
    """`None` if reading it would have meant reading a large value."""
    marks: tuple[str, ...]
    """Reserved channels that tasks wrote to on it, such as `__error__` and `__interrupt__`."""


class Held(NamedTuple):
    """A stored value."""

    tag: str
    """How it is encoded, `msgpack` for one."""
    size: int
    """Bytes."""
    read: Callable[[], bytes]


class Written(NamedTuple):
    """A stored write of a task."""

    task: str
    path: str
    idx: int
    channel: str
    held: Held


@dataclass
class Stored:
    """A checkpoint."""

    place: Place
    parent: str | None
    metadata: dict[str, Any]
    size: int
    ts: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    """By channel."""
    seen: dict[str, dict[str, str]] = field(default_factory=dict)
    """By node, the versions of its triggers when it last ran."""
    values: dict[str, Held] = field(default_factory=dict)
    trouble: str | None = None
    """Why it cannot be looked into, if it cannot."""


class Source(Protocol):
    """Threads and their checkpoints. May be asked from any thread of the process."""

    name: str
    """What the database is called, without passwords."""

    def threads(self, part: str, before: tuple[str, str] | None, limit: int) -> Sequence[ThreadRow]:
        """Return a page of threads, those with the newest checkpoints first.

        Args:
            part: What ids must contain.
            before: Newest checkpoint and id of the last thread of the page before.
            limit: Threads at most.
        """
        ...

    def namespaces(self, thread: str) -> Sequence[NamespaceRow]:
        """Return the namespaces of a thread, the root first."""
        ...

    def checkpoints(
        self, thread: str, namespace: str, before: str | None, limit: int
    ) -> Sequence[CheckpointRow]:
        """Return a page of checkpoints, newest first.

        Args:
            thread: Its id.
            namespace: Its checkpoints.
            before: Id of the last checkpoint of the page before.
            limit: Checkpoints at most.
        """
        ...

    def children(self, place: Place) -> Sequence[str]:
        """Return the ids of the checkpoints that come after one."""
        ...

    def checkpoint(self, place: Place) -> Stored | None:
        """Return a checkpoint; an empty id means the newest."""
        ...

    def writes(self, place: Place, channel: str | None = None) -> Sequence[Written]:
        """Return the writes on a checkpoint, in the order in which they apply."""
        ...

    def database(self) -> Database:
        """Open it again, as that of which sizes and savings are told.

        Raises:
            Unusable: it cannot be.
        """
        ...

    def mark(self) -> object:
        """Return what is another value once something was stored."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...
