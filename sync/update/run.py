"""What `make sync` does, step by step."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from sync.api.manifest import MANIFEST_FILE, save_manifest
from sync.environments import say
from sync.pins import CORE, ROOT, Pins, read_pins
from sync.places import statements
from sync.update.checkout import Change
from sync.update.choose import Release, find_release, fit_the_rest, release_before
from sync.update.compare import compare_releases, public_api
from sync.update.index import Index
from sync.update.outcome import Outcome, Status
from sync.update.pinning import repin
from sync.update.report import Report, Suites, is_judged, report_name, report_path
from sync.update.suites import Harness
from sync.update.text import page

PACKAGE = Path("langgraph-py") / "python" / "langgraph_rust"


@dataclass(frozen=True)
class Sync:
    """A checkout, and what it is brought in step with."""

    root: Path
    index: Index
    harness: Harness

    def move(self, wanted: str | None = None) -> Outcome:
        """Move the pins to the newest release that fits, or to version `wanted`, and judge it.

        Raises:
            Refused: pip finds nothing that fits, or cannot get a file.
            NotJudged: a suite did not come to its end.
        """
        pins = read_pins(self.pins_file)
        release = find_release(self.index, pins, wanted)
        if release.versions == pins.distributions:
            return Outcome(Status.DONE, text=_nothing(pins, release))
        say(f"from {pins.label()} to {' '.join(f'{n}=={v}' for n, v in release.versions.items())}")
        rest = fit_the_rest(self.index, pins, release)
        report = self._compare(pins, pinned_release(pins), release, rest)
        with Change(self.root) as change:
            moved = self._pin(change, pins, release, rest)
            self._state(change, moved)
            results = []
            for suite in pins.sdists:
                change.touch(*self.harness.lists(suite))
                results.append(self.harness.judge(suite, moved.label()))
            report = replace(report, suites=Suites(True, "", results))
            self._state(change, moved)
            self._write(change, report)
            files = [path.as_posix() for path in change.keep()]
        return Outcome(
            status=Status.GREEN if report.green else Status.LOST,
            version=moved.core_version,
            title=f"Follow {CORE} {moved.core_version}",
            text=page(report),
            files=files,
        )

    def report(self, old: str, new: str) -> Outcome:
        """Compare two releases and write the report; no pin moves and no suite runs.

        A report that says what the suites showed stays: it says all that this one could, and more.

        Raises:
            Refused: one of them cannot be had.
        """
        pins = read_pins(self.pins_file)
        after = self._release(pins, new)
        if old == pins.core_version:
            before = pinned_release(pins)
        else:
            before = release_before(self.index, pins, old, after)
        kept = report_path(self.root, report_name(before, after, CORE), "json")
        if is_judged(kept):
            name = kept.with_suffix(".md").relative_to(self.root).as_posix()
            return Outcome(Status.DONE, text=f"wrote nothing: {name} has the suites' results")
        report = self._compare(pins, before, after, {})
        report = replace(report, suites=Suites(False, "this is a report only", []))
        with Change(self.root) as change:
            self._write(change, report)
            files = [path.as_posix() for path in change.keep()]
        return Outcome(Status.DONE, text=f"wrote {', '.join(files) or 'nothing new'}", files=files)

    @property
    def pins_file(self) -> Path:
        """Where the pins are."""
        return self.root / "sync" / "upstream.toml"

    def _release(self, pins: Pins, version: str) -> Release:
        pinned = version == pins.core_version
        return pinned_release(pins) if pinned else find_release(self.index, pins, version)

    def _compare(self, pins: Pins, old: Release, new: Release, rest: dict[str, str]) -> Report:
        return compare_releases(self.index, pins, self.root / PACKAGE, old, new, rest)

    def _pin(self, change: Change, pins: Pins, release: Release, rest: dict[str, str]) -> Pins:
        """Write the pins and the API manifest that goes with them."""
        sdists = self.index.sdists({name: release.versions[name] for name in pins.sdists})
        tests = {name: v for name, v in rest.items() if name in pins.test_names}
        sections = {
            "distributions": release.versions,
            "sdists": {name: _digest(path) for name, path in sdists.items()},
            "test-dependencies": tests,
            "constraints": {name: v for name, v in rest.items() if name not in tests},
        }
        text = repin(self.pins_file.read_text(encoding="utf-8"), sections, "constraints")
        change.write(self.pins_file, text)
        moved = read_pins(self.pins_file)
        manifest = self.root / MANIFEST_FILE.relative_to(ROOT)
        change.touch(manifest)
        save_manifest(public_api(self.index.wheels(release.versions)), moved.label(), manifest)
        return moved

    def _state(self, change: Change, pins: Pins) -> None:
        """Write the places that repeat the pins and the lists."""
        for statement in statements(self.root, pins):
            change.touch(statement.path)
            statement.write()

    def _write(self, change: Change, report: Report) -> None:
        change.write(report_path(self.root, report.name, "md"), page(report))
        change.write(report_path(self.root, report.name, "json"), report.as_json())


def pinned_release(pins: Pins) -> Release:
    """The release that the checkout follows now."""
    return Release(pins.distributions, "pinned", [])


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _nothing(pins: Pins, release: Release) -> str:
    lines = [f"nothing to do: {pins.label()}"]
    for held in release.held_back:
        lines += [f"{held.distribution} {held.newest} is held back at {held.chosen}:", *held.why]
    return "\n".join(lines)
