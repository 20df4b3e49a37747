"""The tables, which LangGraph's own store shares, and how a database gets them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress

from langgraph_rust.checkpoint.sqlite._commits import transact
from langgraph_rust.store.sqlite._namespaces import NS_MATCH_FUNCTION, namespace_match

MIGRATIONS = [
    """
    CREATE TABLE IF NOT EXISTS store (
        prefix text NOT NULL,
        key text NOT NULL,
        value text NOT NULL,
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
        updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
        PRIMARY KEY (prefix, key)
    )
    """,
    "CREATE INDEX IF NOT EXISTS store_prefix_idx ON store (prefix)",
    "ALTER TABLE store ADD COLUMN expires_at TIMESTAMP",
    "ALTER TABLE store ADD COLUMN ttl_minutes REAL",
    """
    CREATE INDEX IF NOT EXISTS idx_store_expires_at ON store (expires_at)
    WHERE expires_at IS NOT NULL
    """,
]
"""What made the tables what they are, one statement each; a database remembers how many it had."""

VECTOR_MIGRATIONS = [
    """
    CREATE TABLE IF NOT EXISTS store_vectors (
        prefix text NOT NULL,
        key text NOT NULL,
        field_name text NOT NULL,
        embedding BLOB,
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
        updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
        PRIMARY KEY (prefix, key, field_name),
        FOREIGN KEY (prefix, key) REFERENCES store(prefix, key) ON DELETE CASCADE
    )
    """,
]
"""The same of what semantic search needs."""


def set_up(
    connection: sqlite3.Connection,
    migrations: Sequence[str],
    vector_migrations: Sequence[str] | None,
) -> bool:
    """Bring the tables up to date; writes nothing if they are.

    Args:
        connection: Used by this thread alone meanwhile.
        migrations: Those of the items.
        vector_migrations: Those of the vectors; `None` for a store without an index.

    Returns:
        Whether there are vectors, of this store or of another with an index.

    Raises:
        sqlite3.NotSupportedError: there is an index, and this Python's SQLite loads no extensions.
        sqlite3.Error: the database cannot be used.
    """
    connection.create_function(NS_MATCH_FUNCTION, 2, namespace_match, deterministic=True)
    # Whatever the caller has begun: the mode cannot change within it.
    connection.commit()
    # A database that is read-only, or in use, keeps the mode that it has.
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode=WAL")
    _migrate(connection, "store_migrations", migrations)
    if vector_migrations is not None:
        _load_vector_functions(connection)
        _migrate(connection, "vector_migrations", vector_migrations)
    return _has_table(connection, "store_vectors")


def _migrate(connection: sqlite3.Connection, table: str, migrations: Sequence[str]) -> None:
    def work(connection: sqlite3.Connection) -> None:
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} (v INTEGER PRIMARY KEY)")
        # Another process may have been quicker.
        for version in range(_version(connection, table) + 1, len(migrations)):
            try:
                connection.execute(migrations[version])
            except sqlite3.OperationalError as error:
                # LangGraph's store may have ended between the change and the note of it.
                if "duplicate column name" not in str(error):
                    raise
            connection.execute(f"INSERT INTO {table} (v) VALUES (?)", (version,))

    if _version(connection, table) < len(migrations) - 1:
        transact(connection, [work])


def _version(connection: sqlite3.Connection, table: str) -> int:
    """Return the newest migration that the database had, or -1."""
    if not _has_table(connection, table):
        return -1
    cursor = connection.cursor()
    # The owner of the connection may like rows to be something else.
    cursor.row_factory = None
    newest = cursor.execute(f"SELECT max(v) FROM {table}").fetchone()[0]
    return -1 if newest is None else newest


def _has_table(connection: sqlite3.Connection, table: str) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, (table,)).fetchone() is not None


def _load_vector_functions(connection: sqlite3.Connection) -> None:
    try:
        import sqlite_vec
    except ImportError as error:
        raise ImportError(
            "Semantic search in SQLite needs the sqlite-vec package: `pip install sqlite-vec`"
        ) from error
    if not hasattr(connection, "enable_load_extension"):
        raise sqlite3.NotSupportedError(
            "The sqlite3 of this Python was built without loadable extensions, so it cannot load "
            "sqlite-vec, which semantic search needs. Use a Python that was built with "
            "--enable-loadable-sqlite-extensions, or leave out `index`."
        )
    connection.enable_load_extension(True)
    try:
        sqlite_vec.load(connection)
    finally:
        connection.enable_load_extension(False)
