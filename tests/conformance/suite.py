"""A suite: the tests of one distribution, and what this repository knows about them.

The tests themselves are downloaded. The folder `suites/NAME` has what is known:

    suite.toml            how it is run, and what it needs from the machine
    upstream-passing.txt  what upstream passes
    passing.txt           what passes here, and may not fail any more
    ledger.toml           why the rest does not pass here
    flaky.toml            what may pass only at the second try
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sync.pins import load_pins, read_toml
from tests.conformance.ids import file_of, read_ids
from tests.conformance.ledger import Entry, read_flaky, read_ledger

SUITES = Path(__file__).parent / "suites"


@dataclass(frozen=True)
class Suite:
    """A suite by its folder; the files in it are read when they are asked for."""

    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    """What `suite.toml` says."""

    @property
    def name(self) -> str:
        """The distribution whose tests these are."""
        return self.folder.name

    @property
    def upstream_passing(self) -> Path:
        """The list of what upstream passes."""
        return self.folder / "upstream-passing.txt"

    @property
    def passing(self) -> Path:
        """The list of what passes here."""
        return self.folder / "passing.txt"

    @cached_property
    def files(self) -> set[str]:
        """The test files of which anything passes on upstream."""
        return set(map(file_of, read_ids(self.upstream_passing)))

    @cached_property
    def ledger(self) -> list[Entry]:
        """Why tests do not pass here."""
        return read_ledger(self.folder / "ledger.toml")

    @cached_property
    def flaky(self) -> list[Entry]:
        """The tests that may pass only at the second try."""
        return read_flaky(self.folder / "flaky.toml")

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that the tests look at."""
        return self.settings.get("environment", {})

    @property
    def jobs(self) -> int | None:
        """How many worker processes it stands at most."""
        return self.settings.get("jobs")

    @property
    def needs(self) -> dict[str, dict[str, Any]]:
        """What some of the tests need from the machine: see `needs`."""
        return self.settings.get("needs", {})


def read_suite(folder: Path) -> Suite:
    """The suite of a folder.

    Raises:
        ValueError: `suite.toml` says something that nobody reads.
    """
    settings = read_toml(folder / "suite.toml")
    if unknown := settings.keys() - {"environment", "jobs", "needs"}:
        raise ValueError(f"{folder.name}/suite.toml: unknown: {', '.join(sorted(unknown))}")
    return Suite(folder, settings)


def load_suites(names: list[str]) -> list[Suite]:
    """The suites of these names, or every pinned one, in the order of the pins.

    Raises:
        SystemExit: there is no such suite.
    """
    known = load_pins().sdists
    if unknown := set(names) - known.keys():
        raise SystemExit(
            f"no such suite: {', '.join(sorted(unknown))}; there are {', '.join(known)}"
        )
    return [read_suite(SUITES / name) for name in known if not names or name in names]
