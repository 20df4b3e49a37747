"""What a process starts runs on the same engine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.switch.conftest import Place

PROGRAM = """
{start}
import multiprocessing, os, subprocess, sys
from concurrent.futures import ProcessPoolExecutor

class Mine:
    pass

def whose(mine):
    import langgraph.graph.state as state
    from langgraph_rust._dropin import is_strict
    assert isinstance(mine, Mine)
    return state.__name__.split(".")[0], is_strict()

CODE = "import langgraph.graph.state as s; print(s.__name__.split('.')[0])"

if __name__ == "__main__":
    import langgraph
    for method in ("spawn", "forkserver", "fork"):
        context = multiprocessing.get_context(method)
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            print(method, *pool.submit(whose, Mine()).result())
        if method == "spawn":
            with context.Pool(1) as pool:
                print("pool", *pool.map(whose, [Mine()])[0])
    print("subprocess", subprocess.check_output([sys.executable, "-c", CODE], text=True).strip())
    print("shell", subprocess.check_output(f'"{{sys.executable}}" -c "{{CODE}}"', shell=True,
                                           text=True).strip())
"""

INSTALL = "if __name__ == '__main__':\n    import langgraph_rust; langgraph_rust.install({})"


def said(strict: bool = False) -> str:
    """What the program prints where all follow."""
    lines = [f"{kind} langgraph_rust {strict}" for kind in ("spawn", "pool", "forkserver", "fork")]
    return "\n".join([*lines, "subprocess langgraph_rust", "shell langgraph_rust", ""])


def test_of_a_process_that_the_environment_switches(place: Place) -> None:
    done = place.run(place.write("app.py", PROGRAM.format(start="")), switch="1")
    assert (done.stdout, done.stderr) == (said(), "")


@pytest.mark.parametrize("how", ["python -m", "command"])
def test_of_a_program_that_is_run(place: Place, how: str) -> None:
    place.write("app.py", PROGRAM.format(start=""))
    if how == "command":
        done = place.run_command(place.command("langgraph-rust"), "app.py")
    else:
        done = place.run("-m", "langgraph_rust", "-m", "app", LANGGRAPH_RUST_STRICT="1")
    assert (done.stdout, done.stderr) == (said(strict=how != "command"), "")


def test_of_install_with_its_options(place: Place) -> None:
    start = INSTALL.format("children=True, strict=True")
    done = place.run(place.write("app.py", PROGRAM.format(start=start)))
    assert (done.stdout, done.stderr) == (said(strict=True), "")


def test_install_alone_changes_no_variable(beside: Place) -> None:
    code = "import os, langgraph_rust as r; r.install(keep=['langgraph.prebuilt']{}); print({})"
    names = "*sorted(n + '=' + v for n, v in os.environ.items() if 'LANGGRAPH' in n)"
    assert beside.run("-c", code.format("", names)).stdout == "\n"
    told = beside.run("-c", code.format(", children=True, accelerate=True", names))
    assert told.stdout.split() == [
        "LANGGRAPH_RUST=1",
        "LANGGRAPH_RUST_ACCELERATE=1",
        "LANGGRAPH_RUST_KEEP=langgraph.prebuilt",
    ]


def test_what_is_kept_is_kept_in_children(beside: Place) -> None:
    code = """
        import langgraph_rust, subprocess, sys
        langgraph_rust.install(keep=["langgraph.prebuilt"], children=True)
        child = "import langgraph.prebuilt as a, langgraph.graph as b"
        child += "; print(a.__name__, b.__name__)"
        subprocess.run([sys.executable, "-c", child], check=True)
    """
    done = beside.run(beside.write("app.py", code))
    assert done.stdout == "langgraph.prebuilt langgraph_rust.graph\n", done.stderr


def test_another_environment_runs_what_it_has(place: Place) -> None:
    base = os.path.realpath(place.python)
    code = f"import subprocess; subprocess.run([{base!r}, '-c', 'print(2)'], check=True)"
    done = place.run("-m", "langgraph_rust", "-c", code)
    assert (done.stdout, done.stderr) == ("2\n", "")


def test_a_process_whose_children_cannot_follow_says_so(place: Place) -> None:
    packages = Path(place.python).parents[1] / "lib" / f"python3.{sys.version_info[1]}"
    code = (
        f"import sys; sys.path.append({str(packages / 'site-packages')!r})\n"
        "import langgraph_rust; langgraph_rust.install(children=True); print(1)"
    )
    done = place.run("-S", "-c", code)
    assert done.stdout == "1\n"
    assert "processes that this one starts run LangGraph as installed" in done.stderr
