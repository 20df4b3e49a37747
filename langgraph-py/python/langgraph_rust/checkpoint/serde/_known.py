"""The types that this process's own graphs hold, which stored values may therefore be.

Graphs tell of the types in their schemas when they are made. That is kept for the process and not
for a saver: caches, savers around savers and those of other packages decode as well.
"""

from __future__ import annotations

from collections.abc import Iterable

_types: set[tuple[str, ...]] = set()


def remember(types: Iterable[tuple[str, ...]]) -> None:
    """Take in `(module, name)` pairs, spelled as they are stored."""
    _types.update(types)


def is_known(key: tuple[str, ...]) -> bool:
    """Whether a graph of this process holds this type."""
    return key in _types
