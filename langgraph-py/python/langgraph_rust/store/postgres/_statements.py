"""The operations of a store as SQL. Whatever callers say is a parameter.

A batch's gets, puts and deletes are one statement each, however many they are: their parameters are
arrays. So the texts stay the same, and the server needs not be asked twice for the same plan.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import BaseConnection, adapters
from psycopg.adapt import PyFormat
from psycopg.types.json import Jsonb

from langgraph_rust.store.base import (
    GetOp,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    Result,
    SearchOp,
)
from langgraph_rust.store.postgres._index import get_distance_operator, vector_type
from langgraph_rust.store.postgres._rows import (
    Loader,
    namespace_match_pattern,
    namespace_prefix_condition,
    namespace_to_text,
    row_to_item,
    row_to_search_item,
    text_to_namespace,
)

Place = tuple[str, str, str]
"""What a vector is of: the namespace as text, the key, the path within the value."""

Answer = Callable[[Sequence[Mapping[str, Any]], list[Result]], None]
"""Puts what rows say into the results of a batch."""


class Statement(NamedTuple):
    """What to send to the database, and what to do with the rows that come back."""

    sql: Any
    """Text; psycopg's types ask for literals."""
    params: Sequence[Any]
    answer: Answer | None = None
    """`None` if no rows come back."""
    prepare: bool | None = None
    """As in psycopg: `None` leaves it to the connection."""


# --- reading ---

_COLUMNS = "store.prefix, store.key, store.value, store.created_at, store.updated_at"

_LIVE = "(store.expires_at IS NULL OR store.expires_at > now())"
"""What holds of items that have not expired."""

# Of what is less than a minute, `ttl_minutes` may say 0.
_REFRESH = """
    UPDATE store
    SET expires_at = greatest(store.expires_at, now() + store.ttl_minutes * interval '1 minute')
    FROM {wanted} AS wanted
    WHERE store.prefix = wanted.prefix AND store.key = wanted.key AND {condition}
      AND store.ttl_minutes IS NOT NULL
"""


def get(ops: Sequence[tuple[int, GetOp]], omit_expired: bool, loader: Loader) -> Statement:
    """Fetch items, and postpone the expiry of those that ask for it.

    Args:
        ops: The operations, each with its place in the batch.
        omit_expired: Whether to leave out expired items.
        loader: Makes values.
    """
    live = _LIVE if omit_expired else "TRUE"
    params: list[Any] = [
        [namespace_to_text(op.namespace) for _, op in ops],
        [op.key for _, op in ops],
    ]
    wanted = "unnest(%b::text[], %b::text[]) AS wanted (prefix, key)"
    refresh = ""
    if any(op.refresh_ttl for _, op in ops):
        params.append([bool(op.refresh_ttl) for _, op in ops])
        listed = "unnest(%b::text[], %b::text[], %b::bool[]) AS listed (prefix, key, refresh)"
        update = _REFRESH.format(wanted="asked", condition=f"wanted.refresh AND {live}")
        refresh = f"WITH asked AS (SELECT * FROM {listed}), refreshed AS ({update})"
        wanted = "asked AS wanted"
    sql = f"""
        {refresh}
        SELECT {_COLUMNS} FROM store
        JOIN {wanted} ON store.prefix = wanted.prefix AND store.key = wanted.key
        WHERE {live}
    """

    def answer(rows: Sequence[Mapping[str, Any]], results: list[Result]) -> None:
        found = {(row["prefix"], row["key"]): row for row in rows}
        for index, op in ops:
            row = found.get((namespace_to_text(op.namespace), op.key))
            results[index] = row_to_item(tuple(op.namespace), row, loader=loader) if row else None

    return Statement(sql, params, answer)


def search(index: int, op: SearchOp, vector: str | None, store: Any) -> Statement:
    """Find items, and postpone the expiry of those that are found, if asked.

    Args:
        index: The place in the batch.
        op: The operation.
        vector: What to rank by similarity to, as text of an array; `None` to have the latest first.
        store: Says what is compared, and how filters become conditions.

    Raises:
        ValueError: there is no such operator.
    """
    conditions, params = _conditions(op, store)
    if vector is None:
        sql = f"""
            SELECT {_COLUMNS}, NULL::float8 AS score FROM store
            WHERE {conditions} ORDER BY store.updated_at DESC LIMIT %s OFFSET %s
        """
        params += (op.limit, op.offset)
    else:
        sql = _ranked(conditions, store)
        # Each item may be there once for every vector of it.
        vectors = store.index_config["__estimated_num_vectors"]
        candidates = (op.limit + op.offset) * vectors * 2 + 1
        params = [vector, *params, candidates, op.limit, op.offset]
    if op.refresh_ttl:
        sql = f"""
            WITH found AS ({sql}),
            refreshed AS ({_REFRESH.format(wanted="found", condition="TRUE")})
            SELECT * FROM found
        """

    def answer(rows: Sequence[Mapping[str, Any]], results: list[Result]) -> None:
        loader = store._deserializer
        results[index] = [
            row_to_search_item(text_to_namespace(row["prefix"]), row, loader=loader) for row in rows
        ]

    return Statement(sql, params, answer)


def _conditions(op: SearchOp, store: Any) -> tuple[str, list[Any]]:
    conditions, params = [_LIVE] if store._omit_expired else ["TRUE"], []
    if op.namespace_prefix:
        condition, own = namespace_prefix_condition(op.namespace_prefix)
        conditions.append(condition)
        params += own
    for field, asked in (op.filter or {}).items():
        operators = asked if isinstance(asked, dict) else {"$eq": asked}
        for operator, operand in operators.items():
            condition, own = store._get_filter_condition(field, operator, operand)
            conditions.append(condition)
            params += own
    return " AND ".join(conditions), params


def _ranked(conditions: str, store: Any) -> str:
    operator, score = get_distance_operator(store)
    # By way of doubles, which is how LangGraph rounds.
    to_query = operator % ("%s::float8[]", vector_type(store))
    return f"""
        WITH scored AS (
            SELECT {_COLUMNS}, {to_query} AS neg_score
            FROM store
            JOIN store_vectors AS sv ON sv.prefix = store.prefix AND sv.key = store.key
            WHERE {conditions} ORDER BY neg_score LIMIT %s
        )
        SELECT prefix, key, value, created_at, updated_at, {score} AS score
        FROM (
            SELECT DISTINCT ON (prefix, key) * FROM scored ORDER BY prefix, key, neg_score
        ) AS scored
        ORDER BY score DESC LIMIT %s OFFSET %s
    """


def list_namespaces(index: int, op: ListNamespacesOp, omit_expired: bool) -> Statement:
    """List the namespaces that hold items.

    Args:
        index: The place in the batch.
        op: The operation.
        omit_expired: Whether to leave out expired items.
    """
    listed, params = "prefix", []
    if op.max_depth is not None:
        listed = "array_to_string((string_to_array(prefix, '.'))[:%s::int], '.')"
        params.append(op.max_depth)
    conditions = [_LIVE] if omit_expired else ["TRUE"]
    for match in op.match_conditions or ():
        # An empty path says nothing.
        if match.path:
            condition, own = _match_condition(match)
            conditions.append(condition)
            params += own
    sql = f"""
        SELECT DISTINCT {listed} AS namespace FROM store
        WHERE {" AND ".join(conditions)} ORDER BY namespace LIMIT %s OFFSET %s
    """

    def answer(rows: Sequence[Mapping[str, Any]], results: list[Result]) -> None:
        results[index] = [text_to_namespace(row["namespace"]) for row in rows]

    return Statement(sql, (*params, op.limit, op.offset), answer)


def _match_condition(match: MatchCondition) -> tuple[str, Sequence[Any]]:
    if match.match_type not in ("prefix", "suffix"):
        raise ValueError(f"Unsupported match type: {match.match_type}. Pass 'prefix' or 'suffix'.")
    if match.match_type == "prefix" and "*" not in match.path:
        # The same as the pattern, but found by the index.
        return namespace_prefix_condition(match.path)
    return "store.prefix ~ %s", (namespace_match_pattern(match.path, match.match_type),)


# --- filters ---

_COMPARISONS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_EQUALITIES = {"$eq": "=", "$ne": "!="}


def filter_condition(field: str, operator: str, operand: Any) -> tuple[str, list[Any]]:
    """Return a condition on an entry of the value, with its parameters.

    Numbers are compared as numbers if numbers are stored, and anything else as text.

    Raises:
        ValueError: there is no such operator.
        TypeError: JSON cannot carry what is to be equal.
    """
    if sign := _EQUALITIES.get(operator):
        return f"store.value -> %s::text {sign} %s::jsonb", [field, _json(operand)]
    sign = _COMPARISONS.get(operator)
    if sign is None:
        known = ", ".join((*_EQUALITIES, *_COMPARISONS))
        raise ValueError(f"Unsupported operator: {operator}. Filters have {known}.")
    as_text = f"store.value ->> %s::text {sign} %s"
    if isinstance(operand, bool) or not isinstance(operand, (int, float)):
        return as_text, [field, str(operand)]
    as_number = f"(store.value ->> %s::text)::numeric {sign} %s::numeric"
    return (
        f"CASE jsonb_typeof(store.value -> %s::text) WHEN 'number' THEN {as_number} "
        f"ELSE {as_text} END",
        [field, field, str(operand), field, str(operand)],
    )


def _json(value: Any) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        # It knows more types, such as times, as the text that they are stored as.
        import orjson

        return orjson.dumps(value).decode()


# --- writing ---

_DELETE = """
    DELETE FROM store USING unnest(%b::text[], %b::text[]) AS gone (prefix, key)
    WHERE store.prefix = gone.prefix AND store.key = gone.key
"""

_PUT = """
    INSERT INTO store (prefix, key, value, created_at, updated_at, expires_at, ttl_minutes)
    SELECT prefix, key, value, now(), now(), now() + ttl * interval '1 minute', ttl
    FROM unnest(%b::text[], %b::text[], %b::jsonb[], %s::float8[])
      AS given (prefix, key, value, ttl)
    ON CONFLICT (prefix, key) DO UPDATE
    SET value = excluded.value, updated_at = excluded.updated_at,
        expires_at = excluded.expires_at, ttl_minutes = excluded.ttl_minutes
"""

_PUT_VECTORS = """
    INSERT INTO store_vectors (prefix, key, field_name, embedding, created_at, updated_at)
    SELECT prefix, key, field_name, embedding::float8[], now(), now()
    FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[])
      AS given (prefix, key, field_name, embedding)
    ON CONFLICT (prefix, key, field_name) DO UPDATE
    SET embedding = excluded.embedding, updated_at = excluded.updated_at
"""


def put(ops: Iterable[PutOp], vectors: Mapping[Place, str], conn: Any) -> list[Statement]:
    """Delete and store items, and store their vectors.

    Args:
        ops: The operations, none on the same item as another.
        vectors: The vectors as text of arrays.
        conn: The connection or pool, which may say how values become JSON.

    Raises:
        TypeError: a value is nothing that JSON can carry.
    """
    statements = []
    gone = [(namespace_to_text(op.namespace), op.key) for op in ops if op.value is None]
    if gone:
        statements.append(Statement(_DELETE, _columns(gone)))
    given = [
        (namespace_to_text(op.namespace), op.key, _encoded(op, conn), _minutes(op.ttl))
        for op in ops
        if op.value is not None
    ]
    if given:
        statements.append(Statement(_PUT, _columns(given)))
    if vectors:
        embedded = [(*place, vector) for place, vector in vectors.items()]
        statements.append(Statement(_PUT_VECTORS, _columns(embedded)))
    return statements


def sweep(counts: list[int]) -> Statement:
    """Delete what has expired, and add to `counts` how many items that were."""
    return Statement(
        """
        WITH gone AS (DELETE FROM store WHERE expires_at < now() RETURNING 1)
        SELECT count(*) AS count FROM gone
        """,
        (),
        lambda rows, _: counts.extend(row["count"] for row in rows),
    )


def vector_to_text(vector: Iterable[float]) -> str:
    """Return a vector as text of an array."""
    return "{" + ",".join([repr(float(number)) for number in vector]) + "}"


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _minutes(ttl: float | None) -> float | None:
    return None if ttl is None else float(ttl)


def _encoded(op: PutOp, conn: Any) -> Jsonb:
    """Encode a value now, as the connection would when it is sent."""
    value = Jsonb(dict(op.value or {}))
    known = conn.adapters if isinstance(conn, BaseConnection) else adapters
    try:
        text = known.get_dumper(Jsonb, PyFormat.TEXT)(Jsonb, None).dump(value)
    except TypeError as error:
        if known is adapters:
            # What configures the connections of a pool may have taught them more.
            return value
        raise TypeError(f"{error}, in the value of {op.key!r} in {op.namespace}") from error
    return Jsonb(text, bytes)
