"""How many tests of each suite pass on upstream and here: the table in `suites/README.md`."""

from __future__ import annotations

from tests.conformance.ids import read_ids
from tests.conformance.suite import SUITES, Suite, load_suites

COUNTS = SUITES / "README.md"
_TEXT = """\
# Upstream's suites

How many tests pass on upstream, in the versions that `sync/upstream.toml` pins, and how many of
those pass here. `make conformance-upstream` and `make conformance-update` write this from the lists
in these folders; `tests/conformance/suite.py` says what each file is.

| suite | pass on upstream | of those, here | not here |
|---|---|---|---|
"""


def counts(suites: list[Suite]) -> str:
    """The text that `suites/README.md` should have."""
    rows = [_row(suite) for suite in suites]
    return _TEXT + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def write_counts() -> None:
    """Bring `suites/README.md` in step with the lists."""
    COUNTS.write_text(counts(load_suites([])), encoding="utf-8")


def _row(suite: Suite) -> list[str]:
    there, here = read_ids(suite.upstream_passing), read_ids(suite.passing)
    return [suite.name, *(f"{len(ids):,}" for ids in (there, here, there - here))]
