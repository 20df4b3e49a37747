"""`BinaryOperatorAggregate`: folds every write into the value with a binary reducer."""

from __future__ import annotations

from typing import Any

from langgraph_rust._engine import BinaryOperatorAggregate
from langgraph_rust._internal._constants import OVERWRITE
from langgraph_rust.types import Overwrite

__all__ = ("BinaryOperatorAggregate",)


def _get_overwrite(value: Any) -> tuple[bool, Any]:
    """Tell whether a write replaces the value instead of being reduced into it.

    Returns `(True, replacement)` for an `Overwrite` and for the two dict shapes one can arrive in
    from JSON (`{"__overwrite__": v}` and `{"value": v, "type": "__overwrite__"}`), otherwise
    `(False, None)`.
    """
    if isinstance(value, Overwrite):
        return True, value.value
    if not isinstance(value, dict):
        return False, None
    if OVERWRITE in value and len(value) == 1:
        return True, value[OVERWRITE]
    if "value" in value and value.get("type") == OVERWRITE:
        return True, value["value"]
    return False, None
