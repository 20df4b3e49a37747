"""Threads of a saver in this process, which keeps them encoded as a database would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from langgraph_rust._storage.database import Database, Unusable
from langgraph_rust._view._source.rows import (
    as_versions,
    in_order,
    namespaces_first,
    taken,
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
from langgraph_rust.checkpoint.memory import InMemorySaver

_Typed = tuple[str, bytes]


class Memory:
    """An `InMemorySaver`, as a `Source`.

    Args:
        saver: The saver. It may be used meanwhile.
        name: What it is called.
    """

    def __init__(self, saver: InMemorySaver, name: str = "in memory") -> None:
        self.name = name
        self._saver = saver

    def close(self) -> None:
        pass

    def _namespaces(self, thread: str) -> dict[str, dict[str, Any]]:
        # Looking for a thread that is not there would make it. A copy of a dictionary is made in
        # one go, whoever stores meanwhile.
        found = dict(self._saver.storage).get(thread) or {}
        return {namespace: dict(own) for namespace, own in dict(found).items() if own}

    def threads(self, part: str, before: tuple[str, str] | None, limit: int) -> Sequence[ThreadRow]:
        rows = [
            ThreadRow(
                thread, max(max(own) for own in found.values()), sum(map(len, found.values()))
            )
            for thread in dict(self._saver.storage)
            if part in thread and (found := self._namespaces(thread))
        ]
        rows.sort(key=lambda row: (row.newest, row.thread), reverse=True)
        return [row for row in rows if before is None or (row.newest, row.thread) < before][:limit]

    def namespaces(self, thread: str) -> Sequence[NamespaceRow]:
        return namespaces_first(
            NamespaceRow(namespace, max(own), len(own))
            for namespace, own in self._namespaces(thread).items()
        )

    def checkpoints(
        self, thread: str, namespace: str, before: str | None, limit: int
    ) -> Sequence[CheckpointRow]:
        found = self._namespaces(thread).get(namespace, {})
        some = sorted((own for own in found if before is None or own < before), reverse=True)
        return [
            CheckpointRow(
                own,
                found[own][2],
                len(found[own][0][1]),
                self._decoded(found[own][1]),
                tuple(sorted(self._marks(Place(thread, namespace, own)))),
            )
            for own in some[:limit]
        ]

    def _decoded(self, typed: _Typed) -> dict[str, Any]:
        # Metadata and the frame of a checkpoint are this process's own.
        return self._saver.serde.loads_typed(typed)

    def _marks(self, place: Place) -> set[str]:
        return {channel for (_, idx), (_, channel, *_) in self._writes(place) if idx < 0}

    def _writes(self, place: Place) -> Iterator[tuple[tuple[str, int], Any]]:
        key = place.thread, place.namespace, place.checkpoint
        return iter(dict(dict(self._saver.writes).get(key) or {}).items())

    def children(self, place: Place) -> Sequence[str]:
        found = self._namespaces(place.thread).get(place.namespace, {})
        return [own for own, entry in sorted(found.items()) if entry[2] == place.checkpoint]

    def checkpoint(self, place: Place) -> Stored | None:
        found = self._namespaces(place.thread).get(place.namespace, {})
        own = place.checkpoint or max(found, default="")
        if own not in found:
            return None
        typed, metadata, parent = found[own]
        frame = self._decoded(typed)
        stored = Stored(
            place._replace(checkpoint=own), parent, self._decoded(metadata), len(typed[1])
        )
        stored.ts = frame.get("ts")
        stored.versions = as_versions(frame["channel_versions"])
        stored.seen = {node: as_versions(seen) for node, seen in frame["versions_seen"].items()}
        for channel, version in frame["channel_versions"].items():
            blob = self._saver.blobs.get((place.thread, place.namespace, channel, version))
            if blob is not None and blob[0] != "empty":
                stored.values[channel] = Held(blob[0], len(blob[1]), taken(blob[1]))
                stored.size += len(blob[1])
        return stored

    def writes(self, place: Place, channel: str | None = None) -> Sequence[Written]:
        return in_order(
            Written(task, path, idx, name, Held(tag, len(data), taken(data)))
            for (_, idx), (task, name, (tag, data), path) in self._writes(place)
            if channel in (None, name)
        )

    def database(self) -> Database:
        raise Unusable("a saver in memory takes nothing on a disk")

    def mark(self) -> object:
        saver = self._saver
        return len(saver.blobs), sum(map(len, list(saver.writes.values()))), sum(
            len(own) for found in list(saver.storage.values()) for own in list(found.values())
        )  # fmt: skip
