"""Compare two releases of upstream by their published files."""

from __future__ import annotations

from pathlib import Path

from sync.api.manifest import build_manifest
from sync.api.model import Module
from sync.pins import CORE, NOT_OURS, Pins
from sync.update.api import compare_api
from sync.update.choose import Release
from sync.update.index import Index
from sync.update.report import Distribution, Pinned, Report, Suites
from sync.update.source import compare_files, compare_requirements, python_files
from sync.update.tests import SuiteChanges, compare_tests, suite_files


def compare_releases(
    index: Index, pins: Pins, package: Path, old: Release, new: Release, rest: dict[str, str]
) -> Report:
    """What is known without running anything.

    Args:
        index: where the files come from.
        pins: what the project follows.
        package: this package's sources.
        old: the release to compare with.
        new: the release to look at.
        rest: packages from elsewhere that have to move, to their new version.

    Raises:
        Refused: a file cannot be had.
    """
    moved = [name for name, version in new.versions.items() if old.versions[name] != version]
    with_tests = [name for name in moved if name not in NOT_OURS]
    wheels = [index.wheels(release.versions) for release in (old, new)]
    sdists = [
        index.sdists({name: release.versions[name] for name in with_tests})
        for release in (old, new)
    ]
    distributions = [
        Distribution(
            name=name,
            old=old.versions[name],
            new=new.versions[name],
            files=compare_files(python_files(wheels[0][name]), python_files(wheels[1][name])),
            requirements=compare_requirements(wheels[0][name], wheels[1][name]),
            tests=_suite_changes(*(s[name] for s in sdists)) if name in with_tests else None,
        )
        for name in moved
    ]
    return Report(
        core=CORE,
        old=old,
        new=new,
        distributions=distributions,
        pinned=[
            Pinned(name, pins.elsewhere.get(name), version)
            for name, version in sorted(rest.items())
        ],
        api=compare_api(public_api(wheels[0]), public_api(wheels[1]), package),
        suites=Suites(False, "the comparison came first", []),
    )


def public_api(wheels: dict[str, Path]) -> dict[str, Module]:
    """The API manifest of a release's wheels."""
    return build_manifest({name: path for name, path in wheels.items() if name not in NOT_OURS})


def _suite_changes(old: Path, new: Path) -> SuiteChanges:
    return compare_tests(suite_files(old), suite_files(new))
