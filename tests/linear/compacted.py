"""``python -m tests.linear.compacted --seeds 0:300``: threads made smaller by `storage compact`.

Each program of `tests.linear` runs here and on upstream, again and again, stored plainly. Of what
is stored one copy is compacted. Both must hold the same at every checkpoint, read here and by
upstream, and both must become the same when they are gone on with: here, here as changes, and on
upstream. Exits with 1 when some thread does not.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sync.environments import say, upstream_environment
from sync.pins import ROOT
from sync.wheel import ready_environment
from tests.deltas.__main__ import lines
from tests.linear.compare import STUB, without_ids
from tests.seeds import seed_range

_COMPACT = """
import contextlib, io, json, sys
from langgraph_rust._storage.command import main
for path in sys.argv[1:]:
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(io.StringIO()):
        assert main([path, "compact", "--all", "--json"]) == 0, path
    print(json.loads(told.getvalue())["values"])
"""


def main() -> int:
    """Compare the programs that the command line names; returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.linear.compacted", description=__doc__)
    parser.add_argument(
        "--seeds", type=seed_range, default="0:100", help="FIRST:END, or one (default: 0:100)"
    )
    parser.add_argument("--show", type=int, default=3, help="how many findings to show")
    options = parser.parse_args()
    ours = [str(ready_environment().python)]
    upstream = [str(upstream_environment().ensure().python)]
    return compare(ours, upstream, options.seeds, options.show)


def compare(ours: list[str], upstream: list[str], seeds: range, show: int) -> int:
    """Compare programs; returns the process's exit status.

    Args:
        ours: The command of Python with this package.
        upstream: That of Python with upstream.
        seeds: The programs.
        show: How many findings to print.
    """
    say(f"compacting {len(seeds)} histories, twice")
    found = []
    with TemporaryDirectory() as folder:
        for writer in ("here", "upstream"):
            own = Path(folder) / writer
            found += _findings(ours, upstream, writer, own, seeds)
    for seed, finding in found[:show]:
        print(f"===== seed {seed}: {finding}")
    apart = sorted({seed for seed, _ in found})
    print(f"linear: {len(seeds)} histories compacted, {len(apart)} differ (seeds {apart})")
    return 1 if found else 0


def _findings(
    ours: list[str], upstream: list[str], writer: str, folder: Path, seeds: range
) -> Iterator[tuple[int, str]]:
    sides = {"here": [*ours, "-m", "langgraph_rust"], "upstream": upstream}

    def seen(side: str, at: Path, part: str) -> dict[int, Any]:
        given = [str(at), f"{seeds.start}:{seeds.stop}", part]
        return dict(lines([*sides[side], "-m", "tests.linear.runner", *given]))

    plain = folder / "plain"
    plain.mkdir(parents=True)
    seen(writer, plain, "at length")
    small = Path(shutil.copytree(plain, folder / "small"))
    paths = sorted(map(str, small.glob("*.sqlite")))
    told = subprocess.run(
        [*ours, "-c", _COMPACT, *paths], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    taken = [int(line) for line in told.stdout.split()]
    say(f"written {writer}: {len(taken)} databases, {sum(map(bool, taken))} compacted, "
        f"{sum(taken)} values taken out")  # fmt: skip
    for side in sides:
        before, after = seen(side, plain, "read"), seen(side, small, "read")
        for seed, states in before.items():
            if states != after[seed]:
                yield seed, f"written {writer}, read {side}:\n  {states}\n  {after[seed]}"
    for side, part in (("here", "go on plainly"), ("here", "go on"), ("upstream", "go on")):
        one, other = [
            seen(side, Path(shutil.copytree(at, folder / f"{at.name} {side} {part}")), part)
            for at in (plain, small)
        ]
        for seed, states in one.items():
            here, there = _last(states), _last(other[seed])
            if here != there:
                yield seed, f"written {writer}, {side}, {part}:\n  {here}\n  {there}"


def _last(states: list[Any]) -> list[Any]:
    """The states at last, without what is random."""
    return [without_ids(state) for state in states[-1] if state[0] != STUB]


if __name__ == "__main__":
    sys.exit(main())
