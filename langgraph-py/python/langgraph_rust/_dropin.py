"""Drop-in mode: `langgraph` is this package, in the whole process.

A finder at the head of `sys.meta_path` answers every import of `langgraph[.x]`:

- `langgraph_rust[.x]` exists: the name is bound to that very module, so that a class has one
  identity however it was imported.
- It does not, and `x` lies in a namespace that upstream shares with other distributions
  (`langgraph.checkpoint.redis`, ...): it is loaded from wherever it is installed, under its own
  name.
- Otherwise there is no such module. A piece of upstream's core never gets mixed with this one.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from langgraph_rust._internal._lazy.import_hooks import when_imported
from langgraph_rust._internal._mistakes import set_strict
from langgraph_rust._internal._quiet import accelerate as accelerate_calls
from langgraph_rust._internal._switches import is_on

__all__ = ("install",)

_THEIRS = "langgraph"
_OURS = __name__.rpartition(".")[0]

# Upstream has no `__init__.py` in these, so that several distributions can add modules to them.
_SHARED = frozenset(
    (
        _THEIRS,
        f"{_THEIRS}.cache",
        f"{_THEIRS}.checkpoint",
        f"{_THEIRS}.store",
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

# Classes whose full names show up in what programs store or compare: drawn graphs as JSON.
_SHOWN = {
    "_internal._runnable": ("RunnableCallable", "RunnableSeq"),
    "graph._compiled": ("CompiledStateGraph",),
    "prebuilt.tool_node": ("ToolNode",),
    "prebuilt.tool_validator": ("ValidationNode",),
    "pregel.main": ("Pregel",),
}


_is_strict = False


def install(
    keep: Iterable[str] | None = None,
    strict: bool | None = None,
    accelerate: bool | None = None,
) -> None:
    """Make `import langgraph` mean this package; see `langgraph_rust.install`."""
    global _is_strict
    if keep is None:
        keep = os.environ.get("LANGGRAPH_RUST_KEEP", "").split(",")
    kept = frozenset(name.strip() for name in keep if name.strip())
    for name in kept:
        if not _is_of_sibling(name):
            raise ValueError(
                f"{name} cannot be kept: it must be a module that a sibling distribution of "
                f"{_THEIRS} has, such as {_THEIRS}.checkpoint.sqlite"
            )
    if strict is None:
        strict = is_on("LANGGRAPH_RUST_STRICT")
    if accelerate is None:
        accelerate = is_on("LANGGRAPH_RUST_ACCELERATE")
    if is_installed():
        if strict and not _is_strict:
            raise RuntimeError(
                f"{_OURS}.install() was called before, without strict=True: serializers may exist "
                "that are not strict. Call it with strict=True the first time, or set "
                "LANGGRAPH_RUST_STRICT=true"
            )
        if accelerate:
            accelerate_calls()
        return
    present = sorted(name for name in sys.modules if name.partition(".")[0] == _THEIRS)
    if present:
        raise RuntimeError(
            f"{_OURS}.install() must be called before `{_THEIRS}` is imported, but these modules "
            f"are loaded already: {', '.join(present)}. Call it first thing in the program, or "
            f"start the program with `python -m {_OURS}`."
        )
    _is_strict = strict
    set_strict(strict)
    sys.meta_path.insert(0, _AliasFinder(kept))
    for module, names in _SHOWN.items():
        when_imported(f"{_OURS}.{module}", partial(_show_as_theirs, names))
    if accelerate:
        accelerate_calls()


def _is_of_sibling(name: str) -> bool:
    """Whether a module may be a sibling distribution's, even if this package has one like it."""
    parent, _, child = name.rpartition(".")
    if parent == _THEIRS:
        return child in _SIBLINGS
    return parent in _SHARED and child not in _OWN_PARTS


def is_installed() -> bool:
    """Whether drop-in mode is on."""
    return any(isinstance(finder, _AliasFinder) for finder in sys.meta_path)


def is_strict() -> bool:
    """Whether drop-in mode, if on, reads what is stored as under the own name."""
    return _is_strict


def _show_as_theirs(names: tuple[str, ...], module: ModuleType) -> None:
    for name in names:
        cls = getattr(module, name)
        cls.__module__ = cls.__module__.replace(_OURS, _THEIRS, 1)


class _AliasFinder:
    """Finds modules named `langgraph[.x]`, but for those in `kept`."""

    def __init__(self, kept: frozenset[str]) -> None:
        self._kept = kept

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec for the module, or `None` to let other finders try."""
        top, _, rest = name.partition(".")
        if top != _THEIRS or not all(name.split(".")):
            return None
        parent, _, child = name.rpartition(".")
        if any(f"{name}.".startswith(f"{kept}.") for kept in self._kept):
            return PathFinder.find_spec(name, _portions(parent) if name in self._kept else path)
        if _exists(ours := f"{_OURS}.{rest}" if rest else _OURS):
            return ModuleSpec(name, _AliasLoader(ours))  # type: ignore[arg-type]
        if parent not in _SHARED or (parent == _THEIRS and child in _CORE):
            return None
        return PathFinder.find_spec(name, _portions(parent), target)


class _AliasLoader:
    """Loads a module by importing the one it is an alias of."""

    def __init__(self, original: str) -> None:
        self._original = original
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the original module."""
        module = importlib.import_module(self._original)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Put back what the import system has just overwritten; the module itself was executed."""
        module.__spec__ = self._spec


def _exists(name: str) -> bool:
    """Tell whether there is a module of this name in this package."""
    if name in sys.modules:
        return True
    parent = sys.modules.get(name.rpartition(".")[0])
    locations: Any = getattr(parent, "__path__", None)
    return locations is not None and PathFinder.find_spec(name, locations) is not None


def _portions(package: str) -> list[str]:
    """Return all directories on the path that hold modules of a shared namespace."""
    relative = package.replace(".", os.sep)
    candidates = (os.path.join(entry or os.getcwd(), relative) for entry in sys.path)
    return [path for path in candidates if os.path.isdir(path)]
