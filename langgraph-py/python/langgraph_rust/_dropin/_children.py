"""What a process tells those that it starts: environment variables, which all of them inherit.

`langgraph_rust_switch.pth` acts upon them. Where that is not installed (a source checkout, or a
folder that is merely on the path), a folder with a `sitecustomize.py` in front of `PYTHONPATH`
does; tracers and coverage tools reach children so.
"""

from __future__ import annotations

import os
import sys

from langgraph_rust._dropin import SWITCH, say
from langgraph_rust._internal._switches import is_on

__all__ = ("pth_files", "take_back", "tell")

# Not named like the package: the file that makes an editable install one is.
_PTH = "langgraph_rust_switch.pth"

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_path")

_before: dict[str, str | None] = {}
"""What the variables were that `tell` has changed."""


def tell(kept: frozenset[str], strict: bool, accelerate: bool) -> None:
    """Let processes that this one starts be in drop-in mode, too, with the same options."""
    _set(SWITCH, "1")
    if kept or "LANGGRAPH_RUST_KEEP" in os.environ:
        _set("LANGGRAPH_RUST_KEEP", ",".join(sorted(kept)))
    for variable, value in (
        ("LANGGRAPH_RUST_STRICT", strict),
        ("LANGGRAPH_RUST_ACCELERATE", accelerate),
    ):
        if is_on(variable) != value:
            _set(variable, "1" if value else "0")
    if pth_files() and not sys.flags.no_site:
        return
    if sys.flags.no_site or sys.flags.ignore_environment:
        say(
            "processes that this one starts run LangGraph as installed: langgraph_rust_switch.pth "
            "is not there or Python was told to leave it out (-S), and PYTHONPATH (-E, -I)"
        )
        return
    path = os.environ.get("PYTHONPATH", "")
    if FOLDER not in path.split(os.pathsep):
        _set("PYTHONPATH", os.pathsep.join(filter(None, (FOLDER, path))))


def take_back() -> None:
    """Undo `tell`, but for what others have changed since."""
    for variable, value in _before.items():
        if value is None:
            os.environ.pop(variable, None)
        else:
            os.environ[variable] = value
    _before.clear()


def _set(variable: str, value: str) -> None:
    _before.setdefault(variable, os.environ.get(variable))
    os.environ[variable] = value


def pth_files() -> list[str]:
    """The files of this package's that are run when a Python process of this environment starts."""
    import site

    folders: list[str] = []
    # Old versions of virtualenv have a `site` without these functions.
    if hasattr(site, "getsitepackages"):
        folders += site.getsitepackages()
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    paths = (os.path.join(folder, _PTH) for folder in dict.fromkeys(folders))
    return [path for path in paths if os.path.isfile(path)]
