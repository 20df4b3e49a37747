"""Strict reading of the JSON that older versions stored: what is not rebuilt is an error."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isclass
from typing import Any

from langgraph_rust.checkpoint.serde import _known
from langgraph_rust.checkpoint.serde._names import resolve, stored_key
from langgraph_rust.checkpoint.serde.errors import StoredValueError


def revive(value: Any, build: Callable[[dict[str, Any]], Any], path: tuple[str, ...] = ()) -> Any:
    """Return `value` with what `build` makes of its dicts, the innermost first.

    Raises:
        StoredValueError: as `build` does, with the place.
    """
    if isinstance(value, list):
        return [revive(item, build, (*path, f"[{at}]")) for at, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    inner = {key: revive(item, build, (*path, f"[{key!r}]")) for key, item in value.items()}
    try:
        return build(inner)
    except StoredValueError as error:
        error.path = path
        raise


def is_of_a_graph(symbol: list[str]) -> bool:
    """Whether a dotted path, in pieces, is that of a type that a graph of this process holds."""
    *module, name = stored_key(symbol)
    return _known.is_known((".".join(module), name))


def construct(value: dict[str, Any]) -> Any:
    """Call what a constructor record names, which must be allowed.

    Raises:
        StoredValueError: that fails.
    """
    module, name = ".".join(value["id"][:-1]), value["id"][-1]
    try:
        cls = resolve(module, name)
        if isclass(cls) and issubclass(cls, BaseException):
            raise TypeError("exceptions are not rebuilt")
        return cls(*(value.get("args") or ()), **(value.get("kwargs") or {}))
    except Exception as exc:
        raise StoredValueError(
            f"{module}.{name} cannot be rebuilt from what was stored ({type(exc).__name__}: {exc})",
            module,
            name,
        ) from exc
