"""The default cache key of a node: its pickled input."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

_MAX_DEPTH = 10


def default_cache_key(*args: Any, **kwargs: Any) -> str | bytes:
    """Return a key that is equal for equal arguments.

    The order of keyword arguments does not matter; that of the keys in a positional dict does.

    Args:
        *args: Positional arguments of the node; usually its input.
        **kwargs: Keyword arguments of the node.

    Returns:
        A pickle (protocol 5) of the frozen arguments.
    """
    import pickle

    return pickle.dumps((_freeze(args), _freeze(kwargs)), protocol=5, fix_imports=False)


def _freeze(value: Any, depth: int = _MAX_DEPTH) -> Any:
    """Turn nested containers into tuples, down to `depth` levels; mappings are sorted by key."""
    if depth <= 0 or isinstance(value, Hashable):
        return value
    if isinstance(value, Mapping):
        return tuple(sorted((key, _freeze(item, depth - 1)) for key, item in value.items()))
    if isinstance(value, Sequence):
        return tuple(_freeze(item, depth - 1) for item in value)
    if hasattr(value, "tobytes"):
        # Arrays and frames: equal bytes of another dtype class or shape are another value.
        return type(value).__name__, value.tobytes(), getattr(value, "shape", None)
    return value
