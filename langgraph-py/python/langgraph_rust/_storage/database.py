"""What is asked of a database of checkpoints, whichever it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from langgraph_rust._storage.replay import Write

FORMAT = 4
"""The version of the checkpoint format whose values can be taken out."""

REST = ""
"""In the place of a channel: what belongs to none."""


class Unusable(Exception):
    """A database that cannot be worked on; the text says why, and what to do."""


class Sealed(Exception):
    """A checkpoint that is not to be touched; the text says why."""


class Node(NamedTuple):
    """A checkpoint, without what it holds."""

    id: str
    parent: str | None
    source: str | None
    step: int | None


class Tree(NamedTuple):
    """The checkpoints of a thread's namespace."""

    thread: str
    namespace: str
    nodes: dict[str, Node]

    @property
    def children(self) -> dict[str | None, list[Node]]:
        """By parent, in the order of their ids; those without a stored parent under `None`."""
        found: defaultdict[str | None, list[Node]] = defaultdict(list)
        for node in self.nodes.values():
            found[node.parent if node.parent in self.nodes else None].append(node)
        return found


class Content(Protocol):
    """What a checkpoint holds."""

    @property
    def versions(self) -> Mapping[str, Hashable]:
        """By channel, what is another one when it has changed."""
        ...

    def value(self, channel: str) -> bytes | None:
        """Return a channel's value, if it is there; in the place of one that is no list, any."""
        ...


class Size(NamedTuple):
    """What a channel takes in a namespace, or `REST`."""

    namespace: str
    channel: str
    values: int = 0
    """How many values of it are stored; for `REST`, how many checkpoints."""
    value_bytes: int = 0
    writes: int = 0
    write_bytes: int = 0


class Space(NamedTuple):
    """What the database takes where it is kept, in bytes."""

    total: int
    free: int
    """How much of that is in no use, as far as is known."""
    compresses: bool = False
    """Whether the server compresses rows, whose sizes are those before."""


Drops = Mapping[str, Collection[str]]
"""By checkpoint, the channels whose values go."""

Completed = Mapping[tuple[str, str, int], bytes]
"""By checkpoint, task and index, writes in another form."""


class Database(Protocol):
    """A database of checkpoints, on a connection for this alone."""

    shares_values: bool
    """Whether values are stored by version, so that checkpoints have some between them."""
    trouble: type[Exception]
    """What is raised when it cannot be used now; what was done stays done."""

    def threads(self) -> list[str]:
        """Return the ids of all threads."""
        ...

    def looking(self) -> AbstractContextManager[None]:
        """See one moment."""
        ...

    def changing(self) -> AbstractContextManager[None]:
        """Do something in one transaction, during which nobody else stores a checkpoint."""
        ...

    def mark(self, thread: str) -> Any:
        """Return what a thread's rows look like."""
        ...

    def has_moved(self, thread: str, mark: Any) -> bool:
        """Whether any row of a thread may have changed since it was marked."""
        ...

    def trees(self, thread: str) -> list[Tree]:
        """Return the checkpoints of a thread, by namespace."""
        ...

    def content(self, tree: Tree, node: Node) -> Content:
        """Return what a checkpoint holds.

        Raises:
            Sealed: it cannot be told.
        """
        ...

    def writes(self, tree: Tree, checkpoint: str) -> dict[str, list[Write]]:
        """Return the writes on a checkpoint by channel, in the order in which they apply."""
        ...

    def sizes(self, thread: str) -> Iterator[Size]:
        """Yield what there is of a thread, in parts."""
        ...

    def drop(self, tree: Tree, drops: Drops) -> None:
        """Take out values."""
        ...

    def replace(self, tree: Tree, completed: Completed) -> None:
        """Store writes in the place of those that are there."""
        ...

    def space(self) -> Space:
        """Return what the database takes."""
        ...

    def shrink(self) -> str | None:
        """Give back what is free; return why not, if that cannot be done now."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


def open_database(name: str, *, writable: bool = False) -> Database:
    """Open a database of checkpoints that is there.

    Args:
        name: The path of a file of SQLite, or the URL of a Postgres database.
        writable: Whether it is going to be changed.

    Raises:
        Unusable: it is not there, cannot be read, or holds no checkpoints.
    """
    kind, separator, _ = name.partition("://")
    if not separator:
        from langgraph_rust._storage.sqlite import Sqlite

        return Sqlite(name, writable=writable)
    if kind in ("postgres", "postgresql"):
        try:
            from langgraph_rust._storage.postgres import Postgres
        except ImportError as error:
            raise Unusable(
                f"Postgres takes psycopg, which is not there: {error}. "
                "Install it with `pip install langgraph-rust[postgres]`"
            ) from error
        return Postgres(name, writable=writable)
    raise Unusable(f"{kind} databases are not supported: only files of SQLite, and postgresql://")
