"""What `langgraph_rust_switch.pth` runs when a Python process starts, if it is asked for.

Whatever goes wrong here, the process goes on, and with it LangGraph as installed.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder

from langgraph_rust import _dropin

__all__ = ("start",)

_is_done = False


def start() -> None:
    """Switch drop-in mode on if `LANGGRAPH_RUST` says so, and say on stderr if that cannot be."""
    global _is_done
    if _is_done:  # in a virtual environment, Python runs .pth files twice
        return
    _is_done = True
    try:
        if _dropin.is_off():
            return
        if not has_engine():
            version = ".".join(map(str, sys.version_info[:2]))
            raise RuntimeError(f"it has no engine for this Python ({version})")
        _dropin.install()
    except Exception as error:
        _dropin.say(f"not switched on, LangGraph as installed runs: {error}")


def has_engine() -> bool:
    """Whether the native module is there for this interpreter; it is not loaded."""
    locations = sys.modules[_dropin.OURS].__path__
    return PathFinder.find_spec(f"{_dropin.OURS}._engine", locations) is not None
