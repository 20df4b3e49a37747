"""Filters as conditions on the stored JSON. Whatever the caller says becomes a parameter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

_KEY = re.compile(r"[a-zA-Z0-9_.-]+")

_EQUALITY = {"$eq": "=", "$ne": "!="}
_ORDER = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_NULL = {"$eq": "IS NULL", "$ne": "IS NOT NULL"}


def filter_conditions(filter: Mapping[str, Any] | None) -> tuple[list[str], list[Any]]:
    """Return the conditions for a search's filter, and the parameters of all.

    Raises:
        ValueError: a key has other characters than letters, digits, `_`, `.` and `-`, or there is
            no such operator.
        TypeError: JSON cannot carry a value.
    """
    conditions: list[str] = []
    parameters: list[Any] = []
    for key, wanted in (filter or {}).items():
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise ValueError(
                f"Invalid filter key: '{key}'. Filter keys must contain only alphanumeric "
                "characters, underscores, dots, and hyphens."
            )
        comparisons = wanted if isinstance(wanted, dict) else {"$eq": wanted}
        for operator, value in comparisons.items():
            condition, own = _comparison(operator, _comparable(value))
            conditions.append(condition)
            parameters += [f"$.{key}", *own]
    return conditions, parameters


def _comparison(operator: str, value: Any) -> tuple[str, list[Any]]:
    """Return a condition whose first parameter is the path, and its other parameters."""
    field = "json_extract(value, ?)"
    if operator not in _EQUALITY and operator not in _ORDER:
        raise ValueError(
            f"Unsupported operator: {operator}. There are {', '.join((*_EQUALITY, *_ORDER))}; "
            "a field of a nested object is named by a dotted key."
        )
    if value is None and operator in _NULL:
        return f"{field} {_NULL[operator]}", []
    if operator in _EQUALITY:
        return f"{field} {_EQUALITY[operator]} ?", [value]
    if isinstance(value, (int, float)):
        field = f"CAST({field} AS REAL)"
    return f"{field} {_ORDER[operator]} ?", [value]


def _comparable(value: Any) -> Any:
    """Return a value as `json_extract` gives it."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value)
    if value is None or isinstance(value, (str, int, float)):
        return value
    text = orjson.dumps(value)
    stored = orjson.loads(text)
    return text.decode() if isinstance(stored, (list, dict)) else stored
