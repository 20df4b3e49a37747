"""What a comparison of two releases found: plain values, stored as JSON."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from sync.update.api import ApiChanges
from sync.update.choose import Release
from sync.update.source import FileChange, Requirements
from sync.update.suites import SuiteResult
from sync.update.tests import SuiteChanges


@dataclass(frozen=True)
class Distribution:
    """One of upstream's distributions in two releases."""

    name: str
    old: str
    new: str
    files: list[FileChange]
    """Its Python sources."""
    requirements: Requirements
    tests: SuiteChanges | None
    """Nothing for a distribution that this project uses as it is."""


@dataclass(frozen=True)
class Pinned:
    """A package from elsewhere whose pin has to move."""

    name: str
    old: str | None
    new: str


@dataclass(frozen=True)
class Suites:
    """Upstream's suites, run on upstream and here."""

    run: bool
    why_not: str
    results: list[SuiteResult]


@dataclass(frozen=True)
class Report:
    """Everything that is known of the way from one release to another."""

    core: str
    """The distribution whose versions name the two releases."""
    old: Release
    new: Release
    distributions: list[Distribution]
    """Those whose version differs."""
    pinned: list[Pinned]
    api: ApiChanges
    suites: Suites

    @property
    def name(self) -> str:
        """The name of the report's files, without their endings."""
        return report_name(self.old, self.new, self.core)

    @property
    def lost(self) -> list[str]:
        """Tests that passed here, still pass on upstream and do not pass here any more."""
        return [f"{suite.suite}: {test}" for suite in self.suites.results for test in suite.lost]

    @property
    def green(self) -> bool:
        """Whether the suites were run and lost nothing."""
        clean = not any(suite.lost or suite.flaky for suite in self.suites.results)
        return self.suites.run and clean

    def as_json(self) -> str:
        """The report as a JSON document."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"


def report_name(old: Release, new: Release, core: str) -> str:
    """How a report on these two is called; `core` is the distribution whose versions name them."""
    return f"{old.versions[core]}-{new.versions[core]}"


def is_judged(path: Path) -> bool:
    """Whether there is a report at `path`, as JSON, for which the suites were run."""
    return path.exists() and json.loads(path.read_text(encoding="utf-8"))["suites"]["run"]


def report_path(root: Path, name: str, ending: str) -> Path:
    """Where a report is kept."""
    return root / "sync" / "reports" / f"{name}.{ending}"
