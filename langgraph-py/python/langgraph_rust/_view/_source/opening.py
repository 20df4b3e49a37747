"""Which kind of database a name means."""

from __future__ import annotations

from langgraph_rust._storage.database import Unusable
from langgraph_rust._view._source.source import Source


def open_source(name: str) -> Source:
    """Open a database for looking.

    Args:
        name: The path of a file of SQLite, or the URL of a Postgres database.

    Raises:
        Unusable: it is not there, cannot be read, or holds no checkpoints.
    """
    kind, separator, _ = name.partition("://")
    if not separator:
        from langgraph_rust._view._source.sqlite import Sqlite

        return Sqlite(name)
    if kind not in ("postgres", "postgresql"):
        raise Unusable(
            f"{kind} databases are not supported: only files of SQLite, and postgresql://"
        )
    try:
        from langgraph_rust._view._source.postgres import Postgres
    except ImportError as error:
        raise Unusable(
            f"Postgres takes psycopg, which is not there: {error}. "
            "Install it with `pip install langgraph-rust[postgres]`"
        ) from error
    return Postgres(name)
