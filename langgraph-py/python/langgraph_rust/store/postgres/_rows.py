"""Namespaces and items as the tables hold them."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from langgraph_rust.store.base import Item, SearchItem

logger = logging.getLogger(__name__)

Loader = Callable[[Any], dict[str, Any]] | None
"""Makes a value of what the connection returns for JSON, unless that is a dictionary."""

# --- namespaces ---


def namespace_to_text(namespace: Iterable[str]) -> str:
    """Return a namespace as it is stored."""
    return ".".join(namespace)


def text_to_namespace(stored: Any) -> tuple[str, ...]:
    """Return what `namespace_to_text` was given."""
    if isinstance(stored, list):
        return tuple(stored)
    if isinstance(stored, bytes):
        # The binary format of some types of text begins with a version.
        stored = stored.decode()[1:]
    return tuple(stored.split(".")) if stored else ()


def namespace_prefix_condition(path: Sequence[str]) -> tuple[str, tuple[str, str]]:
    """Return the condition for being a namespace, or below it; an index finds these."""
    text = namespace_to_text(path)
    condition = r"(store.prefix = %s OR store.prefix LIKE %s ESCAPE '\')"
    return condition, (text, f"{escape_like_literal(text)}.%")


def escape_like_literal(text: str) -> str:
    """Return a pattern of `LIKE` that nothing but `text` matches."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def namespace_match_pattern(path: Sequence[str], match_type: str) -> str:
    """Return a regular expression for what a namespace begins or ends with; `"*"` is any label."""
    labels = r"\.".join("[^.]+" if label == "*" else re.escape(label) for label in path)
    return rf"(^|\.){labels}\Z" if match_type == "suffix" else rf"^{labels}(\.|\Z)"


# --- rows ---


def row_to_item(
    namespace: tuple[str, ...], row: Mapping[str, Any], *, loader: Loader = None
) -> Item:
    """Return the item in a row."""
    return Item(
        value=_value(row, loader),
        key=row["key"],
        namespace=namespace,
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def row_to_search_item(
    namespace: tuple[str, ...], row: Mapping[str, Any], *, loader: Loader = None
) -> SearchItem:
    """Return the item in a row, with the score in it, if there is one."""
    score = row.get("score")
    if score is not None:
        try:
            score = float(score)
        except ValueError:
            logger.warning("Invalid score: %s", score)
            score = None
    return SearchItem(
        value=_value(row, loader),
        key=row["key"],
        namespace=namespace,
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        score=score,
    )


def json_loads(content: Any) -> Any:
    """Decode JSON: bytes or text, or either within a `Fragment` of orjson."""
    return json.loads(getattr(content, "contents", content))


def _value(row: Mapping[str, Any], loader: Loader) -> dict[str, Any]:
    value = row["value"]
    return value if isinstance(value, dict) else (loader or json_loads)(value)
