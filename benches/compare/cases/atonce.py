"""Many runs of one graph at the same time: on an event loop, and in threads."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benches.compare.cases.base import Case, Mode, Run
from benches.compare.cases.scaling import chain
from benches.compare.cases.single import bump

RUNS = 1000
THREADS = 8


def concurrent_cases() -> list[Case]:
    """Short runs that wait in between, and longer ones that only compute."""
    return [OnOneLoop(), InThreads()]


async def wait(state: Any) -> dict[str, Any]:
    """A node that lets others go first, as one does that asks a server."""
    await asyncio.sleep(0)
    return {"n": state["n"] + 1}


class OnOneLoop(Case):
    """Runs of five nodes, all begun before the first one ends."""

    name = f"concurrent_runs_{RUNS}"
    modes = ("async",)
    steps = RUNS
    unit = "run"

    def graph(self, mode: Mode) -> Run:
        run: Any = self.invoke_run(chain(5, mode, wait).compile(), {"n": 0}, mode)
        return _all(run)

    def floor(self, mode: Mode) -> Run:
        async def run() -> Any:
            state: Any = {"n": 0}
            for _ in range(5):
                state = {**state, **await wait(dict(state))}
            return state

        return _all(run)


class InThreads(Case):
    """A chain in each of some threads. What is Python's runs one thread at a time."""

    name = f"chain_100_{THREADS}_threads"
    modes = ("sync",)
    steps = 100 * THREADS

    def graph(self, mode: Mode) -> Run:
        run: Any = self.invoke_run(chain(100, mode).compile(), {"n": 0}, mode)
        return _in_threads(run)

    def floor(self, mode: Mode) -> Run:
        def run() -> Any:
            state: Any = {"n": 0}
            for _ in range(100):
                state = {**state, **bump(state)}
            return state

        return _in_threads(run)


def _all(run: Any) -> Run:
    async def arun() -> Any:
        return (await asyncio.gather(*(run() for _ in range(RUNS))))[-1]

    return arun


def _in_threads(run: Any) -> Run:
    pool = ThreadPoolExecutor(THREADS)

    def runs() -> Any:
        return [future.result() for future in [pool.submit(run) for _ in range(THREADS)]][-1]

    return runs
