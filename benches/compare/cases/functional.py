"""The functional API: an entrypoint that calls many tasks."""

from __future__ import annotations

import asyncio
from typing import Any

from benches.compare.cases.base import Case, Mode, Run

TASKS = 100


def functional_cases() -> list[Case]:
    """Tasks side by side."""
    return [Tasks()]


def double(n: int) -> int:
    """What a task does."""
    return 2 * n


async def adouble(n: int) -> int:
    """The same as a coroutine."""
    return 2 * n


class Tasks(Case):
    """All are begun before the first is waited for."""

    name = f"functional_{TASKS}_tasks"
    steps = TASKS
    unit = "task"

    def graph(self, mode: Mode) -> Run:
        from langgraph.func import entrypoint, task

        work = task(double if mode == "sync" else adouble)

        def total(n: int) -> Any:
            begun = [work(i) for i in range(n)]
            return {"total": sum(future.result() for future in begun)}

        async def atotal(n: int) -> Any:
            return {"total": sum(await asyncio.gather(*(work(i) for i in range(n))))}

        graph = entrypoint()(total if mode == "sync" else atotal)
        return self.invoke_run(graph, TASKS, mode)

    def floor(self, mode: Mode) -> Run:
        def run() -> Any:
            return {"total": sum([double(i) for i in range(TASKS)])}

        async def arun() -> Any:
            return {"total": sum(await asyncio.gather(*(adouble(i) for i in range(TASKS))))}

        return run if mode == "sync" else arun
