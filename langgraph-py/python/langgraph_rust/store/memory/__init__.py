"""A store that keeps items in this process's memory, optionally with semantic search."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from langgraph_rust.store.base import (
    BaseStore,
    GetOp,
    IndexConfig,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    ensure_embeddings,
    get_text_at_path,
    tokenize_path,
)

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

_Vector = list[float]
_Candidate = tuple[Item, list[_Vector]]
_Puts = dict[tuple[tuple[str, ...], str], PutOp]
_Searches = dict[int, tuple[SearchOp, list[_Candidate]]]
_Place = tuple[tuple[str, ...], str, str]


class InMemoryStore(BaseStore):
    """Keeps items in dictionaries, for tests and experiments: they are gone with the process.

    Items do not expire. With an index, items are embedded as they are stored, and `search` with a
    `query` ranks them by cosine similarity; numpy, if installed, makes that faster.

    Args:
        index: What to embed and how. Without it there is no semantic search, and the `index`
            arguments of the methods mean nothing.

    Example:
        ```python
        store = InMemoryStore(index={"dims": 2, "embed": embed, "fields": ["text"]})
        store.put(("docs",), "a", {"text": "a tutorial"})
        store.search(("docs",), query="learning")
        ```
    """

    __slots__ = ("_data", "_vectors", "embeddings", "index_config")

    def __init__(self, *, index: IndexConfig | None = None) -> None:
        # Other packages replace these two by mappings that persist; the names are part of the API.
        self._data: dict[tuple[str, ...], dict[str, Item]] = defaultdict(dict)
        self._vectors: dict[tuple[str, ...], dict[str, dict[str, _Vector]]] = defaultdict(
            lambda: defaultdict(dict)
        )
        self.index_config: Any = None
        self.embeddings: Embeddings | None = None
        if index:
            self.index_config = index.copy()
            self.embeddings = ensure_embeddings(index.get("embed"))
            self.index_config["__tokenized_fields"] = [
                (path, path if path == "$" else tokenize_path(path))
                for path in index.get("fields") or ["$"]
            ]

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out operations. Reads see the state before the batch, and puts apply after them.

        Raises:
            ValueError: an operation is of no known kind.
        """
        results, puts, searches = self._prepare_ops(ops)
        _rank(searches, self._embed_queries(self._queries(searches)), results)
        texts = self._extract_texts(puts)
        if texts:
            self._store_vectors(texts, self.embeddings.embed_documents(list(texts)))  # type: ignore[union-attr]
        self._apply_put_ops(puts)
        return results

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Asynchronous `batch`; awaits nothing but the embeddings."""
        results, puts, searches = self._prepare_ops(ops)
        _rank(searches, await self._aembed_queries(self._queries(searches)), results)
        texts = self._extract_texts(puts)
        if texts:
            vectors = await self.embeddings.aembed_documents(list(texts))  # type: ignore[union-attr]
            self._store_vectors(texts, vectors)
        self._apply_put_ops(puts)
        return results

    # --- reading ---

    def _prepare_ops(self, ops: Iterable[Op]) -> tuple[list[Result], _Puts, _Searches]:
        """Answer the reads that need no embedding, and collect the rest."""
        results: list[Result] = []
        puts: _Puts = {}
        searches: _Searches = {}
        for op in ops:
            result: Result = None
            if isinstance(op, GetOp):
                result = self._data[op.namespace].get(op.key)
            elif isinstance(op, SearchOp):
                searches[len(results)] = (op, self._filter_items(op))
            elif isinstance(op, ListNamespacesOp):
                result = self._handle_list_namespaces(op)
            elif isinstance(op, PutOp):
                puts[op.namespace, op.key] = op
            else:
                raise ValueError(f"Unknown operation type: {type(op)}")
            results.append(result)
        return results, puts, searches

    def _filter_items(self, op: SearchOp) -> list[_Candidate]:
        """Return the items that match apart from the query, with their vectors."""
        ranked = bool(op.query and self.embeddings)
        # Unranked, only the first so many are needed. A negative bound counts from the end.
        enough = None
        if not ranked and min(op.offset, op.limit) >= 0:
            enough = op.offset + op.limit
        depth = len(op.namespace_prefix)
        found: list[_Candidate] = []
        for namespace, items in self._data.items():
            if namespace[:depth] != op.namespace_prefix:
                continue
            for key, item in items.items():
                if op.filter and not _compare_values(item.value, op.filter, operators=False):
                    continue
                vectors = self._vectors[namespace].get(key) if ranked else None
                found.append((item, list(vectors.values()) if vectors else []))
                if len(found) == enough:
                    return found
        return found

    def _handle_list_namespaces(self, op: ListNamespacesOp) -> list[tuple[str, ...]]:
        conditions = op.match_conditions or ()
        # A copy of the keys, because other threads may add to the dictionary meanwhile.
        namespaces: Iterable[tuple[str, ...]] = [
            namespace
            for namespace in list(self._data)
            if all(_does_match(condition, namespace) for condition in conditions)
        ]
        if op.max_depth is not None:
            namespaces = {namespace[: op.max_depth] for namespace in namespaces}
        return sorted(namespaces)[op.offset : op.offset + op.limit]

    def _queries(self, searches: _Searches) -> list[str]:
        if self.embeddings is None:
            return []
        return list(dict.fromkeys(op.query for op, _ in searches.values() if op.query))

    def _embed_queries(self, queries: list[str]) -> dict[str, _Vector]:
        if len(queries) <= 1 or self.embeddings is None:
            return {query: self.embeddings.embed_query(query) for query in queries}  # type: ignore[union-attr]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor() as executor:
            vectors = executor.map(self.embeddings.embed_query, queries)
            return dict(zip(queries, vectors, strict=True))

    async def _aembed_queries(self, queries: list[str]) -> dict[str, _Vector]:
        if not queries or self.embeddings is None:
            return {}
        import asyncio

        vectors = await asyncio.gather(*map(self.embeddings.aembed_query, queries))
        return dict(zip(queries, vectors, strict=True))

    # --- writing ---

    def _extract_texts(self, puts: _Puts) -> dict[str, list[_Place]]:
        """Return the texts to embed, each with the places its vector goes to."""
        places: dict[str, list[_Place]] = defaultdict(list)
        if self.embeddings is None:
            return places
        for op in puts.values():
            if op.value is None or op.index is False:
                continue
            paths = self.index_config["__tokenized_fields"]
            if op.index is not None:
                paths = [(path, tokenize_path(path)) for path in op.index]
            for path, tokens in paths:
                texts = get_text_at_path(op.value, tokens)
                for number, text in enumerate(texts):
                    name = path if len(texts) == 1 else f"{path}.{number}"
                    places[text].append((op.namespace, op.key, name))
        return places

    def _store_vectors(self, texts: dict[str, list[_Place]], vectors: Sequence[_Vector]) -> None:
        if len(vectors) != len(texts):
            raise ValueError(
                f"Number of embeddings ({len(vectors)}) does not"
                f" match number of indices ({len(texts)})"
            )
        for vector, places in zip(vectors, texts.values(), strict=True):
            for namespace, key, name in places:
                self._vectors[namespace][key][name] = vector

    def _apply_put_ops(self, puts: _Puts) -> None:
        for (namespace, key), op in puts.items():
            if op.value is None:
                self._data[namespace].pop(key, None)
                self._vectors[namespace].pop(key, None)
                continue
            now = datetime.now(timezone.utc)
            self._data[namespace][key] = Item(
                value=dict(op.value), key=key, namespace=namespace, created_at=now, updated_at=now
            )


# --- ranking ---


def _rank(searches: _Searches, queries: dict[str, _Vector], results: list[Result]) -> None:
    """Fill in the results of the searches."""
    for position, (op, candidates) in searches.items():
        if op.query and op.query in queries:
            chosen = _most_similar(op, candidates, queries[op.query])
        else:
            page = candidates[op.offset : op.offset + op.limit]
            chosen = [(None, item) for item, _ in page]
        results[position] = [
            SearchItem(
                item.namespace, item.key, item.value, item.created_at, item.updated_at, score
            )
            for score, item in chosen
        ]


def _most_similar(
    op: SearchOp, candidates: list[_Candidate], query: _Vector
) -> list[tuple[float | None, Item]]:
    """Return a page of the items, best first; an item counts with its best vector.

    If the page is not full, items that were not embedded fill it up.
    """
    embedded = [(item, vector) for item, vectors in candidates for vector in vectors]
    scores = _cosine_similarity(query, [vector for _, vector in embedded])
    best: dict[tuple[tuple[str, ...], str], tuple[float | None, Item]] = {}
    order = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)
    for index in order:
        item = embedded[index][0]
        best.setdefault((item.namespace, item.key), (float(scores[index]), item))
    page = list(best.values())[max(op.offset, 0) : max(op.offset + op.limit, 0)]
    missing = max(op.limit - len(page), 0)
    page += [(None, item) for item, vectors in candidates if not vectors][:missing]
    return page


@lru_cache(maxsize=1)
def _check_numpy() -> bool:
    from importlib.util import find_spec

    if find_spec("numpy"):
        return True
    import logging

    logging.getLogger("langgraph.store.memory").warning(
        "NumPy not found in the current Python environment. "
        "The InMemoryStore will use a pure Python implementation for vector operations, "
        "which may significantly impact performance, especially for large datasets or "
        "frequent searches. For optimal speed and efficiency, consider installing NumPy: "
        "pip install numpy"
    )
    return False


def _cosine_similarity(X: _Vector, Y: list[_Vector]) -> list[float]:
    """Return the cosine of the angle between `X` and each of `Y`; 0 where a vector is zero."""
    if not Y:
        return []
    if _check_numpy():
        import numpy as np  # pyright: ignore[reportMissingImports] - optional

        query, rows = np.asarray(X), np.asarray(Y)
        lengths = np.linalg.norm(rows, axis=1)
        cosines = np.zeros_like(lengths)
        usable = lengths != 0
        cosines[usable] = rows[usable] @ query / (lengths[usable] * np.linalg.norm(query))
        return cosines.tolist()
    return [_cosine(X, vector) for vector in Y]


def _cosine(x: _Vector, y: _Vector) -> float:
    lengths = sum(a * a for a in x) ** 0.5 * sum(b * b for b in y) ** 0.5
    return sum(a * b for a, b in zip(x, y, strict=False)) / lengths if lengths > 0 else 0.0


# --- matching ---


def _does_match(match_condition: MatchCondition, key: tuple[str, ...]) -> bool:
    """Whether a namespace fulfils a condition."""
    match_type, path = match_condition
    if len(key) < len(path):
        return False
    if match_type == "prefix":
        labels = key[: len(path)]
    elif match_type == "suffix":
        labels = key[len(key) - len(path) :]
    else:
        raise ValueError(f"Unsupported match type: {match_type}")
    return all(want in ("*", label) for want, label in zip(path, labels, strict=True))


def _compare_values(item_value: Any, filter_value: Any, *, operators: bool = True) -> bool:
    """Whether a stored value fulfils a filter, as containment of JSON in Postgres does.

    Args:
        item_value: What is stored.
        filter_value: What is asked for; a dictionary with a `$` key is a set of operators.
        operators: Whether it may be one; not at the top of a filter, where keys are field names.
    """
    if isinstance(filter_value, dict):
        if operators and any(key.startswith("$") for key in filter_value):
            return all(_apply_operator(item_value, *entry) for entry in filter_value.items())
        return isinstance(item_value, dict) and all(
            _compare_values(item_value.get(key), value) for key, value in filter_value.items()
        )
    if isinstance(filter_value, (list, tuple)):
        return (
            isinstance(item_value, (list, tuple))
            and len(item_value) == len(filter_value)
            and all(map(_compare_values, item_value, filter_value))
        )
    return item_value == filter_value


def _apply_operator(value: Any, operator: str, op_value: Any) -> bool:
    """Whether `value` stands in the given relation to `op_value`; all but equality need numbers."""
    if operator == "$eq":
        return value == op_value
    if operator == "$ne":
        return value != op_value
    if operator == "$gt":
        return float(value) > float(op_value)
    if operator == "$gte":
        return float(value) >= float(op_value)
    if operator == "$lt":
        return float(value) < float(op_value)
    if operator == "$lte":
        return float(value) <= float(op_value)
    raise ValueError(f"Unsupported operator: {operator}")
