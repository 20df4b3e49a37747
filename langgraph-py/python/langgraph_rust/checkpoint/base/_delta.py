"""Collecting the history of delta channels while walking up the ancestors of a checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langgraph_rust.checkpoint.base import DeltaChannelHistory, PendingWrite


class DeltaHistoryWalk:
    """Gathers, for several channels at once, the writes back to the newest stored value of each.

    Feed it the ancestors of a checkpoint, nearest first, for as long as `open_channels` is not
    empty, then ask for `result`.
    """

    def __init__(self, channels: Sequence[str]) -> None:
        self.open_channels = set(channels)
        self._channels = channels
        self._writes: dict[str, list[PendingWrite]] = {channel: [] for channel in channels}
        self._seeds: dict[str, Any] = {}

    def visit(self, writes: Iterable[PendingWrite], values: Mapping[str, Any]) -> None:
        """Take in one ancestor.

        Args:
            writes: Writes stored with the ancestor, newest first.
            values: Channel values stored in it. They are older than its writes, so a channel that
                has one here still gets these writes, but none from further up.
        """
        for write in writes:
            if write[1] in self.open_channels:
                self._writes[write[1]].append(write)
        for channel in self.open_channels.intersection(values):
            self._seeds[channel] = values[channel]
            self.open_channels.discard(channel)

    def result(self) -> dict[str, DeltaChannelHistory]:
        """Return what was found, writes oldest first."""
        found: dict[str, DeltaChannelHistory] = {}
        for channel in self._channels:
            found[channel] = {"writes": self._writes[channel][::-1]}
            if channel in self._seeds:
                found[channel]["seed"] = self._seeds[channel]
        return found
