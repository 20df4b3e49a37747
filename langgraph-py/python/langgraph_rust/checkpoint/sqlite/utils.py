"""What of a search becomes SQL."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langgraph_rust.checkpoint.base import get_checkpoint_id

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

_SAFE_KEY = re.compile(r"[a-zA-Z0-9_.-]+")


def search_where(
    config: RunnableConfig | None,
    filter: dict[str, Any] | None,
    before: RunnableConfig | None = None,
) -> tuple[str, Sequence[Any]]:
    """Return a `WHERE` clause and its parameters; both are empty if there are no conditions.

    Args:
        config: Limits to its thread and, if it has them, namespace and checkpoint.
        filter: Metadata entries that must be there; dots in a key lead into nested objects.
        before: Names a checkpoint; only older ones are meant.

    Raises:
        ValueError: a key of `filter` has other characters than letters, digits, `_`, `.` and `-`.
    """
    conditions: list[str] = []
    parameters: list[Any] = []
    if config is not None:
        configurable = config["configurable"]
        conditions.append("thread_id = ?")
        parameters.append(configurable["thread_id"])
        if (namespace := configurable.get("checkpoint_ns")) is not None:
            conditions.append("checkpoint_ns = ?")
            parameters.append(namespace)
        if checkpoint_id := get_checkpoint_id(config):
            conditions.append("checkpoint_id = ?")
            parameters.append(checkpoint_id)
    if filter:
        of_metadata, values = _metadata_predicate(filter)
        conditions += of_metadata
        parameters += values
    if before is not None:
        conditions.append("checkpoint_id < ?")
        parameters.append(get_checkpoint_id(before))
    return ("WHERE " + " AND ".join(conditions) if conditions else ""), parameters


def _metadata_predicate(filter: dict[str, Any]) -> tuple[Sequence[str], Sequence[Any]]:
    """Return one condition on the metadata per entry, and the parameters of all."""
    conditions, parameters = [], []
    for key, value in filter.items():
        # The key becomes part of the statement.
        if not _SAFE_KEY.fullmatch(key):
            raise ValueError(
                f"Invalid filter key: '{key}'. Filter keys must contain only alphanumeric "
                "characters, underscores, dots, and hyphens."
            )
        operator = "IS" if value is None else "="
        conditions.append(f"json_extract(CAST(metadata AS TEXT), '$.{key}') {operator} ?")
        parameters.append(_comparable(value))
    return conditions, parameters


def _comparable(value: Any) -> Any:
    """Return a value as `json_extract` gives it."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (dict, list)):
        return json.dumps(value, separators=(",", ":"))
    return str(value)
