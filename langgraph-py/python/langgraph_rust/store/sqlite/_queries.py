"""The statements that find items."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, Literal, NamedTuple

from langgraph_rust.store.base import GetOp, SearchOp
from langgraph_rust.store.sqlite._filters import filter_conditions
from langgraph_rust.store.sqlite._namespaces import NOT_EXPIRED, NOW, to_text, where, within
from langgraph_rust.store.sqlite._rows import COLUMNS

_PAGE = 500
"""Keys per statement; SQLite takes a limited number of parameters."""

_RENEWED = f"expires_at = {NOW[:-1]}, '+' || ttl_minutes || ' minutes')"

REFRESH = f"UPDATE store SET {_RENEWED} WHERE prefix = ? AND key = ? AND ttl_minutes IS NOT NULL"
"""Postpones an item's expiry."""

_EXPIRED = f"expires_at IS NOT NULL AND expires_at < {NOW}"

_NEWEST = "ORDER BY s.updated_at DESC LIMIT ? OFFSET ?"

_COLUMNS = ", ".join(f"s.{column}" for column in COLUMNS)

# An item counts with its best vector, and pages are as full as they can be. The limit that limits
# nothing keeps SQLite from sorting the vectors themselves.
_RANKED = f"""
    SELECT {_COLUMNS}, best.score FROM (
        SELECT id, max(score) AS score FROM (
            SELECT s.rowid AS id, s.prefix, s.key, {{score}} AS score
            FROM store s JOIN store_vectors sv ON s.prefix = sv.prefix AND s.key = sv.key
            {{where}} LIMIT -1
        ) GROUP BY id ORDER BY score DESC, prefix, key LIMIT ? OFFSET ?
    ) best JOIN store s ON s.rowid = best.id ORDER BY best.score DESC, s.prefix, s.key
"""

_SCORES = {
    "cosine": "1.0 - vec_distance_cosine(sv.embedding, ?)",
    "l2": "-vec_distance_L2(sv.embedding, ?)",
    # There is no function for the inner product.
    "inner_product": "-vec_distance_L1(sv.embedding, ?)",
}


class Reading(NamedTuple):
    """What a store's configuration says about reading."""

    refreshes: bool = False
    """Whether an operation may ask for items' expiry to be postponed."""
    omits_expired: bool = False
    """Whether items that are about to be swept are not there any more."""
    distance_type: str | None = None
    """How vectors are compared; `None` without an index."""


class PreparedGetQuery(NamedTuple):
    """A statement that reads items of a namespace, or postpones their expiry."""

    query: str
    """The statement."""
    params: tuple[Any, ...]
    """Its parameters."""
    namespace: tuple[str, ...]
    """Where the items are."""
    items: list[tuple[int, str]]
    """For each operation its position in the batch and its key."""
    kind: Literal["get", "refresh"]
    """Whether it reads items, or postpones their expiry."""


class SearchQuery(NamedTuple):
    """A statement that finds items: the columns of each, and its score."""

    query: str
    params: tuple[Any, ...]
    text: str | None
    """What to rank by; its vector is the first parameter."""
    refreshes: bool
    """Whether what is found has its expiry postponed."""


def get_queries(ops: Iterable[tuple[int, GetOp]], reading: Reading) -> Iterator[PreparedGetQuery]:
    """Yield the statements for gets with their positions; expiry is postponed before reading."""
    by_namespace: dict[tuple[str, ...], list[tuple[int, GetOp]]] = defaultdict(list)
    for position, op in ops:
        by_namespace[op.namespace].append((position, op))
    for namespace, own in by_namespace.items():
        for page in _pages(own):
            items = [(position, str(op.key)) for position, op in page]
            if reading.refreshes and any(op.refresh_ttl for _, op in page):
                asking = [item for item, (_, op) in zip(items, page, strict=True) if op.refresh_ttl]
                yield _of_keys("refresh", namespace, asking, reading)
            yield _of_keys("get", namespace, items, reading)


def _of_keys(
    kind: Literal["get", "refresh"],
    namespace: tuple[str, ...],
    items: list[tuple[int, str]],
    reading: Reading,
) -> PreparedGetQuery:
    query = _statement(kind, len(items), reading.omits_expired)
    parameters = (to_text(namespace), *(key for _, key in items))
    return PreparedGetQuery(query, parameters, namespace, items, kind)


@lru_cache
def _statement(kind: Literal["get", "refresh"], keys: int, omits_expired: bool) -> str:
    conditions = ["prefix = ?", f"key IN ({', '.join('?' * keys)})"]
    conditions += [NOT_EXPIRED] if omits_expired else []
    if kind == "get":
        return f"SELECT {', '.join(COLUMNS)} FROM store {where(conditions)}"
    return f"UPDATE store SET {_RENEWED} {where([*conditions, 'ttl_minutes IS NOT NULL'])}"


def _pages(ops: Iterable[Any]) -> Iterator[list[Any]]:
    remaining = iter(ops)
    while page := list(islice(remaining, _PAGE)):
        yield page


def search_query(op: SearchOp, reading: Reading) -> SearchQuery:
    """Return the statement for a search.

    Raises:
        ValueError: the filter has a key or an operator that cannot be; see `filter_conditions`.
    """
    conditions, parameters = within(op.namespace_prefix, "s.prefix")
    if reading.omits_expired:
        conditions.append(NOT_EXPIRED)
    filtered, values = filter_conditions(op.filter)
    condition = where([*conditions, *filtered])
    text, query = None, f"SELECT {_COLUMNS}, NULL FROM store s {condition} {_NEWEST}"
    if op.query and reading.distance_type is not None:
        score = _SCORES.get(reading.distance_type, _SCORES["cosine"])
        text, query = op.query, _RANKED.format(score=score, where=condition)
    parameters += [*values, op.limit, op.offset]
    return SearchQuery(query, tuple(parameters), text, op.refresh_ttl and reading.refreshes)


def sweep(connection: sqlite3.Connection, *, has_vectors: bool) -> int:
    """Delete the items that have expired, and their vectors; return how many items.

    Args:
        connection: Used by this thread alone meanwhile.
        has_vectors: Whether the database has any.
    """
    if has_vectors:
        connection.execute(
            "DELETE FROM store_vectors WHERE (prefix, key) IN "
            f"(SELECT prefix, key FROM store WHERE {_EXPIRED})"
        )
    return connection.execute(f"DELETE FROM store WHERE {_EXPIRED}").rowcount
