"""Namespaces as SQLite has them: texts with a dot between labels, and conditions on those."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from langgraph_rust.store.base import ListNamespacesOp, MatchCondition

NS_MATCH_FUNCTION = "_langgraph_namespace_match"
"""Name of the function that tells whether a namespace matches a regular expression.

It is this package's alone, so that a `REGEXP` of the connection's owner stays.
"""

NOW = "STRFTIME('%Y-%m-%d %H:%M:%f', 'now')"
"""The time in UTC as `expires_at` has it; `CURRENT_TIMESTAMP` lacks the fraction of a second."""

NOT_EXPIRED = f"(expires_at IS NULL OR expires_at >= {NOW})"
"""What holds for items that are not about to be swept."""


def to_text(namespace: Sequence[str]) -> str:
    """Return a namespace as it is stored."""
    return ".".join(namespace)


def from_text(text: str) -> tuple[str, ...]:
    """Return the namespace that is stored as `text`."""
    return tuple(text.split("."))


def namespace_match(text: str | None, pattern: str) -> bool:
    """Whether a pattern is found in a stored namespace; SQLite calls this."""
    return text is not None and re.search(pattern, text) is not None


def match_pattern(path: Sequence[str], match_type: str) -> str:
    """Return the regular expression for namespaces that begin or end with `path`.

    Labels match whole, `"*"` matches any one.
    """
    labels = ("[^.]+" if label == "*" else re.escape(label) for label in path)
    body = r"\.".join(labels)
    # `\Z`, since `$` also matches before a newline at the end.
    return rf"(^|\.){body}\Z" if match_type == "suffix" else rf"^{body}(\.|\Z)"


def escape_glob(text: str) -> str:
    """Return the pattern for `GLOB` that matches this very text."""
    # There is no escape character, but classes of one character.
    return re.sub(r"[*?[]", r"[\g<0>]", text)


def within(namespace: Sequence[str], column: str = "prefix") -> tuple[list[str], list[Any]]:
    """Return the condition for a namespace and everything below it, and its parameters.

    Both are empty for the empty namespace. An index serves these two comparisons; `LIKE` would take
    upper and lower case for the same.
    """
    if not namespace:
        return [], []
    text = to_text(namespace)
    return [f"({column} = ? OR {column} GLOB ?)"], [text, f"{escape_glob(text)}.*"]


def list_query(op: ListNamespacesOp, *, omits_expired: bool) -> tuple[str, tuple[Any, ...]]:
    """Return the statement that lists namespaces, and its parameters.

    Raises:
        ValueError: it matches neither the beginning nor the end.
    """
    conditions: list[str] = [NOT_EXPIRED] if omits_expired else []
    parameters: list[Any] = []
    for match in op.match_conditions or ():
        condition, own = _matching(match)
        conditions += condition
        parameters += own
    query = f"SELECT DISTINCT prefix FROM store {where(conditions)}"
    if op.max_depth is not None:
        # Label by label, from `rest` to `head`, both with a dot behind each.
        query = f"""
            WITH RECURSIVE cut (head, rest, depth) AS (
                SELECT '', prefix || '.', 0 FROM ({query})
                UNION
                SELECT
                    head || substr(rest, 1, instr(rest, '.')),
                    substr(rest, instr(rest, '.') + 1),
                    depth + 1
                FROM cut WHERE rest <> '' AND depth < ?
            )
            SELECT DISTINCT rtrim(head, '.') AS prefix FROM cut WHERE rest = '' OR depth = ?
        """
        parameters += [op.max_depth, op.max_depth]
    return f"{query} ORDER BY prefix LIMIT ? OFFSET ?", (*parameters, op.limit, op.offset)


def where(conditions: Sequence[str]) -> str:
    """Return the clause for conditions that must all hold; empty without any."""
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def _matching(match: MatchCondition) -> tuple[list[str], list[Any]]:
    if match.match_type not in ("prefix", "suffix"):
        raise ValueError(
            f"Unsupported match type: {match.match_type!r}; it must be 'prefix' or 'suffix'"
        )
    if match.match_type == "prefix" and "*" not in match.path:
        return within(match.path)
    if not match.path:
        return [], []
    pattern = match_pattern(match.path, match.match_type)
    # No operator of SQLite's stands for "anything but a dot".
    return [f"{NS_MATCH_FUNCTION}(prefix, ?)"], [pattern]
