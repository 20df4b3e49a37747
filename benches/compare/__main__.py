"""``python -m benches.compare [CASE ...]``: ours against upstream and the floor, in turn.

Cases are shell-style patterns; ``--list`` prints them. Results go to `.cache/bench/latest.json`,
with ``--publish`` also to `benches/compare/results.json` and into the tables of the README and of
`docs/trust/benchmarks.md`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benches.compare.cases import QUICK, all_cases, select
from benches.compare.cases.base import MODES
from benches.compare.coldstart import ColdStart, measure_cold_start
from benches.compare.fsyncs import fsync_lines, measure_fsyncs
from benches.compare.places import make_places, serving_postgres
from benches.compare.publish import publish
from benches.compare.rounds import Plan, measure
from benches.compare.rows import Row, make_rows
from benches.compare.sides import OURS, UPSTREAM
from benches.compare.table import cold_start_lines, terminal_table
from sync.environments import say
from sync.pins import CACHE, ROOT, load_pins

LATEST = CACHE / "bench" / "latest.json"
PUBLISHED = Path(__file__).parent / "results.json"


def main() -> int:
    """Measure what the command line asks for and print it."""
    options = _parse()
    if options.list:
        print("\n".join(all_cases()))
        return 0
    if options.tables:
        publish(json.loads(PUBLISHED.read_text(encoding="utf-8")))
        return 0
    plan = make_plan(options)
    rows = run_plan(plan)
    document = as_document(plan, rows)
    if not options.no_cold_start:
        document["cold_start"] = run_cold_start(plan, options.quick)
    if not options.no_fsyncs:
        document["fsyncs"] = run_fsyncs(plan)
    save(LATEST, document)
    print(f"results: {LATEST.relative_to(ROOT)}")
    if options.publish:
        save(PUBLISHED, document)
        publish(document)
    return 0


def make_plan(options: argparse.Namespace) -> Plan:
    """Prepare the environments and upstream's graphs; decide what is measured and how long."""
    cases = select(options.cases or (list(QUICK) if options.quick else []))
    labels = [f"{c.name}:{mode}" for c in cases for mode in c.modes if mode in options.modes]
    return Plan(
        cases=tuple(labels),
        rounds=options.rounds or (2 if options.quick else 3),
        budget=0.15 if options.quick else 0.3,
        loop=options.loop,
        places=make_places(cases),
    )


def run_plan(plan: Plan) -> list[Row]:
    """All rounds, then the table."""
    rows: list[Row] = []
    needed = any(all_cases()[label.partition(":")[0]].needs_postgres for label in plan.cases)
    with serving_postgres(plan.places) if needed else nullcontext(plan.places) as places:
        for number, results in measure(dataclasses.replace(plan, places=places)):
            say(f"round {number} of {plan.rounds} done")
            rows = make_rows(plan.cases, results)
    print(terminal_table(rows))
    return rows


def run_cold_start(plan: Plan, quick: bool) -> dict[str, Any]:
    """Fresh processes of ours and of upstream in turn, and the ratio of what they took."""
    python = plan.places.interpreters
    sides = measure_cold_start(python[OURS], python[UPSTREAM], times=4 if quick else 12)
    print(cold_start_lines(sides))
    started = {k: dataclasses.asdict(v) for k, v in sides.items() if isinstance(v, ColdStart)}
    if len(started) == 2:
        started["ratio"] = started["upstream"]["wall"] / started["ours"]["wall"]
    return started


def run_fsyncs(plan: Plan) -> dict[str, Any]:
    """By side and number of threads; empty where they cannot be counted."""
    counted = measure_fsyncs(plan.places)
    print(fsync_lines(counted))
    return {} if isinstance(counted, str) else counted


def as_document(plan: Plan, rows: list[Row]) -> dict[str, Any]:
    """The rows, and what they depend on."""
    return {
        "pins": load_pins().label(),
        "machine": {
            "python": platform.python_version(),
            "platform": platform.platform(),
            "cpus": os.cpu_count(),
        },
        "rounds": plan.rounds,
        "seconds_per_case": plan.budget,
        "loop": plan.loop,
        "rows": [row.to_json() for row in rows],
    }


def save(path: Path, document: dict[str, Any]) -> None:
    """Write the document, readable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("cases", nargs="*", help="patterns, such as 'sequential_*'; default: all")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--rounds", type=int, help="default: 3, quick: 2")
    parser.add_argument("--quick", action="store_true", help="fewer cases, less time for each")
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), default="uvloop")
    parser.add_argument("--no-cold-start", action="store_true")
    parser.add_argument("--no-fsyncs", action="store_true")
    parser.add_argument("--publish", action="store_true", help="store the results, fill the tables")
    parser.add_argument("--tables", action="store_true", help="only fill the tables again")
    parser.add_argument("--list", action="store_true", help="print the cases and do nothing")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
