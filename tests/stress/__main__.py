"""``python -m tests.stress --seeds 0:200``: run random programs and check what must hold.

Exits with 1 when something does not hold, and shows each kind of finding once.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from tests.seeds import seed_range
from tests.stress.generate import program
from tests.stress.processes import Findings, Worker, search
from tests.stress.report import kinds, print_kinds, print_smallest


def main() -> int:
    """Run what the command line asks for; returns the process's exit status."""
    options = _parse()
    if options.seed is not None or options.program:
        return _one(options)
    began = time.monotonic()
    with ThreadPoolExecutor(options.jobs) as pool:
        parts = [options.seeds[index :: options.jobs] for index in range(options.jobs)]
        found = [item for part in pool.map(lambda part: list(search(part)), parts) for item in part]
    took = time.monotonic() - began
    grouped = kinds(found)
    for kind, hits in list(grouped.items())[: options.shrink]:
        print_smallest(kind, hits)
    print_kinds(grouped)
    print(f"stress: {len(options.seeds)} programs in {took:.0f} s, findings in {len(found)}")
    return 1 if grouped else 0


def _one(options: argparse.Namespace) -> int:
    """Run one program again and again, and print what it is and what is wrong with it."""
    chosen = json.loads(options.program) if options.program else program(options.seed)
    if not options.program:
        print(json.dumps(chosen))
    worker, hits = Worker(), 0
    try:
        for _ in range(options.repeat):
            findings: Findings = worker.judge(chosen)
            hits += bool(findings)
            for finding in findings:
                print(f"{finding['check']}: {finding['cause']}\n{finding['detail']}")
    finally:
        worker.close()
    print(f"stress: findings in {hits} of {options.repeat} runs")
    return 1 if hits else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.stress", description=__doc__)
    parser.add_argument(
        "--seeds", type=seed_range, default="0:200", help="FIRST:END, or one (default: 0:200)"
    )
    parser.add_argument("--seed", type=int, help="the program of this seed alone, and show it")
    parser.add_argument("--program", help="this program, as JSON")
    parser.add_argument("--repeat", type=int, default=5, help="how often `--seed`, `--program` run")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    parser.add_argument(
        "--shrink", type=int, default=3, metavar="N", help="kinds of findings to make smaller"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
