"""Upstream's published files: the source distributions' tests and benchmarks, and the wheels.

Both are downloaded by pip into `.cache/upstream` and never committed. Of a source distribution only
`tests/`, `bench/` and `pyproject.toml`, which configures pytest, are unpacked, so that the folder
can be a test run's root without putting upstream's own package on the path.
"""

from __future__ import annotations

import shutil
import sys
import tarfile
from pathlib import Path

from sync.environments import Environment, locked, say
from sync.pins import CACHE, load_pins, requirements

SUITE_PARTS = ("tests", "bench", "pyproject.toml")
UPSTREAM_CACHE = CACHE / "upstream"


def upstream_suite(name: str, downloader: Environment) -> Path:
    """The folder with the tests of the distribution `name`, downloaded when missing.

    The archive is checked against the hash in `sync/upstream.toml`.
    """
    version = load_pins().distributions[name]
    folder = UPSTREAM_CACHE / "suites" / f"{name}-{version}"
    with locked("suite"):
        if not folder.exists():
            say(f"downloading the source distribution of {name} {version}")
            _unpack(_download_sdist(name, version, downloader), folder)
    return folder


def upstream_wheels(downloader: Environment) -> dict[str, Path]:
    """The wheel of every pinned distribution, by name; nothing is installed."""
    pins = load_pins()
    folder = UPSTREAM_CACHE / "wheels"
    with locked("wheels"):
        wheels = {name: _find_wheel(folder, name, v) for name, v in pins.distributions.items()}
        if None in wheels.values():
            say("downloading upstream's wheels")
            wanted = requirements(pins.distributions)
            downloader.pip("download", "-q", "--no-deps", "-d", folder, *wanted)
            wheels = {name: _find_wheel(folder, name, v) for name, v in pins.distributions.items()}
    return {name: path for name, path in wheels.items() if path is not None}


def _download_sdist(name: str, version: str, downloader: Environment) -> Path:
    folder = UPSTREAM_CACHE / "sdist"
    folder.mkdir(parents=True, exist_ok=True)
    hashed = folder / "requirement.txt"
    hashed.write_text(f"{name}=={version} --hash=sha256:{load_pins().sdists[name]}\n")
    source_only = ("--no-binary", ":all:", "--no-deps", "--no-build-isolation")
    downloader.pip("download", "-q", *source_only, "-d", folder, "-r", hashed)
    return folder / f"{name.replace('-', '_')}-{version}.tar.gz"


def _unpack(archive: Path, target: Path) -> None:
    scratch = target.with_name(f"{target.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    with tarfile.open(archive) as tar:
        wanted = [m for m in tar.getmembers() if Path(m.name).parts[1:2] in _WANTED]
        if not any(Path(member.name).parts[1:2] == ("tests",) for member in wanted):
            sys.exit(f"{archive.name} has no tests")
        tar.extractall(scratch, members=wanted, filter="data")
    (scratch / archive.name.removesuffix(".tar.gz")).rename(target)
    scratch.rmdir()


_WANTED = tuple((part,) for part in SUITE_PARTS)


def _find_wheel(folder: Path, name: str, version: str) -> Path | None:
    return next(folder.glob(f"{name.replace('-', '_')}-{version}-*.whl"), None)
