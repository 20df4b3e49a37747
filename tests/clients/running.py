"""Running a client's program on one engine, and on both."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sync.environments import Environment, Failed, client_environment, postgres_environment, say
from sync.wheel import install_wheel
from tests.clients.client import DRIVE, Client
from tests.clients.normal import Difference, Step, compare, read_transcript
from tests.clients.shim import put_switch
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
    steps: int = 0
    differences: tuple[Difference, ...] = ()
    failed: str = ""
    """Why there is nothing to compare."""

    @property
    def verdict(self) -> str:
        """One word, or why it did not run."""
        if self.failed:
            return f"not run: {self.failed}"
        return f"differs in {len(self.differences)}" if self.differences else "same"


class WentWrong(Exception):
    """A program did not come to its end, or not on the engine that it was to run on."""


def run_client(client: Client, wheel: Path) -> Outcome:
    """Run it on upstream and on this package, and compare."""
    say(f"{client.name}: {client.versions()}")
    try:
        environment = client_environment(client.home).ensure()
        install_wheel(wheel, environment)
        put_switch(environment)
        with ExitStack() as stack:
            database = _databases(stack) if client.needs_postgres else None
            theirs, ours = (
                _run(client, environment, switch, database() if database else "")
                for switch in ENGINES
            )
    except (Failed, CutOff, WentWrong) as why:
        return Outcome(client, failed=str(why))
    return Outcome(client, len(theirs), tuple(compare(theirs, ours)))


def _databases(stack: ExitStack) -> Callable[[], str]:
    python = postgres_environment().ensure().python
    return stack.enter_context(postgres.databases(python))


def _run(client: Client, environment: Environment, switch: str, database: str) -> list[Step]:
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
            "CLIENTS_DATABASE": database,
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
