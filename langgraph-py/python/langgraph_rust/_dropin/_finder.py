"""Which module an import of `langgraph[.x]` is answered with."""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder

TYPE_CHECKING = False  # not typing's: this is loaded when a Python process starts switched on
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from importlib.metadata import Distribution, DistributionFinder
    from types import ModuleType
    from typing import Any

__all__ = ("OURS", "SHARED", "THEIRS", "AliasFinder", "MissingFinder", "kept_modules", "portions")

THEIRS = "langgraph"
OURS = __name__.partition(".")[0]

# Upstream has no `__init__.py` in these, so that several distributions can add modules to them.
SHARED = frozenset(
    (
        THEIRS,
        f"{THEIRS}.cache",
        f"{THEIRS}.checkpoint",
        f"{THEIRS}.store",
    )
)

# Of the top level, these belong to upstream's core distribution alone.
_CORE = frozenset(
    (
        "_internal",
        "callbacks",
        "channels",
        "config",
        "constants",
        "errors",
        "func",
        "graph",
        "managed",
        "pregel",
        "runtime",
        "stream",
        "types",
        "typing",
        "utils",
        "version",
        "warnings",
    )
)

# And these to a sibling, in whose place ours are.
_SIBLINGS = frozenset(("prebuilt",))

# And of the shared namespaces, these to distributions that this one stands for altogether.
_OWN_PARTS = frozenset(("base", "memory", "serde"))


def kept_modules(names: Iterable[str]) -> frozenset[str]:
    """Return the modules of sibling distributions that are to stay what they are.

    Raises:
        ValueError: a name is no module that a sibling may have.
    """
    kept = frozenset(name.strip() for name in names if name.strip())
    for name in kept:
        if not _is_of_sibling(name):
            raise ValueError(
                f"{name} cannot be kept: it must be a module that a sibling distribution of "
                f"{THEIRS} has, such as {THEIRS}.checkpoint.sqlite"
            )
    return kept


def _is_of_sibling(name: str) -> bool:
    """Whether a module may be a sibling distribution's, even if this package has one like it."""
    parent, _, child = name.rpartition(".")
    if parent == THEIRS:
        return child in _SIBLINGS
    return parent in SHARED and child not in _OWN_PARTS


class AliasFinder:
    """Finds modules named `langgraph[.x]`, but for those in `kept`."""

    def __init__(self, kept: frozenset[str]) -> None:
        self.kept = kept

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec for the module, or `None` to let other finders try."""
        top, _, rest = name.partition(".")
        if top != THEIRS or not all(name.split(".")):
            return None
        parent, _, child = name.rpartition(".")
        if any(f"{name}.".startswith(f"{kept}.") for kept in self.kept):
            return PathFinder.find_spec(name, portions(parent) if name in self.kept else path)
        if _exists(ours := f"{OURS}.{rest}" if rest else OURS):
            return ModuleSpec(name, _AliasLoader(ours))  # type: ignore[arg-type]
        if parent not in SHARED or (parent == THEIRS and child in _CORE):
            return None
        return PathFinder.find_spec(name, portions(parent), target)

    def find_distributions(
        self, context: DistributionFinder.Context | None = None
    ) -> Iterator[Distribution]:
        """Yield the distribution that somebody asks for by name, if this package stands for it."""
        # A list of everything that is installed, or of one folder, is pip's business: what is not
        # there can be neither upgraded nor removed.
        name = getattr(context, "name", None)
        if name is None or "path" in vars(context):
            return iter(())
        from langgraph_rust._dropin._distributions import stand_ins

        return stand_ins(name, self.kept)

    def invalidate_caches(self) -> None:
        """Do nothing: nothing is remembered."""


class _AliasLoader:
    """Loads a module by importing the one it is an alias of."""

    def __init__(self, original: str) -> None:
        self._original = original
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the original module."""
        __import__(self._original)
        module = sys.modules[self._original]
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Put back what the import system has just overwritten; the module itself was executed."""
        module.__spec__ = self._spec


class MissingFinder:
    """Last in the row: says why `langgraph` is not there, where it is switched off."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> None:
        """Find nothing.

        Raises:
            ModuleNotFoundError: the module is LangGraph's own.
        """
        parent, _, child = name.rpartition(".")
        if name == THEIRS or (parent == THEIRS and child in _CORE):
            value = os.environ.get("LANGGRAPH_RUST", "")
            raise ModuleNotFoundError(
                f"No module named {name!r}: LANGGRAPH_RUST={value} switches langgraph-rust off, "
                f"and LangGraph itself is not installed. Install it (pip install {THEIRS}), or "
                "take the variable away",
                name=name,
            )


def _exists(name: str) -> bool:
    """Tell whether there is a module of this name in this package."""
    if name in sys.modules:
        return True
    parent = sys.modules.get(name.rpartition(".")[0])
    locations: Any = getattr(parent, "__path__", None)
    return locations is not None and PathFinder.find_spec(name, locations) is not None


def portions(package: str) -> list[str]:
    """Return all directories on the path that hold modules of a shared namespace."""
    relative = package.replace(".", os.sep)
    candidates = (os.path.join(entry or os.getcwd(), relative) for entry in sys.path)
    return [path for path in candidates if os.path.isdir(path)]
