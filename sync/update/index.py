"""What can be had of upstream, asked of pip: the newest versions, what fits together, the files."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sync.environments import Environment
from sync.pins import CACHE, load_pins

_ADDRESS = re.compile(r"\S*://\S+|(?<![\w.])/\S+")
_LONGEST_LINE = 300
_EXPLANATION = "The conflict is caused by:"
_ADVICE = ("To fix this", "1. loosen", "2. remove", "ERROR: ResolutionImpossible", "[notice]")


class Refused(Exception):
    """pip could not do it; `words` are its own, without addresses and paths."""

    def __init__(self, words: list[str]) -> None:
        super().__init__("\n".join(words))
        self.words = words


@dataclass(frozen=True)
class Index:
    """pip, what it is told of where to look, and the folder that keeps what it downloads."""

    python: Path
    folder: Path
    options: tuple[str, ...] = ()

    def newest(self, names: Iterable[str]) -> dict[str, str]:
        """The newest version of each distribution, each looked at by itself.

        Raises:
            Refused: one of them cannot be had.
        """
        return self._report("--no-deps", *names)

    def fit(self, wanted: Iterable[str], constraints: Iterable[str] = ()) -> dict[str, str]:
        """Everything to install for the requirements in `wanted`: name to version.

        Raises:
            Refused: nothing satisfies all of them.
        """
        listing = self.folder / "constraints.txt"
        listing.parent.mkdir(parents=True, exist_ok=True)
        listing.write_text("".join(f"{line}\n" for line in constraints), encoding="utf-8")
        return self._report("-c", str(listing), *wanted)

    def wheels(self, versions: dict[str, str]) -> dict[str, Path]:
        """The wheel of each distribution, downloaded when missing.

        Raises:
            Refused: one of them cannot be had.
        """
        return self._download(versions, "-*.whl", ("--only-binary", ":all:"))

    def sdists(self, versions: dict[str, str]) -> dict[str, Path]:
        """The source distributions, likewise."""
        return self._download(versions, ".tar.gz", ("--no-binary", ":all:", "--no-build-isolation"))

    def _download(
        self, versions: dict[str, str], ending: str, kind: tuple[str, ...]
    ) -> dict[str, Path]:
        missing = [f"{n}=={v}" for n, v in versions.items() if not self._find(n, v, ending)]
        if missing:
            self._pip("download", "-q", "--no-deps", *kind, "-d", str(self.folder), *missing)
        found = {name: self._find(name, version, ending) for name, version in versions.items()}
        return {name: path for name, path in found.items() if path is not None}

    def _find(self, name: str, version: str, ending: str) -> Path | None:
        return next(self.folder.glob(f"{name.replace('-', '_')}-{version}{ending}"), None)

    def _report(self, *arguments: str) -> dict[str, str]:
        self.folder.mkdir(parents=True, exist_ok=True)
        report = self.folder / "report.json"
        dry = ("--dry-run", "--ignore-installed", "--report", str(report))
        self._pip("install", *dry, *arguments)
        installed = json.loads(report.read_text(encoding="utf-8"))["install"]
        metadata = (item["metadata"] for item in installed)
        return {normalised(found["name"]): found["version"] for found in metadata}

    def _pip(self, command: str, *arguments: str) -> None:
        always = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off")
        line = [str(self.python), "-m", "pip", command, *always, *self.options, *arguments]
        result = subprocess.run(line, capture_output=True, text=True)
        if result.returncode:
            raise Refused(_words(result.stdout, result.stderr))


def normalised(name: str) -> str:
    """A distribution's name as the index knows it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def real_index() -> Index:
    """pip in an environment of its own, with what reads the metadata of source distributions."""
    backend = [f"hatchling=={load_pins().test_dependencies['hatchling']}"]
    environment = Environment("index", CACHE / "envs" / "index", tuple(backend)).ensure()
    return Index(environment.python, CACHE / "upstream" / "index")


def _words(output: str, errors: str) -> list[str]:
    """What pip said of its failure: the errors, and the conflict that it explains beside them."""
    said = errors.splitlines()
    first = next((i for i, line in enumerate(said) if line.startswith("ERROR")), 0)
    explained = output.partition(_EXPLANATION)
    said = [*said[first:], *(explained[1] + explained[2]).splitlines()]
    shown = [line.rstrip() for line in said if line.strip() and not line.startswith(_ADVICE)]
    return [_shortened(_ADDRESS.sub("(address)", line)) for line in shown]


def _shortened(line: str) -> str:
    """A line without its middle when it is long: pip lists versions from the oldest on."""
    half = _LONGEST_LINE // 2
    return line if len(line) <= _LONGEST_LINE else f"{line[:half]} ... {line[-half:]}"
