"""The tables of a store, which LangGraph's own store shares, and how a database gets them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from psycopg import OperationalError, errors

from langgraph_rust.checkpoint.postgres._advice import Advice
from langgraph_rust.checkpoint.postgres._advice import explained as explained_by
from langgraph_rust.store.postgres import _index
from langgraph_rust.store.postgres._statements import Statement

MIGRATIONS: Sequence[str] = [
    """
    CREATE TABLE IF NOT EXISTS store (
        prefix text NOT NULL,
        key text NOT NULL,
        value jsonb NOT NULL,
        created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
        updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
        PRIMARY KEY (prefix, key)
    );
    """,
    """
    CREATE INDEX CONCURRENTLY IF NOT EXISTS store_prefix_idx
    ON store USING btree (prefix text_pattern_ops);
    """,
    """
    ALTER TABLE store
    ADD COLUMN IF NOT EXISTS expires_at timestamptz,
    ADD COLUMN IF NOT EXISTS ttl_minutes INT;
    """,
    """
    CREATE INDEX IF NOT EXISTS idx_store_expires_at
    ON store (expires_at) WHERE expires_at IS NOT NULL;
    """,
]
"""What makes the tables, step by step. How many were taken is in `store_migrations`.

`prefix` is the namespace, its labels joined by dots; `ttl_minutes` what `expires_at` is moved by.
"""


class Migration(NamedTuple):
    """A step towards the tables for vectors."""

    sql: str
    """The statement, with a `%(name)s` for each of `params`."""
    params: dict[str, Any] | None = None
    """What to put there: values, or functions of the store."""
    condition: Callable[[Any], bool] | None = None
    """Whether the store needs it."""

    def statement(self, store: Any) -> str | None:
        """Return the statement for a store, or `None` if it needs none.

        Raises:
            ValueError: the store's index cannot be made.
        """
        if self.condition and not self.condition(store):
            return None
        if not self.params:
            return self.sql
        return self.sql % {
            name: param(store) if callable(param) else param for name, param in self.params.items()
        }


VECTOR_MIGRATIONS: Sequence[Migration] = [
    Migration("CREATE EXTENSION IF NOT EXISTS vector;"),
    Migration(
        """
        CREATE TABLE IF NOT EXISTS store_vectors (
            prefix text NOT NULL,
            key text NOT NULL,
            field_name text NOT NULL,
            embedding %(vector_type)s(%(dims)s),
            created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
            updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
            PRIMARY KEY (prefix, key, field_name),
            FOREIGN KEY (prefix, key) REFERENCES store (prefix, key) ON DELETE CASCADE
        );
        """,
        {"vector_type": _index.vector_type, "dims": _index.dimensions},
    ),
    Migration(
        """
        CREATE INDEX CONCURRENTLY IF NOT EXISTS store_vectors_embedding_idx
        ON store_vectors USING %(index_type)s (embedding %(ops)s)%(index_params)s;
        """,
        {
            "index_type": _index.index_kind,
            "ops": _index.operator_class,
            "index_params": _index.index_options,
        },
        lambda store: _index.index_kind(store) != "flat",
    ),
]
"""What makes the table of vectors, in a store with an index. Counted in `vector_migrations`."""


MADE_MEANWHILE = (
    errors.UniqueViolation,
    errors.DuplicateTable,
    errors.DuplicateObject,
    # Of two that make indexes of one table, of which one does it concurrently.
    errors.DeadlockDetected,
)
"""What a step says that another process took at the same time; taken again, it finds all there."""


def steps(store: Any) -> Iterator[Statement]:
    """Yield the statements that bring a database up to date; each must be answered before the next.

    Unless the tables are new, each needs a transaction of its own: an index that is made
    concurrently does.

    Raises:
        ValueError: the store's index cannot be made.
    """
    yield from _since("store_migrations", [(lambda sql=sql: sql) for sql in store.MIGRATIONS])
    if store.index_config:
        vectors = [(lambda step=step: step.statement(store)) for step in store.VECTOR_MIGRATIONS]
        yield from _since("vector_migrations", vectors)


def _since(table: str, statements: Sequence[Callable[[], str | None]]) -> Iterator[Statement]:
    yield _unprepared(f"CREATE TABLE IF NOT EXISTS {table} (v INTEGER PRIMARY KEY)")
    versions: list[int] = []
    newest = _unprepared(f"SELECT coalesce(max(v), -1) AS v FROM {table}")
    yield newest._replace(answer=lambda rows, _: versions.extend(row["v"] for row in rows))
    for number, statement in enumerate(statements):
        if number <= versions[0] or (sql := statement()) is None:
            continue
        if versions[0] < 0:
            # A new table has nobody who waits, and several who make indexes concurrently may wait
            # for each other.
            sql = sql.replace(" CONCURRENTLY", "")
        yield _unprepared(sql)
        taken = f"INSERT INTO {table} (v) VALUES (%s) ON CONFLICT DO NOTHING"
        yield _unprepared(taken, number)


def _unprepared(sql: str, *params: Any) -> Statement:
    # Where tables are altered psycopg forgets what it has prepared, even amid a pipeline.
    return Statement(sql, params, prepare=False)


_PGVECTOR = (
    "A store with an `index` keeps its vectors with pgvector. Install it on the server "
    "(https://github.com/pgvector/pgvector#installation; packages are called "
    "`postgresql-NN-pgvector`), or make the store without `index`."
)

_ADVICE: Advice = (
    ((errors.FeatureNotSupported, errors.UndefinedFile), 'extension "vector"', _PGVECTOR),
    (
        errors.InsufficientPrivilege,
        'extension "vector"',
        "Have an administrator run `CREATE EXTENSION vector` in this database once.",
    ),
    (
        errors.UndefinedObject,
        'type "vector"',
        "pgvector is not in this database, or not on the `search_path`: run `CREATE EXTENSION "
        "vector` in it.",
    ),
    (
        errors.UndefinedObject,
        'type "halfvec"',
        "`halfvec` needs pgvector 0.7 or newer: update it and run `ALTER EXTENSION vector UPDATE`.",
    ),
    (
        errors.UndefinedTable,
        '"store_vectors"',
        "Call `setup()` of a store with this `index` once.",
    ),
    (errors.UndefinedTable, '"store"', "Call `setup()` of the store once."),
    (
        OperationalError,
        "connection is closed",
        "Make the store anew, or give it a pool, which replaces connections that are lost.",
    ),
    (
        errors.ActiveSqlTransaction,
        "CONCURRENTLY",
        "Call `setup()` of a store whose connections have `autocommit=True`, outside of a "
        "transaction.",
    ),
)

explained = partial(explained_by, _ADVICE)
"""Adds to errors of the database what to do about them, where that is known."""
