"""Type references in stored data: upstream's spelling on disk, our modules in memory.

A thread must be able to continue on upstream and back, so `langgraph_rust.types.Send` is stored as
`langgraph.types.Send`, and that reference is read as our class. Packages of others that live under
`langgraph.` (a third-party saver, say) are left alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from typing import Any

_OURS = "langgraph_rust"
_STORED = "langgraph"
_OURS_DOT = _OURS + "."
_STORED_DOT = _STORED + "."


def stored_module(module: str) -> str:
    """Return the spelling under which types of `module` are stored."""
    if module.startswith(_OURS_DOT):
        return _STORED_DOT + module[len(_OURS_DOT) :]
    return module


def stored_key(parts: Iterable[str]) -> tuple[str, ...]:
    """Return an allowlist entry, `(module, name)` or the dotted path in pieces, as it is stored."""
    parts = tuple(parts)
    if not parts or not isinstance(parts[0], str):
        return parts
    head = _STORED if parts[0] == _OURS else stored_module(parts[0])
    return (head, *parts[1:])


def resolve(module: str, name: str) -> Any:
    """Return attribute `name` of the stored module `module`, importing it when needed.

    Raises:
        ImportError: the module does not exist.
        AttributeError: the module has no such name.
    """
    if module.startswith(_STORED_DOT):
        ours = _OURS_DOT + module[len(_STORED_DOT) :]
        if ours in sys.modules or _exists(ours):
            found = getattr(import_module(ours), name, None)
            if found is not None:
                return found
    return getattr(import_module(module), name)


@lru_cache(maxsize=128)
def _exists(module: str) -> bool:
    try:
        import_module(module)
    except ModuleNotFoundError as exc:
        if exc.name is not None and f"{module}.".startswith(f"{exc.name}."):
            return False
        raise
    return True
