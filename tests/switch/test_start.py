"""`LANGGRAPH_RUST` when a Python process starts: on, off, not set, misspelt."""

from __future__ import annotations

import pytest

from tests.switch.conftest import OURS, UPSTREAMS, Place

WHOSE = "import langgraph.graph.state as state; print(state.__name__)"

HEAVY = ("asyncio", "langchain_core", "langgraph", "langgraph_rust._engine", "pydantic", "typing")


@pytest.mark.parametrize("word", ["1", "true", " On "])
def test_on(place: Place, word: str) -> None:
    done = place.run("-c", WHOSE, switch=word)
    assert (done.stdout, done.stderr) == (f"{OURS}\n", "")


@pytest.mark.parametrize("word", [None, "", "0", "off"])
def test_off_or_not_set(place: Place, word: str | None) -> None:
    done = place.run("-c", WHOSE, switch=word)
    if place.has_upstream:
        assert (done.stdout, done.stderr) == (f"{UPSTREAMS}\n", "")
    else:
        assert done.stderr.endswith("ModuleNotFoundError: No module named 'langgraph'\n")


def test_on_loads_what_finds_modules_and_off_nothing(place: Place) -> None:
    code = "import sys; print(*(m for m in sys.modules if 'langgraph_rust' in m or m in {!r}))"
    on = place.run("-c", code.format(HEAVY), switch="1").stdout.split()
    assert "langgraph_rust._dropin" in on and not {*on} & {*HEAVY}
    assert place.run("-c", code.format(HEAVY)).stdout.split() == []
    assert place.run("-c", code.format(HEAVY), switch="0").stdout.split() == []


def test_a_wrong_word_is_said_and_python_starts(place: Place) -> None:
    done = place.run("-c", "print(1)", switch="enabled")
    assert done.stdout == "1\n" and done.returncode == 0
    assert done.stderr.startswith("langgraph_rust: not switched on, LangGraph as installed runs: ")
    assert done.stderr.count("LANGGRAPH_RUST is 'enabled', which is neither on") == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [("1/0", "ZeroDivisionError"), ("__path__ = []", "No module named 'langgraph_rust._dropin'")],
)
def test_a_package_that_is_broken_is_said_and_python_starts(
    place: Place, text: str, says: str
) -> None:
    place.write("broken/langgraph_rust/__init__.py", text)
    done = place.run("-c", "print(1)", switch="1", PYTHONPATH=str(place.folder / "broken"))
    assert done.stdout == "1\n" and done.returncode == 0
    assert says in done.stderr


def test_an_interpreter_that_the_engine_is_not_for_is_said(beside: Place) -> None:
    code = (
        "import langgraph_rust._dropin._start as start\n"
        "start.has_engine = lambda: False\n"
        f"start.start(); {WHOSE}"
    )
    beside.write("later.py", code)
    done = beside.run("later.py")
    assert done.stdout == f"{UPSTREAMS}\n"
    assert "it has no engine for this Python" in done.stderr


def test_what_was_imported_even_before_stays_and_that_is_said(beside: Place) -> None:
    # .pth files are run in the order of their names.
    code = f"from langgraph_rust._dropin._start import start; start(); {WHOSE}"
    done = beside.run("-c", f"import langgraph.types; {code}")
    assert done.stdout == f"{UPSTREAMS}\n"
    assert "must be called before `langgraph` is imported" in done.stderr


STARTS = {
    "install": ["-c", f"import langgraph_rust; langgraph_rust.install(children=True); {WHOSE}"],
    "module": ["-m", "langgraph_rust", "-c", WHOSE],
}


@pytest.mark.parametrize("start", STARTS)
def test_zero_wins(place: Place, start: str) -> None:
    assert place.run(*STARTS[start]).stdout == f"{OURS}\n"
    done = place.run(*STARTS[start], switch="0")
    assert done.stderr.startswith(
        "langgraph_rust: LANGGRAPH_RUST=0 switches it off: `import langgraph` is LangGraph as"
    )
    if place.has_upstream:
        assert done.stdout == f"{UPSTREAMS}\n"
    else:
        assert (
            "ModuleNotFoundError: No module named 'langgraph': LANGGRAPH_RUST=0 switches "
            "langgraph-rust off, and LangGraph itself is not installed"
        ) in done.stderr


def test_zero_wins_over_the_pytest_plugin_whose_header_says_what_runs(place: Place) -> None:
    place.write(
        "test_it.py",
        """
        import subprocess, sys

        WHOSE = "import langgraph.graph.state as m; print(m.__name__)"

        def test_it():
            import langgraph.graph.state as m
            child = subprocess.run([sys.executable, "-c", WHOSE], capture_output=True, text=True)
            assert child.stdout == f"{m.__name__}\\n"
            print(m.__name__)
        """,
    )
    plugin = ["-p", "langgraph_rust.pytest_plugin", "-p", "no:cacheprovider"]
    arguments = ["-m", "pytest", "-s", *plugin]
    on = place.run(*arguments, "test_it.py")
    assert "langgraph: langgraph-rust 0." in on.stdout and "1 passed" in on.stdout, on.stdout
    assert OURS in on.stdout
    off = place.run(*arguments, "test_it.py", switch="0")
    if place.has_upstream:
        assert "langgraph: LangGraph 1." in off.stdout and UPSTREAMS in off.stdout
        assert "1 passed" in off.stdout
    else:
        assert "langgraph: not installed, and LANGGRAPH_RUST is off" in off.stdout
