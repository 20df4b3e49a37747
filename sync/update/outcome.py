"""How a run ended, as an exit status and as a folder that `publish` reads."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from pathlib import Path

OUTCOME = Path(".cache") / "sync" / "outcome"
_FILE = "outcome.json"


class Status(IntEnum):
    """The exit status; 1 and 2 are left to Python and make."""

    DONE = 0
    """There was nothing to do, or nothing but a report."""
    GREEN = 10
    """Moved, and nothing is lost."""
    LOST = 11
    """Moved, and something is lost."""
    NOT_JUDGED = 12
    """Nothing was written."""

    @property
    def words(self) -> str:
        """The status for people."""
        return {
            Status.DONE: "done, no pin moved",
            Status.GREEN: "moved, and nothing is lost",
            Status.LOST: "moved, and something is lost",
            Status.NOT_JUDGED: "could not be judged, and nothing was changed",
        }[self]


@dataclass(frozen=True)
class Outcome:
    """What a run did."""

    status: Status
    version: str = ""
    """The core distribution's new version."""
    title: str = ""
    text: str = ""
    """The report as a page, or why there is none."""
    files: list[str] = field(default_factory=list)
    """What was written, relative to the root."""


def save_outcome(root: Path, outcome: Outcome) -> None:
    """Store the outcome with copies of the files that were written."""
    folder = root / OUTCOME
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in outcome.files:
        copy = folder / "files" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, copy)
    (folder / _FILE).write_text(json.dumps(asdict(outcome), indent=1), encoding="utf-8")


def load_outcome(folder: Path) -> Outcome:
    """The outcome in a folder; a run that left none could not be judged."""
    path = folder / _FILE
    if not path.exists():
        title, text = "Following upstream failed", "The run ended without an outcome."
        return Outcome(Status.NOT_JUDGED, title=title, text=text)
    raw = json.loads(path.read_text(encoding="utf-8"))
    return Outcome(**{**raw, "status": Status(raw["status"])})
