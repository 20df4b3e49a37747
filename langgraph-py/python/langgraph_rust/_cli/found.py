"""What can be seen of an environment from within one of its processes, without importing a graph."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from importlib.util import find_spec

from langgraph_rust._dropin import is_installed
from langgraph_rust._dropin._distributions import VERSIONS, installed, stands_for
from langgraph_rust._dropin._finder import OURS, SHARED, THEIRS, AliasFinder, kept_modules, portions

__all__ = ("is_there", "kept", "modules", "siblings", "version_of")

PACKAGE = os.path.dirname(os.path.abspath(sys.modules[OURS].__file__ or ""))


def kept() -> frozenset[str]:
    """The modules that stay what they are.

    Raises:
        ValueError: what the environment says cannot be.
    """
    for finder in sys.meta_path:
        if isinstance(finder, AliasFinder):
            return finder.kept
    return kept_modules(os.environ.get("LANGGRAPH_RUST_KEEP", "").split(","))


def siblings(keeping: frozenset[str]) -> list[dict[str, str | None]]:
    """Upstream's distributions: the installed version, the one that this package is like, its role.

    The role is `ignored` (this package is in its place), `kept`, or `not installed`, where this
    package needs no other.
    """
    rows: list[dict[str, str | None]] = []
    for name, version in VERSIONS.items():
        real = installed(name)
        if not stands_for(name, keeping):
            role = "kept"
        else:
            role = "ignored" if real else "not installed"
        rows.append(
            {"name": name, "installed": real and real.version, "like": version, "role": role}
        )
    return rows


def modules(keeping: frozenset[str]) -> dict[str, str]:
    """Where `langgraph` and the public modules in it come from in this process, by name.

    A path, or nothing if there is no such module. Namespaces that hold nothing else are left out.
    """
    alias = AliasFinder(keeping)
    names = {f"{parent}.{name}" for parent in SHARED for name in _inside(parent)}
    found = {}
    for name in sorted(names - SHARED):
        spec = alias.find_spec(name) if is_installed() else _installed_spec(name)
        if spec is None:
            found[name] = ""
        elif spec.origin is None and spec.submodule_search_locations is None:
            found[name] = _file_of_ours(name)
        else:
            found[name] = spec.origin or next(iter(spec.submodule_search_locations or ()), "")
    return found


def _installed_spec(name: str):  # noqa: ANN202
    return PathFinder.find_spec(name, portions(name.rpartition(".")[0]))


def _file_of_ours(name: str) -> str:
    path = os.path.join(PACKAGE, *name.split(".")[1:])
    return os.path.join(path, "__init__.py") if os.path.isdir(path) else f"{path}.py"


def _inside(namespace: str) -> Iterator[str]:
    """Yield the names of the public modules in a namespace, this package's and others'."""
    own = os.path.join(PACKAGE, *namespace.split(".")[1:])
    for folder in [own, *portions(namespace)]:
        for entry in os.listdir(folder):
            name, suffix = os.path.splitext(entry)
            is_module = suffix == ".py" or (not suffix and os.path.isdir(os.path.join(folder, entry)))
            if is_module and name.isidentifier() and name[0] != "_" and name != "pytest_plugin":
                yield name


def is_there(module: str) -> bool:
    """Whether a module can be imported, as far as looking tells."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def version_of(distribution: str) -> str | None:
    """The installed version of a distribution."""
    real = installed(distribution)
    return real.version if real else None
