"""What can be seen of an environment from one of its processes, without importing a graph."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from importlib.util import find_spec

from langgraph_rust._dropin import is_installed
from langgraph_rust._dropin._distributions import VERSIONS, installed, stands_for
from langgraph_rust._dropin._finder import OURS, SHARED, AliasFinder, kept_modules, portions

__all__ = ("is_there", "kept", "modules", "savers", "siblings")

PACKAGE = os.path.dirname(os.path.abspath(sys.modules[OURS].__file__ or ""))


# What a saver, store or cache needs besides this package: what to look for, what to install.
_NEEDS = {
    "memory": ((), ""),
    "sqlite": (("sqlite3",), "a Python that was built with SQLite"),
    "sqlite, async": (("sqlite3", "aiosqlite"), "pip install langgraph-rust[sqlite]"),
    "postgres": (("psycopg", "psycopg_pool"), "pip install langgraph-rust[postgres]"),
    "redis cache": (("redis",), "pip install langgraph-rust[redis]"),
    "encryption": (("Crypto",), "pip install langgraph-rust[encryption]"),
}


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

    A path, or nothing if there is no such module.
    """
    names = {f"{parent}.{name}" for parent in SHARED for name in _inside(parent)} - SHARED
    return {name: _path(name, keeping) for name in sorted(names)}


def _path(name: str, keeping: frozenset[str]) -> str:
    ours = os.path.join(PACKAGE, *name.split(".")[1:])
    if is_installed() and name not in keeping:
        for path in (os.path.join(ours, "__init__.py"), f"{ours}.py"):
            if os.path.isfile(path):
                return path
    spec = PathFinder.find_spec(name, portions(name.rpartition(".")[0]))
    if spec is None:
        return ""
    return spec.origin or next(iter(spec.submodule_search_locations or ()), "")


def _inside(namespace: str) -> Iterator[str]:
    """Yield the names of the public modules in a namespace, this package's and others'."""
    own = os.path.join(PACKAGE, *namespace.split(".")[1:])
    for folder in [own, *portions(namespace)]:
        for entry in os.listdir(folder):
            name, suffix = os.path.splitext(entry)
            is_folder = not suffix and os.path.isdir(os.path.join(folder, entry))
            is_public = name.isidentifier() and name[0] != "_" and name != "pytest_plugin"
            if is_public and (is_folder or suffix == ".py"):
                yield name


def is_there(module: str) -> bool:
    """Whether a module can be imported, as far as looking tells."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def savers() -> dict[str, str]:
    """The kinds of savers, stores and caches, and what to do before one can be used, if any."""
    return {
        name: "" if all(map(is_there, needed)) else fix for name, (needed, fix) in _NEEDS.items()
    }
