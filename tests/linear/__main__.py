"""``python -m tests.linear --seeds 0:1000``: threads whose lists are stored as changes.

Exits with 1 when one holds something else than a thread stored plainly, or upstream reads something
else of it than is read here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sync.environments import say, upstream_environment
from sync.wheel import ready_environment
from tests.deltas.__main__ import lines
from tests.linear.compare import differences
from tests.seeds import seed_range


def main() -> int:
    """Compare the programs that the command line names; returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.linear", description=__doc__)
    parser.add_argument(
        "--seeds", type=seed_range, default="0:100", help="FIRST:END, or one (default: 0:100)"
    )
    parser.add_argument("--show", type=int, default=3, help="how many findings to show")
    options = parser.parse_args()
    ours = [str(ready_environment().python), "-m", "langgraph_rust"]
    upstream = [str(upstream_environment().ensure().python)]
    say(f"comparing {len(options.seeds)} histories")
    with TemporaryDirectory() as folder:
        found = list(_findings(ours, upstream, Path(folder), options.seeds))
    for seed, finding in found[: options.show]:
        print(f"===== seed {seed}: {finding}")
    seeds = sorted({seed for seed, _ in found})
    print(f"linear: {len(options.seeds)} histories, {len(seeds)} differ (seeds {seeds})")
    return 1 if found else 0


def _findings(
    ours: list[str], upstream: list[str], folder: Path, seeds: range
) -> Iterator[tuple[int, str]]:
    def seen(side: list[str], part: str) -> dict[int, Any]:
        given = [str(folder), f"{seeds.start}:{seeds.stop}", part]
        return dict(lines([*side, "-m", "tests.linear.runner", *given]))

    plain, linear = seen(ours, "plain"), seen(ours, "linear")
    for seed in seeds:
        for finding in differences(plain[seed], linear[seed]):
            yield seed, finding
    last = {seed: done[-1]["states"] for seed, done in linear.items()}
    # Each goes on with what the other left, and must first see what the other saw at last.
    for side, part in ((upstream, "go on"), (ours, "go on"), (upstream, "read"), (ours, "read")):
        name = f"{'here' if side is ours else 'upstream'} ({part})"
        for seed, states in seen(side, part).items():
            if states[0] != last[seed]:
                yield seed, f"{name}:\n  before {last[seed]}\n  now    {states[0]}"
            last[seed] = states[-1]


if __name__ == "__main__":
    sys.exit(main())
