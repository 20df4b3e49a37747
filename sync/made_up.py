"""Small made-up releases for the tests: wheels and source distributions in a folder."""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sync.pins import read_pins
from sync.places import statements
from sync.update.index import Index, Refused

BACKEND = """\
import os
def prepare_metadata_for_build_wheel(folder, config_settings=None):
    text = open("PKG-INFO").read()
    fields = dict(line.split(": ", 1) for line in text.splitlines())
    name = f"{fields['Name'].replace('-', '_')}-{fields['Version']}.dist-info"
    os.mkdir(os.path.join(folder, name))
    with open(os.path.join(folder, name, "METADATA"), "w") as target:
        target.write(text)
    return name
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


@dataclass(frozen=True)
class Made:
    """A distribution in one version."""

    name: str
    version: str
    requires: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    tests: dict[str, str] = field(default_factory=dict)

    def publish(self, folder: Path) -> None:
        """Put its wheel and its source distribution into `folder`."""
        stem = f"{self.name.replace('-', '_')}-{self.version}"
        info = f"{stem}.dist-info"
        wheel = {
            **self.files,
            f"{info}/METADATA": self._metadata(),
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": "",
        }
        with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as archive:
            for name, content in wheel.items():
                archive.writestr(name, content)
        sdist = {"PKG-INFO": self._metadata(), "pyproject.toml": PYPROJECT, "backend.py": BACKEND}
        sdist |= {f"tests/{name}": content for name, content in self.tests.items()}
        with tarfile.open(folder / f"{stem}.tar.gz", "w:gz") as archive:
            for name, content in sdist.items():
                member = tarfile.TarInfo(f"{stem}/{name}")
                member.size = len(content.encode())
                archive.addfile(member, io.BytesIO(content.encode()))

    def _metadata(self) -> str:
        required = "".join(f"Requires-Dist: {requirement}\n" for requirement in self.requires)
        head = f"Metadata-Version: 2.1\nName: {self.name}\nVersion: {self.version}\n"
        return head + required


@dataclass(frozen=True)
class AskedOnce(Index):
    """pip, asked the same question once: what is published does not change."""

    answers: dict[tuple[str, ...], dict[str, str] | Refused] = field(default_factory=dict)

    def _report(self, *arguments: str) -> dict[str, str]:
        constraints = self.folder / "constraints.txt"
        question = (*arguments, constraints.read_text() if "-c" in arguments else "")
        if question not in self.answers:
            try:
                self.answers[question] = super()._report(*arguments)
            except Refused as error:
                self.answers[question] = error
        answer = self.answers[question]
        if isinstance(answer, Refused):
            raise answer
        return dict(answer)


def published(folder: Path, releases: Iterable[Made]) -> Index:
    """pip on a folder with these releases, and nothing else."""
    for release in releases:
        release.publish(folder)
    return AskedOnce(Path(sys.executable), folder / "got", ("--no-index", f"--find-links={folder}"))


OLD_TESTS = {
    "test_a.py": "def test_stays(): pass\ndef test_says(): assert 1\ndef test_goes(): ...\n"
}
NEW_TESTS = {
    "test_a.py": "def test_stays(): pass\ndef test_says(): assert 2\ndef test_comes(): ...\n"
}
RELEASES = (
    Made(
        "langgraph",
        "1.0.0",
        ("langgraph-side>=1.0",),
        {"langgraph/graph.py": "def build(a): ...\ndef old(): ...\n"},
        OLD_TESTS,
    ),
    Made(
        "langgraph",
        "1.1.0",
        ("langgraph-side>=1.1",),
        {"langgraph/graph.py": "def build(a, b=1): ...\ndef new(): ...\n"},
        NEW_TESTS,
    ),
    Made("langgraph-side", "1.0.0", ("elsewhere>=1",), {"langgraph/side.py": "X = 1\n"}),
    Made(
        "langgraph-side", "1.1.0", ("elsewhere>=2", "dragged-in"), {"langgraph/side.py": "X = 1\n"}
    ),
    Made("langchain-core", "1.0.0"),
    Made("langchain-core", "2.0.0", ("unpublished>=1",)),
    Made("elsewhere", "1.0.0"),
    Made("elsewhere", "2.0.0"),
    Made("dragged-in", "1.0.0"),
    Made("hatchling", "1.0"),
)
"""A core and a sibling that move together, with a package from elsewhere, and one held back."""

PINS = """\
# What is followed.
[distributions]
langgraph = "1.0.0"
langgraph-side = "1.0.0"  # beside it
langchain-core = "1.0.0"

[sdists]
langgraph = "0"

[test-dependencies]
hatchling = "1.0"

[postgres]
server = "1.0"

[fuzzer]
guide = "1.0"

[constraints]
another = "1.0"
elsewhere = "1.0.0"  # from elsewhere
"""

LABEL = "langgraph==1.0.0 langgraph-side==1.0.0 langchain-core==1.0.0"
LIST = f"#! {LABEL}\n# test_a.py\ntest_goes\ntest_stays\n"

CONFORMANCE = """\
import json, sys
from pathlib import Path
try:
    import tomllib
except ImportError:
    from pip._vendor import tomli as tomllib
here = Path(__file__).parent
pins = tomllib.loads(Path("sync/upstream.toml").read_text())["distributions"]
option = sys.argv[3]
status, lines = json.loads((here / "will.json").read_text())[option]
assert sys.argv[1:3] == ["--suite", "langgraph"], sys.argv
name = "passing.txt" if option == "--update" else "upstream-passing.txt"
if status in (0, 1):
    label = " ".join(f"{n}=={v}" for n, v in pins.items())
    (here / "suites" / "langgraph" / name).write_text(f"#! {label}\\n# test_a.py\\n" + lines)
sys.exit(status)
"""
"""A conformance run that ends as `will.json` says, by option: its status and the list it writes."""


def make_checkout(root: Path) -> None:
    """A repository that follows the first of the releases."""
    files = {
        "sync/upstream.toml": PINS,
        "sync/api/upstream.json": f'{{"pins": "{LABEL}", "modules": {{}}}}',
        "tests/conformance/__init__.py": "",
        "tests/conformance/__main__.py": CONFORMANCE,
        "tests/conformance/suites/langgraph/upstream-passing.txt": LIST,
        "tests/conformance/suites/langgraph/passing.txt": LIST,
        "langgraph-py/python/langgraph_rust/graph.py": "def build(a): ...\n",
        "langgraph-py/python/langgraph_rust/version.py": '__version__ = "1.0.0"\n',
        "langgraph-py/python/langgraph_rust/_dropin/_distributions.py": "VERSIONS = {\n}\n",
        "tests/conformance/suites/README.md": "to be counted",
        "docs/versions.md": "| next | none |\n",
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    for place in statements(root, read_pins(root / "sync/upstream.toml")):
        place.write()
