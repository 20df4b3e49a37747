"""Which versions of channels nodes have really read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._constants import NS_END, NS_SEP, SNAPSHOT_BUMPS

if TYPE_CHECKING:
    from collections.abc import Mapping


def versions_read(versions_seen: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return `versions_seen` of a checkpoint without versions that stand for no write.

    A channel gets such a version when its value is stored and nothing was written to it. Whoever
    had read the version before counts as having seen it; what they had read is kept beside it.
    """
    marks = versions_seen.get(SNAPSHOT_BUMPS) or {}
    read: dict[str, dict[str, Any]] = {}
    for node, versions in versions_seen.items():
        if node == SNAPSHOT_BUMPS:
            continue
        read[node] = {}
        for channel, version in versions.items():
            before = f"{node}{NS_END}{channel}"
            if marks.get(f"{node}{NS_SEP}{channel}") != version:
                read[node][channel] = version
            elif before in marks:
                read[node][channel] = marks[before]
    return read
