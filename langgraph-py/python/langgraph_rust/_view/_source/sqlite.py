"""Threads in a SQLite file, which is opened for reading and stays as it is, to the byte."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langgraph_rust._storage.database import Database, Unusable
from langgraph_rust._storage.sqlite import Sqlite as Storage
from langgraph_rust._view._source.rows import (
    as_metadata,
    in_order,
    namespaces_first,
    of_json,
    of_msgpack,
)
from langgraph_rust._view._source.source import (
    CheckpointRow,
    Held,
    NamespaceRow,
    Place,
    Stored,
    ThreadRow,
    Written,
)

_LARGE = 1 << 18
"""Bytes of a value beyond which lists are read without what lies behind it in its row."""

_THREADS = """
SELECT thread_id, max(checkpoint_id) AS newest, count(*) FROM checkpoints
WHERE ? = '' OR instr(thread_id, ?)
GROUP BY thread_id HAVING (newest, thread_id) < (?, ?)
ORDER BY newest DESC, thread_id DESC LIMIT ?
"""

_LAST = "\U0010ffff"
"""Greater than any id."""

_NAMESPACES = """
SELECT checkpoint_ns, max(checkpoint_id), count(*) FROM checkpoints WHERE thread_id = ? GROUP BY 1
"""

# What lies behind a large value in a row is found by reading that.
_CHECKPOINTS = f"""
SELECT checkpoint_id, parent_checkpoint_id, length(checkpoint),
    CASE WHEN length(checkpoint) <= {_LARGE} THEN metadata END
FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id < ?
ORDER BY checkpoint_id DESC LIMIT ?
"""

_MARKS = """
SELECT DISTINCT checkpoint_id, channel FROM writes
WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id BETWEEN ? AND ? AND idx < 0
"""

_MODE = 18
"""Where a file of SQLite says its mode: 2 is WAL."""

_PLACE = "WHERE thread_id = ? AND checkpoint_ns = ?"


class Sqlite:
    """A file of SQLite, as a `Source`.

    Args:
        path: Of the file.

    Raises:
        Unusable: it is not there, is none of SQLite's, or holds no checkpoints.
    """

    def __init__(self, path: str) -> None:
        self._file = Path(path)
        if not self._file.is_file():
            raise Unusable(f"there is no file {path}")
        self.name = str(path)
        self._lock = threading.Lock()
        self._opened: tuple[sqlite3.Connection, object] | None = None
        with self._connected() as connection:
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            if not {"checkpoints", "writes"} <= names:
                raise Unusable(f"{path} holds no checkpoints: it has no tables of a SqliteSaver")
            columns = {row[1] for row in connection.execute("PRAGMA table_info(writes)")}
        # In an old database nothing stands in its place.
        self._task_path = "task_path" if "task_path" in columns else "''"

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                self._opened[0].close()
                self._opened = None

    # --- opening ---

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._connection()
            except (sqlite3.Error, OSError) as error:
                raise Unusable(f"{self.name} cannot be read: {error}") from error

    def _connection(self) -> sqlite3.Connection:
        """Give the connection: another one when the file is, or is to be opened in another way.

        SQLite puts files beside a database in WAL mode even to read it. Where nobody has it open,
        there is no such file: then it is opened as one that does not change, until it does. In
        other modes reading leaves nothing behind.
        """
        is_still = self._is_still()
        state = is_still, self._stamp() if is_still else self._file.stat().st_ino
        if self._opened is not None and self._opened[1] == state:
            return self._opened[0]
        if self._opened is not None:
            self._opened[0].close()
        still = "&immutable=1" if is_still else ""
        connection = sqlite3.connect(
            f"{self._file.absolute().as_uri()}?mode=ro{still}",
            uri=True,
            timeout=10,
            isolation_level=None,
            check_same_thread=False,
        )
        # A row that is broken is to be seen, and not to hide all others.
        connection.text_factory = lambda text: text.decode(errors="replace")
        self._opened = connection, state
        return connection

    def _is_still(self) -> bool:
        """Whether nobody has it open who would put what is written into a file beside it."""
        with self._file.open("rb") as file:
            is_wal = file.read(_MODE + 1)[_MODE:] == b"\x02"
        return is_wal and not os.path.exists(f"{self._file}-wal")

    def _stamp(self) -> object:
        about = self._file.stat()
        return about.st_mtime_ns, about.st_size, about.st_ino

    def database(self) -> Database:
        return Storage(str(self._file), is_still=self._is_still())

    def mark(self) -> object:
        with self._connected() as connection:
            return self._opened, connection.execute("PRAGMA data_version").fetchone()[0]

    def _ask(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self._connected() as connection:
            try:
                return connection.execute(query, parameters).fetchall()
            except sqlite3.DatabaseError:
                # Somebody may have begun to write while it was taken for one that nobody does.
                again = self._connection()
                if again is connection:
                    raise
                return again.execute(query, parameters).fetchall()

    # --- lists ---

    def threads(self, part: str, before: tuple[str, str] | None, limit: int) -> Sequence[ThreadRow]:
        newest, last = before or (_LAST, _LAST)
        return [ThreadRow(*row) for row in self._ask(_THREADS, part, part, newest, last, limit)]

    def namespaces(self, thread: str) -> Sequence[NamespaceRow]:
        return namespaces_first(NamespaceRow(*row) for row in self._ask(_NAMESPACES, thread))

    def checkpoints(
        self, thread: str, namespace: str, before: str | None, limit: int
    ) -> Sequence[CheckpointRow]:
        rows = self._ask(_CHECKPOINTS, thread, namespace, before or _LAST, limit)
        if not rows:
            return []
        marks: dict[str, list[str]] = {}
        for own, channel in self._ask(_MARKS, thread, namespace, rows[-1][0], rows[0][0]):
            marks.setdefault(own, []).append(channel)
        return [
            CheckpointRow(
                own,
                parent,
                size or 0,
                None if metadata is None else as_metadata(metadata),
                tuple(sorted(marks.get(own, ()))),
            )
            for own, parent, size, metadata in rows
        ]

    def children(self, place: Place) -> Sequence[str]:
        # No index knows parents; a child is newer, and hardly ever far away.
        return [
            own
            for (own,) in self._ask(
                "SELECT checkpoint_id FROM (SELECT checkpoint_id, parent_checkpoint_id "
                f"FROM checkpoints {_PLACE} AND checkpoint_id > ? ORDER BY checkpoint_id "
                "LIMIT 1000) WHERE parent_checkpoint_id = ?",
                *place,
                place.checkpoint,
            )
        ]

    # --- one ---

    def checkpoint(self, place: Place) -> Stored | None:
        which, also = "AND checkpoint_id = ?", (place.checkpoint,)
        if not place.checkpoint:
            which, also = "ORDER BY checkpoint_id DESC LIMIT 1", ()
        rows = self._ask(
            "SELECT checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata "
            f"FROM checkpoints {_PLACE} {which}",
            *place[:2],
            *also,
        )
        if not rows:
            return None
        own, parent, tag, blob, metadata = rows[0]
        data = blob if isinstance(blob, bytes) else str(blob or "").encode("utf-8", "replace")
        stored = Stored(place._replace(checkpoint=own), parent, as_metadata(metadata), len(data))
        if tag == "msgpack":
            of_msgpack(stored, data)
        elif tag in ("json", None):
            of_json(stored, data)
        else:
            stored.trouble = f"stored as {tag!r}, which cannot be looked into"
        return stored

    def writes(self, place: Place, channel: str | None = None) -> Sequence[Written]:
        which = "" if channel is None else " AND channel = ?"
        rows = self._ask(
            f"SELECT {self._task_path}, task_id, idx, channel, type, length(CAST(value AS BLOB)), "
            f"rowid FROM writes {_PLACE} AND checkpoint_id = ?{which}",
            *place,
            *(() if channel is None else (channel,)),
        )
        return in_order(
            Written(task, path, index, name, Held(tag or "null", size or 0, self._reader(row)))
            for path, task, index, name, tag, size, row in rows
        )

    def _reader(self, row: int) -> Any:
        def read() -> bytes:
            found = self._ask("SELECT CAST(value AS BLOB) FROM writes WHERE rowid = ?", row)
            return (found[0][0] if found else None) or b""

        return read
