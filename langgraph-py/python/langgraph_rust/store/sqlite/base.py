"""The store for use without asyncio, and what both stores have."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from langgraph_rust.checkpoint.base._sweep import Notices, Swept
from langgraph_rust.checkpoint.sqlite import _PATIENCE
from langgraph_rust.checkpoint.sqlite._commits import Commits, read
from langgraph_rust.store.base import (
    BaseStore,
    IndexConfig,
    ListNamespacesOp,
    Op,
    Result,
    TTLConfig,
    ensure_embeddings,
    tokenize_path,
)
from langgraph_rust.store.sqlite._batch import Batch
from langgraph_rust.store.sqlite._namespaces import NS_MATCH_FUNCTION, list_query
from langgraph_rust.store.sqlite._namespaces import escape_glob as _escape_glob_literal
from langgraph_rust.store.sqlite._namespaces import match_pattern as _namespace_match_pattern
from langgraph_rust.store.sqlite._queries import PreparedGetQuery, Reading, sweep
from langgraph_rust.store.sqlite._schema import MIGRATIONS, VECTOR_MIGRATIONS, set_up

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

__all__ = (
    "MIGRATIONS",
    "NS_MATCH_FUNCTION",
    "VECTOR_MIGRATIONS",
    "BaseSqliteStore",
    "PreparedGetQuery",
    "SqliteIndexConfig",
    "SqliteStore",
    "_escape_glob_literal",
    "_namespace_match_pattern",
)

_NO_ASYNC = (
    "The SqliteStore does not support async methods. Consider using AsyncSqliteStore instead.\n"
    "from langgraph.store.sqlite.aio import AsyncSqliteStore\n"
    "It requires the aiosqlite package: `pip install aiosqlite`"
)


class SqliteIndexConfig(IndexConfig, total=False):
    """How items are embedded for semantic search."""

    text_fields: list[str] | str | None
    """The same as `fields`; counts if both are there."""
    distance_type: str
    """How vectors are compared: `"cosine"`, if missing; `"l2"`; or `"inner_product"`, for which the
    sum of the differences (L1) stands in. The higher the score, the nearer."""


class BaseSqliteStore:
    """What the stores for SQLite have in common: their configuration, and what follows from it."""

    MIGRATIONS = MIGRATIONS
    """What `setup` does to a database, in order."""
    VECTOR_MIGRATIONS = VECTOR_MIGRATIONS
    """The same for the table of vectors, if there is an index."""
    supports_ttl = True
    """Items may expire."""
    index_config: SqliteIndexConfig | None = None
    """What is searched by meaning, and how."""
    ttl_config: TTLConfig | None = None
    """How long items live unless `put` says so, and how often what has expired is deleted."""

    _deserializer: Callable[[Any], dict[str, Any]] | None = None
    _has_vectors = False

    def _set_up(self, connection: sqlite3.Connection) -> None:
        vector_migrations = self.VECTOR_MIGRATIONS if self.index_config else None
        self._has_vectors = set_up(connection, self.MIGRATIONS, vector_migrations)

    def _prepare(self, ops: Iterable[Op]) -> Batch:
        index: Any = self.index_config
        paths = index["__tokenized_fields"] if index else None
        return Batch(ops, self._reading(), paths, has_vectors=self._has_vectors)

    def _reading(self) -> Reading:
        ttl = self.ttl_config or {}
        index = self.index_config
        return Reading(
            refreshes=bool(ttl.get("refresh_on_read", False)),
            omits_expired=bool(ttl.get("omit_expired", False)),
            distance_type=index.get("distance_type", "cosine") if index else None,
        )

    def _get_batch_list_namespaces_queries(
        self, list_ops: Sequence[tuple[int, ListNamespacesOp]]
    ) -> list[tuple[str, Sequence[Any]]]:
        omits_expired = self._reading().omits_expired
        return [list_query(op, omits_expired=omits_expired) for _, op in list_ops]


class SqliteStore(BaseSqliteStore, BaseStore, Swept):
    """Keeps items in a SQLite database, in tables that LangGraph's own store shares.

    The database is put into WAL mode. Every call that stores is one transaction, on disk when it
    returns (unless the connection was set to less than SQLite's `synchronous=FULL`); calls from
    several threads share commits. Texts are embedded before the database is locked: if that fails,
    nothing is stored. For use without asyncio.

    Args:
        conn: The connection. Made with `check_same_thread=False`, it may be used from any thread.
            How long it waits for other writers is its `timeout`.
        deserializer: Makes a value of what is stored, which is JSON; `orjson.loads` if left out.
        index: What to embed and how; needs sqlite-vec. Without it there is no semantic search, and
            the `index` arguments of the methods mean nothing.
        ttl: How items expire. Without it, only those that are given a time to live do, and nothing
            is swept by itself.

    Example:
        ```python
        with SqliteStore.from_conn_string("memories.sqlite") as store:
            store.setup()
            store.put(("users", "123"), "prefs", {"theme": "dark"})
            store.get(("users", "123"), "prefs").value  # {"theme": "dark"}
            store.search(("users",), filter={"theme": "dark"})
        ```
    """

    supports_ttl = True
    """Items may expire."""
    _notices = Notices(logging.getLogger("langgraph.store.sqlite.base"), "store", "items")

    def __init__(
        self,
        conn: sqlite3.Connection,
        *,
        deserializer: Callable[[Any], dict[str, Any]] | None = None,
        index: SqliteIndexConfig | None = None,
        ttl: TTLConfig | None = None,
    ) -> None:
        super().__init__()
        self._deserializer = deserializer
        self.embeddings, self.index_config = _ensure_index_config(index)
        self.ttl_config = ttl
        self.conn = conn
        self.lock = threading.Lock()
        self.is_setup = False
        self._commits = Commits()

    @classmethod
    @contextmanager
    def from_conn_string(
        cls,
        conn_string: str,
        *,
        index: SqliteIndexConfig | None = None,
        ttl: TTLConfig | None = None,
    ) -> Iterator[SqliteStore]:
        """Open a database for as long as a `with` block lasts; then a sweeper is stopped, too.

        Args:
            conn_string: Path of the file, or `":memory:"`.
            index: As for the class.
            ttl: As for the class.
        """
        connection = sqlite3.connect(
            conn_string, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        with closing(connection) as conn:
            store = cls(conn, index=index, ttl=ttl)
            try:
                yield store
            finally:
                store.stop_ttl_sweeper()

    def setup(self) -> None:
        """Make the tables, or bring them up to date. Called when needed.

        Raises:
            ImportError: there is an index, and no sqlite-vec.
            sqlite3.Error: the database cannot be used, or there is an index and this Python's
                SQLite loads no extensions.
        """
        with self.lock:
            if not self.is_setup:
                self._set_up(self.conn)
                self.is_setup = True

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out operations in one transaction. Reads see the state before, puts apply after.

        Raises:
            ValueError: an operation, a namespace or a filter that cannot be, or the embedding
                function did not return one vector for each text.
            TypeError: JSON cannot carry a value.
            sqlite3.Error: the database cannot be used. Then, as always, nothing was stored.
        """
        self._ready()
        batch = self._prepare(ops)
        if batch.texts and self.embeddings:
            batch.embed(self.embeddings.embed_documents(batch.texts))
        if batch.writes:
            self._commits.store(batch.run, self.lock, lambda: self.conn)
        else:
            with self.lock:
                read(self.conn, batch.run)
        return batch.results(self._deserializer)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Not supported; raises `NotImplementedError`."""
        raise NotImplementedError(_NO_ASYNC)

    def sweep_ttl(self) -> int:
        """Delete the items that have expired; return how many."""
        self._ready()
        count = 0

        def work(connection: sqlite3.Connection) -> None:
            nonlocal count
            count = sweep(connection, has_vectors=self._has_vectors)

        self._commits.store(work, self.lock, lambda: self.conn)
        return count

    # --- helpers ---

    def _ready(self) -> None:
        if not self.is_setup:
            self.setup()


def _ensure_index_config(
    index: SqliteIndexConfig | None,
) -> tuple[Embeddings | None, SqliteIndexConfig | None]:
    """Return what embeds, and the configuration with its paths in steps; `None` without an index.

    Raises:
        ValueError: the fields are neither text nor a list, or nothing embeds.
    """
    if not index:
        return None, None
    config: Any = index.copy()
    fields = index.get("text_fields") or index.get("fields") or ["$"]
    if isinstance(fields, str):
        fields = [fields]
    if not isinstance(fields, list):
        raise ValueError(f"Text fields must be a list or a string. Got {fields}")
    paths = [(path, path if path == "$" else tokenize_path(path)) for path in fields]
    config["__tokenized_fields"] = paths
    config["__estimated_num_vectors"] = sum(1 if path == "$" else len(path) for _, path in paths)
    return ensure_embeddings(index.get("embed")), config
