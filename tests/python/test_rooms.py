"""The layout of the Python sources: who may import whom, and how much a room holds.

Beside this one, `architecture.rs` holds the same of the crates.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "langgraph-py" / "python" / "langgraph_rust"

ORDER = (
    # The package itself, and what fits other packages without importing them.
    ("", "_internal._lazy", "checkpoint", "managed", "version", "warnings"),
    # Data, upstream's public names for it, and the channels that hold it.
    ("_internal", "cache", "store"),
    ("config", "constants", "types", "typing"),
    ("callbacks", "errors", "runtime", "pregel", "pregel.protocol", "pregel.types"),
    ("_internal._quiet", "_internal._runnable", "channels", "checkpoint.single_writer", "stream"),
    # From the parts of a graph to its runs.
    ("pregel._build", "pregel._remote", "pregel._streams", "utils"),
    ("pregel._state", "pregel.remote"),
    ("pregel.debug",),
    ("executors",),
    ("pregel._run",),
    ("pregel.main",),
    ("pregel._executor", "func", "graph"),
    ("pregel._upstream",),
    # Agents: the ways to tools and models, what decides about them, and upstream's names.
    ("prebuilt._calls", "prebuilt._side_by_side"),
    ("prebuilt._tools",),
    ("prebuilt._agent",),
    ("prebuilt",),
    # Runs that wait in a database, and who runs them.
    ("runs",),
    # Tools.
    ("_storage",),
    ("_view._source", "_view._value"),
    ("_view._looking", "_view._watching"),
    ("_view._acting",),
    ("_view._web",),
    ("_view",),
    ("viewer",),
    # Ways to start a process.
    ("_dropin",),
    ("_cli", "pytest_plugin"),
    ("__main__",),
)
"""Rooms from the ground up. At import time a room uses rooms below its own row, and no others."""

UPWARD = {
    ("", "_dropin"): "switching is asked for by few",
    ("_internal", "types"): "a policy is made of what the user wrote when a node is added",
    ("checkpoint", "checkpoint.single_writer"): "who is refused leaves every graph around",
    ("constants", "types"): "names that moved, handed out with a warning",
    ("pregel", "pregel.main"): "upstream's public name for what is made of all below",
    ("executors", "pregel.main"): "a node that is a graph stays at home",
    ("pregel._build", "pregel.main"): "a node may hold a graph; asked of nodes that have one",
    ("pregel._run", "viewer"): "`view=True` opens one",
    ("pregel._state", "pregel.main"): "a node may hold a graph; asked when subgraphs are listed",
    ("types", "config"): "`interrupt` finds the task that it is called in",
    ("types", "errors"): "`interrupt` raises",
}
"""What functions import from rooms that are not below, and why."""

CROWDED = {
    "": "upstream's public modules",
    "_internal": "upstream's private modules that others import by name",
    "pregel._upstream": "one line of a table each",
}
"""Rooms with more entries than `ENTRIES`, and why."""

ENTRIES = 12

LONG = {
    "_internal/_config.py": "what is done with configs, upstream's module",
    "checkpoint/memory/__init__.py": "one class: a saver's methods and their async twins",
    "types.py": "public classes whose module is part of what is stored; mostly docstrings",
    "pregel/_run/methods.py": "the overloads of invoke and stream, and their docstrings",
    "pregel/main.py": "one class: `Pregel`'s attributes and docstrings",
    "pregel/remote.py": "one class: the methods of `Pregel` again, with their docstrings",
    "graph/state.py": "one class: the overloads and docstrings of `add_node`",
    "store/base/__init__.py": "the operations and the methods of a store, and their docstrings",
    "checkpoint/base/__init__.py": "the types and the methods of a saver, and their docstrings",
    "stream/run_stream.py": "a handle and its async twin, and their docstrings",
}
"""Files of more than `LINES` lines, and why."""

LINES = 400


def modules() -> dict[str, Path]:
    """Every module by its name within the package, which itself is the empty one."""
    found = {}
    for path in SOURCES.rglob("*.py"):
        parts = path.relative_to(SOURCES).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()
ROOMS = {room: level for level, row in enumerate(ORDER) for room in row}


def room_of(module: str) -> str:
    """The innermost room that a module is in."""
    room = module
    while room not in ROOMS:
        room, _, inner = room.rpartition(".")
        assert room or not inner, f"{module} is in no room"
    return room


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield what a file imports of this package, and whether it does so within a function."""

    def visit(node: ast.AST, within: bool) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            children: list[ast.AST] = list(node.orelse)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if ours(inner) in MODULES else str(node.module), within
            return
        elif isinstance(node, ast.Import):
            yield from ((alias.name, within) for alias in node.names)
            return
        else:
            children = list(ast.iter_child_nodes(node))
            within |= isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in children:
            yield from visit(child, within)

    for name, within in visit(ast.parse(path.read_text()), False):
        if name.partition(".")[0] == "langgraph_rust" and not name.endswith("._engine"):
            yield ours(name), within


def ours(name: str) -> str:
    return name.removeprefix("langgraph_rust").removeprefix(".")


def edges(*, within: bool) -> set[tuple[str, str]]:
    """Pairs of rooms, of which the first imports the second."""
    return {
        (room_of(module), room_of(name))
        for module, path in MODULES.items()
        for name, is_within in imports(path)
        if is_within == within and room_of(module) != room_of(name)
    }


def is_upward(edge: tuple[str, str]) -> bool:
    user, used = edge
    return ROOMS[used] >= ROOMS[user]


def test_rooms_are_imported_from_above_alone() -> None:
    # Rows make cycles impossible.
    assert sorted(filter(is_upward, edges(within=False))) == []


def test_what_functions_import_from_above_is_listed() -> None:
    assert set(filter(is_upward, edges(within=True))) == set(UPWARD)


def test_modules_of_a_room_do_not_import_each_other_in_circles() -> None:
    used = {
        module: {name for name, within in imports(path) if not within and name != module}
        for module, path in MODULES.items()
    }
    while leaves := [module for module, names in used.items() if not names & used.keys()]:
        for module in leaves:
            del used[module]
    assert used == {}


@pytest.mark.parametrize("room", sorted({*ROOMS} & {*MODULES}))
def test_a_room_can_be_taken_in_at_a_glance(room: str) -> None:
    path = MODULES[room]
    if path.name != "__init__.py":
        return
    entries = [entry.name for entry in path.parent.iterdir() if entry.suffix in ("", ".py")]
    count = len({*entries} - {"__init__.py", "__pycache__", "py.typed"})
    assert (count > ENTRIES) == (room in CROWDED), f"{count} entries"
    if any(part.startswith("_") for part in room.split(".")):
        said = ast.get_docstring(ast.parse(path.read_text())) or ""
        assert said.count("\n") > 1, "says neither what may come in nor what it never does"


def test_files_are_short() -> None:
    lengths = {str(path.relative_to(SOURCES)): len(path.read_text().split("\n")) - 1
               for path in MODULES.values()}  # fmt: skip
    assert {name for name, length in lengths.items() if length > LINES} == set(LONG)


@pytest.mark.parametrize(
    "path", sorted(path.stem for path in (SOURCES / "pregel" / "_upstream").glob("_[a-z]*.py"))
)
def test_a_module_under_upstreams_name_is_the_module_itself(path: str) -> None:
    alias = importlib.import_module(f"langgraph_rust.pregel.{path}")
    assert alias is importlib.import_module(alias.__name__)
    assert alias.__name__ != f"langgraph_rust.pregel.{path}"
