"""What a program is told: whether it is switched, since when, and which LangGraph it is."""

from __future__ import annotations

import json

import pytest

from sync.pins import load_pins
from tests.switch.conftest import Place

VERSIONS = load_pins().replaced


def test_the_versions_are_those_that_it_is_like(place: Place) -> None:
    code = """
        from importlib.metadata import PackageNotFoundError, version
        for name in %r:
            try:
                print(version(name.replace("-", "_")))
            except PackageNotFoundError as error:
                print(error)
    """
    place.write("versions.py", code % [*VERSIONS])
    assert place.run("versions.py", switch="1").stdout.split() == [*VERSIONS.values()]
    off = place.run("versions.py").stdout
    if place.has_upstream:
        assert off.split() == [*VERSIONS.values()]
    else:
        assert off.count("No package metadata was found for langgraph") == len(VERSIONS)


def test_a_list_of_what_is_installed_is_as_it_is(place: Place) -> None:
    # pip can neither upgrade nor remove what is not there.
    code = """
        from importlib.metadata import distributions
        names = sorted(one.name for one in distributions() if one.name in %r)
        print(*names)
    """
    done = place.run(place.write("names.py", code % [*VERSIONS]), switch="1")
    assert done.stdout.split() == (sorted(VERSIONS) if place.has_upstream else [])
    pip = place.run("-m", "pip", "--disable-pip-version-check", "list", switch="1")
    assert ("langgraph-prebuilt" in pip.stdout) == place.has_upstream


OTHER = """
import sys, importlib.metadata as metadata
from pathlib import Path
folder = Path("other/langgraph-0.9.dist-info")
folder.mkdir(parents=True)
(folder / "METADATA").write_text("Metadata-Version: 2.1\\nName: langgraph\\nVersion: 0.9\\n"
                                 "Requires-Dist: thing>=2\\n\\nVersion: of a readme\\n")
(folder / "RECORD").write_text("langgraph/graph.py,,\\n")
sys.path.insert(0, "other")
print(metadata.version("langgraph"))
import langgraph_rust; langgraph_rust.install({})
print(metadata.version("langgraph"), metadata.requires("langgraph"),
      metadata.distribution("langgraph").files, metadata.version("langgraph-prebuilt"))
"""


def test_another_version_that_is_installed_is_not_what_runs(beside: Place) -> None:
    done = beside.run(beside.write("other.py", OTHER.format("")))
    files = "[PackagePath('langgraph/graph.py')]"
    assert done.stdout.splitlines() == [
        "0.9",
        f"{VERSIONS['langgraph']} ['thing>=2'] {files} {VERSIONS['langgraph-prebuilt']}",
    ], done.stderr


def test_active_and_back(place: Place) -> None:
    code = """
        import os, sys, importlib.util, langgraph_rust as r
        print(r.is_active())
        r.install(children=True)
        print(r.is_active(), os.environ["LANGGRAPH_RUST"])
        import langgraph_rust.graph
        print(langgraph_rust.graph.StateGraph.compile.__module__)
        from langgraph_rust.pregel import Pregel
        print(Pregel.__module__)
        r.uninstall()
        r.uninstall()
        print(r.is_active(), "LANGGRAPH_RUST" in os.environ, Pregel.__module__)
        r.install()
        import langgraph.types
        try:
            r.uninstall()
        except RuntimeError as error:
            print(error)
        print(r.is_active())
    """
    done = place.run(place.write("app.py", code))
    lines = done.stdout.splitlines()
    assert lines[:5] == [
        "False",
        "True 1",
        "langgraph_rust.graph.state",
        "langgraph.pregel.main",
        "False False langgraph_rust.pregel.main",
    ], done.stdout + done.stderr
    assert lines[5] == "langgraph_rust.uninstall() cannot take back what is imported:"
    assert lines[6].startswith("    langgraph.types, imported in ")
    assert lines[6].endswith("app.py, line 14")
    assert "LANGGRAPH_RUST=0" in lines[-2] and lines[-1] == "True"


def test_after_uninstall_langgraph_is_langgraph(beside: Place) -> None:
    code = "import langgraph_rust as r; r.install(); r.uninstall(); import langgraph.graph as g"
    assert beside.run("-c", f"{code}; print(g.__name__)").stdout == "langgraph.graph\n"


def test_too_late_names_three_and_who_imported_them(beside: Place) -> None:
    beside.write("lib.py", "def f(): ...\n\nfrom langgraph.types import (\n    Send,\n)\n")
    code = "import lib\nimport langgraph.graph\nimport langgraph_rust\nlanggraph_rust.install()\n"
    done = beside.run(beside.write("app.py", code))
    error = done.stderr[done.stderr.index("RuntimeError: ") :].splitlines()
    assert error[0].endswith("`langgraph` is imported, but it is already:")
    assert error[1] == f"    langgraph.graph, imported in {beside.folder}/app.py, line 2"
    assert error[2] == f"    langgraph.types, imported in {beside.folder}/lib.py, line 3"
    assert error[3].startswith("    langgraph") and error[4].startswith("    and ")
    assert error[5].startswith("Call it first thing in the program")
    assert len(error) == 6


class TestStatus:
    @pytest.mark.parametrize("switch", [None, "0", "1", "maybe"])
    def test_which_engine_and_why(self, place: Place, switch: str | None) -> None:
        done = place.run_command(place.command("langgraph-rust"), "status", "--json", switch=switch)
        found = json.loads(done.stdout)
        assert found["upstream"] == VERSIONS["langgraph"]
        assert found["active"] is (switch == "1")
        why = {None: "is not set", "0": "=0, whatever", "1": "=1, through ", "maybe": "neither on"}
        assert why[switch] in found["why"]
        roles = {one["name"]: one["role"] for one in found["distributions"]}
        assert roles == dict.fromkeys(
            VERSIONS, "ignored" if place.has_upstream else "not installed"
        )
        path = found["modules"]["langgraph.graph"]
        if switch == "1":
            assert path.endswith("langgraph_rust/graph/__init__.py")
        else:
            assert path.endswith("langgraph/graph/__init__.py" if place.has_upstream else "")
            assert bool(path) is place.has_upstream
        assert found["savers"]["memory"] == "" and "[redis]" in found["savers"]["redis cache"]

    def test_what_is_kept_comes_from_its_own_place(self, beside: Place) -> None:
        done = beside.run("-m", "langgraph_rust", "status", "--json", switch="1",
                          LANGGRAPH_RUST_KEEP="langgraph.prebuilt")  # fmt: skip
        found = json.loads(done.stdout)
        roles = {one["name"]: one["role"] for one in found["distributions"]}
        assert roles["langgraph-prebuilt"] == "kept" and roles["langgraph"] == "ignored"
        assert found["modules"]["langgraph.prebuilt"].endswith("langgraph/prebuilt/__init__.py")
        assert "langgraph_rust" in found["modules"]["langgraph.types"]

    def test_for_people(self, place: Place) -> None:
        done = place.run("-m", "langgraph_rust", "status", switch="1")
        lines = done.stdout.splitlines()
        assert f"like LangGraph                   {VERSIONS['langgraph']}" in lines
        assert any(line.startswith("switched on                      yes: ") for line in lines)
        assert "  langgraph-rust" in lines


class TestDoctor:
    def examine(self, place: Place, *arguments: str, **variables: str) -> dict[str, str]:
        """What is wrong, and what to do about it."""
        done = place.run("-m", "langgraph_rust", "doctor", "--json", *arguments, **variables)
        found = {one["what"]: one["fix"] for one in json.loads(done.stdout) if one["is_trouble"]}
        assert done.returncode == (1 if found else 0)
        return found

    def test_nothing(self, place: Place) -> None:
        assert self.examine(place) == {}
        done = place.run("-m", "langgraph_rust", "doctor")
        assert done.stdout.endswith("nothing wrong\n") and done.returncode == 0

    def test_words_that_are_none(self, place: Place) -> None:
        variables = {"LANGGRAPH_RUST_STRICT": "very", "LANGGRAPH_RUST_KEEP": "langgraph.graph"}
        found = self.examine(place, **variables)
        assert ["LANGGRAPH_RUST_STRICT is 'very'" in what for what in found] == [True, False]
        assert ["langgraph.graph cannot be kept" in what for what in found] == [False, True]

    def test_imported_at_start_and_by_whom(self, beside: Place) -> None:
        beside.write("first/sitecustomize.py", "import langgraph.types")
        folder = str(beside.folder / "first")
        (what,) = self.examine(beside, PYTHONPATH=folder)
        assert "langgraph is imported when Python starts" in what
        assert f"langgraph.types, imported in {folder}/sitecustomize.py, line 1" in what

    def test_imported_in_a_script_before_install(self, place: Place) -> None:
        text = "import langgraph.types\nimport langgraph_rust as r\nlanggraph_rust.install()\n"
        (what,) = self.examine(place, place.write("app.py", text))
        assert what.startswith("app.py, line 1, imports langgraph.types before install() is called")
        good = "import langgraph_rust\nlanggraph_rust.install()\nimport langgraph.types\n"
        assert self.examine(place, place.write("good.py", good)) == {}

    def test_two_of_it_and_a_module_of_that_name(self, place: Place) -> None:
        place.write("langgraph.py", "")
        place.write("copy/langgraph_rust/__init__.py", "")
        code = """
            import sys
            sys.path.append("copy")
            from langgraph_rust._cli import main
            main(["doctor"])
        """
        done = place.run(place.write("app.py", code))
        assert "there are 2 of langgraph_rust on the path" in done.stdout
        assert f"{place.folder}/langgraph.py is a module of that name" in done.stdout

    def test_no_file_that_switches(self, place: Place) -> None:
        code = """
            from langgraph_rust._cli import doctor, main
            doctor.pth_files = lambda: []
            main(["doctor"])
        """
        done = place.run(place.write("app.py", code))
        assert "langgraph_rust_switch.pth is in no folder that Python looks into" in done.stdout

    def test_a_sibling_that_is_kept_but_not_there(self, place: Place) -> None:
        found = self.examine(place, LANGGRAPH_RUST_KEEP="langgraph.checkpoint.postgres")
        kept = [what for what in found if "langgraph-checkpoint-postgres, which is not" in what]
        assert bool(kept) is not place.has_upstream
