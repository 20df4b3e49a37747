"""What is in a database, with everything random in it replaced by a name.

Ids, the random part of versions, and times differ from run to run. Each gets a name by order of
appearance, so that what was equal or different stays so; all other bytes are left as they are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable

from tests.continuity.tables import BlobRow, CheckpointRow, WriteRow, read

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


def settled_rows(database: str) -> dict[str, list[tuple]]:
    """All rows by thread, as a list that is the same for the same history.

    Checkpoints come in the order in which they were stored, each followed by the values of channels
    that it is the first to have, if these are rows, and by its writes in the order in which they
    apply: tasks run side by side and store theirs in any order.
    """
    tables = read(database)
    checkpoints, writes, blobs = map(_by_thread, tables)
    threads = {row.thread_id for table in tables for row in table}
    return {
        thread: _settled(checkpoints[thread], writes[thread], blobs[thread]) for thread in threads
    }


def _by_thread(rows: Iterable[tuple]) -> defaultdict[str, list]:
    threads = defaultdict(list)
    for row in rows:
        threads[row.thread_id].append(row)
    return threads


def _settled(
    checkpoints: list[CheckpointRow], writes: list[WriteRow], blobs: list[BlobRow]
) -> list[tuple]:
    names = Names()
    rows: list[tuple] = []
    writes_of = _grouped(writes, lambda row: (row.checkpoint_ns, row.checkpoint_id))
    blobs_of = _grouped(blobs, lambda row: (row.checkpoint_ns, row.channel, row.version))
    spaces = {row.checkpoint_ns for row in [*checkpoints, *writes, *blobs]}
    while spaces:
        # A namespace holds the id of the task it belongs to, which has its name by then.
        space = min(spaces, key=lambda space: (space.count("|"), names.known(space)))
        spaces.remove(space)
        for checkpoint in checkpoints:
            if checkpoint.checkpoint_ns == space:
                own: list[tuple] = [checkpoint]
                for channel, version in checkpoint.versions():
                    own += blobs_of.pop((space, channel, version), [])
                own += writes_of.pop((space, checkpoint.checkpoint_id), [])
                rows.extend(_settled_row(row, names) for row in own)
    # Of checkpoints that are not stored.
    for rest in (writes_of, blobs_of):
        rows.extend(_settled_row(row, names) for key in sorted(rest) for row in rest[key])
    return rows


def _grouped(rows: Iterable, key: Callable) -> dict[tuple[str, ...], list]:
    groups = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _settled_row(row: tuple, names: Names) -> tuple:
    settle = {bytes: names.settle, str: names.text}
    return type(row)(*(settle.get(type(part), lambda same: same)(part) for part in row))
