"""What to do about what Postgres says, for savers and stores alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from psycopg import Error, errors

Advice = Sequence[tuple[Any, str, str]]
"""Errors, a part of what they say, and what to do."""

SAVERS: Advice = tuple(
    (errors.UndefinedTable, f'"{table}"', "Call `setup()` of the saver once.")
    for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
)


@contextmanager
def explained(known: Advice) -> Iterator[None]:
    """Add to errors of the database what to do about them, where that is known."""
    try:
        yield
    except Error as error:
        said = str(error).rstrip()
        for kinds, part, advice in known:
            if isinstance(error, kinds) and part in said:
                error.args = (f"{said}\n{advice}", *error.args[1:])
        raise
