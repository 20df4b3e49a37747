"""Who imported `langgraph` before it was switched: what sources and the order of modules tell.

Python does not remember who imported a module first. But whoever did was there before it, and says
so in its source.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType

from langgraph_rust._dropin._finder import OURS, THEIRS

__all__ = ("imports_in", "line_of_install", "list_some")

SHOWN = 3


def list_some(present: list[str]) -> str:
    """Describe what is imported: three modules, and where they are, if that can be known.

    Args:
        present: The modules named `langgraph[.x]` that are loaded, in that order.
    """
    found: dict[str, str] = {}
    for name, place in _importers():
        if name in present:
            found.setdefault(name, place)
        if len(found) == SHOWN:
            break
    # A namespace has no file, and neither that nor what is private is what anybody meant.
    for name in sorted(present, key=lambda name: "._" in name):
        if len(found) < SHOWN and getattr(sys.modules[name], "__file__", None):
            found.setdefault(name, "")
    lines = [f"\n    {name}{place and f', imported in {place}'}" for name, place in found.items()]
    more = len(present) - len(found)
    return "".join(lines) + (f"\n    and {more} more" if more > 0 else "")


def _importers() -> Iterator[tuple[str, str]]:
    """Yield modules named `langgraph[.x]` and the place that imports them, oldest module first."""
    for importer in list(sys.modules.values()):
        if getattr(importer, "__name__", THEIRS).partition(".")[0] == THEIRS:
            continue
        path = getattr(importer, "__file__", None)
        # Reading every source there is would take seconds.
        if not path or not path.endswith(".py") or not (_refers(importer) or _is_main(importer)):
            continue
        for name, line in imports_in(path):
            yield name, f"{path}, line {line}"


def _is_main(module: object) -> bool:
    return module is sys.modules.get("__main__")


def _refers(module: object) -> bool:
    """Whether something in a module's namespace comes from `langgraph`."""
    for value in list(vars(module).values()):
        if isinstance(value, ModuleType):
            name = value.__name__
        elif isinstance(value, type | FunctionType):
            name = value.__module__
        else:  # whatever is asked of others may run code of theirs
            continue
        if isinstance(name, str) and name.partition(".")[0] == THEIRS:
            return True
    return False


def imports_in(path: str) -> Iterator[tuple[str, int]]:
    """Yield the modules named `langgraph[.x]` that a source imports, and the lines."""
    for node in _nodes(path):
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from ((name, node.lineno) for name in names if name.partition(".")[0] == THEIRS)


def line_of_install(path: str) -> int | None:
    """The first line of a source that calls `install()` of this package, if one does."""
    lines = [
        node.lineno
        for node in _nodes(path)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("install", f"{OURS}.install")
    ]
    return min(lines, default=None)


def _nodes(path: str) -> Iterator[ast.AST]:
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return
    yield from ast.walk(tree)
