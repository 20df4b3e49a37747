"""What tests need from the machine, and what becomes of them when it does not have it.

A suite names its needs in `suite.toml`, each with patterns of the tests that have it::

    [needs.postgres]
    tests = ["*"]
    port = 5441

Tests whose need cannot be met are skipped for that reason, and not held against the lists; a suite
that has no others is not run at all.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sync.environments import Failed, postgres_environment
from tests.conformance.ledger import matches
from tests.conformance.postgres import serving
from tests.conformance.python import find_python
from tests.conformance.suite import Suite

EVERY_TEST = "*"


@dataclass
class Provision:
    """What a suite gets."""

    interpreter: Path = Path(sys.executable)
    """What its environments are made with."""
    absent: dict[str, str] = field(default_factory=dict)
    """Patterns of tests that cannot be run, to the reason."""
    services: list[Callable[[], Any]] = field(default_factory=list)
    """What is to run beside the tests: makers of context managers."""

    def covers(self, test_id: str) -> bool:
        """Whether this test can be run."""
        return not any(matches(pattern, test_id) for pattern in self.absent)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Everything that is to run beside the tests, running."""
        with ExitStack() as stack:
            for service in self.services:
                stack.enter_context(service())
            yield


def provide(suite: Suite) -> Provision:
    """Find what `suite` needs; nothing is started yet.

    Raises:
        ValueError: it needs something unheard of.
    """
    provision = Provision()
    for need, settings in suite.needs.items():
        if need not in PROVIDERS:
            raise ValueError(f"{suite.name}: nobody knows how to provide {need}")
        if why := PROVIDERS[need](provision, settings):
            provision.absent |= dict.fromkeys(settings["tests"], why)
    return provision


def _postgres(provision: Provision, settings: dict[str, Any]) -> str | None:
    """PostgreSQL with pgvector, on a port of localhost; any user and password will do."""
    try:
        python = postgres_environment().ensure().python
    except Failed:
        return "no PostgreSQL: the pinned wheel could not be installed"
    provision.services.append(lambda: serving(python, settings["port"]))
    return None


def _sqlite_extensions(provision: Provision, settings: dict[str, Any]) -> str | None:
    """A Python whose sqlite3 can load extensions."""
    found = find_python("sqlite3.Connection.enable_load_extension")
    if found is None:
        version = ".".join(map(str, sys.version_info[:2]))
        return f"no Python {version} whose sqlite3 can load extensions"
    provision.interpreter = found
    return None


def _redis(provision: Provision, settings: dict[str, Any]) -> str | None:
    """A Redis that somebody else runs, on a port of localhost."""
    try:
        socket.create_connection(("localhost", settings["port"]), timeout=1).close()
    except OSError:
        return f"no Redis on port {settings['port']}"
    return None


PROVIDERS = {"postgres": _postgres, "redis": _redis, "sqlite-extensions": _sqlite_extensions}
"""By need: puts what it takes into a provision, or tells why it cannot be had."""
