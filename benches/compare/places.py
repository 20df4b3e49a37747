"""Where each side runs: an interpreter, and what is put on its path for some cases.

What is here besides upstream and this package stays out of their environments, in which the
conformance suites run, too: that langchain is installed changes what some of their tests see.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benches.compare.cases.base import Case
from benches.compare.sides import ACCELERATED, FLOOR, LANGCHAIN_CORE, OURS, PEERS, UPSTREAM
from sync.artifacts import upstream_suite
from sync.environments import (
    Environment,
    Failed,
    locked,
    postgres_environment,
    say,
    upstream_environment,
)
from sync.pins import CACHE, CORE
from sync.wheel import ready_environment
from tests.conformance.postgres import serving
from tests.conformance.runner import CutOff

BESIDE = Path(__file__).parent / "beside"
"""A list of exact requirements for each package that is put on the path, and for the peers."""


@dataclass(frozen=True)
class Places:
    """What the processes of a run are started with."""

    interpreters: dict[str, Path]
    """By side; a side that is missing could not be had."""
    suite: Path
    """The folder that holds upstream's `bench/`."""
    beside: dict[str, Path]
    """The folder of each package that cases ask for."""
    postgres: str | None = None
    """How to connect to a server; `None`: there is none."""

    def path(self, beside: str | None) -> str:
        """`PYTHONPATH` for cases that need `beside`."""
        folders = [self.suite] if beside is None else [self.suite, self.beside[beside]]
        return ":".join(map(str, folders))


@contextmanager
def serving_postgres(places: Places) -> Iterator[Places]:
    """The same places with a server that waits for the disk, or without where it does not start."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    with ExitStack() as stack:
        try:
            python = postgres_environment().ensure().python
            stack.enter_context(serving(python, port, durable=True))
        except (Failed, CutOff) as why:
            say(f"what needs PostgreSQL is not measured: {why}")
            yield places
            return
        yield replace(places, postgres=f"postgres://postgres:postgres@localhost:{port}/")


def make_places(cases: Iterable[Case]) -> Places:
    """Everything that the cases need, installed where it is missing."""
    upstream = upstream_environment().ensure()
    ours = ready_environment()
    interpreters = {side: ours.python for side in (OURS, ACCELERATED)}
    interpreters |= {side: upstream.python for side in (UPSTREAM, FLOOR, LANGCHAIN_CORE)}
    chosen = list(cases)
    if any(set(case.others(mode)) & set(PEERS) for case in chosen for mode in case.modes):
        interpreters |= _peers()
    beside = {case.beside for case in chosen if case.beside}
    return Places(
        interpreters=interpreters,
        suite=upstream_suite(CORE, upstream),
        beside={name: _beside(name, upstream) for name in beside},
    )


def _peers() -> dict[str, Path]:
    """Other graph libraries, all in one environment; none where they do not install."""
    path = CACHE / "envs" / "peers"
    environment = Environment("peers", path, _requirements("peers"), is_complete=True)
    try:
        return {side: environment.ensure().python for side in PEERS}
    except Failed as error:
        say(f"the peers are not measured: {error}")
        return {}


def _beside(name: str, upstream: Environment) -> Path:
    """A folder with a package and what it needs that no environment has."""
    wanted = _requirements(name)
    folder = CACHE / "bench" / "beside" / "-".join(wanted)
    with locked(f"beside-{name}"):
        if not folder.exists():
            say(f"installing {', '.join(wanted)} for the benchmarks")
            scratch = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(scratch, ignore_errors=True)
            upstream.pip("install", "-q", "--no-deps", "--target", scratch, *wanted)
            scratch.rename(folder)
    return folder


def _requirements(name: str) -> tuple[str, ...]:
    lines = (BESIDE / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))
