"""`python -m langgraph_rust`: programs run as `python` runs them; what the command line may say."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import langgraph_rust
from langgraph_rust._cli.command import main

LOOK = """
import re, sys
seen = {name: "" if name == "__builtins__" else value for name, value in globals().items()}
print(re.sub(" at 0x[0-9a-f]*", "", str(sorted(seen.items()))))
print(sys.argv, sys.path[0], vars(sys.modules["__main__"]) is globals(), sys.flags.isolated)
"""

FAIL = """
def fail():
    raise KeyError("x") from ValueError("y")

fail()
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run Python in a folder with a few programs."""
    programs = {
        "look.py": LOOK,
        "fail.py": FAIL,
        "wrong.py": "x = (",
        "package/__main__.py": LOOK,
        "package/__init__.py": "",
        "folder/deep/look.py": LOOK,
        "mine.py": "class Mine: ...\nimport pickle\nprint(pickle.loads(pickle.dumps(Mine())))\n",
    }
    for name, text in programs.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "link.py").symlink_to(tmp_path / "folder" / "deep" / "look.py")
    with zipfile.ZipFile(tmp_path / "app.pyz", "w") as archive:
        archive.writestr("__main__.py", LOOK)

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        variables = {
            name: value for name, value in os.environ.items() if not name.startswith("LANGGRAPH")
        }
        variables["PYTHONPATH"] = str(Path(langgraph_rust.__file__).parent.parent)
        return subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=variables,
            input=stdin,
        )

    return run


@pytest.mark.parametrize(
    "program",
    [
        ["look.py", "-x", "y"],
        ["folder/deep/look.py", "-m"],
        ["link.py"],
        ["package", "1"],
        ["app.pyz"],
        ["-m", "look", "-h"],
        ["-mlook"],
        ["-m", "package"],
        ["-c", LOOK, "--version"],
        ["fail.py"],
        ["-m", "fail"],
        ["-c", FAIL],
        ["wrong.py"],
        ["-m", "wrong"],
        ["-m", "nowhere.to"],
        ["-c", "import sys; sys.exit('so')"],
        ["-c", "import sys; sys.exit(3)"],
        ["-c", "raise KeyboardInterrupt"],
        ["-c", "import sys; sys.excepthook = lambda *x: print(x[2].tb_lineno, x[2].tb_next); 1/0"],
        ["mine.py"],
    ],
    ids=" ".join,
)
def test_a_program_runs_as_python_runs_it(run: Run, program: list[str]) -> None:
    want, got = run(*program), run("-m", "langgraph_rust", *program)
    same = got.stdout if "mine.py" not in program else got.stdout[:20]
    assert same == want.stdout[: len(same)]
    if program[0] == "-c" and sys.version_info >= (3, 13):
        # From there on, Python itself shows lines of such code, by means that change.
        want.stderr = "".join(line for line in want.stderr.splitlines(True) if line in got.stderr)
    assert (got.stderr, got.returncode) == (want.stderr, want.returncode)


def test_standard_input_is_a_program(run: Run) -> None:
    for text in (LOOK, FAIL, "x = ("):
        want, got = run("-", "1", stdin=text), run("-m", "langgraph_rust", "-", "1", stdin=text)
        assert (got.stdout, got.stderr) == (want.stdout, want.stderr)


@pytest.mark.parametrize("tool", [["cProfile"], ["trace", "--count", "-C", "counts", "--module"]])
def test_tools_that_run_programs_run_it(run: Run, tool: list[str]) -> None:
    profiled = ["-m"] if tool == ["cProfile"] else []
    done = run("-m", *tool, *profiled, "langgraph_rust", "look.py", "1")
    assert "['look.py', '1']" in done.stdout and done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.version_info < (3, 11), reason="-P is new in 3.11")
def test_a_safe_path_stays_safe(run: Run) -> None:
    code = "import sys; print(sys.path)"
    assert run("-P", "-m", "langgraph_rust", "-c", code).stdout == run("-P", "-c", code).stdout


def test_a_script_that_has_the_name_of_a_command_comes_first(run: Run, tmp_path: Path) -> None:
    (tmp_path / "status").write_text("print('script')")
    assert run("-m", "langgraph_rust", "status").stdout == "script\n"


def test_run_may_be_said(run: Run) -> None:
    assert run("-m", "langgraph_rust", "run", "-c", "print(1)").stdout == "1\n"
    missing = run("-m", "langgraph_rust", "run", "nowhere.py")
    assert missing.returncode == 2 and "nowhere.py': [Errno 2] No such file" in missing.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "usage: python -m langgraph_rust [run] SCRIPT"),
        (["-m"], "argument expected for -m"),
        (["-c"], "argument expected for -c"),
        (["--unknown"], "unrecognized arguments: --unknown"),
        (
            ["statsu"],
            "statsu is neither a file nor a command "
            "(run, status, doctor, storage, worker, draw, view)",
        ),
        (["run"], "run: which program?"),
    ],
)
def test_what_it_cannot_do_is_named(run: Run, arguments: list[str], says: str) -> None:
    done = run("-m", "langgraph_rust", *arguments)
    assert (done.returncode, done.stdout) == (2, "") and says in done.stderr


def test_help_and_version(run: Run) -> None:
    assert run("-m", "langgraph_rust", "--help").stdout.startswith("usage:")
    for command in ("run", "status", "doctor", "storage"):
        done = run("-m", "langgraph_rust", command, "--help")
        assert done.returncode == 0 and done.stdout.startswith("usage: python -m langgraph_rust")
    assert "(LangGraph 1." in run("-m", "langgraph_rust", "--version").stdout


def test_what_the_environment_cannot_mean_is_named(run: Run) -> None:
    code = "import os, runpy, sys; os.environ['LANGGRAPH_RUST'] = 'x'; sys.argv[1:] = ['-c', '1']\n"
    done = run("-c", f"{code}runpy.run_module('langgraph_rust', run_name='__main__')")
    assert done.returncode == 1
    assert done.stderr.startswith("langgraph_rust: The environment variable LANGGRAPH_RUST is 'x'")


def test_options_of_python_are_pythons(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["-u", "app.py"])
    said = capsys.readouterr().err
    assert "python -u -m langgraph_rust app.py" in said
    assert "LANGGRAPH_RUST=1 python -u app.py" in said
