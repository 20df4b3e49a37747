"""`langgraph-rust status`: which engine runs in this environment, and why."""

from __future__ import annotations

import os
import sys
from itertools import groupby
from textwrap import wrap
from typing import Any

from langgraph_rust import __version__, is_active
from langgraph_rust._cli.found import PACKAGE, kept, modules, savers, siblings
from langgraph_rust._dropin import SWITCH
from langgraph_rust._dropin._children import pth_files
from langgraph_rust._internal._switches import what_is_said
from langgraph_rust.version import __version__ as UPSTREAM

__all__ = ("as_text", "status")

_WIDTH = 32


def status() -> dict[str, Any]:
    """What there is to say: a process that starts here finds the same.

    Keys: `version` and `upstream` (this package's, and LangGraph's that it is like), `package` (its
    folder), `python`, `active` (whether `langgraph` is this package in a process that is merely
    started), `why`, `distributions`, `modules` (name to path) and `savers` (name to what is
    missing).
    """
    trouble = ""
    try:
        keeping = kept()
    except ValueError as error:
        keeping, trouble = frozenset(), f"; {error}"
    return {
        "version": __version__,
        "upstream": UPSTREAM,
        "package": PACKAGE,
        "python": sys.executable,
        "active": is_active(),
        "why": _why() + trouble,
        "distributions": siblings(keeping),
        "modules": modules(keeping),
        "savers": savers(),
    }


def _why() -> str:
    value = os.environ.get(SWITCH)
    try:
        said = what_is_said(SWITCH)
    except ValueError as error:
        return str(error)
    if said is None:
        return f"{SWITCH} is not set; a program can still be switched on by itself"
    if not said:
        return f"{SWITCH}={value}, whatever a program asks for"
    if is_active():
        return f"{SWITCH}={value}, through {', '.join(pth_files()) or 'PYTHONPATH'}"
    return f"{SWITCH}={value} has no effect here: `langgraph-rust doctor` says why"


def as_text(found: dict[str, Any]) -> str:
    """The same for people."""
    lines = [
        _row("langgraph-rust", found["version"] or "from a source tree"),
        _row("like LangGraph", found["upstream"]),
        _row("package", found["package"]),
        _row("python", found["python"]),
        _row("switched on", f"{'yes' if found['active'] else 'no'}: {found['why']}"),
        "",
        "LangGraph's distributions, when it is switched on",
    ]
    for one in found["distributions"]:
        version = one["installed"]
        role = "not installed, not needed" if version is None else f"{version} {one['role']}"
        lines.append(_row(f"  {one['name']}", f"{role}; like {one['like']}"))
    lines += ["", "modules, in a process that starts now"]
    for place, names in _by_place(found):
        lines.append(f"  {place}")
        lines += wrap(", ".join(names), initial_indent="    ", subsequent_indent="    ", width=100)
    lines += ["", "savers, stores and caches"]
    for name, missing in found["savers"].items():
        lines.append(_row(f"  {name}", f"needs: {missing}" if missing else "ready"))
    return "\n".join(lines)


def _by_place(found: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Modules by where they come from: this package, a folder of others, nowhere."""

    def place(name: str) -> str:
        path = found["modules"][name]
        if path.startswith(found["package"] + os.sep):
            return "langgraph-rust"
        return path.partition(f"{os.sep}langgraph{os.sep}")[0] or "not installed"

    ordered = sorted(found["modules"], key=lambda name: (place(name), name))
    return [(where, list(names)) for where, names in groupby(ordered, key=place)]


def _row(name: str, value: str) -> str:
    return f"{name:<{_WIDTH}} {value}"
