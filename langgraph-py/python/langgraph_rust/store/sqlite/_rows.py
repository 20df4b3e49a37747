"""Items as rows: what is stored of them, and what is made of a row.

Nothing here takes a connection; values are encoded before the database is locked, and decoded
after.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import orjson

from langgraph_rust.store.base import Item, PutOp, SearchItem, get_text_at_path, tokenize_path
from langgraph_rust.store.sqlite._namespaces import from_text, to_text

Row = tuple[Any, ...]
Loader = Callable[[Any], dict[str, Any]]
Paths = Iterable[tuple[str, Any]]
"""What to embed of an item: each path as it was given, and in steps."""

COLUMNS = ("prefix", "key", "value", "created_at", "updated_at")
"""What an item is made of."""

PUT = (
    "INSERT OR REPLACE INTO store "
    "(prefix, key, value, created_at, updated_at, expires_at, ttl_minutes) "
    "VALUES (?, ?, ?, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, ?, ?)"
)
DELETE = "DELETE FROM store WHERE prefix = ? AND key = ?"
PUT_VECTOR = (
    "INSERT OR REPLACE INTO store_vectors "
    "(prefix, key, field_name, embedding, created_at, updated_at) "
    "VALUES (?, ?, ?, ?, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)"
)
DELETE_VECTORS = "DELETE FROM store_vectors WHERE prefix = ? AND key = ?"


class Text(NamedTuple):
    """A text of an item that its vector stands for."""

    prefix: str
    key: str
    field_name: str
    text: str


def item_rows(ops: Iterable[PutOp]) -> list[Row]:
    """Return the rows of items; they expire their time to live after now.

    Raises:
        TypeError: JSON cannot carry a value.
    """
    now = datetime.now(timezone.utc)
    return [_item_row(op, now) for op in ops]


def _item_row(op: PutOp, now: datetime) -> Row:
    expires_at = None
    if op.ttl is not None:
        # As `sqlite3` writes times, which it will stop doing.
        expires_at = (now + timedelta(minutes=op.ttl)).isoformat(" ")
    try:
        value = orjson.dumps(dict(op.value or {}))
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"The value for key {op.key!r} in {op.namespace} must be a dictionary that JSON can "
            f"carry: {error}"
        ) from error
    return to_text(op.namespace), str(op.key), value, expires_at, op.ttl


def texts_of(op: PutOp, paths: Paths) -> Iterable[Text]:
    """Yield the texts of an item to embed: those at `paths`, unless it has paths of its own.

    Raises:
        ValueError: `index` is neither `False`, `None`, nor a list of paths.
    """
    if op.index is False:
        return
    if op.index is not None:
        if isinstance(op.index, (str, bool)):
            raise ValueError(
                f"index for key {op.key!r} in {op.namespace} must be False or a list of paths. "
                f"Got {op.index!r}"
            )
        paths = [(path, tokenize_path(path)) for path in op.index]
    for path, steps in paths:
        texts = get_text_at_path(op.value, steps)
        for number, text in enumerate(texts):
            name = path if len(texts) == 1 else f"{path}.{number}"
            yield Text(to_text(op.namespace), str(op.key), name, text)


def vectors_by_text(
    texts: Sequence[str], vectors: Sequence[Sequence[float]]
) -> Mapping[str, bytes]:
    """Return each text's vector as it is stored: 32-bit floats.

    Raises:
        ValueError: there is not one vector for each text, or one is no vector.
    """
    if len(vectors) != len(texts):
        raise ValueError(
            f"The embedding function returned {len(vectors)} vectors for {len(texts)} texts; it "
            "must return one for each"
        )
    return {text: _packed(text, vector) for text, vector in zip(texts, vectors, strict=True)}


def _packed(text: str, vector: Sequence[float]) -> bytes:
    try:
        packed = struct.pack(f"{len(vector)}f", *vector)
    except (TypeError, struct.error) as error:
        problem = str(error)
    else:
        if packed:
            return packed
        problem = "it is empty"
    raise ValueError(
        f"The embedding function returned no vector of 32-bit floats for {text[:50]!r}: {problem}"
    )


def item(row: Row, namespace: tuple[str, ...], loads: Loader | None) -> Item:
    """Return the item of a row."""
    _, key, value, created_at, updated_at = row
    return Item(
        value=(loads or orjson.loads)(value),
        key=key,
        namespace=namespace,
        created_at=created_at,
        updated_at=updated_at,
    )


def search_item(row: Row, loads: Loader | None) -> SearchItem:
    """Return the item of a row that has a score, or `None`, at its end."""
    prefix, key, value, created_at, updated_at, score = row
    return SearchItem(
        from_text(prefix), key, (loads or orjson.loads)(value), created_at, updated_at, score
    )
