"""What both kinds of database have in common: metadata, orders, checkpoints as one value."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from langgraph_rust._engine import _Decoder
from langgraph_rust._storage.spans import BrokenBytes, end_of, entries, map_at, text_at
from langgraph_rust._view._source.source import Held, NamespaceRow, Stored, Written
from langgraph_rust.checkpoint.base import writes_sort_key

_PLAIN = _Decoder(lambda *_: None, lambda *_: False)


def as_metadata(stored: Any) -> dict[str, Any]:
    """Return metadata as a dictionary, whatever is in its place."""
    try:
        found = stored if isinstance(stored, dict) else json.loads(stored or "{}")
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def namespaces_first(rows: Iterable[NamespaceRow]) -> list[NamespaceRow]:
    """Put the root first, and graphs behind those around them."""
    return sorted(rows, key=lambda row: (row.namespace != "", row.namespace.split("|")))


def in_order(rows: Iterable[Written]) -> list[Written]:
    """Put writes into the order in which they apply."""
    return sorted(rows, key=lambda row: writes_sort_key(row.path, row.task, row.idx))


def taken(data: bytes) -> Callable[[], bytes]:
    """Return what gives these bytes."""
    return lambda: data


def of_msgpack(stored: Stored, data: bytes) -> None:
    """Fill in a checkpoint that is one value."""
    try:
        for name, at, end in _parts(stored, data):
            if name in _READ:
                _read(stored, name, _PLAIN.decode(data[at:end]))
    except (BrokenBytes, ValueError, AttributeError, TypeError) as error:
        stored.trouble = f"the stored bytes are broken ({error})"
        stored.values.clear()


_READ = ("ts", "channel_versions", "versions_seen")


def _parts(stored: Stored, data: bytes) -> Iterator[tuple[str, int, int]]:
    """Yield name, begin and end of each part but the values, which are filled in.

    In one pass: finding where a value ends takes as long as it has parts.
    """
    found = map_at(data)
    if found is None:
        raise BrokenBytes("no map")
    count, at = found
    for _ in range(count):
        named = text_at(data, at)
        if named is None:
            raise BrokenBytes(f"a name that is no text at byte {at}")
        name, begin = named
        values = map_at(data, begin) if name == "channel_values" else None
        if values is None:
            at = end_of(data, begin)
            yield name, begin, at
            continue
        at = values[1]
        for channel, entry in entries(data, begin):
            own = data[entry.value : entry.end]
            stored.values[channel] = Held("msgpack", len(own), taken(own))
            at = entry.end
    if at != len(data):
        raise BrokenBytes("something follows the checkpoint")


def _read(stored: Stored, name: str, value: Any) -> None:
    if name == "ts":
        stored.ts = value if isinstance(value, str) else None
    elif name == "channel_versions":
        stored.versions = as_versions(value)
    else:
        stored.seen = {node: as_versions(own) for node, own in value.items()}


def of_json(stored: Stored, data: bytes | dict[str, Any]) -> None:
    """Fill in a checkpoint that is JSON, as old ones are, and the rows of Postgres."""
    try:
        found = data if isinstance(data, dict) else json.loads(data)
        stored.ts = found.get("ts")
        stored.versions = as_versions(found.get("channel_versions") or {})
        seen = found.get("versions_seen") or {}
        stored.seen = {node: as_versions(own) for node, own in seen.items()}
        values = (found.get("channel_values") or {}).items()
    except (ValueError, AttributeError) as error:
        stored.trouble = f"the stored JSON is broken ({error})"
        return
    for channel, value in values:
        own = json.dumps(value, ensure_ascii=False).encode()
        stored.values[channel] = Held("json", len(own), taken(own))


def as_versions(found: dict[str, Any]) -> dict[str, str]:
    """Return versions as text: old ones are numbers."""
    return {str(channel): str(version) for channel, version in found.items()}
