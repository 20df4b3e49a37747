"""The interface of stores: long-term memory that outlives threads.

A store maps a namespace, which is a path of strings, and a key to a dictionary. Everything a store
does is one of four operations: `GetOp`, `SearchOp`, `PutOp` and `ListNamespacesOp`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict

from langgraph_rust.store.base.embed import (
    AEmbeddingsFunc,
    EmbeddingsFunc,
    ensure_embeddings,
    get_text_at_path,
    tokenize_path,
)

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings


class NotProvided:
    """Type of `NOT_PROVIDED`, which tells an argument left out from `None`. Counts as false."""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "NOT_GIVEN"


NOT_PROVIDED = NotProvided()
"""Stands for an argument that was left out."""


class Item:
    """What a store holds under one key.

    Args:
        value: The stored dictionary.
        key: Key within the namespace.
        namespace: Path of the collection, such as `("users", "123")`; kept as a tuple.
        created_at: When it was first stored. Also accepts ISO 8601 text.
        updated_at: When it was last stored. Also accepts ISO 8601 text.
    """

    __slots__ = ("created_at", "key", "namespace", "updated_at", "value")

    def __init__(
        self,
        *,
        value: dict[str, Any],
        key: str,
        namespace: tuple[str, ...],
        created_at: datetime,
        updated_at: datetime,
    ) -> None:
        self.value = value
        self.key = key
        # Decoding passes what JSON left of these three.
        self.namespace = tuple(namespace)
        self.created_at = _as_datetime(created_at)
        self.updated_at = _as_datetime(updated_at)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Item) and all(
            getattr(self, name) == getattr(other, name) for name in Item.__slots__
        )

    def __hash__(self) -> int:
        return hash((self.namespace, self.key))

    def dict(self) -> dict:
        """Return the item as plain data: the namespace as a list, times as ISO 8601 text."""
        return {
            "namespace": list(self.namespace),
            "key": self.key,
            "value": self.value,
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }

    def __repr__(self) -> str:
        return f"Item({', '.join(f'{name}={value!r}' for name, value in self.dict().items())})"


class SearchItem(Item):
    """An item found by a search.

    Args:
        namespace: Path of the collection.
        key: Key within the namespace.
        value: The stored dictionary.
        created_at: When it was first stored.
        updated_at: When it was last stored.
        score: Similarity to the query; `None` if the search did not rank.
    """

    __slots__ = ("score",)

    def __init__(
        self,
        namespace: tuple[str, ...],
        key: str,
        value: dict[str, Any],
        created_at: datetime,
        updated_at: datetime,
        score: float | None = None,
    ) -> None:
        super().__init__(
            value=value,
            key=key,
            namespace=namespace,
            created_at=created_at,
            updated_at=updated_at,
        )
        self.score = score

    def dict(self) -> dict:
        """Return the item as plain data, with its score."""
        return super().dict() | {"score": self.score}


class GetOp(NamedTuple):
    """Fetch one item."""

    namespace: tuple[str, ...]
    """Path of the collection."""
    key: str
    """Key within the namespace."""
    refresh_ttl: bool = True
    """Whether reading postpones the item's expiry. Means nothing without a time to live."""


class SearchOp(NamedTuple):
    """Find items in a namespace and everything below it."""

    namespace_prefix: tuple[str, ...]
    """Path to search under; `()` for the whole store."""
    filter: dict[str, Any] | None = None
    """Conditions on entries of the value.

    Either a value to equal, or operators: `$eq`, `$ne`, `$gt`, `$gte`, `$lt`, `$lte`. For example
    `{"color": "red", "score": {"$gte": 3.0}}`.
    """
    limit: int = 10
    """How many items to return at most."""
    offset: int = 0
    """How many matching items to skip."""
    query: str | None = None
    """Text to rank by similarity to, if the store has an index."""
    refresh_ttl: bool = True
    """Whether finding an item postpones its expiry. Means nothing without a time to live."""


NamespacePath = tuple[str | Literal["*"], ...]
"""A namespace in which `"*"` matches any one label."""

NamespaceMatchType = Literal["prefix", "suffix"]
"""Which end of a namespace to match."""


class MatchCondition(NamedTuple):
    """What the beginning or the end of a namespace has to look like."""

    match_type: NamespaceMatchType
    """Which end."""
    path: NamespacePath
    """The labels, with `"*"` for any."""


class ListNamespacesOp(NamedTuple):
    """List the namespaces that hold items."""

    match_conditions: tuple[MatchCondition, ...] | None = None
    """All of these must hold."""
    max_depth: int | None = None
    """Cut longer namespaces to this many labels; each result is listed once."""
    limit: int = 100
    """How many namespaces to return at most."""
    offset: int = 0
    """How many to skip."""


class PutOp(NamedTuple):
    """Store or delete one item."""

    namespace: tuple[str, ...]
    """Path of the collection."""
    key: str
    """Key within the namespace."""
    value: Mapping[str, Any] | None
    """What to store: string keys, values that JSON can carry. `None` deletes the item."""
    index: Literal[False] | list[str] | None = None  # type: ignore[assignment]
    """What to embed for semantic search, if the store has an index.

    A list of paths, `None` for the store's own choice, `False` for nothing. Paths are dotted, with
    `[0]`, `[-1]` or `[*]` for list entries, each of which is embedded on its own:
    `"metadata.title"`, `"chapters[*].content"`.
    """
    ttl: float | None = None
    """Minutes after which the item expires; `None` for never."""


Op = GetOp | SearchOp | PutOp | ListNamespacesOp
"""Anything that `BaseStore.batch` takes."""

Result = Item | list[Item] | list[SearchItem] | list[tuple[str, ...]] | None
"""What the operations return: an item or `None`, items, namespaces, or `None` for a put."""


class InvalidNamespaceError(ValueError):
    """A namespace is empty, has an unusable label, or is reserved."""


class TTLConfig(TypedDict, total=False):
    """How a store lets items expire."""

    refresh_on_read: bool
    """Whether reads postpone expiry unless told otherwise; true if missing."""
    omit_expired: bool
    """Whether reads leave out items that expired but are not deleted yet; false if missing."""
    default_ttl: float | None
    """Minutes to live for items stored without a `ttl`; `None` for ever."""
    sweep_interval_minutes: int | None
    """Minutes between deletions of expired items; `None` for no deletions."""


class IndexConfig(TypedDict, total=False):
    """How a store embeds items for semantic search."""

    dims: int
    """Length of the embedding vectors."""
    embed: Embeddings | EmbeddingsFunc | AEmbeddingsFunc | str
    """What embeds texts: a LangChain `Embeddings`, a function from texts to vectors, its
    asynchronous counterpart, or a name such as `"openai:text-embedding-3-small"`."""
    fields: list[str] | None
    """Paths of the texts to embed, as in `PutOp.index`; `["$"]`, the whole value as JSON, if
    missing. Paths that an item does not have are skipped."""


class BaseStore(ABC):
    """Interface of a store.

    A subclass implements `batch` and `abatch`; the other methods are made of these. Semantic search
    and expiry are optional: a store that lets items expire sets `supports_ttl`.
    """

    supports_ttl: bool = False
    ttl_config: TTLConfig | None = None
    """How long items live unless `put` says so, and how often what has expired is deleted."""

    __slots__ = ("__weakref__",)

    @abstractmethod
    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out operations and return their results in the same order."""

    @abstractmethod
    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Asynchronous `batch`."""

    def get(
        self, namespace: tuple[str, ...], key: str, *, refresh_ttl: bool | None = None
    ) -> Item | None:
        """Return the item under `key`, or `None`.

        Args:
            namespace: Path of the collection.
            key: Key within the namespace.
            refresh_ttl: Whether this postpones the item's expiry; `None` for the store's default.

        Raises:
            InvalidNamespaceError: a label is empty, no string, or contains `.` or NUL.
        """
        return self.batch([_get_op(self, namespace, str(key), refresh_ttl)])[0]  # type: ignore[return-value]

    def search(
        self,
        namespace_prefix: tuple[str, ...],
        /,
        *,
        query: str | None = None,
        filter: dict[str, Any] | None = None,
        limit: int = 10,
        offset: int = 0,
        refresh_ttl: bool | None = None,
    ) -> list[SearchItem]:
        """Return items in a namespace and everything below it.

        Args:
            namespace_prefix: Path to search under.
            query: Text to rank by similarity to, if the store has an index.
            filter: Conditions on entries of the value, see `SearchOp.filter`.
            limit: How many items to return at most.
            offset: How many matching items to skip.
            refresh_ttl: Whether this postpones the items' expiry; `None` for the store's default.

        Raises:
            InvalidNamespaceError: a label is empty, no string, or contains `.` or NUL.
        """
        bounds = (filter, limit, offset, query)
        return self.batch([_search_op(self, namespace_prefix, *bounds, refresh_ttl)])[0]  # type: ignore[return-value]

    def put(
        self,
        namespace: tuple[str, ...],
        key: str,
        value: Mapping[str, Any],
        index: Literal[False] | list[str] | None = None,
        *,
        ttl: float | NotProvided | None = NOT_PROVIDED,
    ) -> None:
        """Store an item, replacing the one already under `key`.

        Args:
            namespace: Path of the collection.
            key: Key within the namespace.
            value: What to store: string keys, values that JSON can carry.
            index: What to embed for semantic search, see `PutOp.index`.
            ttl: Minutes to live, `None` for ever; the store's default if left out.

        Raises:
            InvalidNamespaceError: the namespace is empty or begins with `"langgraph"`, or a label
                is empty, no string, or contains `.` or NUL.
            NotImplementedError: `ttl` was given and the store does not let items expire.
        """
        _validate_namespace(namespace)
        _require_ttl_support(self, ttl)
        self.batch([_put_op(self, namespace, str(key), value, index, ttl)])

    def delete(self, namespace: tuple[str, ...], key: str) -> None:
        """Delete the item under `key`, if there is one.

        Raises:
            InvalidNamespaceError: a label is empty, no string, or contains `.` or NUL.
        """
        _validate_namespace_labels(namespace)
        self.batch([PutOp(namespace, str(key), None)])

    def list_namespaces(
        self,
        *,
        prefix: NamespacePath | None = None,
        suffix: NamespacePath | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[tuple[str, ...]]:
        """Return the namespaces that hold items.

        Args:
            prefix: How they must begin; `"*"` stands for any label.
            suffix: How they must end.
            max_depth: Cut longer ones to this many labels; each result is listed once.
            limit: How many to return at most.
            offset: How many to skip.

        Raises:
            InvalidNamespaceError: a label is empty, no string, or contains `.` or NUL.
        """
        return self.batch([_list_op(prefix, suffix, max_depth, limit, offset)])[0]  # type: ignore[return-value]

    async def aget(
        self, namespace: tuple[str, ...], key: str, *, refresh_ttl: bool | None = None
    ) -> Item | None:
        """Asynchronous `get`."""
        return (await self.abatch([_get_op(self, namespace, str(key), refresh_ttl)]))[0]  # type: ignore[return-value]

    async def asearch(
        self,
        namespace_prefix: tuple[str, ...],
        /,
        *,
        query: str | None = None,
        filter: dict[str, Any] | None = None,
        limit: int = 10,
        offset: int = 0,
        refresh_ttl: bool | None = None,
    ) -> list[SearchItem]:
        """Asynchronous `search`."""
        bounds = (filter, limit, offset, query)
        return (await self.abatch([_search_op(self, namespace_prefix, *bounds, refresh_ttl)]))[0]  # type: ignore[return-value]

    async def aput(
        self,
        namespace: tuple[str, ...],
        key: str,
        value: Mapping[str, Any],
        index: Literal[False] | list[str] | None = None,
        *,
        ttl: float | NotProvided | None = NOT_PROVIDED,
    ) -> None:
        """Asynchronous `put`."""
        _validate_namespace(namespace)
        _require_ttl_support(self, ttl)
        await self.abatch([_put_op(self, namespace, str(key), value, index, ttl)])

    async def adelete(self, namespace: tuple[str, ...], key: str) -> None:
        """Asynchronous `delete`."""
        _validate_namespace_labels(namespace)
        await self.abatch([PutOp(namespace, str(key), None)])

    async def alist_namespaces(
        self,
        *,
        prefix: NamespacePath | None = None,
        suffix: NamespacePath | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[tuple[str, ...]]:
        """Asynchronous `list_namespaces`."""
        return (await self.abatch([_list_op(prefix, suffix, max_depth, limit, offset)]))[0]  # type: ignore[return-value]


def validate_op_namespace(op: Op) -> None:
    """Check the labels of an operation given straight to `batch`, which checks nothing itself.

    A store that joins labels into text should call this for every operation, lest the label `"a.b"`
    reach the namespace `("a", "b")`.

    Raises:
        InvalidNamespaceError: a label is empty, no string, or contains `.` or NUL.
    """
    if isinstance(op, (GetOp, PutOp)):
        _validate_namespace_labels(op.namespace)
    elif isinstance(op, SearchOp):
        _validate_namespace_labels(op.namespace_prefix)
    elif isinstance(op, ListNamespacesOp):
        for condition in op.match_conditions or ():
            _validate_namespace_labels(condition.path)


# --- from arguments to operations ---


def _get_op(
    store: BaseStore, namespace: tuple[str, ...], key: str, refresh_ttl: bool | None
) -> GetOp:
    _validate_namespace_labels(namespace)
    return GetOp(namespace, key, _ensure_refresh(store.ttl_config, refresh_ttl))


def _search_op(
    store: BaseStore,
    namespace_prefix: tuple[str, ...],
    filter: dict[str, Any] | None,
    limit: int,
    offset: int,
    query: str | None,
    refresh_ttl: bool | None,
) -> SearchOp:
    _validate_namespace_labels(namespace_prefix)
    refresh = _ensure_refresh(store.ttl_config, refresh_ttl)
    return SearchOp(namespace_prefix, filter, limit, offset, query, refresh)


def _put_op(
    store: BaseStore,
    namespace: tuple[str, ...],
    key: str,
    value: Mapping[str, Any],
    index: Literal[False] | list[str] | None,
    ttl: float | NotProvided | None,
) -> PutOp:
    return PutOp(namespace, key, value, index, _ensure_ttl(store.ttl_config, ttl))


def _list_op(
    prefix: NamespacePath | None,
    suffix: NamespacePath | None,
    max_depth: int | None,
    limit: int,
    offset: int,
) -> ListNamespacesOp:
    conditions = []
    for match_type, path in (("prefix", prefix), ("suffix", suffix)):
        if path:
            _validate_namespace_labels(path)
            conditions.append(MatchCondition(match_type, path))  # type: ignore[arg-type]
    return ListNamespacesOp(tuple(conditions), max_depth, limit, offset)


# --- checks and defaults, also used by other stores ---


def _validate_namespace(namespace: tuple[str, ...]) -> None:
    if not namespace:
        raise InvalidNamespaceError("Namespace cannot be empty.")
    _validate_namespace_labels(namespace)
    if namespace[0] == "langgraph":
        raise InvalidNamespaceError(
            f'Root label for namespace cannot be "langgraph". Got: {namespace}'
        )


def _validate_namespace_labels(namespace: tuple[str, ...]) -> None:
    for label in namespace:
        if not isinstance(label, str):
            problem = f"must be strings, but got {type(label).__name__}"
        elif "." in label:
            problem = "cannot contain periods ('.')"
        elif "\0" in label:
            problem = "cannot contain NUL bytes ('\\x00')"
        elif not label:
            raise InvalidNamespaceError(
                f"Namespace labels cannot be empty strings. Got {label} in {namespace}"
            )
        else:
            continue
        raise InvalidNamespaceError(
            f"Invalid namespace label '{label}' found in {namespace}. Namespace labels {problem}."
        )


def _require_ttl_support(store: BaseStore, ttl: float | NotProvided | None) -> None:
    if ttl is not None and ttl is not NOT_PROVIDED and not store.supports_ttl:
        raise NotImplementedError(
            f"TTL is not supported by {type(store).__name__}. "
            f"Use a store implementation that supports TTL or set ttl=None."
        )


def _ensure_refresh(ttl_config: TTLConfig | None, refresh_ttl: bool | None = None) -> bool:
    if refresh_ttl is not None:
        return refresh_ttl
    return True if ttl_config is None else ttl_config.get("refresh_on_read", True)


def _ensure_ttl(
    ttl_config: TTLConfig | None, ttl: float | NotProvided | None = NOT_PROVIDED
) -> float | None:
    if not isinstance(ttl, NotProvided):
        return ttl
    return ttl_config.get("default_ttl") if ttl_config else None


def _as_datetime(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def __getattr__(name: str) -> Any:
    # Kept out of the import, which must not load langchain-core.
    if name == "Embeddings":
        from langchain_core.embeddings import Embeddings

        return Embeddings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "BaseStore",
    "Embeddings",
    "GetOp",
    "Item",
    "ListNamespacesOp",
    "MatchCondition",
    "NamespaceMatchType",
    "NamespacePath",
    "Op",
    "PutOp",
    "SearchOp",
    "ensure_embeddings",
    "get_text_at_path",
    "tokenize_path",
    "validate_op_namespace",
]
