"""A report as a page for people: what is new, what it asks of this project, what is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from sync.update.report import Distribution, Report
from sync.update.source import FileChange
from sync.update.suites import SuiteResult

SHOWN = 40
"""How many entries a list shows before it says how many more the JSON file has."""


def page(report: Report) -> str:
    """The report as Markdown."""
    old, new = report.old.versions[report.core], report.new.versions[report.core]
    parts = [
        [f"# {report.core} {old} to {new}", "", verdict(report), ""],
        _versions(report),
        _section("What is new", _new(report)),
        _section("What it asks of us", _asked(report)),
        _section("What is lost", _lost(report)),
    ]
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def verdict(report: Report) -> str:
    """One sentence on what the suites showed."""
    suites = report.suites
    if not suites.run:
        return f"The suites were not run: {suites.why_not}."
    counts = ", ".join(f"{s.here:,} of {s.upstream:,} ({s.suite})" for s in suites.results)
    flaky = ", and some are flaky that were not" if any(s.flaky for s in suites.results) else ""
    return f"Lost: {_count(len(report.lost), 'test')}{flaky}. Passing here: {counts}."


def _section(title: str, content: Iterable[str]) -> list[str]:
    return [f"## {title}", "", *(list(content) or ["Nothing.", ""])]


def _versions(report: Report) -> Iterator[str]:
    yield from ("| distribution | old | new |", "|---|---|---|")
    for name, new in report.new.versions.items():
        yield f"| {name} | {report.old.versions.get(name, '-')} | {new} |"
    yield ""
    yield f"The old set: {report.old.how}. The new set: {report.new.how}."
    yield ""
    for held in report.new.held_back:
        yield f"{held.distribution} {held.newest} is held back at {held.chosen}. pip:"
        yield from ("", *(f"    {line}" for line in held.why), "")


def _new(report: Report) -> Iterator[str]:
    api = report.api
    yield from _listed("Public names", api.new)
    yield from _listed(
        "Signatures", [f"{c.name}: {c.old} is now {c.new}" for c in api.changed], code=False
    )
    for distribution in report.distributions:
        yield from _sources(distribution)
        yield from _tests(distribution)


def _sources(distribution: Distribution) -> Iterator[str]:
    files, name = distribution.files, f"{distribution.name} {distribution.new}"
    added, removed = sum(f.added for f in files), sum(f.removed for f in files)
    yield f"{name}: {_count(len(files), 'source file')} changed, +{added:,} -{removed:,} lines."
    yield ""
    if distribution.tests is not None:
        yield from _file_table(files)


def _file_table(files: list[FileChange]) -> Iterator[str]:
    if not files:
        return
    yield from ("| file | | lines added | removed |", "|---|---|---|---|")
    for change in sorted(files, key=lambda f: (-f.added - f.removed, f.file))[:SHOWN]:
        yield f"| `{change.file}` | {change.status} | {change.added} | {change.removed} |"
    yield from ("", *_more(len(files)))


def _tests(distribution: Distribution) -> Iterator[str]:
    tests = distribution.tests
    if tests is None:
        return
    counts = f"{len(tests.new)} new, {len(tests.gone)} gone, {len(tests.changed)} changed"
    yield f"{distribution.name}'s tests: {counts}, {tests.count} in all."
    yield ""
    by_file = {
        kind: Counter(test.partition("::")[0] for test in listed)
        for kind, listed in (("n", tests.new), ("g", tests.gone), ("c", tests.changed))
    }
    files = sorted(set().union(*by_file.values()))
    if files:
        yield from ("| test file | new | gone | changed |", "|---|---|---|---|")
        yield from (
            f"| `{f}` | {by_file['n'][f]} | {by_file['g'][f]} | {by_file['c'][f]} |" for f in files
        )
        yield ""
    yield from _listed("New tests", tests.new)
    yield from _listed("Helpers of the tests that changed", [c.file for c in tests.support])


def _asked(report: Report) -> Iterator[str]:
    yield from _listed("API that is not here, or differs here", report.api.asked)
    for suite in report.suites.results:
        yield from _listed(f"{suite.suite}: new tests that do not pass here", suite.asked)
    for distribution in report.distributions:
        stated = distribution.requirements
        lines = [f"`{r}` is new" for r in stated.added] + [f"`{r}` is gone" for r in stated.removed]
        yield from _listed(f"{distribution.name}'s requirements", lines, code=False)
    pins = [f"{p.name}: {p.old or 'none'} to {p.new}" for p in report.pinned]
    yield from _listed("Pins of other packages that must move", pins, code=False)
    changed = [f"{d.name}: {t}" for d in report.distributions if d.tests for t in d.tests.changed]
    yield from _listed("Tests that say something else now", changed)


def _lost(report: Report) -> Iterator[str]:
    if not report.suites.run:
        yield from (verdict(report), "")
    for suite in report.suites.results:
        yield from _suite(suite)
    yield from _listed("Public names that upstream has no more", report.api.gone)
    gone = [f"{d.name}: {t}" for d in report.distributions if d.tests for t in d.tests.gone]
    yield from _listed("Tests that upstream has no more", gone)


def _suite(suite: SuiteResult) -> Iterator[str]:
    yield from _listed(f"{suite.suite}: tests that passed here and do not now", suite.lost)
    yield from _listed(f"{suite.suite}: passed here, and not on upstream now", suite.gone)


def _listed(title: str, entries: Iterable[str], code: bool = True) -> Iterator[str]:
    lines = list(entries)
    if not lines:
        return
    yield from (f"{title} ({len(lines)}):", "")
    yield from (f"- `{line}`" if code else f"- {line}" for line in lines[:SHOWN])
    yield from ("", *_more(len(lines)))


def _more(count: int) -> Iterator[str]:
    if count > SHOWN:
        yield from (f"{count - SHOWN} more are in the JSON file.", "")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
