"""``python -m tests.differential --seeds 0:300``: compare random programs on both sides.

Exits with 1 when a program behaves differently here and `known.py` does not explain it in this very
program, when an entry there is stale, or when too many programs could not be compared. What differs
in an unknown way is shown as small as it could be made; of a single seed, any difference is shown.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from sync.environments import say
from tests.differential.generate import program
from tests.differential.report import print_difference, print_lists, print_tally
from tests.differential.shrink import shrunk
from tests.differential.sides import get_ready, our_side, upstream_side
from tests.differential.tally import Tally, tally
from tests.differential.verdict import Difference, Outcome, compare
from tests.seeds import seed_range


def main() -> int:
    """Run what the command line asks for; returns the process's exit status."""
    options = _parse()
    get_ready(options.sources)
    say(f"comparing {len(options.seeds)} programs")
    with ThreadPoolExecutor(options.jobs) as pool:
        parts = [options.seeds[index :: options.jobs] for index in range(options.jobs)]
        found = pool.map(lambda part: list(_search(part, options)), parts)
        counted = tally(outcome for part in found for outcome in part)
    for difference in _worth_showing(counted, len(options.seeds)):
        print_difference(difference)
    if options.list:
        print_lists(counted)
    print_tally(counted)
    return 0 if counted.passes() else 1


def _search(seeds: Iterable[int], options: argparse.Namespace) -> Iterable[tuple[int, Outcome]]:
    ours, upstream = our_side(options.sources), upstream_side()
    try:
        unknown = 0
        for seed in seeds:
            outcome = compare(program(seed), ours, upstream)
            if isinstance(outcome, Difference) and not outcome.resembles():
                unknown += 1
                outcome = shrunk(outcome, ours, upstream) if options.shrink else outcome
            yield seed, outcome
            if unknown == options.stop:
                return
    finally:
        ours.close()
        upstream.close()


def _worth_showing(counted: Tally, programs: int) -> list[Difference]:
    """Unknown differences; those of a single program in any case."""
    if programs > 1:
        return counted.unknown
    explained = [*counted.known.values(), *counted.unlisted.values()]
    return [*counted.unknown, *(item for items in explained for item in items[:1])][:1]


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make differential", description=__doc__)
    parser.add_argument(
        "--seeds", type=seed_range, default="0:300", help="FIRST:END, or one (default: 0:300)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="pairs of processes (default: 2)")
    parser.add_argument(
        "--stop", type=int, default=3, help="unknown differences per job before it stops"
    )
    parser.add_argument(
        "--list", action="store_true", help="print the lines of known_seeds.toml as found"
    )
    parser.add_argument("--no-shrink", dest="shrink", action="store_false", help="as generated")
    parser.add_argument(
        "--sources", action="store_true", help="run what `make develop` built, and no new wheel"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
