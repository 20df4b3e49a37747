"""The store for programs without asyncio, and what it shares with the other."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar, cast

from psycopg import Capabilities, Connection, Cursor, Pipeline, pq
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

from langgraph_rust.checkpoint.base._sweep import Notices, Swept
from langgraph_rust.checkpoint.postgres import _ainternal, _internal
from langgraph_rust.store.base import BaseStore, Op, Result, TTLConfig
from langgraph_rust.store.postgres import _batch, _index, _rows, _schema, _statements
from langgraph_rust.store.postgres._batch import Batch, Grouped
from langgraph_rust.store.postgres._index import (
    ANNIndexConfig,
    HNSWConfig,
    IVFFlatConfig,
    PoolConfig,
    PostgresIndexConfig,
    get_distance_operator,
)
from langgraph_rust.store.postgres._schema import MIGRATIONS, VECTOR_MIGRATIONS, Migration
from langgraph_rust.store.postgres._statements import Statement

if TYPE_CHECKING:
    from datetime import datetime

    from langchain_core.embeddings import Embeddings

__all__ = (
    "MIGRATIONS",
    "PLACEHOLDER",
    "VECTOR_MIGRATIONS",
    "ANNIndexConfig",
    "BasePostgresStore",
    "HNSWConfig",
    "IVFFlatConfig",
    "Migration",
    "PoolConfig",
    "PostgresIndexConfig",
    "PostgresStore",
    "Row",
    "get_distance_operator",
)

PLACEHOLDER = object()
"""Upstream's stand-in for a vector that is not there yet; here a statement is made when it is."""

# Upstream's private names, which other packages import.
_decode_ns_bytes = _rows.text_to_namespace
_ensure_index_config = _index.ensure_index_config
_escape_like_literal = _rows.escape_like_literal
_group_ops = _batch.group_ops
_json_loads = _rows.json_loads
_namespace_match_pattern = _rows.namespace_match_pattern
_namespace_prefix_condition = _rows.namespace_prefix_condition
_namespace_to_text = _rows.namespace_to_text
_row_to_item = _rows.row_to_item
_row_to_search_item = _rows.row_to_search_item

C = TypeVar("C", bound=_internal.Conn | _ainternal.Conn)


class Row(TypedDict):
    """A row of the table `store`."""

    key: str
    """The item's key."""
    value: Any
    """The item."""
    prefix: str
    """Its namespace, joined with dots."""
    created_at: datetime
    """When it was first stored."""
    updated_at: datetime
    """When it was last stored."""


class BasePostgresStore(Generic[C]):
    """What the store and its asyncio twin share: configuration, and how filters become SQL."""

    MIGRATIONS = MIGRATIONS
    """What `setup` does to a database, in order."""
    VECTOR_MIGRATIONS = VECTOR_MIGRATIONS
    """The same for the table of vectors, if there is an index."""
    conn: C
    """A connection whose rows are dicts, or a pool of such."""
    pipe: Any = None
    """A pipeline of the connection, if statements go through one."""
    supports_pipeline: bool
    """Whether the client's libpq can send statements without waiting for each."""
    embeddings: Embeddings | None = None
    """What makes vectors of texts, if there is an index."""
    index_config: PostgresIndexConfig | None = None
    """What is searched by meaning, and how."""
    ttl_config: TTLConfig | None = None
    """How long items live unless `put` says so, and how often what has expired is deleted."""
    _deserializer: Callable[[Any], dict[str, Any]] | None = None

    def _configure(
        self,
        conn: C,
        pipe: Any,
        deserializer: Callable[[Any], dict[str, Any]] | None,
        index: PostgresIndexConfig | None,
        ttl: TTLConfig | None,
    ) -> None:
        self.conn = conn
        self.pipe = pipe
        self._deserializer = deserializer
        self.supports_pipeline = Capabilities().has_pipeline()
        self.index_config = index
        if index:
            self.embeddings, self.index_config = _ensure_index_config(index)
        self.ttl_config = ttl

    @property
    def _omit_expired(self) -> bool:
        return bool(self.ttl_config and self.ttl_config.get("omit_expired"))

    def _together(self, conn: Any, pipeline: bool) -> Any:
        """Return what makes one transaction of what is executed, if anything must."""
        if conn.pgconn.pipeline_status == pq.PipelineStatus.OFF:
            idle = conn.info.transaction_status == pq.TransactionStatus.IDLE
            if conn is self.conn and idle and not conn.autocommit:
                # The one that psycopg begins would stay open. A pool ends those of its connections.
                return conn.transaction
            if not pipeline:
                return None
        # Within a pipeline nothing is committed before it is told to.
        return conn.pipeline if self.supports_pipeline else conn.transaction

    def _get_filter_condition(self, key: str, op: str, value: Any) -> tuple[str, list]:
        """Return a condition on `value`, the column, and its parameters; others override this."""
        return _statements.filter_condition(key, op, value)


class PostgresStore(BaseStore, BasePostgresStore[_internal.Conn], Swept):
    """Keeps items in a Postgres database, in tables that LangGraph's own store shares.

    With an index, items are embedded as they are stored, and `search` with a `query` ranks them by
    similarity, which needs pgvector. Call `setup` once for a database. A batch is one transaction;
    whatever it takes to embed and encode is done before it has a connection. For use without
    asyncio; may be used by several threads, which with a pool do not wait for each other.

    Args:
        conn: A connection or a pool. A transaction that the caller has begun on the connection is
            left for them to end. `setup` may need `autocommit=True`.
        pipe: The pipeline that the connection is in, if it is in one.
        deserializer: Makes a value of what the connection returns for JSON, unless that is a
            dictionary.
        index: What to embed and how. Without it there is no semantic search, and the `index`
            arguments of the methods mean nothing.
        ttl: How items expire. They are deleted by `sweep_ttl`, or from time to time after
            `start_ttl_sweeper`.

    Raises:
        ValueError: `index` cannot be used, or there is a pipeline with a pool.

    Example:
        ```python
        with PostgresStore.from_conn_string("postgresql://user:pass@localhost/app") as store:
            store.setup()
            store.put(("users", "123"), "prefs", {"theme": "dark"})
            store.get(("users", "123"), "prefs")
        ```
    """

    supports_ttl: bool = True
    """Items may expire."""
    _notices = Notices(logging.getLogger("langgraph.store.postgres.base"), "store", "items")

    def __init__(
        self,
        conn: _internal.Conn,
        *,
        pipe: Pipeline | None = None,
        deserializer: Callable[[Any], dict[str, Any]] | None = None,
        index: PostgresIndexConfig | None = None,
        ttl: TTLConfig | None = None,
    ) -> None:
        if isinstance(conn, ConnectionPool) and pipe is not None:
            raise ValueError(
                "Pipeline should be used only with a single Connection, not ConnectionPool."
            )
        super().__init__()
        # Whoever has a cursor may call the store.
        self.lock = threading.RLock()
        self._configure(conn, pipe, deserializer, index, ttl)

    @classmethod
    @contextmanager
    def from_conn_string(
        cls,
        conn_string: str,
        *,
        pipeline: bool = False,
        pool_config: PoolConfig | None = None,
        index: PostgresIndexConfig | None = None,
        ttl: TTLConfig | None = None,
    ) -> Iterator[PostgresStore]:
        """Connect to a database for as long as a `with` block lasts.

        Args:
            conn_string: Where it is: a URL or the `key=value` pairs of libpq.
            pipeline: Whether the connection stays in pipeline mode; means nothing with a pool.
            pool_config: Makes a pool instead of a connection.
            index: What to embed and how.
            ttl: How items expire.

        Raises:
            psycopg.OperationalError: it cannot be reached.
        """
        if pool_config is not None:
            with ConnectionPool(conn_string, **_index.pool_arguments(pool_config)) as pool:
                yield cls(conn=cast("Any", pool), index=index, ttl=ttl)
            return
        with Connection[DictRow].connect(
            conn_string, autocommit=True, row_factory=dict_row
        ) as conn:
            if pipeline:
                with conn.pipeline() as pipe:
                    yield cls(conn, pipe=pipe, index=index, ttl=ttl)
            else:
                yield cls(conn, index=index, ttl=ttl)

    def setup(self) -> None:
        """Make the tables, or bring them up to date. Needed once for a database.

        Raises:
            ValueError: the index cannot be made of its configuration.
            psycopg.Error: the database does not allow it, or has no pgvector.
        """
        for statement in _schema.steps(self):
            try:
                self._execute(statement)
            except _schema.MADE_MEANWHILE:
                self._execute(statement)

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out operations in one transaction.

        Reads see the state before the batch; of several puts on one item the last counts.

        Raises:
            InvalidNamespaceError: a label is empty, no string, or contains `.` or NUL.
            ValueError: an operation, or an operator of a filter, is of no known kind.
            TypeError: a value or a filter is nothing that JSON can carry.
            psycopg.Error: the database cannot be used; nothing was stored.
        """
        grouped, count = _group_ops(ops)
        results: list[Result] = [None] * count
        self._execute_batch(grouped, results)
        return results

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Run `batch` in a thread."""
        return await asyncio.get_running_loop().run_in_executor(None, self.batch, ops)

    def sweep_ttl(self) -> int:
        """Delete what has expired, and return how many items that were."""
        counts: list[int] = []
        self._execute(_statements.sweep(counts))
        return sum(counts)

    def _execute_batch(self, grouped_ops: Grouped, results: list[Result]) -> None:
        batch = Batch(self, grouped_ops)
        vectors: Sequence[Any] = ()
        if batch.texts and self.embeddings:
            vectors = self.embeddings.embed_documents(batch.texts)
        statements = batch.statements(vectors)
        if len(statements) == 1:
            self._execute(statements[0], results)
        else:
            self._execute_together(statements, results)

    def _execute(self, statement: Statement, results: Any = ()) -> None:
        with self._cursor() as cur:
            cur.execute(statement.sql, statement.params, prepare=statement.prepare)
            rows = cur.fetchall() if statement.answer else []
        if statement.answer:
            statement.answer(rows, results)

    def _execute_together(self, statements: Sequence[Statement], results: list[Result]) -> None:
        # The pipeline ends before anything is fetched: one trip to the server for all.
        with self._cursor(pipeline=True) as cur:
            cursors = [cur.connection.cursor(binary=True, row_factory=dict_row) for _ in statements]
            for own, statement in zip(cursors, statements, strict=True):
                own.execute(statement.sql, statement.params)
        for own, statement in zip(cursors, statements, strict=True):
            if statement.answer:
                statement.answer(own.fetchall(), results)

    @contextmanager
    def _cursor(self, *, pipeline: bool = False) -> Iterator[Cursor[DictRow]]:
        """Give a cursor of a connection to oneself, which returns rows as dictionaries.

        With `pipeline`, what is executed is one transaction. Others override this.
        """
        lock = nullcontext() if isinstance(self.conn, ConnectionPool) else self.lock
        with _schema.explained(), lock, _internal.get_connection(self.conn) as conn:
            together = self._together(conn, pipeline) or nullcontext
            with together(), conn.cursor(binary=True, row_factory=dict_row) as cur:
                yield cur
