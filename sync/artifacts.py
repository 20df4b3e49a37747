"""Upstream's published files: the source distribution's tests and benchmarks, and the wheels.

Both are downloaded by pip into `.cache/upstream` and never committed. Of the source distribution
only `tests/` and `bench/` are unpacked, so that the folder can be a test run's root without putting
upstream's own package on the path.
"""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

from sync.environments import Environment, locked, say
from sync.pins import CACHE, load_pins, requirements

SUITE_FOLDERS = ("tests", "bench")
UPSTREAM_CACHE = CACHE / "upstream"


def upstream_suite(downloader: Environment) -> Path:
    """The folder with upstream's `tests/` and `bench/`, downloaded by `downloader` when missing.

    The archive is checked against the hash in `sync/upstream.toml`.
    """
    pins = load_pins()
    folder = UPSTREAM_CACHE / f"suite-{pins.sdist_version}"
    with locked("suite"):
        if not folder.exists():
            say(f"downloading the source distribution of {pins.sdist_name} {pins.sdist_version}")
            _unpack(_download_sdist(downloader), folder)
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


def _download_sdist(downloader: Environment) -> Path:
    pins = load_pins()
    folder = UPSTREAM_CACHE / "sdist"
    folder.mkdir(parents=True, exist_ok=True)
    hashed = folder / "requirement.txt"
    hashed.write_text(
        f"{pins.sdist_name}=={pins.sdist_version} --hash=sha256:{pins.sdist_sha256}\n"
    )
    source_only = ("--no-binary", ":all:", "--no-deps", "--no-build-isolation")
    downloader.pip("download", "-q", *source_only, "-d", folder, "-r", hashed)
    return folder / f"{pins.sdist_name}-{pins.sdist_version}.tar.gz"


def _unpack(archive: Path, target: Path) -> None:
    scratch = target.with_suffix(".part")
    shutil.rmtree(scratch, ignore_errors=True)
    with tarfile.open(archive) as tar:
        wanted = [m for m in tar.getmembers() if Path(m.name).parts[1:2] in _SUITE_PREFIXES]
        tar.extractall(scratch, members=wanted, filter="data")
    (scratch / archive.name.removesuffix(".tar.gz")).rename(target)
    scratch.rmdir()


_SUITE_PREFIXES = tuple((folder,) for folder in SUITE_FOLDERS)


def _find_wheel(folder: Path, name: str, version: str) -> Path | None:
    return next(folder.glob(f"{name.replace('-', '_')}-{version}-*.whl"), None)
