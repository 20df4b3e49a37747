"""``python -m tests.differential --seeds 0:300``: compare random programs on both sides.

Exits with 1 when a program behaves differently here, and shows it as small as it could be made.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from sync.environments import say
from tests.differential.generate import program
from tests.differential.report import print_difference, print_known
from tests.differential.shrink import shrunk
from tests.differential.sides import Side, get_ready, our_side, upstream_side
from tests.differential.verdict import Difference, compare


def main() -> int:
    """Run what the command line asks for; returns the process's exit status."""
    options = _parse()
    first, _, last = options.seeds.partition(":")
    seeds = range(int(first), int(last) if last else int(first) + 1)
    get_ready(options.sources)
    say(f"comparing {len(seeds)} programs")
    with ThreadPoolExecutor(options.jobs) as pool:
        parts = [seeds[index :: options.jobs] for index in range(options.jobs)]
        found = pool.map(lambda part: list(_search(part, options)), parts)
        differences = sorted(
            (item for part in found for item in part), key=lambda item: item.program["seed"]
        )
    unknown = [item for item in differences if not item.known()]
    for difference in unknown:
        print_difference(difference)
    print_known(differences)
    print(f"differential: {len(seeds)} programs, {len(unknown)} differ in an unknown way")
    return 1 if unknown else 0


def _search(seeds: Iterable[int], options: argparse.Namespace) -> Iterable[Difference]:
    ours, upstream = our_side(options.sources), upstream_side()
    try:
        unknown = 0
        for difference in _differences(seeds, ours, upstream, options.shrink):
            yield difference
            unknown += difference.known() is None
            if unknown == options.stop:
                return
    finally:
        ours.close()
        upstream.close()


def _differences(
    seeds: Iterable[int], ours: Side, upstream: Side, shrink: bool
) -> Iterable[Difference]:
    for seed in seeds:
        if difference := compare(program(seed), ours, upstream):
            worthwhile = shrink and not difference.known()
            yield shrunk(difference, ours, upstream) if worthwhile else difference


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make differential", description=__doc__)
    parser.add_argument("--seeds", default="0:300", help="FIRST:END, or one (default: 0:300)")
    parser.add_argument("--jobs", type=int, default=2, help="pairs of processes (default: 2)")
    parser.add_argument(
        "--stop", type=int, default=3, help="unknown differences per job before it stops"
    )
    parser.add_argument("--no-shrink", dest="shrink", action="store_false", help="as generated")
    parser.add_argument(
        "--sources", action="store_true", help="run what `make develop` built, and no new wheel"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
