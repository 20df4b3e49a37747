"""What is asked of a database, as a dialogue: statements out, rows in.

A plan is a generator, so that the sync and the async savers say the same. It decodes and encodes
nothing but what decides about its next statement.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from psycopg import errors

T = TypeVar("T")


class Statement(NamedTuple):
    """A statement, and what becomes of it."""

    sql: Any
    """Text. Psycopg's stubs want literals, and some of this is put together."""
    parameters: Any = ()
    fetch: bool = False
    """Whether its rows are asked for; otherwise the plan gets none."""
    prepare: bool | None = None
    """As in psycopg: `None` leaves it to the connection."""
    ends_transaction: bool = False
    """Whether what follows must not be part of the same transaction, even in a pipeline."""


Rows = Sequence[dict[str, Any]]
Plan = Generator[Statement, Rows, T]

Batch = tuple[Any, Sequence[Sequence[Any]]]
"""A statement, and the rows that it is executed with."""

TRIES = 5
"""How often the tables are made, if others make them at the same time."""

_LOCK = 0x6C6772617068
"""The number of the lock that whoever makes the tables holds; others must not use it."""

_PATIENCE = 200
"""How often that is asked for, 50 ms apart."""

RACES = (
    errors.UniqueViolation,
    errors.DuplicateTable,
    errors.DuplicateObject,
    errors.DuplicateColumn,
    errors.DeadlockDetected,
)
"""What it looks like when others do."""


def lost(saver: str, pool: str) -> str:
    """Return what to do about a connection that is closed."""
    return (
        f"The connection of this {saver} is closed. Give the saver a new one, or give it a "
        f"psycopg_pool.{pool}, which replaces connections that are lost."
    )


def read(sql: str, parameters: Iterable[Any]) -> Plan[Rows]:
    """Ask for rows."""
    return (yield Statement(sql, tuple(parameters), fetch=True))


def write(sql: str, parameters: Any) -> Plan[None]:
    """Execute one statement, which is a transaction of its own."""
    yield Statement(sql, parameters)


def migrate(migrations: Sequence[str]) -> Plan[None]:
    """Bring the tables up to date, one process at a time."""
    yield _alone(migrations[0])
    if (yield from _done(migrations)) == len(migrations):
        return
    # Two that make the same index at the same time end in a deadlock. Not for ever: behind
    # PgBouncer, whoever has the lock may not be able to give it back.
    for _ in range(_PATIENCE):
        rows = yield _ask("SELECT pg_try_advisory_lock(%s) AS is_own", _LOCK)
        if rows[0]["is_own"]:
            break
        yield _ask("SELECT pg_sleep(0.05)")
    for version in range((yield from _done(migrations)), len(migrations)):
        yield _alone(migrations[version])
        done = "INSERT INTO checkpoint_migrations (v) VALUES (%s) ON CONFLICT DO NOTHING"
        yield _alone(done, version)
    yield _ask("SELECT pg_advisory_unlock(%s)", _LOCK)


def _done(migrations: Sequence[str]) -> Plan[int]:
    """Ask how many are done; a newer saver may have more."""
    rows = yield _ask("SELECT v FROM checkpoint_migrations ORDER BY v DESC LIMIT 1")
    return min(rows[0]["v"] + 1, len(migrations)) if rows else 0


# An index is not made within a transaction, and psycopg forgets what it has prepared when a table
# is altered.


def _alone(sql: str, *parameters: Any) -> Statement:
    return Statement(sql, parameters, prepare=False, ends_transaction=True)


def _ask(sql: str, *parameters: Any) -> Statement:
    return Statement(sql, parameters, fetch=True, prepare=False, ends_transaction=True)
