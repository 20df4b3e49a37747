"""A batch: what its operations ask of the database, what that answers, and what they return.

    batch = Batch(ops, ...)             checks, encodes
    batch.embed(embed(batch.texts))     however long that takes
    batch.run(connection)               in a transaction, where `batch.writes`
    batch.results(loads)                decodes

Only `run` uses the database, and does nothing else meanwhile; it may run again when a transaction
failed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from langgraph_rust.store.base import (
    GetOp,
    ListNamespacesOp,
    Op,
    PutOp,
    Result,
    SearchOp,
    validate_op_namespace,
)
from langgraph_rust.store.sqlite import _rows
from langgraph_rust.store.sqlite._namespaces import from_text, list_query, to_text
from langgraph_rust.store.sqlite._queries import (
    REFRESH,
    PreparedGetQuery,
    Reading,
    SearchQuery,
    get_queries,
    search_query,
)
from langgraph_rust.store.sqlite._rows import Loader, Paths, Row


class Batch:
    """The operations of one call. Reads see the state before it, and puts apply after them.

    Args:
        ops: The operations.
        reading: What the store's configuration says about reading.
        paths: What is embedded of an item; `None` without an index.
        has_vectors: Whether the database has any, so that they go with their items.

    Raises:
        ValueError: an operation is of no known kind, or has something that cannot be.
        TypeError: JSON cannot carry a value.
    """

    texts: list[str]
    """What to embed; each once."""
    writes: bool
    """Whether it may change the database."""

    def __init__(
        self, ops: Iterable[Op], reading: Reading, paths: Paths | None, *, has_vectors: bool
    ) -> None:
        self._ops = list(ops)
        self._searches: dict[int, SearchQuery] = {}
        self._lists: dict[int, tuple[str, tuple[Any, ...]]] = {}
        self._vectors: Mapping[str, bytes] = {}
        self._found: dict[int, Any] = {}
        gets: list[tuple[int, GetOp]] = []
        puts: dict[tuple[tuple[str, ...], str], PutOp] = {}
        for position, op in enumerate(self._ops):
            validate_op_namespace(op)
            if isinstance(op, GetOp):
                gets.append((position, op))
            elif isinstance(op, SearchOp):
                self._searches[position] = search_query(op, reading)
            elif isinstance(op, ListNamespacesOp):
                self._lists[position] = list_query(op, omits_expired=reading.omits_expired)
            elif isinstance(op, PutOp):
                puts[op.namespace, op.key] = op
            else:
                raise ValueError(f"Unknown operation type: {type(op)}")
        self._gets: list[PreparedGetQuery] = list(get_queries(gets, reading))
        self._puts = Puts(puts.values(), paths, has_vectors=has_vectors)
        self.writes = bool(puts)
        if reading.refreshes and not puts:
            self.writes = any(query.kind == "refresh" for query in self._gets) or any(
                search.refreshes for search in self._searches.values()
            )
        asked = [search.text for search in self._searches.values() if search.text]
        self.texts = list(dict.fromkeys([*asked, *(each.text for each in self._puts.texts)]))

    def embed(self, vectors: Sequence[Sequence[float]]) -> None:
        """Take the vectors of `texts`.

        Raises:
            ValueError: there is not one for each, or one is no vector.
        """
        self._vectors = _rows.vectors_by_text(self.texts, vectors)

    def run(self, connection: sqlite3.Connection) -> None:
        """Carry it out, with the connection to oneself."""
        cursor = connection.cursor()
        # The owner of the connection may like rows to be something else.
        cursor.row_factory = None
        for query in self._gets:
            rows = cursor.execute(query.query, query.params).fetchall()
            if query.kind == "get":
                by_key = {row[1]: row for row in rows}
                self._found.update((position, by_key.get(key)) for position, key in query.items)
        for position, search in self._searches.items():
            vector = () if search.text is None else (self._vectors[search.text],)
            rows = cursor.execute(search.query, (*vector, *search.params)).fetchall()
            if search.refreshes:
                cursor.executemany(REFRESH, [row[:2] for row in rows])
            self._found[position] = rows
        for position, (query, parameters) in self._lists.items():
            self._found[position] = cursor.execute(query, parameters).fetchall()
        for statement, rows in self._puts.statements:
            cursor.executemany(statement, rows)
        if self._puts.texts:
            cursor.executemany(_rows.PUT_VECTOR, self._puts.vector_rows(self._vectors))

    def results(self, loads: Loader | None) -> list[Result]:
        """Return what the operations return, in their order.

        Args:
            loads: Decodes values; JSON if left out.
        """
        return [self._result(op, self._found.get(n), loads) for n, op in enumerate(self._ops)]

    def _result(self, op: Op, found: Any, loads: Loader | None) -> Result:
        if found is None:
            return None
        if isinstance(op, GetOp):
            return _rows.item(found, op.namespace, loads)
        if isinstance(op, SearchOp):
            return [_rows.search_item(row, loads) for row in found]
        return [from_text(prefix) for (prefix,) in found]


class Puts:
    """What a batch stores and deletes.

    Args:
        ops: One operation per item at most.
        paths: As for `Batch`.
        has_vectors: As for `Batch`.
    """

    statements: list[tuple[str, list[Row]]]
    """Statements and the rows that each is for."""
    texts: list[_rows.Text]
    """What is embedded of the items."""

    def __init__(self, ops: Collection[PutOp], paths: Paths | None, *, has_vectors: bool) -> None:
        self.statements = []
        self.texts = []
        if not ops:
            return
        stored = [op for op in ops if op.value is not None]
        deleted = [_place(op) for op in ops if op.value is None]
        # Vectors of what was stored before would find it under what it does not say any more.
        outdated = [_place(op) for op in ops] if has_vectors else []
        rows = _rows.item_rows(stored)
        statements = [(_rows.DELETE_VECTORS, outdated), (_rows.DELETE, deleted), (_rows.PUT, rows)]
        self.statements += [(statement, rows) for statement, rows in statements if rows]
        if paths is not None:
            self.texts += [text for op in stored for text in _rows.texts_of(op, paths)]

    def vector_rows(self, vectors: Mapping[str, bytes]) -> list[Row]:
        """Return the rows of the vectors, given those of the texts."""
        return [(*text[:3], vectors[text.text]) for text in self.texts]


def _place(op: PutOp) -> Row:
    return to_text(op.namespace), str(op.key)
