"""A batch of operations: what must be embedded for it, and what is then sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from langgraph_rust.store.base import (
    GetOp,
    ListNamespacesOp,
    Op,
    PutOp,
    SearchOp,
    get_text_at_path,
    tokenize_path,
    validate_op_namespace,
)
from langgraph_rust.store.postgres import _statements
from langgraph_rust.store.postgres._rows import namespace_to_text
from langgraph_rust.store.postgres._statements import Place, Statement

Grouped = Mapping[type, Sequence[tuple[int, Any]]]
"""Operations by their class, each with its place in the batch."""

_KINDS = (GetOp, SearchOp, ListNamespacesOp, PutOp)


def group_ops(ops: Iterable[Op]) -> tuple[dict[type, list[tuple[int, Any]]], int]:
    """Return the operations by their class, and how many they are.

    Raises:
        InvalidNamespaceError: a label is empty, no string, or contains `.` or NUL.
        ValueError: an operation is of no known kind.
    """
    grouped: dict[type, list[tuple[int, Any]]] = {}
    count = 0
    for index, op in enumerate(ops):
        validate_op_namespace(op)
        kind = next((kind for kind in _KINDS if isinstance(op, kind)), None)
        if kind is None:
            raise ValueError(f"Unknown operation type: {type(op)}")
        grouped.setdefault(kind, []).append((index, op))
        count += 1
    return grouped, count


class Batch:
    """Operations that are carried out together.

    Reads see the state before the batch. Of several puts on one item the last counts.

    Args:
        store: The store, for its configuration.
        grouped: The operations.
    """

    def __init__(self, store: Any, grouped: Grouped) -> None:
        self._store = store
        self._grouped = grouped
        puts = (op for _, op in grouped.get(PutOp, ()))
        self._puts = {(namespace_to_text(op.namespace), op.key): op for op in puts}
        queries: Iterable[str] = ()
        self._places: dict[Place, str] = {}
        if store.index_config:
            queries = (op.query for _, op in grouped.get(SearchOp, ()) if op.query)
            self._places = dict(chain.from_iterable(map(self._to_embed, self._puts.values())))
        self.texts = list(dict.fromkeys((*queries, *self._places.values())))
        """What must be embedded, each text once."""

    def statements(self, vectors: Sequence[Iterable[float]]) -> list[Statement]:
        """Return what is sent to the database, in this order.

        Args:
            vectors: One for each of `texts`.

        Raises:
            ValueError: it is not one for each, or a filter has an unknown operator.
            TypeError: a value or a filter is nothing that JSON can carry.
        """
        if len(vectors) != len(self.texts):
            raise ValueError(
                f"Number of embeddings ({len(vectors)}) does not match number of texts "
                f"({len(self.texts)}): `embed` must return one vector for each text."
            )
        encoded = dict(zip(self.texts, map(_statements.vector_to_text, vectors), strict=True))
        return [*self._reads(encoded), *self._writes(encoded)]

    def _reads(self, vectors: Mapping[str, str]) -> Iterable[Statement]:
        store = self._store
        if gets := self._grouped.get(GetOp):
            yield _statements.get(gets, store._omit_expired, store._deserializer)
        for index, op in self._grouped.get(SearchOp, ()):
            vector = vectors.get(op.query) if op.query else None
            yield _statements.search(index, op, vector, store)
        for index, op in self._grouped.get(ListNamespacesOp, ()):
            yield _statements.list_namespaces(index, op, store._omit_expired)

    def _writes(self, vectors: Mapping[str, str]) -> Iterable[Statement]:
        embedded = {place: vectors[text] for place, text in self._places.items()}
        return _statements.put(list(self._puts.values()), embedded, self._store.conn)

    def _to_embed(self, op: PutOp) -> Iterable[tuple[Place, str]]:
        if op.value is None or op.index is False:
            return
        paths: Iterable[tuple[str, Any]] = self._store.index_config["__tokenized_fields"]
        if op.index is not None:
            paths = [(path, tokenize_path(path)) for path in op.index]
        for path, steps in paths:
            texts = get_text_at_path(op.value, steps)
            for number, text in enumerate(texts):
                name = path if len(texts) == 1 else f"{path}.{number}"
                yield (namespace_to_text(op.namespace), op.key, name), text
