"""A stored checkpoint as bytes: what it holds of each channel, and the same without some of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from langgraph_rust._storage.spans import BrokenBytes, Entry, entries, map_at, map_header


class Layout(NamedTuple):
    """What a checkpoint's bytes hold, by channel."""

    data: bytes
    format: int | None
    """Version of the format, if it is a small number."""
    values_at: int
    """Where the values begin, which are a map; 0 if there are none."""
    values: dict[str, Entry]
    versions: dict[str, bytes]

    def value(self, channel: str) -> bytes | None:
        """Return a channel's value, if it is there."""
        entry = self.values.get(channel)
        return entry and self.data[entry.value : entry.end]

    def without(self, channels: Collection[str]) -> bytes:
        """Return the checkpoint without the values of some channels, all else as it was."""
        kept = [entry for name, entry in self.values.items() if name not in channels]
        found = map_at(self.data, self.values_at)
        assert found
        end = max((entry.end for entry in self.values.values()), default=found[1])
        return b"".join(
            (
                self.data[: self.values_at],
                map_header(len(kept)),
                *(self.data[entry.start : entry.end] for entry in kept),
                self.data[end:],
            )
        )


def layout_of(data: bytes) -> Layout:
    """Return where the parts of a checkpoint are.

    Raises:
        BrokenBytes: these are no checkpoint's.
    """
    parts = dict(entries(data, 0))
    if parts and max(part.end for part in parts.values()) != len(data):
        raise BrokenBytes("something follows the checkpoint")
    values, versions = parts.get("channel_values"), parts.get("channel_versions")
    number = data[parts["v"].value] if "v" in parts else None
    return Layout(
        data,
        number if number is not None and number < 0x80 else None,
        values.value if values else 0,
        dict(entries(data, values.value)) if values else {},
        {name: data[entry.value : entry.end] for name, entry in entries(data, versions.value)}
        if versions
        else {},
    )
