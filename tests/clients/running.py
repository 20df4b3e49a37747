"""Running a client's program on one engine, and on both."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sync.environments import Environment, Failed, client_environment, postgres_environment, say
from sync.wheel import install_wheel
from tests.clients.client import DRIVE, Client
from tests.clients.extension import add_uuid
from tests.clients.normal import Difference, Step, compare, read_transcript
from tests.conformance import postgres
from tests.conformance.runner import CutOff

SECONDS = 400
"""Much more than any of them takes."""

ENGINES = {"0": "langgraph", "1": "langgraph_rust"}
"""The package that a process runs on, by what the switch says."""


@dataclass(frozen=True)
class Outcome:
    """What came of a client."""

    client: Client
    transcripts: tuple[list[Step], ...] = ()
    """Upstream's and ours."""
    failed: str = ""
    """Why there is nothing to compare."""

    @property
    def differences(self) -> list[Difference]:
        """In what the two differ that nobody knows of, and what is known and not so any more."""
        if not self.transcripts:
            return []
        found = {each.step: each for each in compare(*self.transcripts)}
        known = self.client.known
        gone = [Difference(step, (f"no more: {known[step]}",)) for step in known.keys() - found]
        return [*gone, *(found[step] for step in found if step not in known)]

    @property
    def steps(self) -> int:
        """How many upstream took."""
        return len(self.transcripts[0]) if self.transcripts else 0

    @property
    def is_same(self) -> bool:
        """Whether both ran, and nothing differs but what is known."""
        return not self.failed and not self.differences

    @property
    def verdict(self) -> str:
        """What the table says."""
        if self.failed:
            return f"not run: {self.failed}"
        if self.differences:
            return f"differs in {len(self.differences)}"
        return "; ".join(("same", *(f"but {why}" for why in self.client.known.values())))


class WentWrong(Exception):
    """A program did not come to its end, or not on the engine that it was to run on."""


def run_client(client: Client, wheel: Path, alone: bool = False) -> Outcome:
    """Run it on upstream and on this package, and compare.

    Args:
        client: What is run.
        wheel: This package.
        alone: Whether upstream is not installed where this package runs.
    """
    say(f"{client.name}: {client.versions()}")
    try:
        environments = {
            switch: client_environment(client.home, with_upstream=not (alone and switch == "1"))
            for switch in ENGINES
        }
        for environment in environments.values():
            install_wheel(wheel, environment.ensure())
        with ExitStack() as stack:
            server = _postgres(stack) if client.needs_postgres else ""
            transcripts = tuple(
                _run(client, environment, switch, server)
                for switch, environment in environments.items()
            )
    except (Failed, CutOff, WentWrong) as why:
        return Outcome(client, failed=str(why))
    return Outcome(client, transcripts)


def _postgres(stack: ExitStack) -> str:
    """How to connect to a server, but for the name of the database."""
    environment = postgres_environment().ensure()
    add_uuid(environment)
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    stack.enter_context(postgres.serving(environment.python, port))
    return f"postgres://postgres:postgres@localhost:{port}/"


def _run(client: Client, environment: Environment, switch: str, server: str) -> list[Step]:
    """The transcript of its program with the switch off (`0`) or on (`1`).

    Raises:
        WentWrong: it failed, or a process of it ran on the other engine.
    """
    with tempfile.TemporaryDirectory(prefix="clients-") as name:
        folder = Path(name).resolve()
        paths = {kind: folder / f"{kind}.log" for kind in ("transcript", "witnesses")}
        variables = {
            "CLIENTS_TRANSCRIPT": str(paths["transcript"]),
            "CLIENTS_WITNESSES": str(paths["witnesses"]),
            "CLIENTS_DATABASE": server,
            "HOME": name,
            "LANGGRAPH_RUST": switch,
            "PATH": os.pathsep.join((str(environment.python.parent), os.environ["PATH"])),
            "PYTHONPATH": os.pathsep.join((str(DRIVE / "inside"), str(client.home))),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        _drive([environment.python, client.path], variables, folder)
        witnesses = _witnesses(paths["witnesses"])
        strangers = {pid: package for pid, package in witnesses if package != ENGINES[switch]}
        if strangers:
            raise WentWrong(f"with LANGGRAPH_RUST={switch}, processes ran on {strangers}")
        if len({pid for pid, _ in witnesses}) < client.processes:
            raise WentWrong(f"{client.processes} processes were to import it: {witnesses}")
        return read_transcript(paths["transcript"], folder)


def _drive(command: list[Path], variables: dict[str, str], folder: Path) -> None:
    """Run a program to its end; what it started and left behind ends with it."""
    log = folder / "driver.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            raise WentWrong(f"not over within {SECONDS} s, {_last_line(log)}") from None
        finally:
            _end_group(process)
    if status:
        engine = ENGINES[variables["LANGGRAPH_RUST"]]
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        print(f"on {engine}:", *lines[-60:], sep="\n    ")
        raise WentWrong(f"ended with {status} on {engine}: {_last_line(log)}")


def _end_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "it said nothing")


def _witnesses(path: Path) -> list[tuple[str, str]]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [(pid, package) for pid, package in map(str.split, lines)]
