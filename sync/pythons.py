"""Run the package's own tests on other versions of Python: ``python -m sync.pythons 3.10 3.13``.

Without versions it takes all that are supported and found: on the path, in `.cache/pythons`, and
among those of pyenv. Each gets an environment of its own and a native module built with cargo's
profile ``quick``, which is put into a copy of the sources. Not in CI, which has one version.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from sync import develop, release
from sync.environments import Failed, run, say
from sync.pins import CACHE, ROOT, Pins, load_pins, read_toml, requirements

TOOLS = frozenset(("basedpyright", "check-jsonschema", "ruff", "zizmor"))
"""Of the development environment, what tests do not need."""
CLOSING_LINE = re.compile(r"^=*\s*((?:\d+ \w+,? ?)+)in [\d.]+s", re.MULTILINE)
_ABOUT = "import json, sys, sysconfig; print(json.dumps([sys.version.split()[0], "
_ABOUT += "sysconfig.get_config_var('EXT_SUFFIX')]))"


def find(version: str) -> Path | None:
    """An interpreter of that version, if there is one that runs."""
    return next((path for path in _candidates(version) if _is(version, path)), None)


def needed(pins: Pins) -> list[str]:
    """What the tests import."""
    document = read_toml(ROOT / "pyproject.toml")
    extras = document["project"]["optional-dependencies"].values()
    tools = document["dependency-groups"]["dev"]
    named = [need for need in tools if need.partition(">")[0] not in TOOLS]
    extra = [need for needs in extras for need in needs]
    return [*document["project"]["dependencies"], *extra, *named, *pins.siblings]


def summary(output: str) -> str:
    """What pytest says last: how many tests passed, failed and were skipped."""
    found = CLOSING_LINE.findall(output)
    return found[-1].strip() if found else "no result"


def ready(version: str, interpreter: Path) -> tuple[Path, Path]:
    """The interpreter of the version's environment, and the sources with a module built for it."""
    folder = CACHE / "pythons" / f"tests-{version}"
    python = folder / "env" / "bin" / "python"
    if not python.exists():
        say(f"setting up an environment for Python {version}")
        run([interpreter, "-m", "venv", folder / "env"])
    _install(python, folder)
    library = develop.build(python)
    shutil.rmtree(folder / "sources", ignore_errors=True)
    skipped = shutil.ignore_patterns("_engine*.so", "__pycache__")
    shutil.copytree(develop.SOURCES, folder / "sources", ignore=skipped)
    _, suffix = json.loads(run([python, "-c", _ABOUT]))
    shutil.copy(library, folder / "sources" / "langgraph_rust" / f"_engine{suffix}")
    return python, folder / "sources"


def test(python: Path, sources: Path) -> tuple[int, str]:
    """Run the tests; pytest's exit status and closing line."""
    path = os.pathsep.join(map(str, (sources, ROOT)))
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/python"]
    env = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        print(done.stdout)
    return done.returncode, summary(done.stdout)


def _candidates(version: str) -> Iterator[Path]:
    name = f"python{version}"
    yield CACHE / "pythons" / version / "bin" / name
    if found := shutil.which(name):
        yield Path(found)
    yield from sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))


def _is(version: str, path: Path) -> bool:
    try:
        done = subprocess.run([path, "-c", _ABOUT], capture_output=True, text=True)
    except OSError:
        return False
    return done.returncode == 0 and json.loads(done.stdout)[0].startswith(f"{version}.")


def _install(python: Path, folder: Path) -> None:
    pins = load_pins()
    wanted, install = needed(pins), [python, "-m", "pip", "install", "-q"]
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(requirements(pins.elsewhere | pins.distributions)))
    try:
        run([*install, "-c", constraints, *wanted])
    except Failed:
        say("not all that is pinned is to be had for this version: taking what is")
        run([*install, *wanted])


def main() -> int:
    """Test the versions on the command line, or all; the status says whether all passed."""
    status = 0
    lines = []
    for version in sys.argv[1:] or release.versions():
        interpreter = find(version)
        if interpreter is None:
            lines.append(f"Python {version}: not found")
            status |= version in sys.argv[1:]
            continue
        code, closing = test(*ready(version, interpreter))
        lines.append(f"Python {version}: {closing}")
        status |= code != 0
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    sys.exit(main())
