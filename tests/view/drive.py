"""Runs all that people do with the viewer; where Playwright is."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import expect, sync_playwright

from tests.view.doing import (
    DOING,
    runs_beside_a_program_are_watched,
    runs_of_workers_are_watched,
)
from tests.view.reading import READING, nothing_was_written
from tests.view.setting import Setting
from tests.view.size import LARGE

Act = Callable[[Setting], None]


def plan(folder: Path, postgres: dict[str, str]) -> Iterator[tuple[str, str, Act]]:
    """Yield whose threads something is done with, its name, and how.

    Args:
        folder: Where the files of SQLite are.
        postgres: Databases of Postgres, by who has made them.
    """

    def of(made_by: str, acts: Any, database: str) -> Iterator[tuple[str, str, Act]]:
        yield from ((made_by, act.__name__, partial(act, database=database)) for act in acts)

    for made_by in ("upstream", "older upstream", "ours"):
        file = folder / f"{made_by}.db"
        copy = folder / f"{made_by}-copy.db"
        copy.write_bytes(file.read_bytes())
        yield from of(made_by, (*READING, nothing_was_written), str(file))
        # Threads of upstream's go on here.
        yield from of(made_by, DOING, str(copy))
    for made_by, database in postgres.items():
        yield from of(f"{made_by}, Postgres", (*READING, *DOING), database)
    for database in [*postgres.values()][:1]:
        yield from of("workers", [runs_of_workers_are_watched], database)
    yield "program", "runs_beside_a_program_are_watched", runs_beside_a_program_are_watched
    yield from (("large", act.__name__, act) for act in LARGE)


def main() -> int:
    """Run all of them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("browser")
    parser.add_argument("python")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--postgres", action="append", default=[], metavar="MAKER=URL")
    parser.add_argument("--pictures", action="store_true")
    parser.add_argument("--only", default="", help="part of the names of those that are run")
    options = parser.parse_args()
    postgres = dict(one.split("=", 1) for one in options.postgres)
    expect.set_options(timeout=15_000)
    ran = 0
    failed: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.browser, args=["--no-sandbox"])
        for made_by, name, act in plan(options.folder, postgres):
            if options.only not in name:
                continue
            began = time.monotonic()
            is_pictured = options.pictures and made_by in ("ours", "program")
            setting = Setting(browser, options.python, options.folder, is_pictured)
            outcome = "passed"
            try:
                act(setting)
            except Exception:
                traceback.print_exc()
                outcome = "failed"
                failed.append(f"{made_by}: {name}")
            ran += 1
            print(f"  {made_by}: {name}: {outcome} ({time.monotonic() - began:.1f} s)", flush=True)
        browser.close()
    print(f"view: {ran - len(failed)} passed, {len(failed)} failed")
    for name in failed:
        print(f"FAILED {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
