"""Virtual environments, each made once and again only when what it should hold changes.

``python -m sync.environments dev`` makes `.venv` and prints its interpreter. `ours` and `upstream`
live under `.cache/envs`; the conformance run and the benchmarks share them.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sync.pins import CACHE, ROOT, Pins, load_pins, read_toml, requirements


@dataclass(frozen=True)
class Environment:
    """A virtual environment and the requirements that define it."""

    name: str
    path: Path
    requirements: tuple[str, ...]
    interpreter: Path = Path(sys.executable)
    """What it is made with."""
    is_complete: bool = False
    """Whether the requirements name everything, so that nothing else is to be installed."""

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.path / "bin" / "python"

    def ensure(self) -> Environment:
        """Create the environment, or do nothing when it already holds what it should."""
        with locked(f"env-{self.name}"):
            if self._stamp.exists() and self._stamp.read_text() == self._fingerprint():
                return self
            say(f"setting up the '{self.name}' environment in {self.path.relative_to(ROOT)}")
            shutil.rmtree(self.path, ignore_errors=True)
            run([self.interpreter, "-m", "venv", self.path])
            self._install_requirements()
            self._stamp.write_text(self._fingerprint())
        return self

    def pip(self, *arguments: str | Path) -> None:
        """Run the environment's pip quietly; its output appears only when it fails."""
        run([self.python, "-m", "pip", "--disable-pip-version-check", *arguments])

    def _install_requirements(self) -> None:
        if self.is_complete:
            self.pip("install", "-q", "--no-deps", *self.requirements)
            return
        constraints = self.path / "constraints.txt"
        constraints.write_text("\n".join(_constraints(load_pins())) + "\n")
        self.pip("install", "-q", "-c", constraints, *self.requirements)

    @property
    def _stamp(self) -> Path:
        return self.path / "environment.sha256"

    def _fingerprint(self) -> str:
        version = run([self.interpreter, "-c", "import sys; print(sys.version)"])
        constraints = [] if self.is_complete else _constraints(load_pins())
        parts = [version, *self.requirements, *constraints]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def upstream_environment(interpreter: Path = Path(sys.executable)) -> Environment:
    """Upstream as its users have it, with what its tests and benchmarks import."""
    pins = load_pins()
    wanted = [*requirements(pins.distributions), *_test_requirements(pins)]
    return _cached("upstream", wanted, interpreter)


def our_environment(interpreter: Path = Path(sys.executable)) -> Environment:
    """The same without what this package replaces; `sync.wheel` puts this package in its place."""
    pins = load_pins()
    extras = read_toml(ROOT / "pyproject.toml")["project"]["optional-dependencies"]
    # Upstream has none of them, so its suites need none, and one is large.
    beyond = ("ray", "runs", "view")
    needed = [need for name, extra in extras.items() if name not in beyond for need in extra]
    wanted = [*requirements(pins.beside), *needed, *_test_requirements(pins)]
    return _cached("ours", wanted, interpreter)


def switch_environment(*, with_upstream: bool) -> Environment:
    """What a user has who installs this package, beside upstream or not, and pytest."""
    pins = load_pins()
    needed = read_toml(ROOT / "pyproject.toml")["project"]["dependencies"]
    upstream = requirements(pins.replaced) if with_upstream else []
    wanted = [*needed, *upstream, *requirements({"pytest": pins.test_dependencies["pytest"]})]
    name = "switch-upstream" if with_upstream else "switch"
    return _cached(name, wanted, Path(sys.executable))


def postgres_environment() -> Environment:
    """PostgreSQL and what starts it."""
    return _cached("postgres", requirements(load_pins().postgres), Path(sys.executable))


def fuzzer_environment() -> Environment:
    """What this package needs, and a fuzzer that is guided by the code that an input reaches."""
    needed = read_toml(ROOT / "pyproject.toml")["project"]["dependencies"]
    return _cached("fuzzer", [*needed, *requirements(load_pins().fuzzer)], Path(sys.executable))


def development_environment() -> Environment:
    """`.venv`: the tools named in `pyproject.toml`, maturin, and this package's dependencies."""
    project = read_toml(ROOT / "pyproject.toml")
    named = [*project["build-system"]["requires"], *project["dependency-groups"]["dev"]]
    siblings = requirements(load_pins().siblings)
    needed = (*project["project"]["dependencies"], *named, *siblings)
    return Environment("dev", ROOT / ".venv", needed)


def cluster_environment() -> Environment:
    """What this package needs to run nodes on Ray, and what traces them there."""
    project = read_toml(ROOT / "pyproject.toml")["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["ray"], *extras["sqlite"]]
    tracing = "opentelemetry-sdk>=1.30"
    return _cached("cluster", [*wanted, tracing], Path(sys.executable))


def browser_environment() -> Environment:
    """What steers a browser; the browser is the system's."""
    return _cached("browser", ["playwright"], Path(sys.executable))


def older_environment(names: Path) -> Environment:
    """What an older release of upstream's was; a file names all of it."""
    return _of_file("older", names)


def documentation_environment() -> Environment:
    """What builds the site: `pyproject.toml` names all of it."""
    wanted = read_toml(ROOT / "pyproject.toml")["dependency-groups"]["docs"]
    path = _cached("docs", [], Path(sys.executable)).path
    return Environment("docs", path, tuple(wanted), is_complete=True)


def example_environment(example: Path) -> Environment:
    """What the `requirements.txt` of an example names; `sync.wheel` adds this package.

    Examples that name the same share one, and one whose requirements change gets another.

    Raises:
        OSError: the example has none.
    """
    return _of_file("examples", example / "requirements.txt")


def client_environment(folder: Path, *, with_upstream: bool = True) -> Environment:
    """What the `requirements.txt` of a client names, beside upstream or not; as for examples.

    Raises:
        OSError: the client has none.
    """
    pins = load_pins()
    left_out = {} if with_upstream else pins.replaced
    beside = {name: v for name, v in pins.distributions.items() if name not in left_out}
    return _of_file("clients", folder / "requirements.txt", requirements(beside))


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold a lock among all processes of this checkout, so that parallel makes do not collide."""
    folder = CACHE / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class Failed(SystemExit):
    """A command that failed; what it said has been shown."""


def run(command: list[str | Path]) -> str:
    """Run a command and return its standard output.

    Raises:
        Failed: the command did; what it said has been shown.
    """
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode:
        sys.stderr.write(result.stdout + result.stderr)
        raise Failed(f"failed ({result.returncode}): {' '.join(map(str, command))}")
    return result.stdout


def say(message: str) -> None:
    """Tell the person what is going on, apart from a command's results."""
    print(f"== {message}", file=sys.stderr, flush=True)


def _cached(name: str, wanted: list[str], interpreter: Path) -> Environment:
    """One made with another interpreter than runs this is named after where that lies, too."""
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    other = "" if interpreter == Path(sys.executable) else "-".join(interpreter.parent.parts[1:])
    folder = "-".join(filter(None, (name, tag, other)))
    return Environment(name, CACHE / "envs" / folder, tuple(wanted), interpreter)


def _of_file(kind: str, file: Path, beside: Sequence[str] = ()) -> Environment:
    """One that holds what a file names and what is `beside` it, and nothing else."""
    lines = file.read_text(encoding="utf-8").splitlines()
    wanted = sorted({line for line in lines if line and not line.startswith("#")}.union(beside))
    digest = hashlib.sha256("\n".join(wanted).encode()).hexdigest()
    name = f"{kind}-{digest[:12]}"
    return Environment(name, CACHE / "envs" / name, tuple(wanted), is_complete=True)


def _test_requirements(pins: Pins) -> list[str]:
    return requirements(pins.test_dependencies)


def _constraints(pins: Pins) -> list[str]:
    """Exact versions for everything; pip does not accept extras in constraints."""
    versions = pins.constraints | pins.postgres | pins.test_dependencies | pins.distributions
    return sorted(line for line in requirements(versions) if "[" not in line)


def main() -> None:
    """Make the environments named on the command line and print their interpreters."""
    makers = {
        "browser": browser_environment,
        "cluster": cluster_environment,
        "dev": development_environment,
        "docs": documentation_environment,
        "ours": our_environment,
        "fuzzer": fuzzer_environment,
        "postgres": postgres_environment,
        "upstream": upstream_environment,
    }
    for name in sys.argv[1:] or ["dev"]:
        print(makers[name]().ensure().python)


if __name__ == "__main__":
    main()
