"""Build what is released, and try it as somebody who installs it would.

``python -m sync.release wheels --compatibility manylinux2014`` builds a wheel for each supported
version of Python, ``sdist`` the source distribution, both into ``dist``; ``try dist`` installs what
is there, for the interpreter that runs it, into an environment of its own and runs a program with
it. Beside Linux this also runs on macOS and Windows.

Wheels for an old glibc, or for musl, are linked with zig, so that neither an old system nor a
container is needed.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from sync.pins import CACHE, ROOT, load_pins, read_toml

DIST = ROOT / "dist"
PROGRAM = ROOT / "examples" / "agent.py"
TOOLS = ("maturin", "ziglang")
ENDS = """
import threading, time
from typing import TypedDict
from langgraph_rust.graph import START, StateGraph

class Slow:
    def __del__(self, sleep=time.sleep):
        sleep(0.2)

def node(_, *, sleep=time.sleep):
    started.set()
    while True:
        sleep(0.001)

slow, started = Slow(), threading.Event()
builder = StateGraph(TypedDict("State", {"n": int})).add_node("node", node)
graph = builder.add_edge(START, "node").compile()
threading.Thread(target=graph.invoke, args=({"n": 0},), daemon=True).start()
started.wait()
"""
"""Ends with a thread inside a node, which takes a process down whose library cannot unwind it."""


def versions() -> list[str]:
    """The versions of Python that a wheel is built for, oldest first: those in the metadata."""
    classifiers = read_toml(ROOT / "pyproject.toml")["project"]["classifiers"]
    found = [line.rpartition(" :: ")[2] for line in classifiers if ":: Python :: 3." in line]
    return sorted(found, key=lambda version: int(version.partition(".")[2]))


def options(compatibility: str | None, interpreters: list[str], machine: str) -> list[str]:
    """What maturin is asked for.

    Args:
        compatibility: the tag of the oldest system that the wheels are for, such as
            ``manylinux2014``; nothing for the system that they are built on.
        interpreters: names or paths, one for each wheel; none for all that are supported.
        machine: the processor, as `platform.machine` says it.
    """
    asked = ["build", "--release", "--locked", "--out", str(DIST)]
    if compatibility is None and not interpreters:
        # Windows has no names for them.
        return [*asked, "--find-interpreter"]
    if compatibility is not None:
        libc = "musl" if compatibility.startswith("musllinux") else "gnu"
        target = f"{machine}-unknown-linux-{libc}"
        asked += ["--zig", "--compatibility", compatibility, "--target", target]
    named = interpreters or [f"python{version}" for version in versions()]
    return [*asked, "--interpreter", *named]


def unwinding(compatibility: str | None, machine: str) -> dict[str, str]:
    """What has cargo link the system's unwinder where zig would link its own.

    A thread that Python ends when it exits is unwound by the system's, which must find one of its
    kind in the library. Its symbols are as old as the systems that the wheels are for.
    """
    if compatibility is None or compatibility.startswith("musllinux"):
        return {}
    asked = ["cc", "-print-file-name=libgcc_s.so.1"]
    library = subprocess.run(asked, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    target = f"{machine}_unknown_linux_gnu".upper()
    return {f"CARGO_TARGET_{target}_RUSTFLAGS": f"-C link-arg={Path(library).resolve()}"}


def build(*asked: str, **env: str) -> None:
    """Run maturin, in the version that is pinned."""
    tools = _environment(CACHE / "envs" / "release")
    wanted = [f"{name}=={load_pins().constraints[name]}" for name in TOOLS]
    _run(tools, "-m", "pip", "install", "-q", *wanted)
    # maturin looks for zig on the path.
    path = os.pathsep.join((str(tools.parent), os.environ["PATH"]))
    _run(tools, "-m", "maturin", *asked, PATH=path, **env)


def try_out(dist: Path) -> None:
    """Install what is in `dist` for this interpreter, a wheel if there is one, and run a program.

    Raises:
        subprocess.CalledProcessError: that failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        python = _environment(Path(folder) / "env")
        ours = ["--no-index", "--no-deps", "--find-links", str(dist), "langgraph-rust"]
        if any(dist.glob("*.whl")):
            _run(python, "-m", "pip", "install", "-q", "--only-binary", ":all:", *ours)
        else:
            archive = next(dist.glob("*.tar.gz"))
            _run(python, "-m", "pip", "install", "-q", "--no-deps", str(archive))
        _run(python, "-m", "pip", "install", "-q", "langgraph-rust")
        _run(python, "-m", "langgraph_rust", str(PROGRAM))
        _run(python, "-c", ENDS)
        _run(python, "-c", "import langgraph_rust as it; assert it.__version__, 'no metadata'")


def _environment(path: Path) -> Path:
    """The interpreter of a virtual environment, which is made if it is not there."""
    if not path.exists():
        venv.create(path, with_pip=True)
    return path / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run(python: Path, *arguments: str, **env: str) -> None:
    command = [str(python), *arguments]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, check=True)


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m sync.release")
    commands = parser.add_subparsers(dest="command", required=True)
    wheels = commands.add_parser("wheels", help="a wheel for each interpreter")
    wheels.add_argument("--compatibility", help="the tag of the oldest system they are for")
    wheels.add_argument("interpreters", nargs="*", help="default: all that are supported")
    commands.add_parser("sdist", help="the source distribution")
    trying = commands.add_parser("try", help="install what was built, and run a program")
    trying.add_argument("dist", type=Path)
    asked = parser.parse_args()
    if asked.command == "wheels":
        machine = platform.machine()
        wanted = options(asked.compatibility, asked.interpreters, machine)
        build(*wanted, **unwinding(asked.compatibility, machine))
    elif asked.command == "sdist":
        build("sdist", "--out", str(DIST))
    else:
        try_out(asked.dist.resolve())


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as failed:
        sys.exit(f"failed ({failed.returncode}): {' '.join(failed.cmd)}")
