"""Build this package's wheel and put it into an environment, when it changed.

``python -m sync.wheel dev ours`` builds once and installs into each environment named. Every
environment gets the wheel that the development environment built: cargo's artifacts depend on the
interpreter they were built for, and several builders would keep invalidating each other's.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

from sync.environments import (
    Environment,
    development_environment,
    locked,
    our_environment,
    say,
)
from sync.pins import CACHE, ROOT

WHEELS = CACHE / "wheel"


def build_wheel() -> Path:
    """Build the release wheel with maturin (cargo skips what is unchanged) and return its path."""
    builder = development_environment().ensure()
    with locked("wheel"):
        for old in WHEELS.glob("*.whl"):
            old.unlink()
        say("building the wheel")
        maturin = builder.python.with_name("maturin")
        options = ["--release", "--interpreter", builder.python, "--out", WHEELS]
        result = subprocess.run([maturin, "build", *options], cwd=ROOT)
        if result.returncode:
            sys.exit("the wheel did not build")
        return next(WHEELS.glob("*.whl"))


def install_wheel(wheel: Path, environment: Environment) -> None:
    """Install `wheel` unless this very content is what the environment already has."""
    stamp = environment.path / "wheel.sha256"
    content = _content_hash(wheel)
    with locked(f"env-{environment.name}"):
        if stamp.exists() and stamp.read_text() == content:
            return
        for sources in environment.path.glob("lib/*/site-packages/langgraph_rust_dev.pth"):
            sources.unlink()
        environment.pip("install", "-q", "--no-deps", "--force-reinstall", wheel)
        stamp.write_text(content)


def ready_environment(interpreter: Path = Path(sys.executable)) -> Environment:
    """The conformance environment with the current sources of this package installed."""
    environment = our_environment(interpreter).ensure()
    install_wheel(build_wheel(), environment)
    return environment


def _content_hash(wheel: Path) -> str:
    """A hash of what is in the wheel, not of when it was zipped."""
    with zipfile.ZipFile(wheel) as archive:
        record = next(name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
        return hashlib.sha256(archive.read(record)).hexdigest()


def main() -> None:
    """Build, then install into the environments named on the command line."""
    makers = {"dev": development_environment, "ours": our_environment}
    wheel = build_wheel()
    for name in sys.argv[1:]:
        install_wheel(wheel, makers[name]().ensure())
    print(wheel.relative_to(ROOT))


if __name__ == "__main__":
    main()
