"""Transcripts without what differs from run to run, and how two of them differ."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from pathlib import Path

_HEX = "[0-9a-f]"
_PASSING = re.compile(
    rf"(?P<id>\b{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}\b|\b{_HEX}{{32}}\b)"
    r"|(?P<time>\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?)"
    rf"|(?P<address>\b0x{_HEX}+\b)"
    r"|(?P<port>(?<=localhost:)\d+|(?<=127\.0\.0\.1:)\d+)"
)


@dataclass(frozen=True)
class Step:
    """One line of a transcript: its name, and its value as lines of JSON."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """What two transcripts do not agree on."""

    step: str
    lines: tuple[str, ...]
    """Upstream's with a minus, ours with a plus."""


def read_transcript(path: Path, folder: Path) -> list[Step]:
    """The steps that a program noted in `path`, which it ran in `folder`.

    Ids are numbered in the order in which they come up, so that the same one stays the same.
    """
    known: dict[str, str] = {}

    def stand_in(found: re.Match[str]) -> str:
        kind = str(found.lastgroup)
        if kind != "id":
            return f"<{kind}>"
        return known.setdefault(found.group(), f"<id {len(known)}>")

    steps = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        name, value = json.loads(line)
        text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)
        text = _PASSING.sub(stand_in, text.replace(str(folder), "<folder>"))
        steps.append(Step(name, tuple(text.splitlines())))
    return steps


def compare(upstream: list[Step], here: list[Step]) -> list[Difference]:
    """What differs, step by step; one that either lacks is a difference, too."""
    found = []
    names = dict.fromkeys(step.name for step in [*upstream, *here])
    for name in names:
        theirs, ours = (
            [line for step in steps if step.name == name for line in step.lines]
            for steps in (upstream, here)
        )
        if theirs != ours:
            found.append(Difference(name, tuple(_diff(theirs, ours))))
    return found


def _diff(theirs: list[str], ours: list[str]) -> list[str]:
    lines = list(difflib.unified_diff(theirs, ours, "upstream", "here", n=2, lineterm=""))
    return lines[2:]
