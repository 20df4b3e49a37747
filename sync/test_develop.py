"""What cargo says it has built, and what `make develop` puts where."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sync import develop
from sync.environments import Environment

MESSAGES = """\
{"target": {"name": "pyo3"}, "filenames": ["/target/libpyo3.rlib"]}
{"target": {"name": "_engine"}, "message": "a warning"}
not JSON
{"target": {"name": "_engine"}, "filenames": ["/target/quick/lib_engine.so"]}
"""


def test_the_library_is_found_among_cargos_messages() -> None:
    assert develop.built(MESSAGES) == Path("/target/quick/lib_engine.so")
    with pytest.raises(ValueError, match="_engine"):
        develop.built("")


def test_sources_and_module_are_put_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources, library = tmp_path / "sources", tmp_path / "lib_engine.so"
    (sources / "langgraph_rust").mkdir(parents=True)
    library.write_text("built")
    start_up = tmp_path / "start-up"
    start_up.mkdir()
    (start_up / "langgraph_rust.pth").write_text("import sys; sys.started = True\n")
    site_packages = tmp_path / "site-packages"
    site_packages.mkdir()
    monkeypatch.setattr(develop, "SOURCES", sources)
    monkeypatch.setattr(develop, "START_UP", start_up)
    monkeypatch.setattr(develop, "run", lambda _: f'["{site_packages}", ".abi.so"]')

    develop.install(library, Environment("made up", tmp_path, (), Path(sys.executable)))

    assert (sources / "langgraph_rust" / "_engine.abi.so").read_text() == "built"
    lines = (site_packages / "langgraph_rust_dev.pth").read_text()
    assert lines == f"{sources}\nimport sys; sys.started = True\n"
