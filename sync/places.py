"""The places that repeat what `sync/upstream.toml` and the conformance lists say.

``python -m sync.places`` names those that say something else, and fails; with ``--write`` it puts
them right. The version that the package reports, the releases it follows, the table of the suites'
counts and the stubs under `langgraph`'s name, which repeat what the package's modules offer, are
written from here; the lists and the API manifest only show which pins they belong to, and are made
by running.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sync import stubs
from sync.api.manifest import MANIFEST_FILE, load_manifest
from sync.pins import ROOT, Pins, read_pins
from tests.conformance.counts import counts
from tests.conformance.ids import read_header
from tests.conformance.suite import Suite

SUITES = Path("tests") / "conformance" / "suites"
VERSIONS = Path("docs") / "versions.md"


@dataclass(frozen=True)
class Statement:
    """A piece of a file that is written from the pins: what matches, and what it must say."""

    path: Path
    pattern: str
    text: str

    def holds(self) -> bool:
        """Whether the file says it, once."""
        return re.findall(self.pattern, self._content()) == [self.text]

    def write(self) -> None:
        """Make the file say it.

        Raises:
            ValueError: the file has no such place, or several.
        """
        content, found = re.subn(self.pattern, lambda _: self.text, self._content())
        if found != 1:
            raise ValueError(f"{self.path} has {found} places like {self.pattern!r}, not one")
        self.path.write_text(content, encoding="utf-8")

    def _content(self) -> str:
        return self.path.read_text(encoding="utf-8")


def statements(root: Path, pins: Pins) -> list[Statement]:
    """What the repository's files say of upstream's version and of the tests that pass."""
    package = root / "langgraph-py" / "python" / "langgraph_rust"
    version = package / "version.py"
    stand_ins = package / "_dropin" / "_distributions.py"
    entries = "".join(f'    "{name}": "{v}",\n' for name, v in pins.replaced.items())
    suites = [Suite(root / SUITES / name) for name in pins.sdists]
    followed = " | ".join(("next", *pins.distributions.values()))
    return [
        Statement(version, r'__version__ = "[^"]*"', f'__version__ = "{pins.core_version}"'),
        Statement(stand_ins, r"(?s)VERSIONS = \{.*?\n\}", f"VERSIONS = {{\n{entries}}}"),
        Statement(root / VERSIONS, r"(?m)^\| next \|.*$", f"| {followed} |"),
        Statement(root / SUITES / "README.md", r"(?s)\A.+\Z", counts(suites)),
    ]


def made_from(root: Path) -> Iterator[tuple[Path, str]]:
    """The files that are made by running, each with the pins it was made for."""
    for path in sorted((root / SUITES).rglob("*passing.txt")):
        yield path, read_header(path)
    manifest = root / MANIFEST_FILE.relative_to(ROOT)
    yield manifest, load_manifest(manifest)[0]


def main() -> int:
    """Check, or write what the command line asks for; returns the process's exit status."""
    pins = read_pins(ROOT / "sync" / "upstream.toml")
    wrong = [place for place in statements(ROOT, pins) if not place.holds()]
    if "--write" in sys.argv[1:]:
        for place in wrong:
            place.write()
        stubs.write(ROOT)
        return 0
    for place in wrong:
        print(f"{place.path.relative_to(ROOT)} should say (`make places` writes it):\n{place.text}")
    unwritten = stubs.stale(ROOT)
    for path in unwritten:
        print(f"{path} is not what the package's modules say (`make places` writes it)")
    stale = [path for path, label in made_from(ROOT) if label != pins.label()]
    for path in stale:
        print(f"{path.relative_to(ROOT)} was made for other pins than those in sync/upstream.toml")
    return 1 if wrong or unwritten or stale else 0


if __name__ == "__main__":
    sys.exit(main())
