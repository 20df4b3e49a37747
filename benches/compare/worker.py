"""One process of one side: build each case, run it, write what it took.

Two clocks: the wall's, and the processor time of the whole process, threads included.

Runs inside the side's environment: ``python -m benches.compare.worker --side ours --out FILE CASE
...`` where a case is ``name:mode``. Each result is a JSON line, preceded by a line saying that the
case has begun, so that whoever started this process knows where it died.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TextIO

from benches.compare.cases import all_cases
from benches.compare.cases.base import Case, Mode, Run
from benches.compare.sides import ACCELERATED, FLOOR, GRAPHS, OURS, SIDES

Times = tuple[float, float]
"""Seconds on the wall and of processor time."""

SHORTEST_SAMPLE = 0.002
"""Seconds; shorter runs are repeated within a sample, or the clock's own cost would count."""


def main() -> None:
    """Measure the cases named on the command line."""
    options = _parse()
    with open(options.out, "a", encoding="utf-8") as out:
        try:
            _install(options.side)
        except TypeError as error:
            # A version of this package that cannot be accelerated.
            for label in options.cases:
                _write(out, {"case": label, "error": str(error)})
            return
        cases = all_cases()
        for label in options.cases:
            name, _, mode = label.partition(":")
            _write(out, {"begin": label})
            _write(out, {"case": label, **_measured(cases[name], mode, options)})


def _install(side: str) -> None:
    """Make `langgraph` what the side says."""
    if side in (OURS, ACCELERATED):
        import langgraph_rust

        options: dict[str, Any] = {"accelerate": True} if side == ACCELERATED else {}
        langgraph_rust.install(**options)


def _measured(case: Case, mode: Mode, options: argparse.Namespace) -> dict[str, Any]:
    """The result of a case, or why there is none."""
    random.seed(0)
    gc.collect()
    loop = _new_loop(options.loop)
    asyncio.set_event_loop(loop)
    try:
        run = _ready(case, options.side, mode)
        if mode == "sync":
            samples, result = _sample(run, case.clean, options.budget)
        else:
            samples, result = loop.run_until_complete(_asample(run, case, options.budget))
        return {"samples": samples, "did": _fingerprint(result)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:300]}
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _ready(case: Case, side: str, mode: Mode) -> Run:
    if side == FLOOR:
        return case.floor(mode)
    return case.graph(mode) if side in GRAPHS else case.other(side, mode)


def _sample(run: Run, clean: Callable[[], None], budget: float) -> tuple[list[Times], Any]:
    """What a run took, several samples; and what the first one gave."""
    began = _now()
    result = run()
    first = _since(began)
    samples = [first] if first[0] >= budget else []
    repeat = _repeat(first[0])
    deadline = time.perf_counter() + budget
    while not samples or (first[0] < budget and time.perf_counter() < deadline):
        began = _now()
        for _ in range(repeat):
            run()
        samples.append(_since(began, repeat))
        clean()
    return samples, result


async def _asample(run: Run, case: Case, budget: float) -> tuple[list[Times], Any]:
    """The same inside a running loop: starting a loop is not the library's cost."""
    await case.aopen()
    try:
        began = _now()
        result = await run()
        first = _since(began)
        samples = [first] if first[0] >= budget else []
        repeat = _repeat(first[0])
        deadline = time.perf_counter() + budget
        while not samples or (first[0] < budget and time.perf_counter() < deadline):
            began = _now()
            for _ in range(repeat):
                await run()
            samples.append(_since(began, repeat))
            case.clean()
        return samples, result
    finally:
        await case.aclose()


def _now() -> Times:
    return time.perf_counter(), time.process_time()


def _since(began: Times, runs: int = 1) -> Times:
    wall, processor = _now()
    return (wall - began[0]) / runs, (processor - began[1]) / runs


def _repeat(first: float) -> int:
    """How many runs make a sample of decent length. A run as long as the budget is its own."""
    return max(1, round(SHORTEST_SAMPLE / first))


def _fingerprint(result: Any) -> str:
    """The same for two runs that did the same work, whatever random strings and ids were in it.

    For a list of chunks: how often each key came with a value that prints in so many characters.
    """
    chunks = result if isinstance(result, list) else [result]
    counted = Counter((k, len(repr(v))) for chunk in chunks for k, v in dict(chunk).items())
    return hashlib.sha256(repr(sorted(counted.items())).encode()).hexdigest()[:16]


def _new_loop(kind: str) -> asyncio.AbstractEventLoop:
    if kind == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def _write(out: TextIO, entry: dict[str, Any]) -> None:
    out.write(json.dumps(entry) + "\n")
    out.flush()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--side", choices=SIDES, required=True)
    parser.add_argument("--budget", type=float, required=True, help="seconds per case and mode")
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), default="uvloop")
    parser.add_argument("--out", required=True)
    parser.add_argument("cases", nargs="+")
    return parser.parse_args()


if __name__ == "__main__":
    main()
