"""Print what was found: each kind once, with its seeds, one of them made smaller."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from tests.stress.generate import program
from tests.stress.processes import Findings, Worker
from tests.stress.shrink import shrunk

Kind = tuple[str, str]

LINES = 40
"""Lines of a finding's detail, such as the stacks of a program that hangs."""


def kinds(found: list[tuple[int, Findings]]) -> dict[Kind, list[tuple[int, str]]]:
    """Seeds and details by check and cause."""
    grouped: dict[Kind, list[tuple[int, str]]] = defaultdict(list)
    for seed, findings in sorted(found, key=lambda item: item[0]):
        for finding in findings:
            grouped[finding["check"], finding["cause"]].append((seed, finding["detail"]))
    return dict(sorted(grouped.items(), key=lambda item: (item[0][0], -len(item[1]))))


def print_kinds(grouped: dict[Kind, list[tuple[int, str]]]) -> None:
    """One line per kind."""
    check = None
    for (name, cause), hits in grouped.items():
        if name != check:
            print(f"----- {name}")
        check = name
        seeds = list(dict.fromkeys(seed for seed, _ in hits))
        print(f"  {len(seeds):5} x {cause} (seeds {seeds[:4]})")


def print_smallest(kind: Kind, hits: list[tuple[int, str]]) -> None:
    """One program of a kind, as small as it could be made."""
    check, cause = kind
    seed, detail = hits[0]
    print(f"===== {check}: {cause}")
    print("\n".join(detail.splitlines()[:LINES]))
    if seed < 0 or cause == "workers stay":
        return
    worker = Worker()
    try:
        smaller: dict[str, Any] = shrunk(program(seed), check, cause, worker)
    finally:
        worker.close()
    print(f"made smaller, the program of seed {seed} is")
    print(json.dumps(smaller))
    print(f"to see it as generated: python -m tests.stress --seed {seed}")
