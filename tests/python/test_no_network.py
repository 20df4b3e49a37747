"""No telemetry: nothing in the package can open a connection but what a program names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import langgraph_rust

PACKAGE = Path(langgraph_rust.__file__).parent
NETWORK = frozenset(
    "aiohttp ftplib http httpcore httpx langgraph_sdk requests smtplib socket socketserver ssl "
    "telnetlib urllib urllib3 websockets xmlrpc".split()
)
ALLOWED = {
    "pregel/remote.py",
    "pregel/_remote/codec.py",
    "pregel/_remote/run_stream.py",
    "runtime.py",
}
"""The client of remote graphs, and what names a type of its package."""

SERVES = {
    "_view/_web/guard.py",
    "_view/_web/listening.py",
}
"""What listens on this machine, for a viewer that somebody has started, and reads requests."""

DATABASES = {"_view/_source/of_saver.py", "_view/_source/postgres.py"}
"""What takes apart the address of the database that somebody has named."""


def imported(source: str) -> Iterator[str]:
    """The top-level packages that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]


def test_only_the_client_of_remote_graphs_imports_what_opens_connections() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if NETWORK.intersection(imported(path.read_text(encoding="utf-8")))
    }
    assert found <= ALLOWED | SERVES | DATABASES
