"""Reading checkpoints of older layouts: channels that route to nodes had other names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._constants import INTERRUPT
from langgraph_rust._internal._typing import MISSING
from langgraph_rust.constants import END, START
from langgraph_rust.graph._branch import trigger_of

if TYPE_CHECKING:
    from langgraph_rust.checkpoint.base import Checkpoint


def migrate_checkpoint(
    checkpoint: Checkpoint, *, nodes: Collection[str], edges: Iterable[tuple[str, str]]
) -> None:
    """Rename a checkpoint's channels, in place, to today's `branch:to:<node>`.

    Up to version 2 a checkpoint could have `start:<node>`, `branch:<from>:<name>:<node>`, or a
    channel named after a node, which triggered every node an edge leads to from there.
    """
    if not checkpoint["channel_versions"] or checkpoint["v"] >= 3:
        return
    migration = _Migration(checkpoint)
    for old_target in (_start_target, _branch_target):
        for channel in list(checkpoint["channel_versions"]):
            target = old_target(channel)
            if target is not None and target in nodes:
                migration.rename(channel, target)
    targets = defaultdict(list)
    for start, end in edges:
        if start != START and end != END:
            targets[start].append(end)
    for channel in list(checkpoint["channel_versions"]):
        if channel != START and channel in nodes:
            migration.move(channel, targets[channel])


def _start_target(channel: str) -> str | None:
    """The node that a `start:` channel triggers."""
    return channel.split(":")[1] if channel.startswith("start:") else None


def _branch_target(channel: str) -> str | None:
    """The node that a `branch:<from>:<name>:` channel triggers."""
    is_old = channel.startswith("branch:") and channel.count(":") == 3
    return channel.rsplit(":", 1)[1] if is_old else None


class _Migration:
    """Moves what a checkpoint says of one channel to others."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.values = checkpoint["channel_values"]
        self.versions = checkpoint["channel_versions"]
        self.seen = checkpoint["versions_seen"]

    def rename(self, channel: str, node: str) -> None:
        """Let `channel` be the one that triggers `node`."""
        self._add_trigger(channel, node, self.versions.pop(channel))
        new = trigger_of(node)
        if channel in self.values and new not in self.values:
            self.values[new] = self.values.pop(channel)

    def move(self, channel: str, nodes: Iterable[str]) -> None:
        """Let what is in `channel` trigger `nodes` instead."""
        version = self.versions.pop(channel)
        value = self.values.pop(channel, MISSING)
        for node in nodes:
            self._add_trigger(channel, node, version)
            if value is not MISSING:
                self.values.setdefault(trigger_of(node), value)
        self.seen.get(INTERRUPT, {}).pop(channel, None)

    def _add_trigger(self, channel: str, node: str, version: Any) -> None:
        new = trigger_of(node)
        for seen in (self.seen.get(node, {}), self.seen.get(INTERRUPT, {})):
            if channel in seen:
                _raise_to(seen, new, seen.pop(channel))
        _raise_to(self.versions, new, version)


def _raise_to(versions: dict[str, Any], channel: str, version: Any) -> None:
    versions[channel] = max(versions[channel], version) if channel in versions else version
