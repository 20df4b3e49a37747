"""What is in a saver's database, with everything random in it replaced by a name.

Ids, the random part of versions, and times differ from run to run. Each gets a name by order of
appearance, so that what was equal or different stays so; all other bytes are left as they are.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

_RANDOM = re.compile(
    rb"""
      (?P<version> (?:\xd9.)? (?P<count>\d{32}) \. (?P<fraction>\d[\d.e-]+) )
    | (?P<uuid> [0-9a-f]{8} (?:-[0-9a-f]{4}){3} -[0-9a-f]{12} )
    | (?P<hash> (?<![0-9a-f]) [0-9a-f]{32} (?![0-9a-f]) )
    | (?P<time> (?:\xd9\x20|\xb9)? 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d (?:\.\d{6})? \+00:00 )
    """,
    re.VERBOSE | re.DOTALL,
)
"""A version's length varies with its fraction, and one time in a million has no microseconds, so
both are taken with the header that msgpack gives a string of their length."""


class Names:
    """Names for what is random, given by order of appearance."""

    def __init__(self) -> None:
        self._names: dict[bytes, bytes] = {}

    def settle(self, data: bytes) -> bytes:
        """Return `data` with names in the place of what is random."""
        return _RANDOM.sub(self._replace, data)

    def text(self, text: str) -> str:
        """Return `text` with names in the place of what is random."""
        return self.settle(text.encode()).decode()

    def known(self, text: str) -> str:
        """The same, with a question mark for what has no name yet."""
        return _RANDOM.sub(lambda found: self._names.get(found[0], b"?"), text.encode()).decode()

    def _replace(self, found: re.Match[bytes]) -> bytes:
        kind = found.lastgroup or ""
        if kind == "time":
            return b"<time>"
        if found["version"]:
            return b"<%s.%s>" % (found["count"], self._name("fraction", found["fraction"]))
        if found[0].startswith(b"00000000-0000-0000-0000"):
            return found[0]  # of no task, or one that a graph itself holds
        return b"<%s>" % self._name(kind, found[0])

    def _name(self, kind: str, value: bytes) -> bytes:
        return self._names.setdefault(value, b"%s %d" % (kind.encode(), len(self._names)))


class CheckpointRow(NamedTuple):
    """A row of the table `checkpoints`, in the order of its columns."""

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str
    parent_checkpoint_id: str | None
    type: str
    checkpoint: bytes
    metadata: bytes


class WriteRow(NamedTuple):
    """A row of the table `writes`."""

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str
    task_id: str
    task_path: str
    idx: int
    channel: str
    type: str
    value: bytes


def settled_rows(database: Path) -> dict[str, list[tuple]]:
    """All rows by thread, as a list that is the same for the same history.

    Checkpoints come in the order in which they were stored, each followed by its writes in the
    order in which they apply: tasks run side by side and store theirs in any order.
    """
    with closing(sqlite3.connect(database)) as connection:
        select = f"SELECT {', '.join(CheckpointRow._fields)} FROM checkpoints ORDER BY rowid"
        checkpoints = _by_thread(map(CheckpointRow._make, connection.execute(select)))
        select = (
            f"SELECT {', '.join(WriteRow._fields)} FROM writes ORDER BY task_path, idx, channel"
        )
        writes = _by_thread(map(WriteRow._make, connection.execute(select)))
    threads = checkpoints.keys() | writes.keys()
    return {thread: _settled(checkpoints[thread], writes[thread]) for thread in threads}


def _by_thread(rows: Iterable[tuple]) -> defaultdict[str, list]:
    threads = defaultdict(list)
    for row in rows:
        threads[row.thread_id].append(row)
    return threads


def _settled(checkpoints: list[CheckpointRow], writes: list[WriteRow]) -> list[tuple]:
    names = Names()
    rows: list[tuple] = []
    writes_of: dict[tuple[str, str], list[WriteRow]] = defaultdict(list)
    for write in writes:
        writes_of[write.checkpoint_ns, write.checkpoint_id].append(write)
    spaces = {row.checkpoint_ns for row in [*checkpoints, *writes]}
    while spaces:
        # A namespace holds the id of the task it belongs to, which has its name by then.
        space = min(spaces, key=lambda space: (space.count("|"), names.known(space)))
        spaces.remove(space)
        for checkpoint in checkpoints:
            if checkpoint.checkpoint_ns == space:
                own = writes_of.pop((space, checkpoint.checkpoint_id), [])
                rows.extend(_settled_row(row, names) for row in [checkpoint, *own])
    # Of checkpoints that are not stored.
    rows.extend(_settled_row(row, names) for key in sorted(writes_of) for row in writes_of[key])
    return rows


def _settled_row(row: tuple, names: Names) -> tuple:
    settle = {bytes: names.settle, str: names.text}
    return type(row)(*(settle.get(type(part), lambda same: same)(part) for part in row))
