"""A PostgreSQL for tests: one server for all of them, and an empty database for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from sync.environments import Failed, postgres_environment
from tests.conformance import postgres
from tests.conformance.runner import CutOff

psycopg = pytest.importorskip(
    "psycopg", reason="psycopg, or the libpq that it needs", exc_type=ImportError
)

Databases = Callable[[], str]
"""Makes an empty database and returns how to connect to it."""


@contextmanager
def databases() -> Iterator[Databases]:
    """Serve, for as long as a `with` block lasts; skips the tests where that cannot be had."""
    with ExitStack() as stack:
        try:
            python = postgres_environment().ensure().python
            make = stack.enter_context(postgres.databases(python))
        except Failed:
            pytest.skip("no PostgreSQL: the pinned wheel could not be installed")
        except CutOff as why:
            pytest.skip(str(why))
        yield make
