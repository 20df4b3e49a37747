"""`langgraph-rust doctor`: the common mistakes, each with what to do about it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from langgraph_rust._cli.found import PACKAGE, is_there, kept, savers, siblings
from langgraph_rust._dropin import SWITCH
from langgraph_rust._dropin._children import pth_files
from langgraph_rust._dropin._finder import OURS, THEIRS
from langgraph_rust._dropin._late import imports_in, line_of_install
from langgraph_rust._dropin._start import has_engine
from langgraph_rust._internal._switches import what_is_said

__all__ = ("as_text", "examine")

_ON_OR_OFF = (SWITCH, f"{SWITCH}_STRICT", f"{SWITCH}_ACCELERATE", f"{SWITCH}_LINEAR_STORAGE")

_NEEDED = (
    "langchain_core",
    "langgraph_sdk",
    "ormsgpack",
    "pydantic",
    "typing_extensions",
    "xxhash",
)

# WAL-mode databases that two connections write to could be damaged, though hardly ever.
_SQLITE_SAFE = (3, 51, 3)

# What a process has imported that merely started, and from where.
_AT_START = """
import sys
from langgraph_rust._dropin import imported
from langgraph_rust._dropin._late import list_some
present = imported()
print(list_some(present) if present else "", end="")
"""

Finding = tuple[bool, str, str]
"""Whether it is trouble or only worth knowing, what is the matter, and what to do."""


def examine(scripts: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Look for mistakes.

    Args:
        scripts: Programs that call `install()`; whether they do so in time is looked up in them.

    Returns:
        One dictionary for each, with `is_trouble`, `what` and `fix`.
    """
    found = [
        *_variables(),
        *_start_up(),
        *_imported_first(),
        *_versions(),
        *_packages(),
        *_sqlite(),
    ]
    for script in scripts:
        found += _order_in(script)
    return [{"is_trouble": is_bad, "what": what, "fix": fix} for is_bad, what, fix in found]


def as_text(found: Sequence[dict[str, Any]]) -> str:
    """The same for people."""
    lines = [
        f"{'wrong' if one['is_trouble'] else 'note '}  {one['what']}\n       -> {one['fix']}"
        for one in found
    ]
    bad = sum(one["is_trouble"] for one in found)
    return "\n".join([*lines, f"{bad or 'nothing'} wrong"])


def _variables() -> Iterator[Finding]:
    for variable in _ON_OR_OFF:
        try:
            said = what_is_said(variable)
        except ValueError as error:
            yield True, str(error), f"set {variable} to 1 or 0"
        else:
            if variable == SWITCH and said is False:
                off = f"{SWITCH}={os.environ[SWITCH]} switches it off, whatever a program asks for"
                yield False, off, "take it away, or set it to 1, unless that is what you want"
    try:
        kept()
    except ValueError as error:
        yield True, f"{SWITCH}_KEEP: {error}", "name such modules, separated by commas"


def _start_up() -> Iterator[Finding]:
    by_hand = "use `python -m langgraph_rust`, or call langgraph_rust.install() in the program"
    if not has_engine():
        version = ".".join(map(str, sys.version_info[:2]))
        yield (
            True,
            f"{PACKAGE} has no engine for this Python ({version}, {sys.executable})",
            "pip install --force-reinstall langgraph-rust, with this Python's pip",
        )
    if sys.flags.no_site:
        yield True, f"Python runs with -S, so {SWITCH}=1 is not looked at", by_hand
    elif not pth_files():
        flags = ""
        if sys.flags.isolated or sys.flags.no_user_site:
            flags = "; with -I or -s, those of the user (pip install --user) do not count"
        yield (
            True,
            "langgraph_rust_switch.pth is in no folder that Python looks into when it starts"
            f"{flags}, so {SWITCH}=1 has no effect",
            f"pip install langgraph-rust into this environment; or {by_hand}",
        )


def _imported_first() -> Iterator[Finding]:
    flags = ["-S"] if sys.flags.no_site else []
    environment = {**os.environ, SWITCH: "0"}
    folder = os.path.dirname(PACKAGE)
    code = f"import sys; sys.path.append({folder!r}){_AT_START}"
    command = [sys.executable, *flags, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.stdout:
        yield (
            True,
            f"{THEIRS} is imported when Python starts, before anything can be switched:"
            + done.stdout,
            "take that import out of the .pth file, sitecustomize or usercustomize that does it",
        )


def _versions() -> Iterator[Finding]:
    copies = [
        path
        for entry in sys.path
        if os.path.isfile(path := os.path.join(os.path.abspath(entry), OURS, "__init__.py"))
    ]
    copies = list(dict.fromkeys(map(os.path.realpath, copies)))
    if len(copies) > 1:
        yield (
            True,
            f"there are {len(copies)} of {OURS} on the path: {', '.join(copies)}",
            "the first one is used; take the others away",
        )
    try:
        rows = siblings(kept())
    except ValueError:
        return
    for one in rows:
        if one["role"] == "ignored" and one["installed"] != one["like"]:
            yield (
                False,
                f"{one['name']} {one['installed']} is installed; switched on, it is as "
                f"{one['like']}, which is what importlib.metadata.version() says then",
                f"pip install {one['name']}=={one['like']}, to switch without a difference",
            )
        if one["role"] == "kept" and not one["installed"]:
            yield (
                True,
                f"{SWITCH}_KEEP keeps modules of {one['name']}, which is not installed",
                f"pip install {one['name']}, or keep less",
            )
    for entry in dict.fromkeys((os.getcwd(), sys.path[0])):
        path = os.path.join(os.path.abspath(entry), f"{THEIRS}.py")
        if os.path.isfile(path):
            yield True, f"{path} is a module of that name", "give it another name"


def _packages() -> Iterator[Finding]:
    if missing := [name for name in _NEEDED if not is_there(name)]:
        yield (
            True,
            f"not installed: {', '.join(missing)}",
            "pip install --force-reinstall langgraph-rust, without --no-deps",
        )
    for name, missing in savers().items():
        if missing:
            yield False, f"{name}: something that it needs is not installed", missing


def _sqlite() -> Iterator[Finding]:
    try:
        import sqlite3
    except ImportError:
        yield False, "this Python has no sqlite3", "use another for savers and stores in SQLite"
        return
    version = sqlite3.sqlite_version
    try:
        sqlite3.connect(":memory:").execute("SELECT json_extract('{}', '$')")
    except sqlite3.OperationalError:
        yield (
            True,
            f"Python's SQLite ({version}) has no JSON functions, which savers and stores filter by",
            "use a Python with SQLite 3.38 or newer",
        )
    if sqlite3.sqlite_version_info < _SQLITE_SAFE:
        yield (
            False,
            f"Python's SQLite is {version}; before 3.51.3 it could, very rarely, damage a database "
            "that several connections write to (sqlite.org/wal.html, the WAL-reset bug)",
            "a Python with a newer one, if several processes share a file",
        )
    if not hasattr(sqlite3.Connection, "enable_load_extension") and is_there("sqlite_vec"):
        yield (
            False,
            "Python's sqlite3 cannot load extensions: no semantic search in SqliteStore",
            "a Python that was built with --enable-loadable-sqlite-extensions",
        )


def _order_in(script: str) -> Iterator[Finding]:
    """What a script imports before it calls `install()`."""
    if not os.path.isfile(script):
        yield True, f"there is no file {script}", "name a script"
        return
    called = line_of_install(script)
    early = [(name, line) for name, line in imports_in(script) if called and line < called]
    for name, line in early[:1]:
        yield (
            True,
            f"{script}, line {line}, imports {name} before install() is called in line {called}",
            f"call it first, or take the call out and start with `python -m {OURS} {script}`",
        )
