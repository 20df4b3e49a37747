"""What `importlib.metadata` is told of the distributions that this package stands for.

A program that asks for the version of `langgraph` wants to know what it may call, so it is told
what it gets here, whether or not LangGraph is installed, and in whichever version. All else that is
asked of a distribution which is installed (its files, what it requires) is that one's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, DistributionFinder, MetadataPathFinder
from pathlib import Path
from typing import Any

from langgraph_rust._dropin._finder import THEIRS

__all__ = ("VERSIONS", "installed", "stand_ins", "stands_for")

VERSIONS = {
    "langgraph": "1.2.24",
    "langgraph-checkpoint": "4.3.2",
    "langgraph-prebuilt": "1.1.3",
    "langgraph-checkpoint-sqlite": "3.1.2",
    "langgraph-checkpoint-postgres": "3.2.0",
}
"""The distributions of upstream's whose modules this package has, in the versions it is like."""

_MODULES = {
    "langgraph-prebuilt": ("prebuilt",),
    "langgraph-checkpoint-sqlite": ("cache.sqlite", "checkpoint.sqlite", "store.sqlite"),
    "langgraph-checkpoint-postgres": ("checkpoint.postgres", "store.postgres"),
}
"""What a distribution has that can be kept."""


def stands_for(name: str, kept: frozenset[str]) -> bool:
    """Whether this package takes the place of the whole distribution."""
    return name in VERSIONS and not any(
        f"{THEIRS}.{module}" in kept for module in _MODULES.get(name, ())
    )


def installed(name: str) -> Distribution | None:
    """The distribution of this name that is really installed, if any."""
    context = DistributionFinder.Context(name=name)
    return next(iter(MetadataPathFinder.find_distributions(context)), None)


def stand_ins(name: str, kept: frozenset[str]) -> Iterator[Distribution]:
    """Yield what describes this package as a distribution of upstream's, if it has to."""
    name = re.sub(r"[-_.]+", "-", name).lower()
    if stands_for(name, kept):
        real = installed(name)
        if real is None or real.version != VERSIONS[name]:
            yield _StandIn(name, VERSIONS[name], real)


class _StandIn(Distribution):
    """A distribution in the version that this package is like."""

    def __init__(self, name: str, version: str, real: Distribution | None) -> None:
        self._name = name
        self._version = version
        self._real = real

    def read_text(self, filename: Any) -> str | None:
        """Return the text of a file of the distribution's metadata, or `None`."""
        text = self._real.read_text(filename) if self._real else None
        if str(filename) != "METADATA":
            return text
        if text is None:
            return (
                f"Metadata-Version: 2.1\nName: {self._name}\nVersion: {self._version}\n"
                "Summary: langgraph-rust, in its place\n"
            )
        return re.sub(r"(?m)^Version: .*$", f"Version: {self._version}", text, count=1)

    def locate_file(self, path: Any) -> Any:
        """Return where a file of the distribution is."""
        if self._real is not None:
            return self._real.locate_file(path)
        return Path(__file__).parents[2] / path
