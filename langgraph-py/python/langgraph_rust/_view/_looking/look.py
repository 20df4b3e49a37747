"""What there is to see of threads, as JSON: what the page asks for and what an export holds."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from langgraph_rust._view._looking.rebuild import Rebuilt, is_engines, rebuild
from langgraph_rust._view._looking.tasks import packets, tasks_of, waiting
from langgraph_rust._view._source.source import CheckpointRow, Place, Source, Stored, ThreadRow
from langgraph_rust._view._value.diff import MISSING, diff
from langgraph_rust._view._value.records import Sealed, decode
from langgraph_rust._view._value.redaction import NOTHING, Redaction
from langgraph_rust._view._value.show import BRIEF, Shown, Window, show, show_at

PAGE = 100
"""Checkpoints on a page."""

_THREADS = 50
"""Threads on a page."""

_PATIENCE = 1.0
"""Seconds that a search goes on for until it shows what it has."""

_KEPT = 256 << 20
"""Bytes of stored values that are kept as they were decoded."""

_COMPARED = 1 << 20
"""Bytes of a value up to which it is compared with one under another version."""

_Test = Callable[[CheckpointRow, Callable[[], dict[str, Any]]], bool]
"""Asked of a thread's newest checkpoint, and what gives its metadata."""

_EPOCH = 0x01B21DD213814000
"""Ticks of 100 ns from where UUIDs count to where Unix does."""


class NotThere(LookupError):
    """What was asked for is not there; the text says what."""


class Look:
    """Looks at the threads of a database.

    Args:
        source: The database.
        redaction: What is not shown.
    """

    def __init__(self, source: Source, redaction: Redaction = NOTHING) -> None:
        self.source = source
        self._redaction = redaction
        self._kept: OrderedDict[tuple[object, ...], tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    # --- lists ---

    def threads(self, sought: str = "", before: tuple[str, str] | None = None) -> Shown:
        """Return a page of threads, those that were gone on with last first.

        Args:
            sought: Words that all must be true of a thread: `key=value` of its newest metadata,
                `is:interrupted`, `is:failed`; any other is a part of its id.
            before: Where the page before ended: its `next`.

        Returns:
            `threads`, and `next` unless there are no others. A search through metadata that takes
            long shows what it has found, and goes on at `next`.
        """
        parts, tests = _words(sought, self._redaction)
        found: list[Shown] = []
        until = time.monotonic() + _PATIENCE
        while True:
            rows = self.source.threads(parts, before, _THREADS)
            for row in rows:
                before = row.newest, row.thread
                if not tests or self._fulfils(row.thread, tests):
                    found.append(self._thread(row))
                if len(found) == _THREADS or (tests and time.monotonic() > until):
                    return {"threads": found, "next": before}
            if len(rows) < _THREADS:
                return {"threads": found, "next": None}

    def _fulfils(self, thread: str, tests: Sequence[_Test]) -> bool:
        namespace = self.source.namespaces(thread)[0].namespace
        rows = self.source.checkpoints(thread, namespace, None, 1)

        def metadata() -> dict[str, Any]:
            if rows[0].metadata is not None:
                return rows[0].metadata
            return self.stored(Place(thread, namespace, rows[0].id)).metadata

        return bool(rows) and all(test(rows[0], metadata) for test in tests)

    def _thread(self, row: ThreadRow) -> Shown:
        return {"id": row.thread, "checkpoints": row.checkpoints, "ts": time_of(row.newest)}

    def thread(self, thread: str) -> Shown:
        """Return the namespaces of a thread.

        Raises:
            NotThere: there is no such thread.
        """
        rows = self.source.namespaces(thread)
        if not rows:
            raise NotThere(f"there is no thread {thread!r}")
        return {
            "id": thread,
            "namespaces": [
                {"namespace": row.namespace, "checkpoints": row.checkpoints,
                 "newest": row.newest, "ts": time_of(row.newest)}
                for row in rows
            ],
        }  # fmt: skip

    def checkpoints(
        self, thread: str, namespace: str = "", before: str | None = None, limit: int = PAGE
    ) -> Shown:
        """Return a page of checkpoints, newest first, and `next`, where it goes on."""
        rows = self.source.checkpoints(thread, namespace, before, limit)
        return {
            "checkpoints": [_row(row) for row in rows],
            "next": rows[-1].id if len(rows) == limit else None,
        }

    # --- a checkpoint ---

    def stored(self, place: Place) -> Stored:
        """Return a checkpoint.

        Raises:
            NotThere: there is none.
        """
        found = self._stored(place)
        if found is None:
            raise NotThere(f"there is no checkpoint {place.checkpoint!r} in {place.thread!r}")
        return found

    def _stored(self, place: Place) -> Stored | None:
        def make() -> tuple[Stored | None, int]:
            found = self.source.checkpoint(place)
            return found, found.size if found else 0

        # Rows are hardly ever stored again, but the newest may be another one.
        return self._once(("stored", *place, self.source.mark()), make)

    def _other(self, stored: Stored, against: str | None) -> Stored | None:
        """Return what a checkpoint is compared with."""
        other = against or stored.parent
        return self._stored(stored.place._replace(checkpoint=other)) if other else None

    def checkpoint(self, place: Place, against: str | None = None) -> Shown:
        """Return what a checkpoint holds, with the first items of each value.

        Args:
            place: Which; an empty id means the newest.
            against: The checkpoint that it is compared with; its parent if left out.

        Raises:
            NotThere: there is none.
        """
        stored = self.stored(place)
        before = self._other(stored, against)
        is_parent = before is not None and before.place.checkpoint == stored.parent
        return {
            "id": stored.place.checkpoint,
            "namespace": stored.place.namespace,
            "parent": stored.parent,
            "children": list(self.source.children(stored.place)),
            "against": before and before.place.checkpoint,
            "ts": stored.ts,
            "seconds": _seconds(before, stored) if before and is_parent else None,
            "size": stored.size,
            "trouble": stored.trouble,
            "metadata": show(stored.metadata, Window(depth=4), self._redaction),
            "source": stored.metadata.get("source"),
            "step": stored.metadata.get("step"),
            "next": waiting(stored, self._value),
            "channels": [self._channel(stored, name, before) for name in _names(stored, before)],
            "tasks": tasks_of(
                packets(stored, self._value), self.source.writes(stored.place), self._redaction
            ),
            "subgraphs": self._subgraphs(stored),
        }

    def _channel(self, stored: Stored, name: str, before: Stored | None) -> Shown:
        shown: Shown = {"name": name, "engine": is_engines(name)}
        shown["changed"] = before is not None and _is_changed(before, stored, name)
        held = stored.values.get(name)
        if held is not None:
            shown |= {"state": "stored", "size": held.size, "tag": held.tag}
        else:
            made = self._rebuilt(stored, name)
            shown["state"] = "empty" if made is None else "rebuilt" if made.value else "changes"
            if made is not None:
                shown |= {"how": made.how, "supersteps": made.supersteps, "writes": made.writes}
                shown["size"] = made.value.size if made.value else 0
        if shown["state"] in ("stored", "rebuilt"):
            hidden = {"kind": "redacted"}
            is_hidden = self._redaction.hides(name)
            brief = show(self._value(stored, name), BRIEF, self._redaction)
            shown["value"] = hidden if is_hidden else brief
        return shown

    def _subgraphs(self, stored: Stored) -> list[str]:
        around = f"{stored.place.namespace}|" if stored.place.namespace else ""
        own = {written.task for written in self.source.writes(stored.place)}
        found: list[str] = []
        for row in self.source.namespaces(stored.place.thread):
            inner = row.namespace.removeprefix(around)
            is_inner = row.namespace.startswith(around) and inner and "|" not in inner
            if is_inner and (":" not in inner or inner.rpartition(":")[2] in own):
                found.append(row.namespace)
        return found

    # --- values ---

    def value(self, place: Place, channel: str, pointer: str, window: Window) -> Shown:
        """Return a part of a channel's value.

        Raises:
            NotThere: there is no such checkpoint, channel or part.
        """
        if self._redaction.hides(channel):
            return {"kind": "redacted"}
        value = self._value(self.stored(place), channel)
        return self._part(value, channel, pointer, window)

    def write(self, place: Place, task: str, index: int, pointer: str, window: Window) -> Shown:
        """Return a part of what a task wrote.

        Raises:
            NotThere: there is no such write or part.
        """
        for one in self.source.writes(place):
            if (one.task, one.idx) == (task, index):
                if self._redaction.hides(one.channel):
                    return {"kind": "redacted"}
                value = decode(one.held.tag, one.held.read())
                return self._part(value, one.channel, pointer, window)
        raise NotThere(f"there is no write {index} of {task}")

    def _part(self, value: Any, name: str, pointer: str, window: Window) -> Shown:
        if value is MISSING:
            raise NotThere(f"{name} is empty")
        try:
            return show_at(value, pointer, window, self._redaction)
        except LookupError as error:
            raise NotThere(f"{name}: {error}") from error

    def diff(self, place: Place, channel: str, against: str | None = None) -> Shown:
        """Return what differs in a channel from another checkpoint; from the parent if left out.

        Raises:
            NotThere: there is no such checkpoint.
        """
        if self._redaction.hides(channel):
            return {"changes": [], "more": False, "redacted": True}
        stored = self.stored(place)
        before = self._other(stored, against)
        old = MISSING if before is None else self._value(before, channel)
        return diff(old, self._value(stored, channel), redaction=self._redaction)

    def _rebuilt(self, stored: Stored, channel: str) -> Rebuilt | None:
        if channel not in stored.versions or is_engines(channel):
            return None
        return self._once(("rebuilt", *stored.place, channel), lambda: _sized(
            rebuild(self.source, stored, channel)
        ))  # fmt: skip

    def _value(self, stored: Stored, channel: str) -> Any:
        """Return a channel's value as data; `MISSING` if it is empty, or only a graph knows it."""
        held = stored.values.get(channel)
        if held is None:
            made = self._rebuilt(stored, channel)
            if made is None:
                return MISSING
            if made.value is None:
                return Sealed(f"stored as {made.writes} writes: {made.how}", 0)
            held = made.value
        own = held
        # A value that is stored again under the same id is another one.
        key = ("value", *stored.place, channel, own.size, stored.versions.get(channel))
        return self._once(key, lambda: (decode(own.tag, own.read()), own.size))

    def _once(self, key: tuple[object, ...], make: Callable[[], tuple[Any, int]]) -> Any:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        made = make()
        with self._lock:
            self._kept[key] = made
            total = sum(size for _, size in self._kept.values())
            while total > _KEPT and len(self._kept) > 1:
                total -= self._kept.popitem(last=False)[1][1]
        return made[0]


def _is_changed(before: Stored, stored: Stored, name: str) -> bool:
    if before.versions.get(name) == stored.versions.get(name):
        return False
    # The same may have been written again.
    old, new = before.values.get(name), stored.values.get(name)
    if old is None or new is None or (old.tag, old.size) != (new.tag, new.size):
        return True
    return new.size > _COMPARED or old.read() != new.read()


def _sized(made: Rebuilt | None) -> tuple[Rebuilt | None, int]:
    return made, 64 + (made.value.size if made and made.value else 0)


def _words(sought: str, redaction: Redaction) -> tuple[str, list[_Test]]:
    """Return the part of an id that is sought, and what else must be true of a thread."""
    part = ""
    tests: list[_Test] = []
    marks = {"is:interrupted": "__interrupt__", "is:failed": "__error__"}
    for word in sought.split():
        key, equals, value = word.partition("=")
        if word in marks:
            tests.append(lambda row, _, mark=marks[word]: mark in row.marks)
        elif equals and redaction.hides(key):
            # A search would tell what is not shown.
            tests.append(lambda *_: False)
        elif equals and key:
            # What a rule hides is not found by its value either.
            tests.append(
                lambda _, metadata, key=key, value=value: (
                    redaction.text(str(metadata().get(key))) == value
                )
            )
        else:
            part = word
    return part, tests


def _names(stored: Stored, before: Stored | None) -> Sequence[str]:
    """Return the channels of both, fields of the state first."""
    found = dict.fromkeys([*stored.versions, *stored.values])
    if before is not None:
        found |= dict.fromkeys([*before.versions, *before.values])
    return sorted(found, key=is_engines)


def _row(row: CheckpointRow) -> Shown:
    metadata = row.metadata or {}
    return {
        "id": row.id,
        "parent": row.parent,
        "ts": time_of(row.id),
        "size": row.size,
        "step": metadata.get("step", _step_of(row.id)),
        "source": metadata.get("source"),
        "marks": row.marks,
    }


def _seconds(before: Stored, stored: Stored) -> float | None:
    """Return how long it took from one checkpoint to the next."""
    try:
        if before.ts is None or stored.ts is None:
            return None
        took = datetime.fromisoformat(stored.ts) - datetime.fromisoformat(before.ts)
    except (ValueError, TypeError):
        return None
    return took.total_seconds()


def _uuid6(own: str) -> UUID | None:
    try:
        found = UUID(own)
    except (ValueError, TypeError, AttributeError):
        # In a row that is broken it may be no text.
        return None
    return found if found.version == 6 else None


def time_of(own: str) -> float | None:
    """Return the time in a checkpoint's id, in seconds since 1970; `None` if there is none."""
    found = _uuid6(own)
    if found is None:
        return None
    ticks = (found.int >> 80) << 12 | (found.int >> 64) & 0xFFF
    return (ticks - _EPOCH) / 1e7


def _step_of(own: str) -> int | None:
    """Return the step in a checkpoint's id, which small negative ones are, too."""
    found = _uuid6(own)
    if found is None:
        return None
    step = (found.int >> 48) & 0x3FFF
    return step - 0x4000 if step > 0x3FF0 else step
