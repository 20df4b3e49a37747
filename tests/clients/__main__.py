"""``python -m tests.clients [name ...]``: run clients on upstream and on this package, and compare.

Prints what differs, and a table. The exit status says whether everything ran and was the same.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from sync.environments import say
from sync.wheel import build_wheel
from tests.clients.client import CLIENTS, Client
from tests.clients.running import ENGINES, Outcome, run_client

SHOWN = 60
"""Lines of one difference that are printed."""


def chosen(names: list[str], only_ci: bool) -> list[Client]:
    """The clients whose names begin with one of `names`; all of them where there are none.

    Raises:
        SystemExit: no client is named so.
    """
    found = [client for client in CLIENTS if client.in_ci or not only_ci]
    found = [client for client in found if not names or client.name.startswith(tuple(names))]
    if not found:
        known = ", ".join(client.name for client in CLIENTS)
        raise SystemExit(f"no client is named {', '.join(names)}; there are {known}")
    return found


def show(outcome: Outcome) -> None:
    """Print what differs."""
    for difference in outcome.differences:
        print(f"{outcome.client.name}, {difference.step}:", *difference.lines[:SHOWN], sep="\n    ")
        if (left := len(difference.lines) - SHOWN) > 0:
            print(f"    and {left} lines more")


def keep(outcome: Outcome, folder: Path) -> None:
    """Write the transcripts, so that they can be read."""
    folder.mkdir(parents=True, exist_ok=True)
    for engine, steps in zip(ENGINES.values(), outcome.transcripts, strict=False):
        text = "".join("\n".join((f"== {step.name}", *step.lines, "")) for step in steps)
        file = folder / f"{outcome.client.name.replace('/', '-')}.{engine}.txt"
        file.write_text(text, encoding="utf-8")


def table(outcomes: list[Outcome]) -> str:
    """One row for each, in Markdown."""
    rows = [("client", "versions", "what was driven", "steps", "against upstream")]
    for outcome in outcomes:
        client = outcome.client
        steps = str(outcome.steps or "")
        rows.append((client.name, client.versions(), client.drove, steps, outcome.verdict))
    rows.insert(1, ("---",) * len(rows[0]))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> int:
    """Run those that the command line names; returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients", description=__doc__)
    parser.add_argument("names", nargs="*", help="clients, or how their names begin; all")
    parser.add_argument("--ci", action="store_true", help="only the few that CI runs")
    parser.add_argument(
        "--alone", action="store_true", help="where this package runs, upstream is not installed"
    )
    parser.add_argument("--wheel", type=Path, help="a wheel of this package; otherwise it is built")
    parser.add_argument("--transcripts", type=Path, help="a folder to write them to, normalised")
    options = parser.parse_args()
    clients = chosen(options.names, options.ci)
    wheel = options.wheel or build_wheel()
    outcomes = []
    for client in clients:
        began = time.monotonic()
        outcome = run_client(client, wheel, options.alone)
        show(outcome)
        if options.transcripts:
            keep(outcome, options.transcripts)
        say(f"{client.name}: {outcome.verdict} ({time.monotonic() - began:.0f} s)")
        outcomes.append(outcome)
    same = sum(outcome.is_same for outcome in outcomes)
    not_run = sum(bool(outcome.failed) for outcome in outcomes)
    print(table(outcomes))
    different = len(outcomes) - same - not_run
    print(f"clients: {same} the same, {different} different, {not_run} not run")
    return 0 if same == len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
