"""``python -m tests.docs``: run the programs of all pages, and compare what they print.

A page that imports only `langgraph` runs in drop-in mode and on upstream; one that names this
package runs here. Pages may be named on the command line, by any part of their path.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sync.environments import upstream_environment
from sync.pins import ROOT
from sync.wheel import ready_environment
from tests.docs.blocks import PageError
from tests.docs.pages import Page, read_page
from tests.docs.run import Side, differences, run_page


def find_pages(root: Path) -> Iterator[Path]:
    """The README and every page of the documentation."""
    yield root / "README.md"
    yield from sorted((root / "docs").rglob("*.md"))


def sides() -> dict[str, Side]:
    """Where pages run; makes the environments if need be."""
    ours = ready_environment().python
    dropin = Side("this engine", ours, ("-m", "langgraph_rust"))
    upstream = Side("upstream", upstream_environment().ensure().python)
    return {"ours": Side("this engine", ours), "dropin": dropin, "upstream": upstream}


def check_page(page: Page, where: dict[str, Side]) -> list[str]:
    """What is wrong with a page."""
    if page.is_ours or not page.parts:
        return run_page(page, where["ours"], console=True).wrong
    here = run_page(page, where["dropin"], console=True)
    there = run_page(page, where["upstream"], console=False)
    wrong = here.wrong + there.wrong
    return wrong or differences(there.printed, here.printed, ("upstream", "this engine"))


def main() -> int:
    """Run the pages; returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="make docs-test", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="pages at the same time")
    parser.add_argument("pages", nargs="*", help="only pages with one of these in their path")
    options = parser.parse_args()
    paths = [path for path in find_pages(ROOT) if _is_wanted(path, options.pages)]
    try:
        pages = [read_page(path, ROOT) for path in paths]
    except PageError as error:
        sys.exit(str(error))
    where = sides()
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda page: check_page(page, where), pages))
    for page, wrong in zip(pages, results, strict=True):
        if wrong:
            print(f"{page.path.relative_to(ROOT)}:", *wrong, sep="\n    ")
    bad = sum(map(bool, results))
    print(f"docs: {summary(pages)}, {bad} wrong")
    return 1 if bad or not pages else 0


def summary(pages: list[Page]) -> str:
    """How many pages and blocks there are, and how many of them run where."""
    ran = sum(len(page.parts) + len(page.of("file")) + len(page.of("console")) for page in pages)
    both = [page for page in pages if page.parts and not page.is_ours]
    on_both = sum(len(page.parts) for page in both)
    unrun = sum(block.reason is not None for page in pages for block in page.blocks)
    return (
        f"{len(pages)} pages, {ran} blocks run, {on_both} of them on both engines"
        f" ({len(both)} pages), {unrun} not run for a reason"
    )


def _is_wanted(path: Path, wanted: list[str]) -> bool:
    name = str(path.relative_to(ROOT))
    return not wanted or any(part in name for part in wanted)


if __name__ == "__main__":
    sys.exit(main())
