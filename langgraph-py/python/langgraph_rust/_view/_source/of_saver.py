"""Where a saver keeps its threads."""

from __future__ import annotations

import sqlite3
import sys
from typing import Any
from urllib.parse import quote, urlencode

from langgraph_rust._storage.database import Unusable


def database_of(saver: Any) -> str:
    """Return the path or the URL of a saver's database, which has tables then.

    Raises:
        Unusable: it has none that can be found out, or none that others can open.
    """
    kind = type(saver).__name__
    if isinstance(connection := getattr(saver, "conn", None), sqlite3.Connection):
        return _file(saver, connection)
    if path := getattr(saver, "_path", None):
        return _made(path)
    # No instance of a class can exist before its module does.
    if "psycopg" in sys.modules and (url := _url(connection)):
        return url
    raise Unusable(f"the threads of {kind} cannot be found here: name their database")


def _file(saver: Any, connection: sqlite3.Connection) -> str:
    try:
        with saver.lock:
            files = {name: file for _, name, file in connection.execute("PRAGMA database_list")}
    except sqlite3.Error as error:
        raise Unusable(f"the saver's connection cannot be asked: {error}") from error
    return _made(files["main"])


def _made(path: str) -> str:
    if not path or ":memory:" in path:
        raise Unusable("SQLite's databases in memory can only be seen by who has opened them")
    from langgraph_rust.checkpoint.sqlite._rows import set_up

    try:
        connection = sqlite3.connect(path, timeout=10)
        try:
            set_up(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise Unusable(f"{path} cannot be opened: {error}") from error
    return path


def _url(connection: Any) -> str | None:
    """Return the URL of a connection of psycopg's, or a pool of them."""
    from langgraph_rust.checkpoint.postgres._internal import conninfo_of

    found: dict[str, Any] | None
    if hasattr(connection, "conninfo"):
        if (found := conninfo_of(connection)) is None:
            return None
    elif info := getattr(connection, "info", None):
        found = {**info.get_parameters(), "password": info.password}
    else:
        return None
    user, name = quote(str(found.pop("user", ""))), quote(str(found.pop("dbname", "")))
    rest = urlencode({key: value for key, value in found.items() if value})
    return f"postgresql://{user}{'@' if user else ''}/{name}?{rest}"
