"""Put the sources of this package into `.venv`, with the native module built beside them.

``python -m sync.develop`` (`make develop`) builds with cargo's profile ``quick``: an edit of the
engine is there in seconds, one of the Python sources at once. Cargo is called without maturin,
which would make a wheel only to take it apart again, and asks for a newer pip than virtual
environments have.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from sync.environments import Environment, development_environment, run, say
from sync.pins import ROOT

SOURCES = ROOT / "langgraph-py" / "python"
START_UP = ROOT / "langgraph-py" / "langgraph_rust.data" / "purelib"
PROFILE = "quick"
_PATHS = "import json, sysconfig; print(json.dumps([sysconfig.get_path('purelib'), "
_PATHS += "sysconfig.get_config_var('EXT_SUFFIX')]))"


def build(python: Path) -> Path:
    """Build the native module for an interpreter and return where cargo has put it."""
    command = ["cargo", "rustc", "--locked", "--profile", PROFILE, "-p", "langgraph-py"]
    command.append("--message-format=json-render-diagnostics")
    if sys.platform == "darwin":
        # The interpreter brings its symbols when it loads the module.
        command += ["--", "-C", "link-arg=-undefined", "-C", "link-arg=dynamic_lookup"]
    say("building the native module")
    env = {**os.environ, "PYO3_PYTHON": str(python)}
    result = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit("the native module did not build")
    return built(result.stdout)


def built(messages: str) -> Path:
    """The library among what cargo says it has made, a line of JSON each.

    Raises:
        ValueError: there is none.
    """
    for line in messages.splitlines():
        message = json.loads(line) if line.startswith("{") else {}
        if message.get("target", {}).get("name") == "_engine" and message.get("filenames"):
            return Path(message["filenames"][0])
    raise ValueError("cargo made no library named _engine")


def install(library: Path, environment: Environment) -> None:
    """Put the module beside the sources, and the sources on the path of the environment."""
    site_packages, suffix = json.loads(run([environment.python, "-c", _PATHS]))
    # Replaced, not overwritten: a process that has loaded the old one keeps it.
    module = SOURCES / "langgraph_rust" / f"_engine{suffix}"
    shutil.copy(library, module.with_suffix(".new"))
    module.with_suffix(".new").replace(module)
    (environment.path / "wheel.sha256").unlink(missing_ok=True)
    if any(Path(site_packages).glob("langgraph_rust-*.dist-info")):
        environment.pip("uninstall", "-q", "-y", "langgraph-rust")
    own = (path.read_text(encoding="utf-8") for path in sorted(START_UP.glob("*.pth")))
    lines = "".join((f"{SOURCES}\n", *own))
    (Path(site_packages) / "langgraph_rust_dev.pth").write_text(lines, encoding="utf-8")


def main() -> None:
    """Build, and install into `.venv`."""
    environment = development_environment().ensure()
    install(build(environment.python), environment)


if __name__ == "__main__":
    main()
