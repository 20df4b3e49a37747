"""The stubs under `langgraph`'s name: what is in them, and that they are current."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync import stubs
from sync.api.lookup import read_sources
from sync.api.manifest import MANIFEST_FILE, load_manifest, save_manifest
from sync.api.model import Module, Name
from sync.pins import ROOT


@pytest.fixture
def root(tmp_path: Path) -> Path:
    package = tmp_path / stubs.PACKAGE
    (package / "graph" / "_upstream").mkdir(parents=True)
    files = {
        "__init__.py": "def install(): ...",
        "__main__.py": "def main(): ...",
        "_own.py": "class Own: ...",
        "graph/__init__.py": "from ours.state import Graph\n__all__ = ['Graph', 'lost']",
        "graph/state.py": "import os\nT = 1\n_X = 1\ndef made(): ...\nclass Kind: ...",
        "graph/_build.py": "class Built: ...",
        "graph/_upstream/__init__.py": "",
        "graph/_upstream/_read.py": "from langgraph_rust.graph import _build",
        "empty.py": "import os",
    }
    for name, text in files.items():
        (package / name).write_text(text, encoding="utf-8")
    promised = {"langgraph.graph.state": Module("", None, {"os": Name("import")})}
    (tmp_path / "sync" / "api").mkdir(parents=True)
    save_manifest(promised, "pins", tmp_path / MANIFEST_FILE.relative_to(ROOT))
    return tmp_path


def test_a_module_hands_on_what_it_exports_and_defines_and_upstream_has(root: Path) -> None:
    written = stubs.stubs(root)
    assert written[Path("graph", "state.py")].splitlines()[1:] == [
        "from langgraph_rust.graph.state import Kind as Kind",
        "from langgraph_rust.graph.state import T as T",
        "from langgraph_rust.graph.state import made as made",
        "from langgraph_rust.graph.state import os as os",
    ]
    assert '__all__ = [\n    "Graph",\n]' in written[Path("graph", "__init__.py")]


def test_only_what_upstream_has_gets_a_stub(root: Path) -> None:
    names = {str(path) for path in stubs.stubs(root)}
    modules = {"graph/__init__.py", "graph/state.py", "graph/_read.py"}
    assert names == {"__init__.pyi", "py.typed"} | modules


def test_a_namespace_is_a_folder_of_its_own(root: Path) -> None:
    (root / stubs.PACKAGE / "store" / "base").mkdir(parents=True)
    (root / stubs.PACKAGE / "store" / "base" / "__init__.py").write_text("class Store: ...")
    written = stubs.stubs(root)
    assert {Path("store/__init__.pyi"), Path("store/base/__init__.py")} < written.keys()


def test_a_module_in_the_drawer_is_the_one_it_is_another_name_of(root: Path) -> None:
    text = stubs.stubs(root)[Path("graph", "_read.py")]
    assert "from langgraph_rust.graph._build import Built as Built" in text


def test_what_is_not_current_is_told(root: Path) -> None:
    stubs.write(root)
    assert stubs.stale(root) == []
    (root / stubs.STUBS / "graph" / "state.py").write_text("", encoding="utf-8")
    (root / stubs.STUBS / "gone.py").write_text("", encoding="utf-8")
    (root / stubs.STUBS / "graph" / "_read.py").unlink()
    told = [str(path.relative_to(stubs.STUBS)) for path in stubs.stale(root)]
    assert told == ["gone.py", "graph/_read.py", "graph/state.py"]


def test_every_public_name_of_upstream_that_the_package_has_is_in_them() -> None:
    written = stubs.stubs(ROOT)
    sources = read_sources(ROOT / stubs.PACKAGE)
    _, manifest = load_manifest()
    lacking = []
    for name, module in manifest.items():
        parts = name.split(".")[1:]
        found = Path(*parts, "__init__.py"), Path(*parts).with_suffix(".py")
        text = "".join(written.get(path, "") for path in found)
        ours = name.replace("langgraph", "langgraph_rust", 1)
        there = [item for item in module.names if sources.find(ours, item) is not None]
        lacking += [f"{name}.{item}" for item in there if f" as {item}\n" not in text]
    assert lacking == []
