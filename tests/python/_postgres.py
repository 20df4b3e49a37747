"""A PostgreSQL for tests: one server for all of them, and an empty database for each."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from sync.environments import Failed, postgres_environment
from tests.conformance.postgres import serving
from tests.conformance.runner import CutOff

psycopg = pytest.importorskip(
    "psycopg", reason="psycopg, or the libpq that it needs", exc_type=ImportError
)

_numbers = itertools.count()

Databases = Callable[[], str]
"""Makes an empty database and returns how to connect to it."""


@contextmanager
def databases() -> Iterator[Databases]:
    """Serve, for as long as a `with` block lasts; skips the tests where that cannot be had."""
    try:
        python = postgres_environment().ensure().python
    except Failed:
        pytest.skip("no PostgreSQL: the pinned wheel could not be installed")
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    server = f"postgres://postgres:postgres@localhost:{port}/"

    def make() -> str:
        name = f"test{next(_numbers)}"
        with psycopg.connect(f"{server}postgres", autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {name}")
        return server + name

    with ExitStack() as stack:
        try:
            stack.enter_context(serving(python, port))
        except CutOff as why:
            pytest.skip(str(why))
        yield make
